//! Policies: what is asked before something happens, and what follows from the answers.
//!
//! Who is asked about what is decided where it happens: about attempts and children by the loop, about
//! what people ask for before it comes to the loop.

mod places;
mod subject;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::try_join_all;
use serde_json::json;
use tracing::{debug, warn};

use fermata_core::attempt::{AttemptKey, LogLine};
use fermata_core::component::{Grants, Pin};
use fermata_core::extension::{Judged, Point, Question, Verdict};
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::id::{Name, ReleaseId};
use fermata_core::json::Json;
use fermata_core::release::event::PolicyWarning;
use fermata_core::time::{Span, Timestamp};

use crate::catalog::Catalog;
use crate::records::{OnFailure, PolicyRecord};
use crate::runner::Runner;

pub(crate) use places::{NoPlace, Places, in_time};
pub(crate) use subject::{of_attempt, of_document, of_start};

/// Longest time beyond its own timeout that a policy may take to answer once it has its place: its
/// component may have to be compiled.
const PREPARE_MAX: Span = Span(30_000);

/// A policy with what it is to be asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The policy.
    pub policy: Arc<PolicyRecord>,
    /// What it is asked, and what it may do meanwhile; or why it cannot be asked.
    pub question: Result<(Question, Arc<Grants>), Failure>,
}

/// What a policy said.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The policy.
    pub policy: Arc<PolicyRecord>,
    /// What it said, or how it failed.
    pub verdict: Result<Verdict, Box<Failure>>,
    /// What its component logged, oldest first.
    pub log: Vec<LogLine>,
}

/// That a policy does not let something happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The policy.
    pub policy: Name,
    /// Its component.
    pub component: Pin,
    /// Why.
    pub message: String,
}

/// What all policies together said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruling {
    /// The first denial, by the names of the policies, if there is one.
    pub denial: Option<Denial>,
    /// What they said to it otherwise.
    pub warnings: Vec<PolicyWarning>,
}

impl Answer {
    /// The verdict that counts: of a policy that failed, it says what was set for that.
    pub fn counts(&self) -> Verdict {
        let failure = match &self.verdict {
            Ok(verdict) => return verdict.clone(),
            Err(failure) => failure,
        };
        let told = format!("it failed: {failure}");
        match self.policy.on_failure {
            OnFailure::Deny => Verdict::Deny(told),
            OnFailure::Warn => Verdict::Warn(told),
            OnFailure::Allow => Verdict::Allow,
        }
    }

    /// One word for what came of it: `allow`, `warn`, `deny` or `failed`.
    pub fn word(&self) -> &'static str {
        match &self.verdict {
            Ok(Verdict::Allow) => "allow",
            Ok(Verdict::Warn(_)) => "warn",
            Ok(Verdict::Deny(_)) => "deny",
            Err(_) => "failed",
        }
    }
}

impl Ruling {
    /// What follows from the answers.
    pub fn of(answers: &[Answer]) -> Self {
        let mut ruling = Self::default();
        for answer in answers {
            let policy = &answer.policy;
            match answer.counts() {
                Verdict::Warn(message) => ruling.warnings.push(PolicyWarning {
                    policy: policy.name.clone(),
                    digest: policy.component.digest,
                    message,
                }),
                Verdict::Deny(message) if ruling.denial.is_none() => {
                    ruling.denial = Some(Denial {
                        policy: policy.name.clone(),
                        component: policy.component.clone(),
                        message,
                    });
                }
                Verdict::Allow | Verdict::Deny(_) => {}
            }
        }
        ruling
    }
}

impl Denial {
    /// The same as the failure of what did not begin.
    pub fn failure(&self) -> Failure {
        let remedy = format!(
            "do what it asks for, or have an administrator change the policy `{}`; then `fermata release retry` asks again",
            self.policy
        );
        let mut failure = Failure::new(FailureClass::PolicyDenied, self.to_string()).remedy(remedy);
        failure.code = Some("policy-denied".to_owned());
        let Pin {
            name,
            version,
            digest,
        } = &self.component;
        let details = json!({
            "policy": self.policy, "component": format!("{name}@{version}"), "digest": digest,
        });
        failure.details = Some(Json::of(&details));
        failure
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the policy `{}`: {}", self.policy, self.message)
    }
}

/// The policies in force for `process` at `point`, with what they are asked about `subject`.
pub(crate) fn asked(
    catalog: &Catalog,
    (point, process): (Point, &Name),
    subject: &Json,
    now: Timestamp,
) -> Vec<Asked> {
    let policies = catalog.policies_at(point, process).into_iter();
    policies
        .map(|policy| one(catalog, policy, (point, subject.clone()), now))
        .collect()
}

