//! How the service fails and how it says no.

use fermata_core::component::{Pin, Uses, Version, World};
use fermata_core::defect::Defect;
use fermata_core::id::{Digest, Name};
use fermata_core::rehearsal::RehearsalError;
use fermata_core::release::refusal::Refusal;

use crate::policies::Denial;
use crate::records::QuarantineRecord;
use crate::request::ComponentUsage;

/// The machine failed, or will not take more.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store could not be read.
    #[error("the store failed")]
    Store(#[from] fermata_store::Error),
    /// A commit failed: nothing is accepted until the engine was started again.
    #[error("the engine has stopped: {0}")]
    Unavailable(String),
    /// The engine is shutting down.
    #[error("the engine is shutting down")]
    Stopping,
    /// Too many requests, watchers or releases at a time.
    #[error("too many {0}; try again later")]
    Busy(&'static str),
    /// Something is longer than its bound.
    #[error("the {0} is too long")]
    TooLong(&'static str),
    /// A cursor or another part of a request is none that was given out.
    #[error("the {0} is not one that was given out")]
    Malformed(&'static str),
    /// What is stored does not fit together.
    #[error("{what} is stored, but cannot be used: {reason}")]
    Corrupt {
        /// Which record.
        what: String,
        /// Why.
        reason: String,
    },
    /// The thread of the loop could not be started.
    #[error("the engine's thread cannot be started")]
    Thread(#[source] std::io::Error),
}

/// Why a process was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The document is faulty.
    #[error("the process document has {} defects", .0.len())]
    Defects(Vec<Defect>),
    /// A component that it uses was removed meanwhile.
    #[error("the component for {0} was removed meanwhile")]
    ComponentGone(Uses),
    /// A policy does not let it be published.
    #[error("{0}")]
    PolicyDenied(Box<Denial>),
    /// The machine failed.
    #[error(transparent)]
    Error(#[from] Error),
}

/// Why a component was not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Its digest is in quarantine.
    #[error("these bytes are {0}")]
    Quarantined(Box<QuarantineRecord>),
    /// A definition has this name.
    #[error("a definition has this name already")]
    NameTaken,
    /// Other versions with this name are of another world.
    #[error("this is {}, and {name} is {} in version {version}", .world.one(), .other.one())]
    OtherWorld {
        /// The component.
        name: Name,
        /// A version that is there.
        version: Version,
        /// What was to be registered.
        world: World,
        /// What that version is.
        other: World,
    },
    /// The version exists with other bytes.
    #[error(
        "this version exists already with {found}; versions never change: upload it as a new version"
    )]
    VersionExists {
        /// What is there.
        found: Digest,
    },
    /// The machine failed.
    #[error(transparent)]
    Error(#[from] Error),
}

/// Why a definition of an activity was not published.
#[derive(Debug, thiserror::Error)]
pub enum DefineError {
    /// The document is faulty.
    #[error("the definition has {} defects", .0.len())]
    Defects(Vec<Defect>),
    /// The version exists with another document.
    #[error(
        "this version exists already with {found}; versions never change: publish it as a new version"
    )]
    VersionExists {
        /// What is there.
        found: Digest,
    },
    /// A component has this name.
    #[error("a component has this name already")]
    NameTaken,
    /// A component that it uses was removed meanwhile.
    #[error("the component for {0} was removed meanwhile")]
    ComponentGone(Uses),
    /// The machine failed.
    #[error(transparent)]
    Error(#[from] Error),
}

/// Why a version of a component or definition was not removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// There is no such version.
    #[error("there is no such version")]
    Unknown,
    /// Something uses it.
    #[error("it is used by {}", .0.summary())]
    InUse(Box<ComponentUsage>),
    /// The machine failed.
    #[error(transparent)]
    Error(#[from] Error),
}

/// Why an input set was not read or kept.
#[derive(Debug, thiserror::Error)]
pub enum InputSetError {
    /// There is no such process.
    #[error("there is no such process")]
    UnknownProcess,
    /// The process has no such input set.
    #[error("there is no such input set")]
    Unknown,
    /// Inputs do not fit; one line for each fault.
    #[error("the inputs do not fit: {}", .0.join("; "))]
    Invalid(Vec<String>),
    /// The machine failed.
    #[error(transparent)]
    Error(#[from] Error),
}

/// Why grants were not set.
#[derive(Debug, thiserror::Error)]
pub enum GrantsError {
    /// There is no such component version.
    #[error("there is no such component version")]
    Unknown,
    /// Somebody else set them first.
    #[error("the grants have revision {found}, not {expected}")]
    Stale {
        /// The revision the caller knew.
        expected: u64,
        /// The revision there is.
        found: u64,
    },
    /// The machine failed.
    #[error(transparent)]
    Error(#[from] Error),
}

/// Why a notifier was not set, read or tried out.
#[derive(Debug, thiserror::Error)]
pub enum NotifierError {
    /// There is no such notifier.
    #[error("there is no such notifier")]
    Unknown,
    /// No component is registered that it could be.
    #[error("no component is registered for {0}")]
    UnknownComponent(Uses),
    /// The component is for something else.
    #[error("{}@{} is {}, not a notifier", .0.name, .0.version, .1.one())]
    OtherWorld(Pin, World),
    /// The component is in quarantine; one sentence.
    #[error("{0}")]
    ComponentQuarantined(String),
    /// The component was removed meanwhile.
    #[error("the component was removed meanwhile")]
    ComponentGone,
    /// What it chooses by, or its settings, do not fit; one line for each fault.
    #[error("the notifier does not fit: {}", .0.join("; "))]
    Invalid(Vec<String>),
    /// Somebody else set it first.
    #[error("the notifier has revision {found}, not {expected}")]
    Stale {
        /// The revision the caller knew.
        expected: u64,
        /// The revision there is.
        found: u64,
    },
    /// The machine failed.
    #[error(transparent)]
    Error(#[from] Error),
}

/// Why the deprecation of a component version was not changed.
#[derive(Debug, thiserror::Error)]
pub enum DeprecateError {
    /// There is no such component version.
    #[error("there is no such component version")]
    Unknown,
    /// The notice is empty or too long; one sentence.
    #[error("notice: {0}")]
    Invalid(&'static str),
    /// The machine failed.
    #[error(transparent)]
    Error(#[from] Error),
}

/// Why a quarantine did not begin or end.
#[derive(Debug, thiserror::Error)]
pub enum QuarantineError {
    /// The digest is in quarantine already.
    #[error("it is {0}")]
    Already(Box<QuarantineRecord>),
    /// The digest is not in quarantine.
    #[error("it is not in quarantine")]
    NotInQuarantine,
    /// The reason is empty or too long; one sentence.
    #[error("reason: {0}")]
    Invalid(&'static str),
    /// The machine failed.
    #[error(transparent)]
    Error(#[from] Error),
}

/// Why a release was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// There is no such process, or no such version of it.
    #[error("there is no such process version")]
    UnknownProcess,
    /// The inputs or the title do not fit; one line for each fault.
    #[error("the inputs do not fit: {}", .0.join("; "))]
    Invalid(Vec<String>),
    /// The registry has no component for these.
    #[error("no component is registered for {}", list(.0))]
    MissingComponents(Vec<Uses>),
    /// A component that it would run is in quarantine; one sentence. Nothing was written.
    #[error("{0}")]
    ComponentQuarantined(String),
    /// A policy does not let it start. Nothing was written.
    #[error("{0}")]
    PolicyDenied(Box<Denial>),
    /// It could be created, but not started. Nothing was written.
    #[error(transparent)]
    Refused(Refusal),
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The machine failed.
    #[error(transparent)]
    Error(#[from] Error),
}

/// Why a release was not rehearsed.
#[derive(Debug, thiserror::Error)]
pub enum RehearseError {
    /// There is no such process, or no such version of it.
    #[error("there is no such process version")]
    UnknownProcess,
    /// The document is faulty.
    #[error("the process document has {} defects", .0.len())]
    Defects(Vec<Defect>),
    /// It cannot be played.
    #[error(transparent)]
    Rehearsal(#[from] RehearsalError),
    /// The machine failed.
    #[error(transparent)]
    Error(#[from] Error),
}

/// Why an input was not taken.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// There is no such release.
    #[error("there is no such release")]
    UnknownRelease,
    /// The release has changed since the caller looked.
    #[error("the release is at version {found}, not {expected}")]
    Stale {
        /// The version the caller knew.
        expected: u64,
        /// The version there is.
        found: u64,
    },
    /// The state forbids it.
    #[error(transparent)]
    Refused(Refusal),
    /// The registry has no component for these.
    #[error("no component is registered for {}", list(.0))]
    MissingComponents(Vec<Uses>),
    /// A component that it would run is in quarantine; one sentence.
    #[error("{0}")]
    ComponentQuarantined(String),
    /// A policy does not let it happen.
    #[error("{0}")]
    PolicyDenied(Box<Denial>),
    /// The release broke an invariant: it takes nothing until the engine was repaired and restarted.
    #[error("the release is quarantined: {0}")]
    Quarantined(String),
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The machine failed.
    #[error(transparent)]
    Error(#[from] Error),
}

/// Why a policy was not set, read, asked or removed.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// There is no such policy.
    #[error("there is no such policy")]
    Unknown,
    /// Somebody else set it first.
    #[error("the policy has revision {found}, not {expected}")]
    Stale {
        /// The revision the caller knew.
        expected: u64,
        /// The revision there is.
        found: u64,
    },
    /// The registry has no such component.
    #[error("no component is registered for {0}")]
    UnknownComponent(Uses),
    /// The component is something else.
    #[error("{component} is {}, not a policy", .world.one())]
    NoPolicy {
        /// The component.
        component: Uses,
        /// What it is.
        world: World,
    },
    /// The component is in quarantine; one sentence.
    #[error("{0}")]
    ComponentQuarantined(String),
    /// What is set does not fit; one line for each fault.
    #[error("{}", .0.join("; "))]
    Invalid(Vec<String>),
    /// There is no such process, or no such version of it.
    #[error("there is no such process version")]
    UnknownProcess,
    /// The machine failed.
    #[error(transparent)]
    Error(#[from] Error),
}

/// Why the capacity of a lock was not set.
#[derive(Debug, thiserror::Error)]
pub enum CapacityError {
    /// The name or the number cannot be one; one sentence.
    #[error("{0}")]
    Invalid(String),
    /// The machine failed.
    #[error(transparent)]
    Error(#[from] Error),
}

/// Why a small record was not written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A record that had to be absent is there.
    #[error("there is such a record already")]
    Exists,
    /// The machine failed.
    #[error(transparent)]
    Error(#[from] Error),
}

/// Why a release cannot start.
#[derive(Debug)]
pub(crate) enum StartError {
    /// The registry has no component for these.
    Missing(Vec<Uses>),
    /// A component is in quarantine; one sentence.
    Quarantined(String),
}

impl From<StartError> for CreateError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Missing(uses) => Self::MissingComponents(uses),
            StartError::Quarantined(told) => Self::ComponentQuarantined(told),
        }
    }
}

impl From<StartError> for InputError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Missing(uses) => Self::MissingComponents(uses),
            StartError::Quarantined(told) => Self::ComponentQuarantined(told),
        }
    }
}

fn list(uses: &[Uses]) -> String {
    let all: Vec<String> = uses.iter().map(ToString::to_string).collect();
    all.join(", ")
}
