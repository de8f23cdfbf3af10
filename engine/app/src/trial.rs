//! Trying a component out without a server: the sandbox of the server, with prepared answers in the place of the network.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use fermata_core::attempt::{AttemptKey, Call, Invocation, Outcome, Ran, Resume};
use fermata_core::component::{Grants, Pin};
use fermata_core::id::ReleaseId;
use fermata_core::json::Json;
use fermata_core::process::ActivityIx;
use fermata_core::time::Span;
use fermata_host::{Admitted, Answered, Answers, Asked, Verified};
use serde::Serialize;
use serde_json::{Value, json};

use crate::wire::{self, OpenError, Sandboxed};

/// Longest time of one run.
const WALL: Span = Span(60_000);
/// Runs of one case: what is suspended more often waits for something that never comes.
const RUNS_MAX: usize = 1_000;

/// An answer that stands ready.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    /// What it answers: `METHOD URL`.
    pub(crate) call: String,
    /// The status code.
    pub(crate) status: u16,
    /// Names and values.
    pub(crate) headers: Vec<(String, String)>,
    /// The whole body.
    pub(crate) body: Vec<u8>,
}

/// Looks at a component as the server would, without running more of it than its description. `scratch` is a folder
/// of its own.
pub(crate) async fn examine(upload: Vec<u8>, scratch: &Path) -> Result<Verified, OpenError> {
    let sandbox = wire::trial(upload.clone(), scratch, Arc::<Desk>::default())?;
    sandbox.verify(upload).await
}

/// What is tried.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The inputs.
    pub(crate) inputs: Value,
    /// What the component may reach.
    pub(crate) grants: Grants,
    /// In the order in which they are asked for.
    pub(crate) answers: Vec<Prepared>,
    /// The payloads of signals, in the order in which they are waited for.
    pub(crate) signals: Vec<Value>,
    /// The outputs to undo; `None` runs.
    pub(crate) undo: Option<Value>,
}

/// What is handed back to a run that goes on.
#[derive(Debug, Default)]
struct Kept {
    checkpoint: Option<Vec<u8>>,
    signal: Option<Json>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Tried {
    /// `{"outputs": …}`, `{"failure": …}` or `{"pending": …}`.
    pub(crate) ended: Value,
    /// The lines of all runs.
    pub(crate) log: Vec<String>,
    /// How often it was run.
    pub(crate) runs: usize,
    /// Calls that were answered.
    pub(crate) calls: usize,
    /// Answers that nobody asked for.
    pub(crate) unused: usize,
    /// Time of all runs, in milliseconds.
    pub(crate) ms: u64,
}

/// A component that can be tried.
#[derive(Debug)]
pub(crate) struct Trial {
    sandbox: Sandboxed,
    admitted: Admitted,
    desk: Arc<Desk>,
}

impl Trial {
    /// Admits `upload` as the server would. Compiled code is kept in `cache`.
    pub(crate) async fn of(upload: Vec<u8>, cache: &Path) -> Result<Self, OpenError> {
        let desk = Arc::new(Desk::default());
        let sandbox = wire::trial(upload.clone(), cache, Arc::<Desk>::clone(&desk))?;
        let admitted = sandbox.admit(upload).await?;
        Ok(Self {
            sandbox,
            admitted,
            desk,
        })
    }

