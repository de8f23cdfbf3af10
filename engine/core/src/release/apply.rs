//! The fold: events into state. Total: an event that does not fit the state changes nothing but
//! the version, so that no history can stop the engine.

use std::mem;
use std::sync::Arc;

use crate::actor::Actor;
use crate::json::Json;
use crate::limits::EVIDENCE_PER_ACTIVITY_MAX;
use crate::process::{ActivityIx, Group, OnFailure, PhaseIx, Role};
use crate::release::event::{Event, Pinned, ReleaseOutcome, SkipReason};
use crate::release::index::Node;
use crate::release::state::{ActivityState, PhaseState, Record, ReleaseState, Settled};
use crate::release::{ActivityNode, Holder, Parent, PhaseNode, Release};
use crate::time::Timestamp;

mod activity;
mod people;
mod rollback;
mod stop;
mod undo;
mod wave;
mod work;

impl Release {
    /// Folds `event`, which came true at `at` through `by`, into the state.
    pub fn apply(&mut self, at: Timestamp, by: &Actor, event: &Event) {
        self.version += 1;
        match event {
            // The first event made this release; a second one would be another release.
            Event::Created { .. } => {}
            Event::Started { components } => self.apply_started(at, by, components),
            Event::PhaseOpened { phase, fault } => {
                self.apply_phase_opened(*phase, fault.as_deref(), at);
            }
            Event::PhaseSkipped { phase, why } => self.apply_phase_skipped(*phase, why, at),
            Event::PhaseEnded { phase, outcome } => {
                let outcome = *outcome;
                self.put_phase_state(*phase, PhaseState::Ended { outcome, at });
                self.close_wave(Group::Phase(*phase), at);
            }
            Event::InstancesEnded { activity, outcome } => {
                self.apply_instances_ended(*activity, *outcome, at);
            }
            Event::Expanded { .. }
            | Event::BatchOpened { .. }
            | Event::BatchBaking { .. }
            | Event::BatchBaked { .. }
            | Event::GateOpened { .. }
            | Event::WaveHalted { .. }
            | Event::WaveResumed { .. }
            | Event::WaveEnded { .. }
            | Event::WaveRollbackStarted { .. }
            | Event::WaveRolledBack { .. } => self.apply_to_wave(at, by, event),
            Event::LocksWanted {
                holder,
                locks,
                with,
            } => self.apply_locks_wanted(at, *holder, locks, with.as_ref()),
            Event::LocksGranted { holder } => self.apply_locks_granted(at, *holder),
            Event::EmergencyDeclared { reason } => {
                self.emergency = Some(reason.as_str().into());
            }
            Event::ChildOf {
                parent,
                activity,
                path,
                depth,
            } => self.apply_child_of(Parent {
                release: *parent,
                activity: *activity,
                path: path.clone(),
                depth: *depth,
            }),
            Event::Paused { reason } => self.apply_paused(at, by, reason.as_ref()),
            Event::Resumed => self.apply_resumed(at),
            Event::Aborted { reason } => self.apply_aborted(at, reason),
            Event::Ended { outcome, outputs } => self.apply_ended(at, *outcome, outputs.as_ref()),
            Event::InputsAmended { inputs, .. } => {
                self.inputs = inputs.clone();
                self.content_amended(inputs.as_str());
            }
            Event::IrreversiblePinned { pins } => self.irreversible = pins.as_slice().into(),
            Event::PoliciesWarned(warned) => self.apply_warned(at, warned),
            Event::RollbackStarted { .. } => self.apply_rollback_started(at, by, event),
            Event::RootCauseClosed { text } => self.apply_root_cause_closed(at, by, text),
            _ => self.apply_to_activity(at, by, event),
        }
    }

