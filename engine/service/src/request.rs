//! What people ask of the engine.

use std::sync::Arc;

use serde_json::{Map, Value};

use fermata_core::actor::Caller;
use fermata_core::component::{Uses, Version};
use fermata_core::extension::Point;
use fermata_core::id::{Digest, Name, ReleaseId};
use fermata_core::json::Json;
use fermata_core::pattern::Pattern;
use fermata_core::process::{ActivityIx, Process};
use fermata_core::rehearsal::Assumptions;
use fermata_core::release::Release;
use fermata_core::release::event::{Pinned, PolicyWarning};
use fermata_core::release::input::{TaskWork, What};
use fermata_core::time::Span;

use crate::catalog::{ComponentEntry, DefinitionEntry};
use crate::driver::is_of;
use crate::records::{DefinitionRecord, InputSetRecord, OnFailure, ProcessRecord};

/// A release to be made.
#[derive(Clone, Debug)]
pub struct NewRelease {
    /// The process to run.
    pub process: Name,
    /// Which version; the newest if there is none.
    pub version: Option<u32>,
    /// For people; the title of the process if there is none.
    pub title: Option<String>,
    /// The inputs: an object.
    pub inputs: Value,
    /// Whether to start it at once; otherwise it is a draft.
    pub start: bool,
    /// To do it once, however often it is asked.
    pub once: Option<Once>,
    /// Why it shall go ahead of others for locks; nothing if it need not.
    pub emergency: Option<String>,
}

/// Makes a repeated request harmless: the second gets what the first made.
#[derive(Clone, Debug)]
pub struct Once {
    /// The `Idempotency-Key` of the request, at most [`crate::config::ONCE_KEY_BYTES_MAX`] bytes.
    pub key: String,
    /// Digest of the request: the same key with another one is refused.
    pub fingerprint: Digest,
}

/// A release that was made, now or by an earlier request with the same key.
#[derive(Clone, Debug)]
pub struct Created {
    /// The release as it is now.
    pub release: Arc<Release>,
    /// Whether an earlier request made it.
    pub repeated: bool,
}

/// Something that a person wants of a release.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Which release.
    pub release: ReleaseId,
    /// What.
    pub command: Command,
    /// The version that the release must have, if the caller insists.
    pub expected: Option<u64>,
    /// To do it once, however often it is asked.
    pub once: Option<Once>,
}

