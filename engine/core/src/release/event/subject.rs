//! What an event is about.

use crate::process::{ActivityIx, Group, PhaseIx};
use crate::release::Holder;
use crate::release::event::{Event, LetIn, TurnedAway};

impl Event {
    /// The one activity it is about, if it is about one.
    pub fn activity(&self) -> Option<ActivityIx> {
        match self {
            Self::ActivityReadied { activity }
            | Self::AttemptStarted { activity, .. }
            | Self::AttemptSuspended { activity, .. }
            | Self::AttemptAwaitsSignal { activity, .. }
            | Self::AttemptResumed { activity, .. }
            | Self::AttemptFailed { activity, .. }
            | Self::AttemptTurnedAway(TurnedAway { activity })
            | Self::AttemptLetIn(LetIn { activity, .. })
            | Self::EvidenceRecorded { activity, .. }
            | Self::PeopleAsked { activity, .. }
            | Self::Approved { activity, .. }
            | Self::Rejected { activity, .. }
            | Self::Expired { activity }
            | Self::ActivitySucceeded { activity, .. }
            | Self::ActivityHeld { activity, .. }
            | Self::ActivityFailed { activity, .. }
            | Self::ActivitySkipped { activity, .. }
            | Self::OutputsAmended { activity, .. }
            | Self::RetryAmended { activity, .. }
            | Self::InstancesEnded { activity, .. }
            | Self::WaitBegan { activity, .. }
            | Self::SignalReceived { activity, .. }
            | Self::ChildStarted { activity, .. }
            | Self::ChildLaunched { activity, .. }
            | Self::LocksWanted {
                holder: Holder::Activity(activity),
                ..
            }
            | Self::LocksGranted {
                holder: Holder::Activity(activity),
            }
            | Self::ActivityAborted { activity }
            | Self::UndoStarted { activity, .. }
            | Self::UndoReturned { activity }
            | Self::Undone { activity, .. }
            | Self::UndoHeld { activity, .. }
            | Self::UndoAccepted { activity, .. }
            | Self::ChildRecalled { activity, .. }
            | Self::ChildUndone { activity, .. } => Some(*activity),
            Self::PoliciesWarned(warned) => warned.activity,
            other => other.question().or_else(|| match other.group() {
                Some(Group::Activity(ix)) => Some(ix),
                Some(Group::Phase(_)) | None => None,
            }),
        }
    }

    /// The activity whose question to people, or what comes of it, it is about.
    fn question(&self) -> Option<ActivityIx> {
        match self {
            Self::PeopleFound { activity, .. }
            | Self::ApprovalGiven { activity, .. }
            | Self::RejectedAsBackup { activity, .. }
            | Self::ApprovalWithdrawn { activity, .. }
            | Self::ApprovalsLapsed { activity, .. }
            | Self::QuestionWithdrawn { activity, .. }
            | Self::Reminded { activity, .. }
            | Self::Escalated { activity }
            | Self::TaskMoved { activity, .. }
            | Self::Commented { activity, .. }
            | Self::CommentEdited { activity, .. }
            | Self::FileAttached { activity, .. }
            | Self::GlassBroken { activity, .. }
            | Self::ReviewClosed { activity, .. } => Some(*activity),
            _ => None,
        }
    }

    /// The one phase it is about as a whole, if it is about one.
    pub fn phase(&self) -> Option<PhaseIx> {
        match self {
            Self::PhaseOpened { phase, .. }
            | Self::PhaseSkipped { phase, .. }
            | Self::PhaseEnded { phase, .. }
            | Self::LocksWanted {
                holder: Holder::Phase(phase),
                ..
            }
            | Self::LocksGranted {
                holder: Holder::Phase(phase),
            } => Some(*phase),
            _ => match self.group() {
                Some(Group::Phase(ix)) => Some(ix),
                Some(Group::Activity(_)) | None => None,
            },
        }
    }

    /// The fan-out it is about, if it is about one.
    pub fn group(&self) -> Option<Group> {
        match self {
            Self::Expanded { group, .. }
            | Self::BatchOpened { group, .. }
            | Self::BatchBaking { group, .. }
            | Self::BatchBaked { group }
            | Self::GateOpened { group, .. }
            | Self::WaveHalted { group, .. }
            | Self::WaveResumed { group, .. }
            | Self::WaveEnded { group, .. }
            | Self::WaveRollbackStarted { group, .. }
            | Self::WaveRolledBack { group, .. } => Some(*group),
            _ => None,
        }
    }
}