    fn apply_started(&mut self, at: Timestamp, by: &Actor, components: &[Pinned]) {
        if self.state != ReleaseState::Draft {
            return;
        }
        self.state = ReleaseState::Running;
        self.started = Some((by.clone(), at));
        self.pins = components.into();
        self.gate();
        let due = self.phase_ixs().filter(|(_, phase)| phase.is_due());
        let due: Vec<Node> = due.map(|(ix, _)| Node::Phase(ix)).collect();
        self.frontier.extend(due);
        if self.phases_unsettled == 0 {
            self.frontier.insert(Node::Release);
        }
    }

    fn apply_phase_opened(&mut self, ix: PhaseIx, fault: Option<&str>, at: Timestamp) {
        let Some(phase) = self.phases.get_mut(ix.0 as usize) else {
            return;
        };
        if !matches!(
            phase.state,
            PhaseState::Waiting | PhaseState::Blocked { .. }
        ) {
            return;
        }
        phase.fault = fault.map(Into::into);
        self.put_phase_state(ix, PhaseState::Open { since: at });
        for ix in self.process.phase(ix).activities.clone() {
            if self.activities[ix as usize].is_due() {
                self.frontier.insert(Node::Activity(ActivityIx(ix)));
            }
        }
    }

    fn apply_phase_skipped(&mut self, ix: PhaseIx, why: &SkipReason, at: Timestamp) {
        if self
            .phases
            .get(ix.0 as usize)
            .is_none_or(|p| !matches!(p.state, PhaseState::Waiting | PhaseState::Blocked { .. }))
        {
            return;
        }
        self.put_phase_state(ix, PhaseState::Skipped { why: why.clone() });
        for ix in self.process.phase(ix).activities.clone() {
            let why = why.clone();
            self.put(ActivityIx(ix), ActivityState::Skipped { why, at });
        }
    }

    fn apply_ended(&mut self, at: Timestamp, outcome: ReleaseOutcome, outputs: Option<&Json>) {
        self.frontier.clear();
        self.claims.clear();
        self.outputs = outputs.cloned();
        self.end_rollback(at);
        // An abort has ended it already, with its reason.
        if !self.has_ended() {
            let reason = None;
            self.state = ReleaseState::Ended {
                outcome,
                at,
                reason,
            };
        }
    }

    /// Moves a phase to `state`. A phase that has ended stays as it is.
    pub(super) fn put_phase_state(&mut self, ix: PhaseIx, state: PhaseState) {
        let Some(phase) = self.phases.get_mut(ix.0 as usize) else {
            return;
        };
        if phase.state.settled().is_some() {
            return;
        }
        phase.state = state;
        self.frontier.remove(&Node::Phase(ix));
        if phase.is_over() {
            self.frontier.insert(Node::Phase(ix));
        }
        if let Some(how) = self.phases[ix.0 as usize].state.settled() {
            self.settle_phase(ix, how);
        }
    }

    fn settle_phase(&mut self, ix: PhaseIx, how: Settled) {
        self.let_go(Holder::Phase(ix));
        if let Some(instance) = self.process.0.phase(ix).instance.as_deref() {
            let (of, index) = (instance.of, instance.index);
            self.settle_instance(of, index, how);
            return;
        }
        let failed = matches!(self.phase_state(ix), PhaseState::Ended { .. });
        self.phase_failed |= failed && how == Settled::Broken;
        self.phases_unsettled = self.phases_unsettled.saturating_sub(1);
        if self.phases_unsettled == 0 && !self.is_going_back() {
            self.frontier.insert(Node::Release);
        }
        self.rollback_may_end();
        for dependent in &self.process.0.phase(ix).dependents {
            let phase = &mut self.phases[dependent.0 as usize];
            let joins = &self.process.0.phase(*dependent).joins;
            phase.needs.end(joins, ix, how);
            if phase.is_due() {
                self.frontier.insert(Node::Phase(*dependent));
            }
        }
    }

