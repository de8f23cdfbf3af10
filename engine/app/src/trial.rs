//! Trying a component out without a server: the sandbox of the server, with prepared or recorded answers in the place of
//! the network.

mod desk;
mod replay;

use std::path::Path;
use std::sync::Arc;

use fermata_core::attempt::{AttemptKey, Call, Invocation, LogLine, Outcome, Ran, Resume, Usage};
use fermata_core::component::{Grants, Pin};
use fermata_core::id::ReleaseId;
use fermata_core::json::Json;
use fermata_core::process::ActivityIx;
use fermata_core::recording::Exchange;
use fermata_core::time::Span;
pub(crate) use fermata_host::Used;
use fermata_host::{Admitted, Verified};
use serde::Serialize;
use serde_json::{Value, json};

use crate::wire::{self, OpenError, Sandboxed};
use desk::Desk;
pub(crate) use replay::{Compared, Difference, Verdict};

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
    let sandbox = wire::trial(
        upload.clone(),
        scratch,
        Arc::<Desk>::default(),
        Arc::new(wire::now),
    )?;
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
    /// What the runs used: of times and calls the sum, of sizes the largest.
    pub(crate) usage: Usage,
    /// How near that is to the limits of one run.
    pub(crate) limits: Vec<Used>,
    /// What all runs asked of their host, in order.
    pub(crate) exchanges: Vec<Exchange>,
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
        let clock = Arc::clone(&desk);
        let clock = Arc::new(move || clock.now());
        let sandbox = wire::trial(upload.clone(), cache, Arc::<Desk>::clone(&desk), clock)?;
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
        let (mut seen, mut kept) = (Seen::default(), Kept::default());
        let mut signals = case.signals.iter();
        let outcome = loop {
            let ran = self.once(case, std::mem::take(&mut kept)).await;
            let outcome = seen.take(ran);
            let (checkpoint, resume) = match outcome {
                Outcome::Pending {
                    ref checkpoint,
                    ref resume,
                    ..
                } if seen.runs < RUNS_MAX => (checkpoint.clone(), resume),
                outcome => break outcome,
            };
            let signal = match resume {
                Resume::After(_) => None,
                Resume::Signal(_) => match signals.next() {
                    Some(payload) => Some(Json::of(payload)),
                    None => break outcome,
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
            log: seen.log,
            runs: seen.runs,
            calls,
            unused,
            ms: wire::now().since(began).0,
            limits: self.sandbox.used(&seen.usage),
            usage: seen.usage,
            exchanges: seen.exchanges,
        }
    }

    /// What is tried.
    fn pin(&self) -> Pin {
        let descriptor = &self.admitted.descriptor;
        Pin {
            name: descriptor.name.clone(),
            version: descriptor.version,
            digest: self.admitted.digest,
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
            component: self.pin(),
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

/// What was seen of the runs of a case.
#[derive(Default)]
struct Seen {
    runs: usize,
    log: Vec<String>,
    usage: Usage,
    exchanges: Vec<Exchange>,
}

impl Seen {
    /// Adds one run, and gives how it ended.
    fn take(&mut self, ran: Ran) -> Outcome {
        self.runs += 1;
        self.log.extend(lines(&ran.log));
        self.usage = together(self.usage, ran.usage);
        let recording = ran.recording.map(|recording| recording.run);
        self.exchanges
            .extend(recording.into_iter().flat_map(|run| run.exchanges));
        ran.report.outcome
    }
}

/// Costs of two runs: of times and calls the sum, of sizes the larger, since limits hold for each run.
fn together(one: Usage, other: Usage) -> Usage {
    Usage {
        took_ms: one.took_ms + other.took_ms,
        cpu_us: one.cpu_us + other.cpu_us,
        cpu_resolution_us: one.cpu_resolution_us.max(other.cpu_resolution_us),
        memory_bytes: one.memory_bytes.max(other.memory_bytes),
        table_elements: one.table_elements.max(other.table_elements),
        input_bytes: one.input_bytes.max(other.input_bytes),
        output_bytes: one.output_bytes.max(other.output_bytes),
        checkpoint_bytes: one.checkpoint_bytes.max(other.checkpoint_bytes),
        evidence_facts: one.evidence_facts + other.evidence_facts,
        http_calls: one.http_calls + other.http_calls,
        http_response_bytes: one.http_response_bytes.max(other.http_response_bytes),
        log_bytes: one.log_bytes + other.log_bytes,
        log_lines: one.log_lines + other.log_lines,
    }
}

/// Lines of a log as they are shown.
fn lines(log: &[LogLine]) -> Vec<String> {
    let line = |line: &LogLine| {
        let level = format!("{:?}", line.level).to_lowercase();
        format!("{level} {}", line.message)
    };
    log.iter().map(line).collect()
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
            "backtrace": failure.backtrace,
            "retry_after_ms": retry_after.map(|after| after.0),
        } }),
    }
}

/// How near a run is to the usual limits.
#[cfg(test)]
pub(crate) fn used(usage: &Usage) -> Vec<Used> {
    fermata_host::Limits::default().used(usage)
}
