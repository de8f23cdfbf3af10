//! What is stored beside the events: registry entries, summaries, logs, the ledger.
//!
//! Written with postcard: fields and variants are only ever appended together with a new schema version.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use fermata_core::actor::Actor;
use fermata_core::attempt::LogLine;
use fermata_core::component::{Pin, Version};
use fermata_core::extension::Point;
use fermata_core::id::{Digest, Name, ReleaseId};
use fermata_core::json::Json;
use fermata_core::pattern::Pattern;
use fermata_core::process::{ActivityIx, ProcessRef};
use fermata_core::recording::{RecordedAttempt, RecordedRun};
use fermata_core::release::Release;
use fermata_core::release::event::Pinned;
use fermata_core::time::{Span, Timestamp};
use fermata_store::codec;

mod notifiers;

pub use notifiers::{DeliveryRecord, NotifierRecord, Standing};

/// One published version of a process. Its document is the blob `digest`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessRecord {
    /// The process.
    pub name: Name,
    /// 1 for the first.
    pub version: u32,
    /// Of the document.
    pub digest: Digest,
    /// For people.
    pub title: String,
    /// How many phases it has.
    pub phases: u32,
    /// How many activities it has.
    pub activities: u32,
    /// When it was published.
    pub published_at: Timestamp,
    /// By whom.
    pub published_by: Actor,
    /// The components against which it was checked: it is read with the same ones for ever.
    pub checked_with: Vec<Pinned>,
}

impl ProcessRecord {
    /// Name, version and digest.
    pub fn reference(&self) -> ProcessRef {
        ProcessRef {
            name: self.name.clone(),
            version: self.version,
            digest: self.digest,
        }
    }
}

/// One version of a component. Its bytes are the blob `digest`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ComponentRecord {
    pub(crate) name: Name,
    pub(crate) version: Version,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    pub(crate) descriptor: Json,
    pub(crate) grants: Json,
    pub(crate) revision: u64,
    pub(crate) registered_at: Timestamp,
    pub(crate) registered_by: Actor,
}

/// Why a component version should not be used any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeprecationRecord {
    /// The component.
    pub name: Name,
    /// Its version.
    pub version: Version,
    /// What people are told.
    pub notice: String,
    /// Since when.
    pub at: Timestamp,
    /// Who said so.
    pub by: Actor,
}

/// A component that does not run anywhere, by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineRecord {
    /// Of its bytes.
    pub digest: Digest,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
    /// Who said so.
    pub by: Actor,
    /// How it ended, if it has.
    pub lifted: Option<LiftRecord>,
}

/// The end of a quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiftRecord {
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Who said so.
    pub by: Actor,
}

impl QuarantineRecord {
    /// Whether it goes on.
    pub fn is_on(&self) -> bool {
        self.lifted.is_none()
    }
}

impl std::fmt::Display for QuarantineRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { reason, at, by, .. } = self;
        write!(f, "in quarantine since {at}, by {by}: {reason}")
    }
}

/// What lists show of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseSummary {
    /// The release.
    pub id: ReleaseId,
    /// What it runs.
    pub process: ProcessRef,
    /// For people.
    pub title: String,
    /// Its state as one word of the glossary.
    pub state: String,
    /// Who started it; while it is a draft, who created it.
    pub initiator: Actor,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl ReleaseSummary {
    /// The summary of `release`.
    pub fn of(release: &Release) -> Self {
        Self {
            id: release.id(),
            process: release.process_ref().clone(),
            title: release.title().to_owned(),
            state: release.state().word().to_owned(),
            initiator: release.initiator().clone(),
            created_at: release.created_at(),
            started_at: release.started_at(),
            ended_at: release.ended_at(),
        }
    }
}

/// What one run logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunLog {
    /// 1 for the first run of the attempt.
    pub run: u32,
    /// When the run ended.
    pub ended_at: Timestamp,
    /// Oldest first.
    pub lines: Vec<LogLine>,
}