/// What a person may want of a release. `activity` is `phase/activity`, or the activity's name alone
/// where that is unique; an instance has its item in brackets, as in `production[eu]/payment`.
#[derive(Clone, Debug)]
pub enum Command {
    /// Begin. The newest fitting version of every component is pinned.
    Start,
    /// Decide or do something about a manual activity.
    People {
        /// Which.
        activity: String,
        /// What.
        what: PeopleCommand,
    },
    /// Try again.
    Retry {
        /// Which.
        activity: String,
        /// With other inputs.
        with: Option<Json>,
    },
    /// Give the outputs in place of the component.
    SupplyOutputs {
        /// Which.
        activity: String,
        /// The outputs.
        outputs: Json,
    },
    /// Do without it.
    Skip {
        /// Which: an activity, a phase, or an instance of one, such as `production[eu]`.
        activity: String,
        /// Why.
        reason: String,
    },
    /// Open no further batch of a fan-out; what runs goes on.
    HaltWave {
        /// Which: a phase or an activity that is fanned out.
        wave: String,
        /// Why.
        reason: String,
    },
    /// Let a halted fan-out go on.
    ResumeWave {
        /// Which.
        wave: String,
        /// Why.
        reason: Option<String>,
    },
    /// Take back what the last open batch of a fan-out did.
    RollbackWave {
        /// Which.
        wave: String,
        /// Why.
        reason: String,
    },
    /// Open no further batch of a fan-out, ever.
    EndWave {
        /// Which.
        wave: String,
        /// Why.
        reason: String,
    },
    /// Let it fail for good.
    Fail {
        /// Which.
        activity: String,
        /// Why.
        reason: String,
    },
    /// Start a release of another process: in place of an attempt of an activity that is on hold, or
    /// beside a question to people.
    Launch {
        /// Which.
        activity: String,
        /// The process.
        process: Name,
        /// Which version; the newest if there is none.
        version: Option<u32>,
        /// The inputs: an object.
        inputs: Json,
    },
    /// What an activity waits for outside has happened.
    Signal {
        /// Which.
        activity: String,
        /// The same for the same delivery.
        delivery: Digest,
        /// What came with it.
        payload: Json,
    },
    /// Start nothing new.
    Pause {
        /// Why.
        reason: Option<String>,
    },
    /// Go on.
    Resume,
    /// Give the release up.
    Abort {
        /// Why.
        reason: String,
    },
    /// Replace inputs of the release for what has not begun.
    AmendInputs {
        /// The inputs to replace: an object.
        inputs: Json,
        /// Why.
        reason: String,
    },
    /// Replace the outputs of an activity that has succeeded, for what has not begun.
    AmendOutputs {
        /// Which.
        activity: String,
        /// The outputs.
        outputs: Json,
        /// Why.
        reason: String,
    },
    /// Let an activity that has not ended be tried more often.
    AmendRetry {
        /// Which.
        activity: String,
        /// How many more attempts.
        attempts: u32,
        /// Why.
        reason: String,
    },
    /// Go back, also after it has ended.
    Rollback {
        /// Why.
        reason: String,
    },
    /// Decide about an effect that could not be taken back.
    DecideUndo {
        /// Which.
        activity: String,
        /// What.
        decision: UndoDecision,
    },
    /// Say why the release had to go back, also after it has ended.
    CloseRootCause {
        /// What it was.
        text: String,
    },
}

/// What a person may decide about an effect that could not be taken back.
#[derive(Clone, Debug)]
pub enum UndoDecision {
    /// Try again.
    Retry,
    /// It was taken back by hand.
    MarkUndone {
        /// How.
        reason: String,
    },
    /// It stays.
    Accept {
        /// Why.
        reason: String,
    },
}

/// A release that is to be played through before there is one.
#[derive(Clone, Debug)]
pub struct NewRehearsal {
    /// What to play.
    pub subject: Subject,
    /// What is assumed; the engine adds what it knows of components and, if asked, of durations.
    pub assumptions: Assumptions,
    /// Whether past releases tell how long activities take.
    pub learn: bool,
}

/// What is rehearsed.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A document, YAML or JSON, as if it were published now.
    Document(Vec<u8>),
    /// A published process.
    Published {
        /// Which.
        name: Name,
        /// Which version of it; the newest if there is none.
        version: Option<u32>,
    },
}

/// What a person may want of a manual activity.
#[derive(Clone, Debug)]
pub enum PeopleCommand {
    /// Approve it, or complete one that has no rules.
    Approve {
        /// Said with it.
        comment: Option<String>,
        /// Answers to the form.
        form: Option<Json>,
        /// What they were shown, if they say.
        content: Option<Digest>,
        /// In whose place, whose backup they are.
        backup_of: Option<Caller>,
    },
    /// Reject it.
    Reject {
        /// Why.
        comment: String,
        /// In whose place, whose backup they are.
        backup_of: Option<Caller>,
    },
    /// Take their own approval back.
    Withdraw {
        /// Why.
        comment: Option<String>,
    },
    /// Do something about one of its tasks, or say or attach something beside them.
    Work {
        /// The name of the task.
        task: Option<String>,
        /// What.
        what: TaskWork,
    },
    /// Skip its approvals in an emergency.
    BreakGlass {
        /// Why.
        reason: String,
        /// Answers to the form.
        form: Option<Json>,
    },
    /// Say that they have looked at the approvals that were skipped.
    CloseReview {
        /// What they found.
        comment: String,
    },
    /// Take the question back, which they had asked.
    WithdrawQuestion {
        /// Why.
        reason: String,
    },
}

