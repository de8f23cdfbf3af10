//! The states of a release, its phases and its activities. Each carries exactly its own data.

use crate::actor::Actor;
use crate::attempt::Evidence;
use crate::failure::Failure;
use crate::id::{Digest, Name, ReleaseId};
use crate::json::Json;
use crate::release::event::{
    Awaits, OutputSource, PhaseOutcome, ReleaseOutcome, SkipReason, UndoPart,
};
pub use crate::release::question::{Approval, People, Question};
use crate::release::task::{Notes, Task};
use crate::time::Timestamp;

/// Where a release is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseState {
    /// Created, not started.
    Draft,
    /// Going.
    Running,
    /// Nothing new starts.
    Paused {
        /// Who paused it.
        by: Actor,
        /// Why.
        reason: Option<String>,
        /// Since when.
        since: Timestamp,
    },
    /// Going back: effects are taken back, the last first.
    RollingBack,
    /// Over.
    Ended {
        /// How.
        outcome: ReleaseOutcome,
        /// When.
        at: Timestamp,
        /// Why, if it was aborted.
        reason: Option<String>,
    },
}

/// Where a phase is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhaseState {
    /// Some needs are not settled.
    Waiting,
    /// It waits for locks that others hold.
    Blocked {
        /// Since when.
        since: Timestamp,
    },
    /// Its activities may run.
    Open {
        /// Since when.
        since: Timestamp,
    },
    /// Over.
    Ended {
        /// How.
        outcome: PhaseOutcome,
        /// When.
        at: Timestamp,
    },
    /// It did not run.
    Skipped {
        /// Why.
        why: SkipReason,
    },
}

/// Where an activity is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActivityState {
    /// Its phase or its needs are not settled.
    Waiting,
    /// It could start, but the release is paused.
    Ready {
        /// Since when.
        since: Timestamp,
    },
    /// A run is going on, or waits for a free slot of the engine.
    Running(Attempt),
    /// Its instances run in its place.
    FannedOut {
        /// Since when.
        since: Timestamp,
    },
    /// The guest waits for something outside.
    Suspended {
        /// The attempt that waits.
        attempt: Attempt,
        /// Since when it waits.
        since: Timestamp,
        /// What it is run again for.
        resumes: Resumes,
        /// What the guest says it waits for.
        status: Option<String>,
    },
    /// The last attempt failed and another will follow.
    Retrying {
        /// The attempt that failed.
        attempt: u32,
        /// The rendered `with`.
        with: Json,
        /// How it failed.
        failure: Box<Failure>,
        /// When the next begins.
        retry_at: Timestamp,
        /// Since when it waits.
        since: Timestamp,
    },
    /// People must decide.
    NeedsPeople(Box<Question>),
    /// It waits for an instant, a signal or another release.
    Awaiting(Box<Await>),
    /// It waits for locks that others hold.
    Blocked(Box<Blocked>),
    /// A child release runs.
    Child(Box<Child>),
    /// It failed and a person must say how to go on.
    OnHold {
        /// Attempts so far; 0 if it failed before the first.
        attempts: u32,
        /// The rendered `with`, if it came to that.
        with: Option<Json>,
        /// How it failed.
        failure: Box<Failure>,
        /// Since when.
        since: Timestamp,
    },
    /// Done.
    Succeeded {
        /// What others may read.
        outputs: Json,
        /// When.
        at: Timestamp,
    },
    /// Failed for good.
    Failed {
        /// How.
        failure: Box<Failure>,
        /// Whether it counts as satisfied.
        continued: bool,
        /// When.
        at: Timestamp,
    },
    /// A person said no.
    Rejected {
        /// Who; the engine if nobody decided in time and that counts as a no.
        by: Actor,
        /// In whose place, if they were somebody's backup.
        backup_of: Option<Actor>,
        /// Why.
        comment: String,
        /// When.
        at: Timestamp,
    },
    /// Nobody decided in time.
    Expired {
        /// When.
        at: Timestamp,
    },
    /// Who started the release took the question back.
    Withdrawn {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// It did not run.
    Skipped {
        /// Why.
        why: SkipReason,
        /// When.
        at: Timestamp,
    },
    /// The release was aborted first.
    Aborted {
        /// When.
        at: Timestamp,
    },
    /// Its effect is being taken back.
    Undoing(Box<Undoing>),
    /// Its effect is taken back.
    Undone(Box<Undone>),
    /// Its effect could not be taken back.
    UndoFailed(Box<UndoFailed>),
}