/// One recorded run of a release, or what all runs of an attempt have in common, as run 0. Listed in the order in which
/// they ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecordedPart {
    pub(crate) activity: ActivityIx,
    pub(crate) attempt: u32,
    pub(crate) run: u32,
    /// How much it takes in the store.
    pub(crate) bytes: u64,
}

/// What is recorded of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptRecording {
    /// What all its runs have in common.
    pub attempt: RecordedAttempt,
    /// Those of its runs that are kept, oldest first.
    pub runs: Vec<RecordedRun>,
}

/// One deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Where.
    pub environment: String,
    /// What.
    pub service: String,
    /// Which version of it.
    pub version: String,
    /// The version that was there before, if the ledger knew one.
    pub replaced: Option<String>,
    /// The release that put it there.
    pub release: ReleaseId,
    /// The process it runs.
    pub process: ProcessRef,
    /// `phase/activity`.
    pub activity: String,
    /// When it was recorded.
    pub at: Timestamp,
    /// The whole fact, as the activity recorded it.
    pub fact: Json,
}

/// One version of an activity definition. Its document is the blob `digest`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinitionRecord {
    /// The definition.
    pub name: Name,
    /// Its version.
    pub version: Version,
    /// Of the document.
    pub digest: Digest,
    /// For people.
    pub title: String,
    /// When it was published.
    pub published_at: Timestamp,
    /// By whom.
    pub published_by: Actor,
    /// The component against which it was checked: it is read with the same one for ever.
    pub checked_with: Vec<Pinned>,
}

impl DefinitionRecord {
    /// Its name, version and digest.
    pub fn pin(&self) -> Pin {
        Pin {
            name: self.name.clone(),
            version: self.version,
            digest: self.digest,
        }
    }
}

/// What the scripts of a process may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScriptGrantsRecord {
    pub(crate) process: Name,
    pub(crate) grants: Json,
    pub(crate) revision: u64,
    pub(crate) set_at: Timestamp,
    pub(crate) set_by: Actor,
}

/// Inputs of a process that are kept under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputSetRecord {
    /// The process.
    pub process: Name,
    /// Unique in the process.
    pub name: Name,
    /// An object.
    pub inputs: Json,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// By whom.
    pub updated_by: Actor,
}

/// A policy: a component that is asked before something happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRecord {
    /// The policy.
    pub name: Name,
    /// Its component, as it was when the policy was set.
    pub component: Pin,
    /// What the component is told, as the schema of its descriptor has it.
    pub settings: Json,
    /// Before what it is asked, sorted.
    pub at: Vec<Point>,
    /// The processes that it is about; all of them if there is none.
    pub processes: Vec<Pattern>,
    /// What it means if it fails.
    pub on_failure: OnFailure,
    /// How long it may take.
    pub timeout: Span,
    /// Whether it is in force.
    pub enabled: bool,
    /// Counts how often it was set.
    pub revision: u64,
    /// When it was last set.
    pub set_at: Timestamp,
    /// By whom.
    pub set_by: Actor,
}

impl PolicyRecord {
    /// Whether it is asked about `process` at `point`.
    pub fn is_in_force(&self, point: Point, process: &Name) -> bool {
        self.enabled && self.at.contains(&point) && self.is_about(process)
    }

    /// Whether it is about `process`.
    pub fn is_about(&self, process: &Name) -> bool {
        let mut patterns = self.processes.iter();
        self.processes.is_empty() || patterns.any(|pattern| pattern.matches(process.as_str()))
    }
}

/// What it means if a policy fails. The order of variants is the stored format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// Nothing may happen.
    #[default]
    Deny,
    /// It may happen, and people are told.
    Warn,
    /// It may happen.
    Allow,
}

impl OnFailure {
    /// As it is written in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Warn => "warn",
            Self::Allow => "allow",
        }
    }
}

/// What came of a request with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OnceRecord {
    pub(crate) fingerprint: Digest,
    pub(crate) release: ReleaseId,
}

/// Reads a record; `what` names it in the error.
pub(crate) fn read<T: DeserializeOwned>(
    bytes: &[u8],
    what: &str,
) -> Result<T, fermata_store::Error> {
    codec::decode(bytes).map_err(|error| error.of(what))
}
