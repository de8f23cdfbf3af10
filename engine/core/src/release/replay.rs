//! From history to state: the fold from its first turn on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::actor::Actor;
use crate::expression::Condition;
use crate::id::{Digest, ReleaseId};
use crate::process::{Activity, ActivityIx, Phase, Process, ProcessRef, Role};
use crate::release::event::{Event, SkipReason, Turn};
use crate::release::index::Index;
use crate::release::needs::Tally;
use crate::release::state::{ActivityState, PhaseState, ReleaseState};
use crate::release::{ActivityNode, Definition, PhaseNode, Release};
use crate::time::Timestamp;

/// Turns that are not the history of a release of the given process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayError {
    /// There are none, or the first does not create a release.
    NotCreated,
    /// A turn is missing or comes twice.
    Gap {
        /// The number its first event should have.
        expected: u64,
        /// The number it has.
        found: u64,
    },
    /// They belong to another process document.
    OtherProcess(Box<ProcessRef>),
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCreated => f.write_str("the history does not begin with a created release"),
            Self::Gap { expected, found } => {
                write!(f, "the history has event {found} where {expected} belongs")
            }
            Self::OtherProcess(wanted) => write!(
                f,
                "the history belongs to version {} of {} ({})",
                wanted.version, wanted.name, wanted.digest
            ),
        }
    }
}

impl std::error::Error for ReplayError {}

impl Release {
    /// The release that `first` creates.
    pub fn new(id: ReleaseId, process: Arc<Process>, first: &Turn) -> Result<Self, ReplayError> {
        let Some(Event::Created {
            process: process_ref,
            title,
            inputs,
        }) = first.events.first()
        else {
            return Err(ReplayError::NotCreated);
        };
        if first.first != 0 {
            return Err(ReplayError::Gap {
                expected: 0,
                found: first.first,
            });
        }
        if process_ref.digest != process.digest {
            return Err(ReplayError::OtherProcess(Box::new(process_ref.clone())));
        }
        let mut release = Self {
            id,
            process_ref: process_ref.clone(),
            title: title.as_str().into(),
            inputs: inputs.clone(),
            created_by: first.by.clone(),
            created_at: first.at,
            started: None,
            pins: Box::default(),
            irreversible: Box::default(),
            rollback: None,
            gated: Digest([0; 32]),
            state: ReleaseState::Draft,
            outputs: None,
            emergency: None,
            parent: None,
            claims: BTreeMap::new(),
            version: 1,
            phases: waiting_phases(&process),
            activities: waiting_activities(&process, first.at),
            waves: BTreeMap::new(),
            phases_unsettled: count(process.phases.len()),
            phase_failed: false,
            index: Index::default(),
            frontier: BTreeSet::new(),
            reviews: BTreeSet::new(),
            warnings: Vec::new(),
            process: Definition(process),
        };
        release.gate();
        release.apply_all(first, 1);
        Ok(release)
    }

    /// The release that `turns` tell of, oldest first.
    pub fn replay<T: std::borrow::Borrow<Turn>>(
        id: ReleaseId,
        process: Arc<Process>,
        turns: impl IntoIterator<Item = T>,
    ) -> Result<Self, ReplayError> {
        let mut turns = turns.into_iter();
        let first = turns.next().ok_or(ReplayError::NotCreated)?;
        let mut release = Self::new(id, process, first.borrow())?;
        for turn in turns {
            release.apply_turn(turn.borrow())?;
        }
        Ok(release)
    }

    /// Folds the next turn of the history in.
    pub fn apply_turn(&mut self, turn: &Turn) -> Result<(), ReplayError> {
        if turn.first != self.version {
            return Err(ReplayError::Gap {
                expected: self.version,
                found: turn.first,
            });
        }
        self.apply_all(turn, 0);
        Ok(())
    }

    fn apply_all(&mut self, turn: &Turn, from: usize) {
        let by: &Actor = &turn.by;
        for event in &turn.events[from..] {
            self.apply(turn.at, by, event);
        }
    }
}

fn waiting_phases(process: &Process) -> Vec<PhaseNode> {
    let members = |phase: &Phase| {
        let activities = phase.activities.clone().map(ActivityIx);
        let members = activities.filter(|ix| process.activity(*ix).role == Role::Member);
        count(members.count())
    };
    let phases = process.phases.iter();
    phases
        .map(|phase| PhaseNode::waiting(phase.tally(), members(phase)))
        .collect()
}

fn waiting_activities(process: &Process, at: Timestamp) -> Vec<ActivityNode> {
    let node = |activity: &Activity| match activity.role {
        Role::Template => ActivityNode::template(at),
        Role::Member | Role::Instance(_) | Role::Gate(..) => {
            ActivityNode::waiting(activity.tally())
        }
    };
    process.activities.iter().map(node).collect()
}

impl PhaseNode {
    /// A phase that waits for others and has so many activities.
    pub(super) fn waiting(needs: Tally, unsettled: u32) -> Self {
        Self {
            state: PhaseState::Waiting,
            needs,
            held: false,
            unsettled,
            failed: false,
            fault: None,
        }
    }
}

impl ActivityNode {
    /// An activity that waits for others.
    pub(super) fn waiting(needs: Tally) -> Self {
        Self {
            state: ActivityState::Waiting,
            needs,
            held: false,
            record: None,
        }
    }

    /// An activity that others are made of, and that does not run itself.
    pub(super) fn template(at: Timestamp) -> Self {
        let why = SkipReason::NotNeeded;
        Self {
            state: ActivityState::Skipped { why, at },
            ..Self::waiting(Tally::new::<ActivityIx>(&[], &[], false))
        }
    }
}

impl Phase {
    /// The count of its needs while none has ended.
    pub(super) fn tally(&self) -> Tally {
        Tally::new(&self.needs, &self.joins, replaced(self.condition.as_ref()))
    }
}

impl Activity {
    /// The count of its needs while none has ended.
    pub(super) fn tally(&self) -> Tally {
        Tally::new(&self.needs, &self.joins, replaced(self.condition.as_ref()))
    }
}

/// Whether `condition` stands in the place of the rule of needs.
pub(super) fn replaced(condition: Option<&Condition>) -> bool {
    condition.is_some_and(Condition::replaces_needs)
}

fn count(len: usize) -> u32 {
    u32::try_from(len).expect("a process has at most ACTIVITIES_MAX activities")
}