/// An effect that is being taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undoing {
    /// How the activity had ended.
    pub past: ActivityState,
    /// What is called.
    pub part: UndoPart,
    /// Attempts of the activity before the first one at this part.
    pub before: u32,
    /// Where it is: `Ready`, `Running`, `Suspended`, `Retrying` or, for a child, `Awaiting`; and `OnHold`
    /// within a turn.
    pub now: ActivityState,
}

/// An effect that is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// How the activity had ended.
    pub past: ActivityState,
    /// Who did it by hand and what they said; nothing if the engine did.
    pub by_hand: Option<(Actor, String)>,
    /// When.
    pub at: Timestamp,
}

/// An effect that could not be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoFailed {
    /// How the activity had ended.
    pub past: ActivityState,
    /// What failed.
    pub part: UndoPart,
    /// Attempts of the activity before the first one at this part.
    pub before: u32,
    /// How.
    pub failure: Failure,
    /// Since when.
    pub since: Timestamp,
    /// Who accepted that the effect stays, and why.
    pub accepted: Option<(Actor, String)>,
}

/// An attempt that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// 1 for the first attempt.
    pub number: u32,
    /// 1 for the first run; each resumption counts up.
    pub run: u32,
    /// The rendered `with`.
    pub with: Json,
    /// What the last `pending` stored.
    pub checkpoint: Option<Box<[u8]>>,
    /// The payload of the signal that ended the last suspension.
    pub signal: Option<Json>,
    /// When it began.
    pub since: Timestamp,
    /// When it is given up.
    pub deadline: Timestamp,
}

/// What a suspended attempt is run again for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resumes {
    /// The instant.
    At(Timestamp),
    /// A signal.
    Signal(Name),
}

impl Resumes {
    /// The instant, if it is known.
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(*at),
            Self::Signal(_) => None,
        }
    }
}

/// An activity that waits for locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Since when.
    pub since: Timestamp,
    /// Attempts so far.
    pub attempts: u32,
    /// What a person gave for the attempt that comes next.
    pub with: Option<Json>,
}

/// A child release that an activity waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    /// Counts like attempts of a component.
    pub attempt: u32,
    /// The child.
    pub release: ReleaseId,
    /// What it runs.
    pub process: Name,
    /// Which version; the newest if there is none.
    pub version: Option<u32>,
    /// Its inputs.
    pub inputs: Json,
    /// Since when.
    pub since: Timestamp,
}

/// A wait that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Await {
    /// For what.
    pub on: Awaits,
    /// Since when.
    pub since: Timestamp,
    /// When it is over, or given up.
    pub until: Option<Timestamp>,
}

/// A signal that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Tells deliveries apart.
    pub delivery: Digest,
    /// When.
    pub at: Timestamp,
}

/// What an activity has left behind, kept at hand whatever state it is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// When it first started, or people were first asked.
    pub started_at: Option<Timestamp>,
    /// Attempts begun so far.
    pub attempts: u32,
    /// Those of them that were turned away before anything ran.
    pub turned_away: u32,
    /// The `with` of the last attempt.
    pub with: Option<Json>,
    /// The instructions that people got.
    pub instructions: Option<String>,
    /// Approvals of a question that is not open any more.
    pub approvals: Vec<Approval>,
    /// Facts, oldest first.
    pub evidence: Vec<Evidence>,
    /// Who gave the outputs.
    pub source: Option<OutputSource>,
    /// Attempts in all, where somebody allowed more than the process does.
    pub attempts_max: Option<u32>,
    /// Releases that were started for it, oldest first.
    pub children: Vec<ReleaseId>,
    /// The signals that came, oldest first.
    pub signals: Vec<Received>,
    /// The tasks of a manual activity, in the order of the process, since people were asked.
    pub tasks: Vec<Task>,
    /// What was said and attached besides the tasks.
    pub notes: Notes,
    /// How its approvals were skipped, if they were.
    pub glass: Option<BrokenGlass>,
}

/// Approvals that somebody skipped in an emergency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenGlass {
    /// Who.
    pub by: Actor,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Who looked at it afterwards, when, and what they said.
    pub reviewed: Option<(Actor, Timestamp, String)>,
}

