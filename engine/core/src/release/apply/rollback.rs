//! The fold of a rollback.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::actor::Actor;
use crate::failure::{Failure, FailureClass};
use crate::process::{ActivityIx, Group, PhaseIx};
use crate::release::Release;
use crate::release::event::{Event, HaltReason, PhaseOutcome, PlannedUndo};
use crate::release::index::Node;
use crate::release::rollback::{Rollback, RootCause, Scope};
use crate::release::state::{ActivityState, PhaseState, ReleaseState, Settled, UndoFailed};
use crate::release::unwinding::Unwinding;
use crate::release::wave::{Halt, WaveBack};
use crate::time::Timestamp;

impl Release {
    /// Everything that has not ended is aborted, except runs that are going on.
    pub(super) fn apply_rollback_started(&mut self, at: Timestamp, by: &Actor, event: &Event) {
        let Event::RollbackStarted {
            trigger,
            reason,
            plan,
        } = event
        else {
            return;
        };
        if self.state == ReleaseState::Draft || self.is_going_back() {
            return;
        }
        let before = self.rollback.take();
        let rollback = Rollback {
            by: by.clone(),
            trigger: *trigger,
            reason: reason.clone(),
            since: at,
            plan: plan.clone(),
            ended_at: None,
            root_cause: before.and_then(|before| before.root_cause),
            unwinding: Unwinding::default(),
            going: BTreeSet::new(),
            ready: BTreeSet::new(),
        };
        // From here on what ends keeps its locks.
        self.rollback = Some(Box::new(rollback));
        self.stop_going_forward(at);
        if !self.is_paused() {
            self.state = ReleaseState::RollingBack;
        }
        self.begin_unwinding(plan);
    }

    /// Aborts everything that has not ended, except runs that are going on.
    fn stop_going_forward(&mut self, at: Timestamp) {
        self.abort_waves(at);
        let going = self.index.running.clone();
        // What is fanned out ends with its instances.
        let stop = self.activity_ixs().filter(|(ix, node)| {
            !going.contains(ix) && !matches!(node.state, ActivityState::FannedOut { .. })
        });
        let stop: Vec<ActivityIx> = stop.map(|(ix, _)| ix).collect();
        for ix in stop {
            self.put(ix, ActivityState::Aborted { at });
        }
        self.abort_unopened_phases(at);
        let ended = |node: &Node| match node {
            Node::Phase(_) => true,
            Node::Activity(ix) => matches!(
                self.activities[ix.0 as usize].state,
                ActivityState::FannedOut { .. }
            ),
            Node::Rollback(_) | Node::Undo(_) | Node::Wave(_) | Node::Release => false,
        };
        self.frontier = self.frontier.iter().copied().filter(ended).collect();
        if let Some(rollback) = &mut self.rollback {
            rollback.going = going;
        }
    }

    fn begin_unwinding(&mut self, plan: &[PlannedUndo]) {
        for planned in plan {
            // What an earlier rollback left behind starts afresh.
            if let ActivityState::UndoFailed(failed) = self.activity_state(planned.activity) {
                let past = failed.past.clone();
                self.turn_back(planned.activity, past);
            }
        }
        let Some(rollback) = &self.rollback else {
            return;
        };
        let going = |ix| rollback.going.contains(&ix);
        let (unwinding, due) = Unwinding::new(self, plan, going);
        if let Some(rollback) = &mut self.rollback {
            rollback.unwinding = unwinding;
        }
        self.undos_due(Scope::Release, due);
    }

    /// No further batch opens.
    fn abort_waves(&mut self, at: Timestamp) {
        let open = self.waves.iter_mut().filter(|(_, wave)| !wave.is_over());
        let open: Vec<Group> = open
            .map(|(group, wave)| {
                wave.closed = true;
                *group
            })
            .collect();
        for group in open {
            self.close_wave(group, at);
        }
    }

    fn abort_unopened_phases(&mut self, at: Timestamp) {
        let unopened = self.phase_ixs().filter(|(_, phase)| {
            matches!(
                phase.state,
                PhaseState::Waiting | PhaseState::Blocked { .. }
            )
        });
        let unopened: Vec<PhaseIx> = unopened.map(|(ix, _)| ix).collect();
        let outcome = PhaseOutcome::Aborted;
        for ix in unopened {
            self.put_phase_state(ix, PhaseState::Ended { outcome, at });
        }
    }

    /// The turn of some effects has come: they are looked at, or wait for the end of the pause.
    pub(super) fn undos_due(&mut self, scope: Scope, due: Vec<ActivityIx>) {
        let paused = self.is_paused();
        if let Some(rollback) = self.back_mut(scope) {
            if paused {
                rollback.ready.extend(due);
            } else {
                self.frontier.extend(due.into_iter().map(Node::Undo));
            }
        }
        match scope {
            Scope::Release => self.rollback_may_end(),
            Scope::Wave(group) => self.look_at_wave(group),
        }
    }

    /// Lets the release end once everything has been dealt with.
    pub(super) fn rollback_may_end(&mut self) {
        let left = self.rollback.as_ref().map(|back| back.unwinding.left());
        if left == Some(0) && self.phases_unsettled == 0 && self.is_going_back() {
            self.frontier.insert(Node::Release);
        }
    }