    /// Runs a case to its end: what is suspended for a time is run again at once, and what waits for a signal with the
    /// next one of the case, if there is one.
    pub(crate) async fn run(&self, case: &Case) -> Tried {
        self.desk.prepare(case.answers.clone());
        let began = wire::now();
        let (mut log, mut kept, mut runs) = (Vec::new(), Kept::default(), 0);
        let mut signals = case.signals.iter();
        let outcome = loop {
            let Ran { report, log: lines } = self.once(case, std::mem::take(&mut kept)).await;
            runs += 1;
            log.extend(
                lines
                    .iter()
                    .map(|line| format!("{} {}", level(line.level), line.message)),
            );
            let (checkpoint, resume) = match report.outcome {
                Outcome::Pending {
                    ref checkpoint,
                    ref resume,
                    ..
                } if runs < RUNS_MAX => (checkpoint.clone(), resume),
                outcome => break outcome,
            };
            let signal = match resume {
                Resume::After(_) => None,
                Resume::Signal(_) => match signals.next() {
                    Some(payload) => Some(Json::of(payload)),
                    None => break report.outcome,
                },
            };
            kept = Kept {
                checkpoint: Some(checkpoint),
                signal,
            };
        };
        let (calls, unused) = self.desk.count();
        Tried {
            ended: ended(outcome),
            log,
            runs,
            calls,
            unused,
            ms: wire::now().since(began).0,
        }
    }

    async fn once(&self, case: &Case, kept: Kept) -> Ran {
        let name = |text: &str| text.parse().expect("a name");
        let descriptor = &self.admitted.descriptor;
        let call = match &case.undo {
            None => Call::Run,
            Some(outputs) => Call::Undo {
                outputs: (!outputs.is_null()).then(|| Json::of(outputs)),
            },
        };
        let invocation = Invocation {
            key: AttemptKey {
                release: ReleaseId(1),
                activity: ActivityIx(0),
                attempt: 1,
                run: 1,
            },
            component: Pin {
                name: descriptor.name.clone(),
                version: descriptor.version,
                digest: self.admitted.digest,
            },
            process: name("test"),
            phase: name("test"),
            activity: descriptor.name.clone(),
            call,
            number: 1,
            idempotency_key: "rel-1/test/activity".into(),
            inputs: Json::of(&case.inputs),
            checkpoint: kept.checkpoint,
            signal: kept.signal,
            wall: WALL,
            now: wire::now(),
        };
        self.sandbox
            .run(invocation, Arc::new(case.grants.clone()))
            .await
    }
}

fn level(level: fermata_core::attempt::LogLevel) -> String {
    format!("{level:?}").to_lowercase()
}

fn ended(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Succeeded(outputs) => json!({ "outputs": outputs.value() }),
        Outcome::Pending { resume, status, .. } => {
            let signal = match resume {
                Resume::After(_) => None,
                Resume::Signal(name) => Some(name.to_string()),
            };
            json!({ "pending": { "status": status, "signal": signal } })
        }
        Outcome::Failed {
            failure,
            retry_after,
        } => json!({ "failure": {
            "class": failure.class.code(),
            "code": failure.code,
            "message": failure.message,
            "details": failure.details.map(|details| details.value()),
            "remedy": failure.remedy,
            "retry_after_ms": retry_after.map(|after| after.0),
        } }),
    }
}

/// Where the answers of a case lie.
#[derive(Debug, Default)]
struct Desk(Mutex<(VecDeque<Prepared>, usize)>);

impl Desk {
    fn prepare(&self, answers: Vec<Prepared>) {
        *self
            .0
            .lock()
            .expect("nobody panics with the answers in hand") = (answers.into(), 0);
    }

    /// Calls that were answered, and answers that are left.
    fn count(&self) -> (usize, usize) {
        let desk = self
            .0
            .lock()
            .expect("nobody panics with the answers in hand");
        (desk.1, desk.0.len())
    }
}

impl Answers for Desk {
    fn answer(&self, asked: &Asked<'_>) -> Result<Answered, String> {
        let mut desk = self
            .0
            .lock()
            .expect("nobody panics with the answers in hand");
        let call = format!("{} {}", asked.method, asked.url);
        match desk.0.front() {
            Some(next) if next.call == call => {}
            Some(next) => return Err(format!("the test expects {} and not {call}", next.call)),
            None => return Err(format!("the test has no answer for {call}")),
        }
        desk.1 += 1;
        let next = desk
            .0
            .pop_front()
            .expect("it is the front that was looked at");
        Ok(Answered {
            status: next.status,
            headers: next.headers,
            body: next.body,
        })
    }
}