impl ActivityState {
    /// The state as one stable word of the glossary.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ready { .. } => "ready",
            Self::Running(_) | Self::FannedOut { .. } | Self::Child(_) => "running",
            Self::Suspended { .. } | Self::Awaiting(_) => "suspended",
            Self::Blocked(_) => "blocked",
            Self::Retrying { .. } => "retrying",
            Self::NeedsPeople(_) => "needs-people",
            Self::OnHold { .. } => "on-hold",
            Self::Succeeded { .. } => "succeeded",
            Self::Failed { .. } => "failed",
            Self::Rejected { .. } => "rejected",
            Self::Expired { .. } => "expired",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Skipped { .. } => "skipped",
            Self::Aborted { .. } => "aborted",
            Self::Undoing(_) => "undoing",
            Self::Undone(_) => "undone",
            Self::UndoFailed(_) => "undo-failed",
        }
    }

    /// The state on the way forward: how the activity had ended, if its effect was or is taken back.
    pub fn forward(&self) -> &Self {
        match self {
            Self::Undoing(undoing) => &undoing.past,
            Self::Undone(undone) => &undone.past,
            Self::UndoFailed(failed) => &failed.past,
            state => state,
        }
    }

    /// Where its call is, on the way forward or back.
    pub fn going(&self) -> &Self {
        match self {
            Self::Undoing(undoing) => &undoing.now,
            state => state,
        }
    }

    pub(super) fn going_mut(&mut self) -> &mut Self {
        match self {
            Self::Undoing(undoing) => &mut undoing.now,
            state => state,
        }
    }

    /// What the state means for what needs the activity; `None` while it has not ended. What
    /// happens on the way back changes nothing in that.
    pub fn settled(&self) -> Option<Settled> {
        match self.forward() {
            Self::Succeeded { .. }
            | Self::Failed {
                continued: true, ..
            }
            | Self::Skipped {
                why: SkipReason::Condition | SkipReason::Person(_) | SkipReason::NotNeeded,
                ..
            } => Some(Settled::Satisfied),
            Self::Failed {
                continued: false, ..
            }
            | Self::Rejected { .. }
            | Self::Expired { .. }
            | Self::Withdrawn { .. }
            | Self::Skipped {
                why: SkipReason::Upstream,
                ..
            }
            | Self::Aborted { .. } => Some(Settled::Broken),
            Self::Waiting
            | Self::Ready { .. }
            | Self::Running(_)
            | Self::FannedOut { .. }
            | Self::Suspended { .. }
            | Self::Retrying { .. }
            | Self::NeedsPeople(_)
            | Self::Awaiting(_)
            | Self::Blocked(_)
            | Self::Child(_)
            | Self::OnHold { .. }
            | Self::Undoing(_)
            | Self::Undone(_)
            | Self::UndoFailed(_) => None,
        }
    }
}

/// What something that has ended means for what needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// What needs it may go on.
    Satisfied,
    /// What needs it is skipped.
    Broken,
}

impl ReleaseState {
    /// The state as one stable word of the glossary.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Running => "running",
            Self::Paused { .. } => "paused",
            Self::RollingBack => "rolling-back",
            Self::Ended { outcome, .. } => outcome.word(),
        }
    }
}

impl ReleaseOutcome {
    /// The outcome as one stable word of the glossary.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
            Self::RolledBack => "rolled-back",
        }
    }
}

impl PhaseState {
    /// The state as one stable word of the glossary.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Blocked { .. } => "blocked",
            Self::Open { .. } => "open",
            Self::Ended { outcome, .. } => outcome.word(),
            Self::Skipped { .. } => "skipped",
        }
    }

    /// What the state means for what needs the phase; `None` while it has not ended.
    pub fn settled(&self) -> Option<Settled> {
        match self {
            Self::Waiting | Self::Blocked { .. } | Self::Open { .. } => None,
            Self::Ended {
                outcome: PhaseOutcome::Succeeded,
                ..
            }
            | Self::Skipped {
                why: SkipReason::Condition | SkipReason::Person(_) | SkipReason::NotNeeded,
            } => Some(Settled::Satisfied),
            Self::Ended { .. }
            | Self::Skipped {
                why: SkipReason::Upstream,
            } => Some(Settled::Broken),
        }
    }
}

impl PhaseOutcome {
    /// The outcome as one stable word of the glossary.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
        }
    }
}