    /// A run that was going on when the release went back has ended.
    pub(super) fn last_run_ended(&mut self, ix: ActivityIx) {
        let Some(rollback) = &mut self.rollback else {
            return;
        };
        if rollback.going.remove(&ix) {
            let due = rollback.unwinding.run_ended(&self.process, ix);
            self.undos_due(Scope::Release, due);
        }
    }

    /// The effect of an activity is dealt with.
    pub(super) fn dealt_with(&mut self, ix: ActivityIx) {
        let Some(scope) = self.scope_of(ix) else {
            return;
        };
        let process = Arc::clone(&self.process.0);
        let Some(rollback) = self.back_mut(scope) else {
            return;
        };
        rollback.ready.remove(&ix);
        let due = rollback.unwinding.dealt_with(&process, ix);
        self.undos_due(scope, due);
    }

    /// The pause is over: effects whose turn came meanwhile are looked at.
    pub(super) fn resume_undos(&mut self) {
        if self.is_going_back() {
            self.state = ReleaseState::RollingBack;
        }
        let of_waves = self
            .waves
            .values_mut()
            .filter_map(|wave| wave.back.as_mut());
        let of_waves = of_waves.map(|back| &mut back.rollback);
        let backs = of_waves.chain(self.rollback.as_deref_mut());
        let ready: Vec<Node> = backs
            .flat_map(|back| std::mem::take(&mut back.ready))
            .map(Node::Undo)
            .collect();
        self.frontier.extend(ready);
    }

    /// The last open batch of a fan-out begins to go back; the fan-out is halted.
    pub(super) fn apply_wave_rollback(
        &mut self,
        group: Group,
        by: &Actor,
        event: &Event,
        at: Timestamp,
    ) {
        let Event::WaveRollbackStarted {
            batch,
            reason,
            plan,
            ..
        } = event
        else {
            return;
        };
        let (unwinding, due) = Unwinding::new(self, plan, |_| false);
        let Some(wave) = self.waves.get_mut(&group) else {
            return;
        };
        let rollback = Rollback {
            by: by.clone(),
            trigger: None,
            reason: Some(reason.clone()),
            since: at,
            plan: plan.clone(),
            ended_at: None,
            root_cause: None,
            unwinding,
            going: BTreeSet::new(),
            ready: BTreeSet::new(),
        };
        wave.halt = Some(Halt {
            by: by.clone(),
            reason: HaltReason::Person(reason.clone()),
            since: at,
        });
        wave.back = Some(Box::new(WaveBack {
            batch: *batch,
            rollback,
        }));
        self.undos_due(Scope::Wave(group), due);
    }

    /// Instances that went back count as failed.
    pub(super) fn apply_wave_rolled_back(&mut self, group: Group, batch: u32) {
        let nodes = self.batch_nodes(group, batch);
        let fine = nodes.filter(|ix| self.instance_settled(group, *ix) != Some(Settled::Broken));
        let fine = u32::try_from(fine.count()).unwrap_or(u32::MAX);
        if let Some(wave) = self.waves.get_mut(&group)
            && wave.gone_back.insert(batch)
        {
            wave.back = None;
            wave.failed = wave.failed.saturating_add(fine);
        }
    }

    /// What was being taken back when the release was aborted stays half done.
    pub(super) fn abort_undos(&mut self, at: Timestamp) {
        for wave in self.waves.values_mut() {
            wave.back = None;
        }
        let undoing: Vec<ActivityIx> = self
            .activity_ixs()
            .filter(|(_, node)| matches!(node.state, ActivityState::Undoing(_)))
            .map(|(ix, _)| ix)
            .collect();
        for ix in undoing {
            let ActivityState::Undoing(undoing) = self.activity_state(ix).clone() else {
                continue;
            };
            let message = "the rollback was aborted while this was being undone";
            let failed = UndoFailed {
                past: undoing.past,
                part: undoing.part,
                before: undoing.before,
                failure: Failure::new(FailureClass::Permanent, message),
                since: at,
                accepted: None,
            };
            self.turn_back(ix, ActivityState::UndoFailed(Box::new(failed)));
        }
    }

    /// The rollback is over, and somebody has to find out why it was needed.
    pub(super) fn end_rollback(&mut self, at: Timestamp) {
        let Some(rollback) = &mut self.rollback else {
            return;
        };
        if rollback.ended_at.is_some() {
            return;
        }
        rollback.ended_at = Some(at);
        rollback.ready.clear();
        if !matches!(rollback.root_cause, Some(RootCause::Open { .. })) {
            rollback.root_cause = Some(RootCause::Open { since: at });
        }
    }

    pub(super) fn apply_root_cause_closed(&mut self, at: Timestamp, by: &Actor, text: &str) {
        let Some(rollback) = &mut self.rollback else {
            return;
        };
        if let Some(root_cause @ RootCause::Open { .. }) = &mut rollback.root_cause {
            *root_cause = RootCause::Closed {
                by: by.clone(),
                at,
                text: text.to_owned(),
            };
        }
    }
}