impl PeopleCommand {
    /// The same about an activity of a release.
    pub(crate) fn about(self, activity: ActivityIx) -> What {
        match self {
            Self::Approve {
                comment,
                form,
                content,
                backup_of,
            } => What::Approve {
                activity,
                comment,
                form,
                content,
                backup_of,
            },
            Self::Reject { comment, backup_of } => What::Reject {
                activity,
                comment,
                backup_of,
            },
            Self::Withdraw { comment } => What::Withdraw { activity, comment },
            Self::Work { task, what } => What::Work {
                activity,
                task,
                what,
            },
            Self::BreakGlass { reason, form } => What::BreakGlass {
                activity,
                reason,
                form,
            },
            Self::CloseReview { comment } => What::CloseReview { activity, comment },
            Self::WithdrawQuestion { reason } => What::WithdrawQuestion { activity, reason },
        }
    }
}

/// Which page of a list.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// At most this many entries; 0 and too many mean [`crate::config::PAGE_MAX`].
    pub limit: usize,
    /// The `next` of the page before.
    pub cursor: Option<String>,
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Paged<T> {
    /// Its entries; a filtered page may be short although there are more.
    pub items: Vec<T>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

/// Which releases a list shows.
#[derive(Clone, Debug, Default)]
pub struct ReleaseFilter {
    /// Only of this process.
    pub process: Option<Name>,
    /// Only in this state, as a word of the glossary.
    pub state: Option<String>,
}

/// A process version with its document.
#[derive(Clone, Debug)]
pub struct PublishedProcess {
    /// What is known about it.
    pub record: ProcessRecord,
    /// The checked process.
    pub process: Arc<Process>,
    /// The document, byte for byte.
    pub document: Vec<u8>,
}

/// What came of a publication.
#[derive(Clone, Debug)]
pub struct Published {
    /// The version.
    pub record: Arc<ProcessRecord>,
    /// Whether it was the newest version already.
    pub repeated: bool,
    /// What policies said to it.
    pub warnings: Vec<PolicyWarning>,
}

/// What a secret is granted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretUser {
    /// A version of a component.
    Component(Name, Version),
    /// The scripts of a process.
    Scripts(Name),
}

impl std::fmt::Display for SecretUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Component(name, version) => write!(f, "{name}@{version}"),
            Self::Scripts(process) => write!(f, "the scripts of {process}"),
        }
    }
}

/// A grant of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretUse {
    /// The secret.
    pub name: String,
    /// To what.
    pub user: SecretUser,
    /// Hosts to which the secret may be sent.
    pub hosts: Vec<String>,
}

/// A policy as an administrator wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyOrder {
    /// What it is called.
    pub name: Name,
    /// Its component: the newest version that fits is pinned.
    pub component: Uses,
    /// What the component is told; an object.
    pub settings: Json,
    /// Before what it is asked.
    pub at: Vec<Point>,
    /// The processes that it is about; all of them if there is none.
    pub processes: Vec<Pattern>,
    /// What it means if it fails.
    pub on_failure: OnFailure,
    /// How long it may take.
    pub timeout: Span,
    /// Whether it is in force.
    pub enabled: bool,
}

/// What a policy is to say something about, without any effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Before what.
    pub point: Point,
    /// What is told to it.
    pub subject: TrialSubject,
}

/// What a policy is told in a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrialSubject {
    /// Exactly this; an object.
    Given(Json),
    /// A process version as it would be published or started, by whoever asks.
    Process {
        /// The process.
        name: Name,
        /// Which version; the newest if there is none.
        version: Option<u32>,
        /// The inputs of the release; an object.
        inputs: Value,
    },
}

/// What uses a component.
#[derive(Clone, Debug, Default)]
pub struct ComponentUsage {
    /// Process versions that were checked with it.
    pub processes: Vec<Use>,
    /// Definitions that were checked with it.
    pub definitions: Vec<DefinitionUse>,
    /// Open releases that pinned it.
    pub releases: Vec<(ReleaseId, Pinned)>,
    /// Notifiers that it delivers for.
    pub notifiers: Vec<Name>,
    /// Policies that judge with it.
    pub policies: Vec<Name>,
}

