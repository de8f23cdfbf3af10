//! Policies: set, listed, tried, and asked about what people want.

use std::sync::Arc;

use fermata_core::actor::Caller;
use fermata_core::attempt::AttemptKey;
use fermata_core::extension::Point;
use fermata_core::id::{Name, ReleaseId};
use fermata_core::json::Json;
use fermata_core::process::Process;
use fermata_core::release::event::{Pinned, PolicyWarning};
use fermata_core::release::{self, Draft, Release};
use fermata_store::Table;
use serde_json::Value;

use crate::error::{CreateError, Error, InputError, PolicyError};
use crate::keys;
use crate::policies::{self, Answer, Asked, Denial, Ruling};
use crate::records::{PolicyRecord, ProcessRecord};
use crate::request::{Ask, Command, NewRelease, Once, PolicyOrder, Trial, TrialSubject};
use crate::service::Service;
use crate::wake::{Request, SetPolicy};
use crate::watch::blocking;

impl Service {
    /// Sets a policy, in place of what was set under its name; `expected` is the revision that must be
    /// there, if the caller insists, and 0 if there must be none.
    pub async fn set_policy(
        &self,
        by: Caller,
        order: PolicyOrder,
        expected: Option<u64>,
    ) -> Result<Arc<PolicyRecord>, PolicyError> {
        let set = SetPolicy {
            by,
            order,
            expected,
        };
        self.ask(|answer| Request::SetPolicy(Box::new(set), answer))
            .await?
    }

    /// Removes a policy.
    pub async fn remove_policy(
        &self,
        name: Name,
        expected: Option<u64>,
    ) -> Result<(), PolicyError> {
        self.ask(|answer| Request::RemovePolicy(name, expected, answer))
            .await?
    }

    /// Every policy, by name.
    pub fn policies(&self) -> Vec<Arc<PolicyRecord>> {
        self.shared.catalog.policies()
    }

    /// One policy.
    pub fn policy(&self, name: &Name) -> Option<Arc<PolicyRecord>> {
        self.shared.catalog.policy(name)
    }

    /// The attempts of a release that policies are to be asked about, with the policies.
    pub fn awaiting_policies(&self, release: ReleaseId) -> Vec<(AttemptKey, Vec<Name>)> {
        self.shared.policies.of(release)
    }

    /// What a policy would say; nothing else comes of it. It is asked whether it is in force or not.
    pub async fn try_policy(
        &self,
        by: &Caller,
        name: &Name,
        trial: Trial,
    ) -> Result<Answer, PolicyError> {
        let policy = self.policy(name).ok_or(PolicyError::Unknown)?;
        let point = trial.point;
        let subject = match trial.subject {
            TrialSubject::Given(subject) => subject,
            TrialSubject::Process {
                name,
                version,
                inputs,
            } => {
                self.trial_subject(by, point, (name, version), inputs)
                    .await?
            }
        };
        let now = self.clock.now();
        let asked = policies::one(&self.shared.catalog, policy, (point, subject), now);
        let mut answers = self.answers(vec![asked]).await?;
        Ok(answers.pop().expect("one answer to one question"))
    }

    async fn trial_subject(
        &self,
        by: &Caller,
        point: Point,
        (name, version): (Name, Option<u32>),
        inputs: Value,
    ) -> Result<Json, PolicyError> {
        let found = self.process(&name, version).await?;
        let found = found.ok_or(PolicyError::UnknownProcess)?;
        match point {
            Point::Publish => {
                let components = &found.record.checked_with;
                let version = found.record.version;
                let document = (found.document.as_slice(), components.as_slice());
                Ok(policies::of_document(&found.process, version, by, document))
            }
            Point::Start => {
                let drawn = self.drawn(&found.record, &found.process, by, inputs);
                let release = drawn.map_err(PolicyError::Invalid)?;
                Ok(policies::of_start(&release, false, by))
            }
            Point::Activity => {
                let fault = "an attempt cannot be made up: give the whole `subject`";
                Err(PolicyError::Invalid(vec![fault.to_owned()]))
            }
        }
    }

    /// A release as it would be made.
    fn drawn(
        &self,
        record: &ProcessRecord,
        process: &Arc<Process>,
        by: &Caller,
        inputs: Value,
    ) -> Result<Release, Vec<String>> {
        let draft = Draft {
            process: record.reference(),
            title: None,
            inputs,
            emergency: None,
            parent: None,
        };
        self.drawn_by(process, draft, by)
    }

    fn drawn_by(
        &self,
        process: &Arc<Process>,
        draft: Draft,
        by: &Caller,
    ) -> Result<Release, Vec<String>> {
        let turn = release::create(process, draft, by.actor.clone(), self.clock.now())?;
        Ok(Release::new(ReleaseId(0), Arc::clone(process), &turn)
            .expect("the first turn creates a release of the process it was made with"))
    }

    /// What policies say to the publication of a document.
    pub(super) async fn judge_document(
        &self,
        by: &Caller,
        process: &Process,
        document: (&[u8], &[Pinned]),
    ) -> Result<Ruling, Error> {
        if self.is_free(Point::Publish, &process.name) {
            return Ok(Ruling::default());
        }
        let newest = self.shared.catalog.newest(&process.name);
        let version = newest.map_or(0, |newest| newest.version) + 1;
        let subject = policies::of_document(process, version, by, document);
        self.judge((Point::Publish, &process.name), &subject).await
    }

