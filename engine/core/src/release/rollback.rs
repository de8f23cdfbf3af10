//! A rollback: who asked for it, what it takes back, and how far it is.

use std::collections::BTreeSet;

use crate::actor::{Actor, Party};
use crate::process::{ActivityIx, Group};
use crate::release::Release;
use crate::release::event::{PlannedUndo, UndoPart, UndoWay};
use crate::release::index::Node;
use crate::release::state::ActivityState;
use crate::release::unwinding::Unwinding;
use crate::time::Timestamp;

/// The last rollback of a release.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollback {
    /// Who asked for it.
    pub by: Actor,
    /// The activity whose failure asked for it; nothing if a person did.
    pub trigger: Option<ActivityIx>,
    /// Why, in a person's words.
    pub reason: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// Everything that had or may have had an effect, what depends on others first.
    pub plan: Vec<PlannedUndo>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What is asked of people afterwards, once it has ended.
    pub root_cause: Option<RootCause>,
    pub(super) unwinding: Unwinding,
    /// Runs that were going on when it began: what they did is taken back once they have ended.
    pub(super) going: BTreeSet<ActivityIx>,
    /// Whose turn came while the release was paused.
    pub(super) ready: BTreeSet<ActivityIx>,
}

/// To find out why a release had to go back: opened when the rollback has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootCause {
    /// Nobody has said yet.
    Open {
        /// Since when.
        since: Timestamp,
    },
    /// Somebody has.
    Closed {
        /// Who.
        by: Actor,
        /// When.
        at: Timestamp,
        /// What it was.
        text: String,
    },
}

/// What has come of the effect of one activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoResult {
    /// There is nothing to take back.
    Nothing,
    /// It stays: it lies before a point of no return.
    Kept,
    /// Its turn has not come.
    Waiting,
    /// It is being taken back.
    Undoing,
    /// A person must decide.
    Failed,
    /// It is taken back.
    Undone,
    /// A person took it back.
    UndoneByHand,
    /// A person accepted that it stays.
    Accepted,
    /// It stays: the rollback was aborted before it was taken back.
    NotUndone,
}

impl UndoResult {
    /// The result as one stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Kept => "kept",
            Self::Waiting => "waiting",
            Self::Undoing => "undoing",
            Self::Failed => "undo-failed",
            Self::Undone => "undone",
            Self::UndoneByHand => "undone-by-hand",
            Self::Accepted => "accepted",
            Self::NotUndone => "not-undone",
        }
    }

    /// Whether the effect is known to be gone, or never was.
    pub fn is_gone(self) -> bool {
        matches!(self, Self::Nothing | Self::Undone | Self::UndoneByHand)
    }
}

impl UndoWay {
    /// The way as one stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::Uses => "uses",
            Self::Person => "person",
            Self::Nothing => "nothing",
            Self::Supplied => "supplied",
            Self::Kept { .. } => "kept",
            Self::Children => "children",
        }
    }

    /// Whether something is to be done.
    pub(super) fn is_target(self) -> bool {
        matches!(
            self,
            Self::Component | Self::Uses | Self::Person | Self::Children
        )
    }
}

impl UndoPart {
    /// The part as one stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Undo => "undo",
            Self::Validate => "validate",
            Self::Child(_) => "child",
        }
    }
}

impl Rollback {
    /// How the effect of an activity is taken back, if it has one that is.
    pub(super) fn way(&self, ix: ActivityIx) -> Option<UndoWay> {
        self.unwinding.way(ix)
    }
}

/// What goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The whole release.
    Release,
    /// A batch of this fan-out.
    Wave(Group),
}

impl Release {
    /// Whether a batch of some fan-out goes back.
    pub(super) fn has_wave_going_back(&self) -> bool {
        self.waves.values().any(|wave| wave.back.is_some())
    }

    /// Whether the release goes back by itself next.
    pub(super) fn wants_to_go_back(&self) -> bool {
        matches!(self.frontier.first(), Some(Node::Rollback(_)))
    }