/// A definition that uses a component.
#[derive(Clone, Debug)]
pub struct DefinitionUse {
    /// The definition.
    pub name: Name,
    /// Its version.
    pub version: Version,
    /// The component it was checked with.
    pub pinned: Pinned,
}

impl DefinitionUse {
    /// How a definition uses a component, or one version of it.
    pub(crate) fn in_definition(
        record: &DefinitionRecord,
        name: &Name,
        version: Option<Version>,
    ) -> Vec<Self> {
        let pins = record.checked_with.iter();
        pins.filter(|pinned| is_of(&pinned.pin, name, version))
            .map(|pinned| Self {
                name: record.name.clone(),
                version: record.version,
                pinned: pinned.clone(),
            })
            .collect()
    }
}

/// What came of the publication of a definition.
#[derive(Clone, Debug)]
pub struct Defined {
    /// The version.
    pub entry: Arc<DefinitionEntry>,
    /// Whether it was there already, with the same document.
    pub repeated: bool,
}

/// A process version that uses a component.
#[derive(Clone, Debug)]
pub struct Use {
    /// The process.
    pub process: Name,
    /// Its version.
    pub version: u32,
    /// The component it was checked with.
    pub pinned: Pinned,
}

impl ComponentUsage {
    /// Whether nothing uses it.
    pub fn is_empty(&self) -> bool {
        self.processes.is_empty()
            && self.definitions.is_empty()
            && self.releases.is_empty()
            && self.notifiers.is_empty()
            && self.policies.is_empty()
    }

    /// The first of what uses it, and how many more there are.
    pub fn summary(&self) -> String {
        let processes = self.processes.iter();
        let processes = processes.map(|by| format!("{}@{}", by.process, by.version));
        let definitions = self.definitions.iter();
        let definitions = definitions.map(|by| format!("{}@{}", by.name, by.version));
        let releases = self.releases.iter().map(|(id, _)| id.to_string());
        let notifiers = self.notifiers.iter();
        let notifiers = notifiers.map(|name| format!("notifier {name}"));
        let policies = self.policies.iter();
        let policies = policies.map(|name| format!("the policy `{name}`"));
        let all = processes.chain(definitions).chain(releases);
        let all: Vec<String> = all.chain(notifiers).chain(policies).collect();
        match all.as_slice() {
            [] => "nothing".to_owned(),
            [one] => one.clone(),
            [one, more @ ..] => format!("{one} and {} more", more.len()),
        }
    }
}

impl Use {
    /// How a process version uses a component, or one version of it.
    pub(crate) fn in_process(
        record: &ProcessRecord,
        name: &Name,
        version: Option<Version>,
    ) -> Vec<Self> {
        let pins = record.checked_with.iter();
        pins.filter(|pinned| is_of(&pinned.pin, name, version))
            .map(|pinned| Self {
                process: record.name.clone(),
                version: record.version,
                pinned: pinned.clone(),
            })
            .collect()
    }
}

/// A notifier to be set.
#[derive(Clone, Debug)]
pub struct NewNotifier {
    /// Unique.
    pub name: Name,
    /// The component; its newest fitting version is pinned.
    pub component: Uses,
    /// Its settings.
    pub settings: Map<String, Value>,
    /// Patterns of the kinds that it delivers.
    pub on: Vec<String>,
    /// Patterns of the processes of whose releases it tells; of everything if there are none.
    pub processes: Vec<String>,
    /// Whether it delivers anything.
    pub enabled: bool,
}

/// An input set, as it stands to the newest version of its process.
#[derive(Clone, Debug)]
pub struct InputSet {
    /// What is kept.
    pub record: InputSetRecord,
    /// Inputs that a release must be given beside it.
    pub missing: Vec<String>,
    /// What does not fit, one line for each fault.
    pub faults: Vec<String>,
}

/// What came of a registration.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The version.
    pub entry: Arc<ComponentEntry>,
    /// Whether it was there already, with the same bytes.
    pub repeated: bool,
}