    /// Moves an activity to `state` and tells what needs it. One that has ended stays as it is.
    pub(super) fn put(&mut self, ix: ActivityIx, state: ActivityState) {
        let Some(node) = self.activities.get_mut(ix.0 as usize) else {
            return;
        };
        if node.state.settled().is_some() {
            return;
        }
        self.index.remove(ix, &node.state);
        self.index.insert(ix, &state);
        self.frontier.remove(&Node::Activity(ix));
        let settled = state.settled();
        let asks = matches!(state, ActivityState::NeedsPeople(_));
        let past = mem::replace(&mut node.state, state);
        if let ActivityState::NeedsPeople(question) = &past
            && !asks
        {
            let record = node.record.get_or_insert_default();
            record.instructions = Some(question.instructions.clone());
            record.approvals.clone_from(&question.approvals);
        }
        // What failed before it had its locks asks for them anew when it is tried again.
        let was_blocked = matches!(past, ActivityState::Blocked(_));
        if was_blocked && matches!(node.state, ActivityState::OnHold { .. }) {
            self.let_go(Holder::Activity(ix));
        }
        if let Some(how) = settled {
            self.may_go_back(ix);
            self.settle(ix, how);
            self.last_run_ended(ix);
        }
    }

    fn settle(&mut self, ix: ActivityIx, how: Settled) {
        self.let_go(Holder::Activity(ix));
        let process = Arc::clone(&self.process.0);
        let activity = process.activity(ix);
        match &activity.role {
            Role::Member => self.settle_member(activity.phase, how),
            Role::Instance(instance) => self.settle_instance(instance.of, instance.index, how),
            Role::Gate(group, _) => self.settle_gate(*group, ix, how),
            Role::Template => {}
        }
        for dependent in &activity.dependents {
            let node = &mut self.activities[dependent.0 as usize];
            let dependent_activity = process.activity(*dependent);
            node.needs.end(&dependent_activity.joins, ix, how);
            let phase = dependent_activity.phase;
            let open = matches!(self.phases[phase.0 as usize].state, PhaseState::Open { .. });
            if open && node.is_due() {
                self.frontier.insert(Node::Activity(*dependent));
            }
        }
    }

    /// Counts in its phase that an activity has ended.
    fn settle_member(&mut self, ix: PhaseIx, how: Settled) {
        let phase = &mut self.phases[ix.0 as usize];
        phase.unsettled = phase.unsettled.saturating_sub(1);
        phase.failed |= how == Settled::Broken;
        if phase.is_over() {
            self.frontier.insert(Node::Phase(ix));
        }
    }

    /// What has failed for good may send the whole release back.
    fn may_go_back(&mut self, ix: ActivityIx) {
        let failed = matches!(
            self.activity_state(ix),
            ActivityState::Failed {
                continued: false,
                ..
            } | ActivityState::Rejected { .. }
                | ActivityState::Expired { .. }
                | ActivityState::Withdrawn { .. }
        );
        let rollback = self.process.activity(ix).on_failure == OnFailure::Rollback;
        if failed && rollback && !self.is_going_back() {
            self.frontier.insert(Node::Rollback(ix));
        }
    }

    fn record_mut(&mut self, ix: ActivityIx) -> Option<&mut Record> {
        let node = self.activities.get_mut(ix.0 as usize)?;
        Some(node.record.get_or_insert_default())
    }

    fn note_evidence(&mut self, ix: ActivityIx, evidence: &crate::attempt::Evidence) {
        let record = self.record_mut(ix);
        if let Some(record) = record.filter(|r| r.evidence.len() < EVIDENCE_PER_ACTIVITY_MAX) {
            record.evidence.push(evidence.clone());
        }
    }
}

impl PhaseNode {
    /// Whether it can open or be skipped now.
    pub(super) fn is_due(&self) -> bool {
        self.state == PhaseState::Waiting && !self.held && self.needs.is_decided()
    }

    /// Whether it can end now.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, PhaseState::Open { .. }) && self.unsettled == 0
    }
}

impl ActivityNode {
    /// Whether it can start or be skipped as soon as its phase is open.
    pub(super) fn is_due(&self) -> bool {
        self.state == ActivityState::Waiting && !self.held && self.needs.is_decided()
    }
}
