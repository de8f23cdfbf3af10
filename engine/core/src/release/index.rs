//! Where to look first: which activities run, are ready or wait for an instant, and which nodes
//! of the graph have something to do. Each is a function of the states, kept up to date by one.

use std::collections::BTreeSet;

use crate::process::{ActivityIx, Group, PhaseIx};
use crate::release::state::{ActivityState, People};
use crate::time::Timestamp;

/// Part of the graph for which something follows from what has become true. The order is the
/// order in which [`super::advance()`] looks at them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    /// Failed, and its release goes back: nothing else follows before that.
    Rollback(ActivityIx),
    /// Opens, is skipped, or ends.
    Phase(PhaseIx),
    /// Starts or is skipped.
    Activity(ActivityIx),
    /// Opens a batch, bakes, asks its gate or stops.
    Wave(Group),
    /// Its effect is taken back.
    Undo(ActivityIx),
    /// Ends.
    Release,
}

/// What an activity waits for that time alone brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// Something is given up; a pause does not stop it.
    Lapse(Timestamp),
    /// Something starts; a pause holds it up.
    Start(Timestamp),
}

impl Timer {
    /// The one timer of an activity in `state`.
    pub(super) fn of(state: &ActivityState) -> Option<Self> {
        match state.going() {
            ActivityState::Running(attempt) => Some(Self::Lapse(attempt.deadline)),
            // At the same instant the deadline wins: a resumed run would have no time left.
            ActivityState::Suspended {
                attempt, resumes, ..
            } => match resumes.at() {
                Some(at) if at < attempt.deadline => Some(Self::Start(at)),
                _ => Some(Self::Lapse(attempt.deadline)),
            },
            ActivityState::Retrying { retry_at, .. } => Some(Self::Start(*retry_at)),
            ActivityState::NeedsPeople(question) => question.due_at().map(Self::Lapse),
            // A wait starts nothing by itself, so that a pause need not stop it.
            ActivityState::Awaiting(wait) => wait.until.map(Self::Lapse),
            ActivityState::Waiting
            | ActivityState::Ready { .. }
            | ActivityState::FannedOut { .. }
            | ActivityState::OnHold { .. }
            | ActivityState::Blocked(_)
            | ActivityState::Child(_)
            | ActivityState::Succeeded { .. }
            | ActivityState::Failed { .. }
            | ActivityState::Rejected { .. }
            | ActivityState::Expired { .. }
            | ActivityState::Withdrawn { .. }
            | ActivityState::Skipped { .. }
            | ActivityState::Aborted { .. }
            | ActivityState::Undoing(_)
            | ActivityState::Undone(_)
            | ActivityState::UndoFailed(_) => None,
        }
    }
}

/// Activities by what they are doing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Index {
    /// Those in `running`.
    pub(super) running: BTreeSet<ActivityIx>,
    /// Those in `ready`.
    pub(super) ready: BTreeSet<ActivityIx>,
    /// Those that wait for an instant, a signal or another release.
    pub(super) awaiting: BTreeSet<ActivityIx>,
    /// Those that wait for a child.
    pub(super) parents: BTreeSet<ActivityIx>,
    /// Those that lapse.
    pub(super) lapses: BTreeSet<(Timestamp, ActivityIx)>,
    /// Those that start again.
    pub(super) starts: BTreeSet<(Timestamp, ActivityIx)>,
    /// Waves that bake: a pause holds them up.
    pub(super) bakes: BTreeSet<(Timestamp, Group)>,
    /// Those in `needs-people`.
    pub(super) asked: BTreeSet<ActivityIx>,
    /// Those of them that must be told who is who.
    pub(super) wanting: BTreeSet<ActivityIx>,
}

impl Index {
    /// Takes the activity at `ix` in.
    pub(super) fn insert(&mut self, ix: ActivityIx, state: &ActivityState) {
        match state.going() {
            ActivityState::Running(_) => self.running.insert(ix),
            ActivityState::Ready { .. } => self.ready.insert(ix),
            ActivityState::Awaiting(_) => self.awaiting.insert(ix),
            ActivityState::Child(_) => self.parents.insert(ix),
            ActivityState::NeedsPeople(question) => {
                if question.people == People::Wanted {
                    self.wanting.insert(ix);
                }
                self.asked.insert(ix)
            }
            _ => false,
        };
        match Timer::of(state) {
            Some(Timer::Lapse(at)) => self.lapses.insert((at, ix)),
            Some(Timer::Start(at)) => self.starts.insert((at, ix)),
            None => false,
        };
    }

    /// Leaves the activity at `ix` out, which is in `state`.
    pub(super) fn remove(&mut self, ix: ActivityIx, state: &ActivityState) {
        match state.going() {
            ActivityState::Running(_) => self.running.remove(&ix),
            ActivityState::Ready { .. } => self.ready.remove(&ix),
            ActivityState::Awaiting(_) => self.awaiting.remove(&ix),
            ActivityState::Child(_) => self.parents.remove(&ix),
            ActivityState::NeedsPeople(_) => {
                self.wanting.remove(&ix);
                self.asked.remove(&ix)
            }
            _ => false,
        };
        match Timer::of(state) {
            Some(Timer::Lapse(at)) => self.lapses.remove(&(at, ix)),
            Some(Timer::Start(at)) => self.starts.remove(&(at, ix)),
            None => false,
        };
    }

    /// The first instant at which something is due.
    pub(super) fn wake_at(&self, may_start: bool) -> Option<Timestamp> {
        let lapse = self.lapses.first();
        let start = self.starts.first().filter(|_| may_start);
        let bake = self.bakes.first().filter(|_| may_start);
        let activity = lapse.into_iter().chain(start).map(|(at, _)| *at);
        activity.chain(bake.map(|(at, _)| *at)).min()
    }

    /// What is due at `now`, earliest first, then by position.
    pub(super) fn due(
        &self,
        may_start: bool,
        now: Timestamp,
        count_max: usize,
    ) -> Vec<(Timestamp, ActivityIx)> {
        let until = ..=(now, ActivityIx(u32::MAX));
        let lapses = self.lapses.range(until).take(count_max);
        let starts = self.starts.range(until).take(count_max);
        let mut due: Vec<_> = lapses
            .chain(starts.filter(|_| may_start))
            .copied()
            .collect();
        due.sort_unstable();
        due.truncate(count_max);
        due
    }

    /// Waves whose bake is over at `now`, earliest first.
    pub(super) fn baked(
        &self,
        may_start: bool,
        now: Timestamp,
        count_max: usize,
    ) -> impl Iterator<Item = Group> {
        let bakes = self.bakes.iter().filter(move |_| may_start);
        let over = bakes.take_while(move |(until, _)| *until <= now);
        over.take(count_max).map(|(_, group)| *group)
    }
}
