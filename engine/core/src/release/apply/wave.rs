//! The fold of what happens to a fan-out as a whole.

use std::sync::Arc;

use crate::actor::Actor;
use crate::json::Json;
use crate::process::{Activity, ActivityIx, Group, PhaseIx, Role};
use crate::release::event::{Event, HaltReason, PhaseOutcome, SkipReason};
use crate::release::index::Node;
use crate::release::needs::Tally;
use crate::release::replay::replaced;
use crate::release::state::{ActivityState, PhaseState};
use crate::release::wave::{Halt, Stage, Wave};
use crate::release::{ActivityNode, PhaseNode, Release};
use crate::time::Timestamp;

impl Release {
    pub(super) fn apply_to_wave(&mut self, at: Timestamp, by: &Actor, event: &Event) {
        let Some(group) = event.group() else { return };
        if let Event::Expanded { items, batches, .. } = event {
            self.apply_expanded(group, items, batches, at);
            return;
        }
        if !self.waves.contains_key(&group) {
            return;
        }
        match event {
            Event::BatchOpened { batch, .. } => self.apply_batch_opened(group, *batch, at),
            Event::BatchBaking { until, .. } => {
                self.put_stage(group, Stage::Baking { until: *until }, at);
            }
            Event::BatchBaked { .. } => self.put_stage(group, Stage::Baked, at),
            Event::GateOpened { gate, .. } => self.apply_gate_opened(group, *gate, at),
            Event::WaveHalted { reason, .. } => self.apply_wave_halted(group, by, reason, at),
            Event::WaveResumed { .. } => self.apply_wave_resumed(group),
            Event::WaveEnded { reason, .. } => self.apply_wave_ended(group, reason, at),
            Event::WaveRollbackStarted { .. } => self.apply_wave_rollback(group, by, event, at),
            Event::WaveRolledBack { batch, .. } => self.apply_wave_rolled_back(group, *batch),
            _ => {}
        }
        self.look_at_wave(group);
    }

    fn apply_expanded(&mut self, group: Group, items: &[Json], ends: &[u32], at: Timestamp) {
        let waits = match group {
            Group::Phase(ix) => {
                let phase = self.phases.get(ix.0 as usize);
                phase.is_some_and(|phase| phase.state == PhaseState::Waiting)
            }
            Group::Activity(ix) => {
                let state = self.activities.get(ix.0 as usize).map(|node| &node.state);
                matches!(
                    state,
                    Some(ActivityState::Waiting | ActivityState::Ready { .. })
                )
            }
        };
        let rising = ends.is_sorted_by(|one, other| one < other);
        let all = ends.last().copied().unwrap_or(0) as usize == items.len();
        let fits = self.process.has_room(group, items.len()).is_ok();
        if !(waits && self.is_to_expand(group) && rising && all && fits) {
            return;
        }
        let wave = Wave::new(ends, at);
        Arc::make_mut(&mut self.process.0).expand(group, items, wave.batches());
        let count = wave.count();
        self.waves.insert(group, wave);
        self.add_nodes();
        match group {
            Group::Phase(ix) => self.open_group(ix, count, at),
            Group::Activity(ix) => {
                self.put(ix, ActivityState::FannedOut { since: at });
                if count == 0 {
                    self.frontier.insert(Node::Activity(ix));
                }
            }
        }
        self.look_at_wave(group);
    }

    /// Lets a phase stand for its instances.
    fn open_group(&mut self, ix: PhaseIx, count: u32, at: Timestamp) {
        let instances = self.process.0.phase(ix).instances.as_ref();
        for ix in instances.iter().flat_map(|instances| &instances.template) {
            self.activities[ix.0 as usize] = ActivityNode::template(at);
        }
        self.phases[ix.0 as usize].unsettled = count;
        self.put_phase_state(ix, PhaseState::Open { since: at });
    }

    /// Adds the nodes of phases and activities that the process has got.
    fn add_nodes(&mut self) {
        let process = Arc::clone(&self.process.0);
        for phase in &process.phases[self.phases.len()..] {
            let activities = phase.activities.end - phase.activities.start;
            self.phases.push(PhaseNode {
                held: true,
                ..PhaseNode::waiting(phase.tally(), activities)
            });
        }
        for activity in &process.activities[self.activities.len()..] {
            let node = match activity.role {
                Role::Member => self.copied(activity),
                Role::Instance(_) | Role::Gate(..) | Role::Template => ActivityNode {
                    held: true,
                    ..ActivityNode::waiting(activity.tally())
                },
            };
            self.activities.push(node);
        }
    }

    /// The node of a part of an instance: what it needs inside comes with it, and what it needs
    /// outside may have ended.
    fn copied(&self, activity: &Activity) -> ActivityNode {
        let replaced = replaced(activity.condition.as_ref());
        let ended = |need: ActivityIx| {
            let need = self.activities.get(need.0 as usize);
            need.and_then(|need| need.state.settled())
        };
        let needs = Tally::recounted(&activity.needs, &activity.joins, replaced, ended);
        ActivityNode::waiting(needs)
    }

