//! Why an effect is not being taken back right now.

use crate::process::ActivityIx;
use crate::release::Release;
use crate::release::event::{ReleaseOutcome, UndoPart, UndoWay};
use crate::release::rollback::RootCause;
use crate::release::state::{ActivityState, UndoFailed, Undoing};
use crate::release::why::{Waiting, WaitsOn};
use crate::time::Timestamp;

type Why = (Option<Timestamp>, WaitsOn, &'static [&'static str]);

impl Release {
    /// Why the effect of an activity that has ended is not moving; nothing if it has none, or is
    /// being taken back.
    pub(super) fn why_undo(&self, ix: ActivityIx) -> Option<Waiting> {
        let state = self.activity_state(ix);
        let (since, on, actions) = match state {
            ActivityState::Undone(_) => return None,
            ActivityState::Undoing(undoing) => self.why_undoing(undoing)?,
            ActivityState::UndoFailed(failed) => self.why_undo_failed(ix, failed)?,
            _ => self.why_not_yet_undone(ix)?,
        };
        Some(Waiting {
            activity: Some(ix),
            path: self.process.path(ix),
            state: state.word(),
            since,
            on,
            actions,
        })
    }

    fn why_undoing(&self, undoing: &Undoing) -> Option<Why> {
        let actions = &["mark-undone"];
        Some(match &undoing.now {
            ActivityState::Ready { since } => (Some(*since), self.pause()?, actions),
            ActivityState::Suspended { since, .. } => {
                (Some(*since), self.suspended(&undoing.now)?, actions)
            }
            ActivityState::Awaiting(wait) => {
                let UndoPart::Child(release) = undoing.part else {
                    return None;
                };
                let on = WaitsOn::Release {
                    release,
                    reaches: ReleaseOutcome::RolledBack.word().to_owned(),
                    until: None,
                };
                (Some(wait.since), on, actions)
            }
            ActivityState::Retrying { failure, since, .. } => {
                let timed = self.timed(&undoing.now, Some(failure.clone()), None);
                (Some(*since), timed, actions)
            }
            _ => return None,
        })
    }

    fn why_undo_failed(&self, ix: ActivityIx, failed: &UndoFailed) -> Option<Why> {
        if failed.accepted.is_some() {
            return None;
        }
        let by_hand = failed.part == UndoPart::Undo && self.way_of(ix) == Some(UndoWay::Person);
        let actions: &'static [&'static str] = if by_hand || self.is_paused() {
            &["mark-undone", "accept-not-undone"]
        } else {
            &["retry-undo", "mark-undone", "accept-not-undone"]
        };
        let decision = WaitsOn::Decision {
            failure: Box::new(failed.failure.clone()),
            owners: self.owners(ix).to_vec(),
        };
        Some((Some(failed.since), decision, actions))
    }

    fn why_not_yet_undone(&self, ix: ActivityIx) -> Option<Why> {
        let rollback = self.back_of(ix)?;
        self.way_of(ix)?;
        let on = if rollback.ready.contains(&ix) {
            self.pause()?
        } else {
            WaitsOn::Undos(self.undone_first(ix))
        };
        Some((Some(rollback.since), on, &[]))
    }

    /// Effects that must be dealt with before that of an activity, as far as they are next to it
    /// in the plan.
    fn undone_first(&self, ix: ActivityIx) -> Vec<String> {
        let Some(rollback) = self.back_of(ix) else {
            return Vec::new();
        };
        let unwinding = &rollback.unwinding;
        let activity = self.process.activity(ix);
        let phases = self.process.phase(activity.phase).dependents.iter();
        let members = phases.flat_map(|phase| self.process.phase(*phase).activities.clone());
        let direct = activity.dependents.iter().copied();
        let mut open: Vec<ActivityIx> = direct.chain(members.map(ActivityIx)).collect();
        open.retain(|other| !unwinding.is_done(*other));
        open.sort_unstable();
        open.dedup();
        let open = open.iter().map(|other| self.process.path(*other));
        let phase = self.process.phase(activity.phase).instance.as_deref();
        // What is fanned out goes back batch by batch, the last first.
        let groups = [activity.instance(), phase].into_iter().flatten();
        let groups = groups.map(|instance| self.process.group_path(instance.of));
        open.chain(groups).collect()
    }

    fn way_of(&self, ix: ActivityIx) -> Option<UndoWay> {
        self.back_of(ix)?.way(ix)
    }

    /// Since when somebody is asked why the release had to go back.
    pub(super) fn root_cause_since(&self) -> Option<Timestamp> {
        match self.rollback.as_ref()?.root_cause.as_ref()? {
            RootCause::Open { since } => Some(*since),
            RootCause::Closed { .. } => None,
        }
    }
}