    /// What policies say to the start of a new release; its warnings, if they let it start.
    pub(super) async fn judge_new(
        &self,
        by: &Caller,
        new: &NewRelease,
        (record, process): (&ProcessRecord, &Arc<Process>),
    ) -> Result<Vec<PolicyWarning>, CreateError> {
        if !new.start
            || self.is_free(Point::Start, &new.process)
            || self.is_repeated(by, new.once.as_ref()).await?
        {
            return Ok(Vec::new());
        }
        let draft = Draft {
            process: record.reference(),
            title: new.title.clone(),
            inputs: new.inputs.clone(),
            emergency: new.emergency.clone(),
            parent: None,
        };
        // What does not even fit is said by the loop.
        let Ok(release) = self.drawn_by(process, draft, by) else {
            return Ok(Vec::new());
        };
        let subject = policies::of_start(&release, false, by);
        let ruling = self.judge((Point::Start, &new.process), &subject).await?;
        allowed(ruling).map_err(CreateError::PolicyDenied)
    }

    /// What policies say to what a person asks of a release, as far as that starts something: their
    /// warnings, and the version of the draft that they judged.
    pub(super) async fn judge_input(
        &self,
        by: &Caller,
        ask: &Ask,
    ) -> Result<(Vec<PolicyWarning>, Option<u64>), InputError> {
        let none = (Vec::new(), None);
        let (name, subject, judged) = match &ask.command {
            Command::Start => {
                let Some(release) = self.release(ask.release).await? else {
                    return Ok(none);
                };
                let name = release.process_ref().name.clone();
                if self.is_free(Point::Start, &name) {
                    return Ok(none);
                }
                (
                    name,
                    policies::of_start(&release, true, by),
                    Some(release.version()),
                )
            }
            Command::Launch {
                activity,
                process,
                version,
                inputs,
            } if !self.is_free(Point::Start, process) => {
                let Some(parent) = self.release(ask.release).await? else {
                    return Ok(none);
                };
                let order = (process, *version, inputs);
                let Some(child) = self.drawn_child(by, (&parent, activity), order).await? else {
                    return Ok(none);
                };
                (process.clone(), policies::of_start(&child, false, by), None)
            }
            _ => return Ok(none),
        };
        if self.is_repeated(by, ask.once.as_ref()).await? {
            return Ok(none);
        }
        if let (Some(expected), Some(found)) = (ask.expected, judged)
            && expected != found
        {
            return Err(InputError::Stale { expected, found });
        }
        let ruling = self.judge((Point::Start, &name), &subject).await?;
        let warnings = allowed(ruling).map_err(InputError::PolicyDenied)?;
        Ok((warnings, judged))
    }

    /// A child that a person launches, as it would be made; nothing if it cannot be, which the loop says.
    async fn drawn_child(
        &self,
        by: &Caller,
        (parent, activity): (&Release, &str),
        (process, version, inputs): (&Name, Option<u32>, &Json),
    ) -> Result<Option<Release>, Error> {
        let Some(activity) = parent.process().find(activity) else {
            return Ok(None);
        };
        let Some(found) = self.process(process, version).await? else {
            return Ok(None);
        };
        let draft = Draft {
            process: found.record.reference(),
            title: None,
            inputs: inputs.value(),
            emergency: parent.emergency().map(ToOwned::to_owned),
            parent: Some(parent.as_parent(activity)),
        };
        Ok(self.drawn_by(&found.process, draft, by).ok())
    }

    /// Whether no policy is in force.
    fn is_free(&self, point: Point, process: &Name) -> bool {
        self.shared.catalog.policies_at(point, process).is_empty()
    }

    async fn judge(&self, about: (Point, &Name), subject: &Json) -> Result<Ruling, Error> {
        let asked = policies::asked(&self.shared.catalog, about, subject, self.clock.now());
        let answers = self.answers(asked).await?;
        self.shared.metrics.judged(&answers);
        Ok(Ruling::of(&answers))
    }

    /// What policies say to a person's request; busy if that cannot be asked in time.
    async fn answers(&self, asked: Vec<Asked>) -> Result<Vec<Answer>, Error> {
        let place = policies::in_time(self.judgements.acquire()).await?;
        let _place = place.expect("the semaphore is never closed");
        Ok(policies::ask(&self.shared.places, &*self.runner, asked).await?)
    }

    /// Whether an earlier request with the same key was answered already: then nothing happens anew.
    async fn is_repeated(&self, by: &Caller, once: Option<&Once>) -> Result<bool, Error> {
        let Some(once) = once else {
            return Ok(false);
        };
        let (shared, key) = (Arc::clone(&self.shared), keys::once(&by.actor, &once.key));
        let found = blocking(move || shared.store.get(Table::Idempotency, &key)).await??;
        Ok(found.is_some())
    }
}

fn allowed(ruling: Ruling) -> Result<Vec<PolicyWarning>, Box<Denial>> {
    match ruling.denial {
        Some(denial) => Err(Box::new(denial)),
        None => Ok(ruling.warnings),
    }
}

#[cfg(test)]
mod tests;