    fn apply_batch_opened(&mut self, group: Group, batch: u32, at: Timestamp) {
        let Some(wave) = self.waves.get_mut(&group) else {
            return;
        };
        if batch != wave.open + 1 || batch > wave.batches() {
            return;
        }
        wave.open = batch;
        self.put_stage(group, Stage::Going, at);
        let mut unended = 0;
        for ix in self.batch_nodes(group, batch) {
            let settled = match group {
                Group::Phase(_) => self.release_phase(PhaseIx(ix)),
                Group::Activity(_) => self.release_activity(ActivityIx(ix)),
            };
            unended += u32::from(!settled);
        }
        if let Some(wave) = self.waves.get_mut(&group) {
            wave.unended += unended;
        }
    }

    /// Lets an instance go that waited for its batch; whether it had ended before.
    fn release_phase(&mut self, ix: PhaseIx) -> bool {
        let phase = &mut self.phases[ix.0 as usize];
        phase.held = false;
        if phase.is_due() {
            self.frontier.insert(Node::Phase(ix));
        }
        phase.state.settled().is_some()
    }

    fn release_activity(&mut self, ix: ActivityIx) -> bool {
        let phase = self.process.activity(ix).phase;
        let open = matches!(self.phase_state(phase), PhaseState::Open { .. });
        let node = &mut self.activities[ix.0 as usize];
        node.held = false;
        if open && node.is_due() {
            self.frontier.insert(Node::Activity(ix));
        }
        node.state.settled().is_some()
    }

    fn apply_gate_opened(&mut self, group: Group, gate: ActivityIx, at: Timestamp) {
        let of = self.process.activities.get(gate.0 as usize);
        let is_gate = of.is_some_and(|of| matches!(of.role, Role::Gate(of, _) if of == group));
        if !is_gate {
            return;
        }
        // Somebody may have skipped it before its turn came.
        let stage = if self.release_activity(gate) {
            Stage::Passed
        } else {
            Stage::Gated(gate)
        };
        self.put_stage(group, stage, at);
    }

    fn apply_wave_halted(&mut self, group: Group, by: &Actor, reason: &HaltReason, at: Timestamp) {
        let Some(wave) = self.waves.get_mut(&group) else {
            return;
        };
        if *reason == HaltReason::Gate {
            wave.shut = false;
        }
        wave.halt = Some(Halt {
            by: by.clone(),
            reason: reason.clone(),
            since: at,
        });
    }

    fn apply_wave_resumed(&mut self, group: Group) {
        let Some(wave) = self.waves.get_mut(&group) else {
            return;
        };
        // What somebody lets go on after failures may fail as often again.
        if let Some(halt) = wave.halt.take()
            && (matches!(halt.reason, HaltReason::Failures(_)) || !wave.gone_back.is_empty())
        {
            wave.tolerated = wave.failed;
        }
    }

    fn apply_wave_ended(&mut self, group: Group, reason: &str, at: Timestamp) {
        let Some(wave) = self.waves.get_mut(&group) else {
            return;
        };
        wave.closed = true;
        let why = SkipReason::Person(reason.to_owned());
        for batch in wave.open + 1..=wave.batches() {
            for ix in self.batch_nodes(group, batch) {
                match group {
                    Group::Phase(_) => self.apply_phase_skipped(PhaseIx(ix), &why, at),
                    Group::Activity(_) => {
                        let why = why.clone();
                        self.put(ActivityIx(ix), ActivityState::Skipped { why, at });
                    }
                }
            }
        }
        self.close_wave(group, at);
    }

    pub(super) fn apply_instances_ended(
        &mut self,
        ix: ActivityIx,
        outcome: PhaseOutcome,
        at: Timestamp,
    ) {
        let group = Group::Activity(ix);
        let Some(wave) = self.waves.get(&group) else {
            return;
        };
        let state = match outcome {
            PhaseOutcome::Succeeded => ActivityState::Succeeded {
                outputs: Json::of(&self.list_of_outputs(group)),
                at,
            },
            PhaseOutcome::Failed | PhaseOutcome::Aborted => ActivityState::Failed {
                failure: Box::new(wave.failure()),
                continued: false,
                at,
            },
        };
        self.put(ix, state);
        self.close_wave(group, at);
    }

    /// Leaves nothing behind of a wave in which no batch opens any more: no timer, no halt and no gate.
    pub(super) fn close_wave(&mut self, group: Group, at: Timestamp) {
        let Some(wave) = self.waves.get_mut(&group) else {
            return;
        };
        wave.halt = None;
        if matches!(wave.stage, Stage::Baking { .. }) {
            self.put_stage(group, Stage::Baked, at);
        }
        let instances = self.process.instances(group);
        for ix in instances.map_or(0..0, |instances| instances.gates.clone()) {
            let why = SkipReason::NotNeeded;
            self.put(ActivityIx(ix), ActivityState::Skipped { why, at });
        }
    }

    /// Moves a wave to `stage`, and keeps its timer.
    fn put_stage(&mut self, group: Group, stage: Stage, at: Timestamp) {
        let Some(wave) = self.waves.get_mut(&group) else {
            return;
        };
        if let Stage::Baking { until } = wave.stage {
            self.index.bakes.remove(&(until, group));
        }
        if let Stage::Baking { until } = stage {
            self.index.bakes.insert((until, group));
        }
        wave.stage = stage;
        wave.since = at;
    }
}