/// One policy with what it is asked, whether it is in force or not.
pub(crate) fn one(
    catalog: &Catalog,
    policy: Arc<PolicyRecord>,
    (point, subject): (Point, Json),
    now: Timestamp,
) -> Asked {
    let pin = &policy.component;
    let entry = catalog.version(&pin.name, pin.version);
    let entry = entry.filter(|entry| entry.digest == pin.digest);
    let question = match (catalog.quarantine(&pin.digest), entry) {
        (Some(record), _) => {
            let told = format!("{}@{} is {record}", pin.name, pin.version);
            Err(Failure::new(FailureClass::Quarantined, told))
        }
        (None, None) => {
            let told = format!("{}@{} is not registered", pin.name, pin.version);
            Err(Failure::new(FailureClass::Permanent, told))
        }
        (None, Some(entry)) => {
            let question = Question {
                component: pin.clone(),
                point,
                settings: policy.settings.clone(),
                subject,
                wall: policy.timeout,
                now,
            };
            Ok((question, Arc::clone(&entry.grants)))
        }
    };
    Asked { policy, question }
}

/// Asks all of them at once. Their answers are in the order of the questions, and there within bounds.
/// If one finds no place to run in, nothing was said about any of it.
pub(crate) async fn ask(
    places: &Places,
    runner: &dyn Runner,
    asked: Vec<Asked>,
) -> Result<Vec<Answer>, NoPlace> {
    try_join_all(asked.into_iter().map(|asked| answer(places, runner, asked))).await
}

async fn answer(places: &Places, runner: &dyn Runner, asked: Asked) -> Result<Answer, NoPlace> {
    let Asked { policy, question } = asked;
    let judged = match question {
        Ok((question, grants)) => {
            let _place = places.take(&policy.name).await?;
            judged(runner, question, grants).await
        }
        Err(failure) => unasked(failure),
    };
    let Judged { verdict, log } = judged;
    let name = &policy.name;
    match &verdict {
        Ok(verdict) => debug!(policy = %name, ?verdict, "a policy was asked"),
        Err(failure) => {
            warn!(policy = %name, %failure, last_log = ?failure.last_log, "a policy failed");
        }
    }
    Ok(Answer {
        policy,
        verdict: verdict.map_err(Box::new),
        log,
    })
}

async fn judged(runner: &dyn Runner, question: Question, grants: Arc<Grants>) -> Judged {
    let longest = Duration::from_millis(question.wall.0.saturating_add(PREPARE_MAX.0));
    let judge = AssertUnwindSafe(async { runner.judge(question, grants).await }).catch_unwind();
    match tokio::time::timeout(longest, judge).await {
        Ok(Ok(judged)) => judged,
        Ok(Err(_)) => unasked(Failure::new(
            FailureClass::Engine,
            "the runner broke: this is a bug of the engine",
        )),
        Err(_) => unasked(Failure::new(
            FailureClass::Limit("wall".to_owned()),
            format!("it could not be made ready within {PREPARE_MAX}"),
        )),
    }
}

fn unasked(failure: Failure) -> Judged {
    Judged {
        verdict: Err(failure),
        log: Vec::new(),
    }
}

/// The attempts that policies are to be asked about: for those who want to know what something waits for.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<BTreeMap<AttemptKey, Vec<Name>>>);

impl Waiting {
    fn map(&self) -> MutexGuard<'_, BTreeMap<AttemptKey, Vec<Name>>> {
        self.0
            .lock()
            .expect("nothing panics while it holds the lock")
    }

    /// These policies are to be asked.
    pub(crate) fn begins(&self, key: AttemptKey, policies: &[Arc<PolicyRecord>]) {
        let names = policies.iter().map(|policy| policy.name.clone());
        self.map().insert(key, names.collect());
    }

    /// None is asked any more.
    pub(crate) fn ended(&self, key: AttemptKey) {
        self.map().remove(&key);
    }

    /// Nothing waits any more.
    pub(crate) fn clear(&self) {
        self.map().clear();
    }

    /// The attempts of a release that wait, with the policies that are asked.
    pub(crate) fn of(&self, release: ReleaseId) -> Vec<(AttemptKey, Vec<Name>)> {
        let all = self.map();
        let of = all.iter().filter(|(key, _)| key.release == release);
        of.map(|(key, names)| (*key, names.clone())).collect()
    }
}

#[cfg(test)]
mod tests;
