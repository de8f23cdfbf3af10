//! One execution of an activity: what the sandbox is asked, and what it answers.

use serde::{Deserialize, Serialize};

use crate::component::Pin;
use crate::failure::Failure;
use crate::id::{Name, ReleaseId};
use crate::json::Json;
use crate::process::ActivityIx;
use crate::recording::Recording;
use crate::time::{Span, Timestamp};

/// Which execution of which activity. A result with another key than the current one is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttemptKey {
    /// The release.
    pub release: ReleaseId,
    /// The activity within it.
    pub activity: ActivityIx,
    /// 1 for the first attempt; a retry counts up.
    pub attempt: u32,
    /// 1 for the first run of the attempt; each resumption after `pending` counts up.
    pub run: u32,
}

/// Everything a runner needs to execute one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// Which execution this is.
    pub key: AttemptKey,
    /// The pinned component.
    pub component: Pin,
    /// Process, phase and activity names, as the guest sees them.
    pub process: Name,
    /// The phase.
    pub phase: Name,
    /// The activity.
    pub activity: Name,
    /// What is called.
    pub call: Call,
    /// 1 for the first attempt at this call.
    pub number: u32,
    /// The same for all attempts and runs of this call of this activity in this release.
    pub idempotency_key: String,
    /// The rendered `with`.
    pub inputs: Json,
    /// What the last `pending` stored.
    pub checkpoint: Option<Vec<u8>>,
    /// The payload of the signal that ended the suspension.
    pub signal: Option<Json>,
    /// Longest wall time of this run.
    pub wall: Span,
    /// The instant of the turn that asked for this run.
    pub now: Timestamp,
}

/// Which of its exports a component is called at. The order of variants is the stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// `run`.
    Run,
    /// `undo`, with the outputs of `run`; absent if it never finished, or people gave them instead.
    Undo {
        /// What `run` returned.
        outputs: Option<Json>,
    },
}

/// What came of one run, with everything it left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What the guest returned, or how it failed.
    pub outcome: Outcome,
    /// Facts the guest recorded, in order.
    pub evidence: Vec<Evidence>,
}

/// A run that has ended: what counts, and what is kept for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Ran {
    /// What the release reacts to.
    pub report: Report,
    /// What the guest logged, oldest first, within the limits.
    pub log: Vec<LogLine>,
    /// What it used.
    pub usage: Usage,
    /// What it needs to be run again, where the runner keeps that.
    pub recording: Option<Box<Recording>>,
}

impl From<Report> for Ran {
    /// A run that left nothing else behind.
    fn from(report: Report) -> Self {
        Self {
            report,
            log: Vec::new(),
            usage: Usage::default(),
            recording: None,
        }
    }
}

/// What a run used, as far as it can be told. The order of fields is the stored format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// Time on the wall, in milliseconds.
    pub took_ms: u64,
    /// Processor time, in microseconds.
    pub cpu_us: u64,
    /// What the processor time is accurate to, in microseconds.
    pub cpu_resolution_us: u64,
    /// Largest linear memory, all memories together.
    pub memory_bytes: u64,
    /// Elements of the largest table.
    pub table_elements: u64,
    /// The inputs, as JSON text.
    pub input_bytes: u64,
    /// The outputs, as JSON text.
    pub output_bytes: u64,
    /// The checkpoint that was stored.
    pub checkpoint_bytes: u64,
    /// Facts that were recorded.
    pub evidence_facts: u64,
    /// HTTP calls.
    pub http_calls: u64,
    /// The largest body that an HTTP call was answered with.
    pub http_response_bytes: u64,
    /// Bytes in the log.
    pub log_bytes: u64,
    /// Lines in the log.
    pub log_lines: u64,
}

/// One line that a guest logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When.
    pub at: Timestamp,
    /// How important.
    pub level: LogLevel,
    /// What.
    pub message: String,
}

/// How important a line is. The order of variants is the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// For the author of the activity.
    Debug,
    /// For whoever follows the release.
    Info,
    /// Something to look at.
    Warn,
    /// Something failed.
    Error,
}

/// How far a run says it is. Shown live, never stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// 0 to 100, if the guest knows.
    pub percent: Option<u8>,
    /// What it is doing.
    pub message: String,
}

/// What a guest returned. The order of variants is the stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Done, with outputs.
    Succeeded(Json),
    /// To be run again later with what it stored.
    Pending {
        /// Handed back on the next run.
        #[serde(with = "crate::recording::content")]
        checkpoint: Vec<u8>,
        /// What the next run waits for.
        resume: Resume,
        /// For people, while it waits.
        status: Option<String>,
    },
    /// It failed.
    Failed {
        /// How.
        failure: Failure,
        /// Not before this, if it is tried again.
        retry_after: Option<Span>,
    },
}

/// What ends a suspension. The order of variants is the stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resume {
    /// So much time.
    After(Span),
    /// A signal from outside, by its name.
    Signal(Name),
}

/// A typed fact that an activity recorded: a commit, an artifact, a deployment, a ticket, …
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The kind, as the evidence chapter lists them.
    pub kind: String,
    /// The fact.
    pub fact: Json,
}
