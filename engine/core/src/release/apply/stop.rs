//! The fold of what stops a release as a whole and lets it go on.

use crate::actor::Actor;
use crate::process::{ActivityIx, Group, PhaseIx};
use crate::release::Release;
use crate::release::event::{PhaseOutcome, ReleaseOutcome};
use crate::release::index::Node;
use crate::release::state::{ActivityState, PhaseState, ReleaseState, Resumes};
use crate::time::Timestamp;

impl Release {
    pub(super) fn apply_paused(&mut self, at: Timestamp, by: &Actor, reason: Option<&String>) {
        if matches!(
            self.state,
            ReleaseState::Running | ReleaseState::RollingBack
        ) {
            self.state = ReleaseState::Paused {
                by: by.clone(),
                reason: reason.cloned(),
                since: at,
            };
        }
    }

    pub(super) fn apply_resumed(&mut self, at: Timestamp) {
        let ReleaseState::Paused { since, .. } = self.state else {
            return;
        };
        self.state = ReleaseState::Running;
        let ready = self.index.ready.iter().map(|ix| {
            let undoing = matches!(self.activity_state(*ix), ActivityState::Undoing(_));
            if undoing {
                Node::Undo(*ix)
            } else {
                Node::Activity(*ix)
            }
        });
        let ready: Vec<Node> = ready.collect();
        self.frontier.extend(ready);
        self.resume_undos();
        self.give_back(since, at);
    }

    /// Moves the deadlines of attempts that the pause from `paused_at` to `at` kept from resuming:
    /// the guest could do nothing in that time.
    fn give_back(&mut self, paused_at: Timestamp, at: Timestamp) {
        for (_, ix) in self.index.starts.range(..=(at, ActivityIx(u32::MAX))) {
            let node = &mut self.activities[ix.0 as usize];
            if let ActivityState::Suspended {
                attempt,
                resumes: Resumes::At(resume_at),
                ..
            } = node.state.going_mut()
            {
                let held_up = at.since(paused_at.max(*resume_at));
                attempt.deadline = attempt.deadline.after(held_up);
            }
        }
    }

    pub(super) fn apply_aborted(&mut self, at: Timestamp, reason: &str) {
        if self.has_ended() {
            return;
        }
        self.abort_undos(at);
        for ix in 0..self.activities.len() {
            self.put(activity_ix(ix), ActivityState::Aborted { at });
        }
        let outcome = PhaseOutcome::Aborted;
        for (ix, _) in (0..).zip(0..self.phases.len()) {
            self.put_phase_state(PhaseIx(ix), PhaseState::Ended { outcome, at });
        }
        let groups: Vec<Group> = self.waves.keys().copied().collect();
        for group in groups {
            self.close_wave(group, at);
        }
        self.state = ReleaseState::Ended {
            outcome: ReleaseOutcome::Aborted,
            at,
            reason: Some(reason.to_owned()),
        };
        self.frontier.clear();
    }
}

fn activity_ix(ix: usize) -> ActivityIx {
    ActivityIx(u32::try_from(ix).expect("a release has at most EXPANDED_ACTIVITIES_MAX activities"))
}