    /// Whether the release is to go back as soon as a batch has gone back.
    pub(super) fn is_rollback_postponed(&self) -> bool {
        self.wants_to_go_back() && self.has_wave_going_back()
    }

    /// What the activity goes back with, if it goes back now.
    pub(super) fn scope_of(&self, ix: ActivityIx) -> Option<Scope> {
        if self.is_going_back() {
            return Some(Scope::Release);
        }
        let activity = self.process.activity(ix);
        let phase = self.process.phase(activity.phase).instance.as_deref();
        let groups = [activity.instance(), phase].into_iter().flatten();
        let mut groups = groups.map(|instance| instance.of);
        groups
            .find(|group| {
                self.waves
                    .get(group)
                    .is_some_and(|wave| wave.back.is_some())
            })
            .map(Scope::Wave)
    }

    /// The rollback that an activity is part of now.
    pub(super) fn back_of(&self, ix: ActivityIx) -> Option<&Rollback> {
        match self.scope_of(ix)? {
            Scope::Release => self.rollback.as_deref(),
            Scope::Wave(group) => Some(&self.waves.get(&group)?.back.as_ref()?.rollback),
        }
    }

    pub(super) fn back_mut(&mut self, scope: Scope) -> Option<&mut Rollback> {
        match scope {
            Scope::Release => self.rollback.as_deref_mut(),
            Scope::Wave(group) => Some(&mut self.waves.get_mut(&group)?.back.as_mut()?.rollback),
        }
    }

    /// The last rollback, if the release ever went back.
    pub fn rollback(&self) -> Option<&Rollback> {
        self.rollback.as_deref()
    }

    /// What has come of the effect of a planned activity.
    pub fn undo_result(&self, planned: &PlannedUndo) -> UndoResult {
        match planned.way {
            UndoWay::Nothing | UndoWay::Supplied => return UndoResult::Nothing,
            UndoWay::Kept { .. } => return UndoResult::Kept,
            UndoWay::Component | UndoWay::Uses | UndoWay::Person | UndoWay::Children => {}
        }
        match self.activity_state(planned.activity) {
            ActivityState::Undoing(_) => UndoResult::Undoing,
            ActivityState::Undone(undone) if undone.by_hand.is_some() => UndoResult::UndoneByHand,
            ActivityState::Undone(_) => UndoResult::Undone,
            ActivityState::UndoFailed(failed) if failed.accepted.is_some() => UndoResult::Accepted,
            ActivityState::UndoFailed(_) if self.has_ended() => UndoResult::NotUndone,
            ActivityState::UndoFailed(_) => UndoResult::Failed,
            _ if self.has_ended() => UndoResult::NotUndone,
            _ => UndoResult::Waiting,
        }
    }

    /// Whether nothing of what the last rollback set out to take back is left.
    pub(super) fn is_all_undone(&self) -> bool {
        let planned = self.rollback.iter().flat_map(|rollback| &rollback.plan);
        let mut results = planned.map(|planned| self.undo_result(planned));
        results.all(UndoResult::is_gone)
    }

    /// Who has to find out why the release had to go back: the owners of what failed, or else of
    /// everything that was to be taken back.
    pub fn root_cause_owners(&self) -> Vec<Party> {
        let Some(rollback) = &self.rollback else {
            return Vec::new();
        };
        let failed = rollback.trigger.into_iter();
        let failed = self.owners_of_all(failed);
        if !failed.is_empty() {
            return failed;
        }
        let planned = rollback.plan.iter().map(|planned| planned.activity);
        self.owners_of_all(planned)
    }

    fn owners_of_all(&self, activities: impl Iterator<Item = ActivityIx>) -> Vec<Party> {
        let mut found: Vec<Party> = Vec::new();
        for owner in activities.flat_map(|ix| self.owners(ix)) {
            if !found.contains(owner) {
                found.push(owner.clone());
            }
        }
        found
    }
}
