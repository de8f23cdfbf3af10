//! Waves: how far a fan-out is. A group's instances are released batch by batch; between two batches
//! it bakes, then asks its gate. Each wave counts its own instances, so that the end of one costs
//! the same however many there are.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::actor::Actor;
use crate::failure::{Failure, FailureClass};
use crate::process::{ActivityIx, FanOut, Group, PhaseIx, batch_of};
use crate::release::Release;
use crate::release::event::{Event, HaltReason};
use crate::release::index::Node;
use crate::release::rollback::Rollback;
use crate::release::state::{ActivityState, Settled};
use crate::time::Timestamp;

/// How far a fan-out is.
#[derive(Clone, Debug, PartialEq)]
pub struct Wave {
    /// How many instances are released once each batch is open; the last is all of them.
    pub ends: Box<[u32]>,
    /// Batches that are open.
    pub open: u32,
    /// What goes on between the open batches and the next.
    pub stage: Stage,
    /// When it came to that.
    pub since: Timestamp,
    /// Who or what stopped it, while it is stopped.
    pub halt: Option<Halt>,
    /// Instances that have ended, skipped ones included.
    pub ended: u32,
    /// Those of them that failed.
    pub failed: u32,
    /// Instances of open batches that have not ended.
    pub(super) unended: u32,
    /// Failures that people have seen when they let it go on.
    pub(super) tolerated: u32,
    /// Whether its gate was not passed, and nobody has seen that yet.
    pub(super) shut: bool,
    /// Whether a person has decided that no further batch opens.
    pub(super) closed: bool,
    /// The rollback of one of its batches, while it goes on.
    pub(super) back: Option<Box<WaveBack>>,
    /// Batches that were rolled back.
    pub gone_back: BTreeSet<u32>,
}

/// A batch that goes back.
#[derive(Clone, Debug, PartialEq)]
pub struct WaveBack {
    /// Which; 1 for the first.
    pub batch: u32,
    pub(super) rollback: Rollback,
}

/// What goes on in a wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The instances of the open batches run, or all have ended.
    Going,
    /// All have ended, and the next batch waits until the instant.
    Baking {
        /// Which.
        until: Timestamp,
    },
    /// It has baked.
    Baked,
    /// The gate before the next batch is asked.
    Gated(ActivityIx),
    /// The gate has ended.
    Passed,
}

/// A wave that was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halt {
    /// Who stopped it.
    pub by: Actor,
    /// Why.
    pub reason: HaltReason,
    /// Since when.
    pub since: Timestamp,
}

/// What follows for a wave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It stops.
    Halt(HaltReason),
    /// The next batch opens.
    Open,
    /// It bakes.
    Bake,
    /// The gate is asked.
    Gate,
    /// A batch has gone back.
    GoneBack(u32),
}

impl Wave {
    pub(super) fn new(ends: &[u32], since: Timestamp) -> Self {
        Self {
            ends: ends.into(),
            open: 0,
            stage: Stage::Going,
            since,
            halt: None,
            ended: 0,
            failed: 0,
            unended: 0,
            tolerated: 0,
            shut: false,
            closed: false,
            back: None,
            gone_back: BTreeSet::new(),
        }
    }

    /// The batch that goes back now.
    pub fn goes_back(&self) -> Option<u32> {
        self.back.as_ref().map(|back| back.batch)
    }

    /// The last open batch that was not rolled back.
    pub(super) fn last_batch(&self) -> Option<u32> {
        (1..=self.open)
            .rev()
            .find(|batch| !self.gone_back.contains(batch))
    }

    /// All instances.
    pub fn count(&self) -> u32 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// All batches.
    pub fn batches(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    /// Instances of open batches.
    pub fn released(&self) -> u32 {
        match self.open.checked_sub(1) {
            None => 0,
            Some(last) => self.ends.get(last as usize).copied().unwrap_or(0),
        }
    }

    /// Which instances the batch releases; the first batch is 1.
    pub fn batch(&self, batch: u32) -> Range<u32> {
        let end = |batch: u32| match batch.checked_sub(1) {
            None => Some(0),
            Some(at) => self.ends.get(at as usize).copied(),
        };
        let count = self.count();
        let begin = end(batch.saturating_sub(1)).unwrap_or(count);
        begin..end(batch).unwrap_or(count)
    }

    /// The batch that releases an instance.
    pub fn batch_of(&self, index: u32) -> u32 {
        batch_of(&self.ends, index)
    }

    /// Whether nothing is left to open, or to end.
    pub fn is_over(&self) -> bool {
        self.closed || self.open == self.batches() || self.ended == self.count()
    }

    /// How what is fanned out has failed.
    pub(super) fn failure(&self) -> Failure {
        let (failed, count) = (self.failed, self.count());
        let message = format!("{failed} of {count} instances did not succeed");
        Failure::new(FailureClass::Permanent, message)
            .remedy("look at the instances that failed; `max-failures` says how many may")
    }

    /// What follows, if something does.
    pub(super) fn next(&self, fan_out: &FanOut) -> Option<Next> {
        if let Some(back) = &self.back {
            let batch = back.batch;
            let is_done = back.rollback.unwinding.left() == 0;
            return is_done.then_some(Next::GoneBack(batch));
        }
        if self.is_over() {
            return None;
        }
        if self.halt.is_none() {
            if self.shut {
                return Some(Next::Halt(HaltReason::Gate));
            }
            if self.failed.saturating_sub(self.tolerated) > fan_out.failures_max {
                return Some(Next::Halt(HaltReason::Failures(self.failed)));
            }
        }
        let gate_or_open = if fan_out.gate.is_some() {
            Next::Gate
        } else {
            Next::Open
        };
        let goes_on = self.halt.is_none();
        match self.stage {
            Stage::Going if self.unended > 0 => None,
            Stage::Going if self.open == 0 => goes_on.then_some(Next::Open),
            Stage::Going if fan_out.bake.0 > 0 => Some(Next::Bake),
            Stage::Going | Stage::Baked => goes_on.then_some(gate_or_open),
            Stage::Passed => goes_on.then_some(Next::Open),
            Stage::Baking { .. } | Stage::Gated(_) => None,
        }
    }
}

impl Release {
    /// How far the fan-out of a group is, once its items are known.
    pub fn wave(&self, group: Group) -> Option<&Wave> {
        self.waves.get(&group)
    }

    /// Whether `event` may have ended activities that it does not name: those of a whole release or
    /// phase, or the gates of a wave that is over.
    pub fn is_sweeping(&self, event: &Event) -> bool {
        match event {
            Event::Aborted { .. }
            | Event::RollbackStarted { .. }
            | Event::WaveRollbackStarted { .. }
            | Event::PhaseSkipped { .. }
            | Event::WaveEnded { .. }
            | Event::InstancesEnded { .. }
            | Event::Ended { .. } => true,
            Event::PhaseEnded { phase, .. } => self.wave(Group::Phase(*phase)).is_some(),
            _ => false,
        }
    }

    /// Every fan-out whose items are known.
    pub fn waves(&self) -> impl Iterator<Item = (Group, &Wave)> {
        self.waves.iter().map(|(group, wave)| (*group, wave))
    }

    /// The positions of what a batch of the group releases: of phases if the group is one, else of
    /// activities. The first batch is 1.
    pub fn batch_nodes(&self, group: Group, batch: u32) -> Range<u32> {
        match (self.process.instances(group), self.wave(group)) {
            (Some(instances), Some(wave)) => {
                let released = wave.batch(batch);
                let start = instances.nodes.start;
                start + released.start..start + released.end
            }
            _ => 0..0,
        }
    }

    /// How the instance at a position of the group has ended, if it has.
    pub(super) fn instance_settled(&self, group: Group, ix: u32) -> Option<Settled> {
        match group {
            Group::Phase(_) => self.phase_state(PhaseIx(ix)).settled(),
            Group::Activity(_) => self.activity_state(ActivityIx(ix)).settled(),
        }
    }

    /// Whether the batch of the instance at `index` is open.
    pub(super) fn is_released(&self, group: Group, index: u32) -> bool {
        let wave = self.waves.get(&group);
        wave.is_some_and(|wave| index < wave.released())
    }

    /// Counts that an instance has ended.
    pub(super) fn settle_instance(&mut self, group: Group, index: u32, how: Settled) {
        let Some(wave) = self.waves.get_mut(&group) else {
            return;
        };
        wave.ended += 1;
        wave.failed += u32::from(how == Settled::Broken);
        if index < wave.released() {
            wave.unended = wave.unended.saturating_sub(1);
        }
        let all = wave.ended == wave.count();
        match group {
            Group::Phase(ix) => {
                let phase = &mut self.phases[ix.0 as usize];
                phase.unsettled = phase.unsettled.saturating_sub(1);
                if phase.is_over() {
                    self.frontier.insert(Node::Phase(ix));
                }
            }
            Group::Activity(ix) if all => {
                let state = self.activity_state(ix);
                if matches!(state, ActivityState::FannedOut { .. }) {
                    self.frontier.insert(Node::Activity(ix));
                }
            }
            Group::Activity(_) => {}
        }
        self.look_at_wave(group);
    }

    /// Counts that a gate has ended.
    pub(super) fn settle_gate(&mut self, group: Group, gate: ActivityIx, how: Settled) {
        let Some(wave) = self.waves.get_mut(&group) else {
            return;
        };
        if wave.stage == Stage::Gated(gate) {
            wave.stage = Stage::Passed;
            wave.shut = how == Settled::Broken;
        }
        self.look_at_wave(group);
    }

    /// Notes whether something follows for a wave.
    pub(super) fn look_at_wave(&mut self, group: Group) {
        let wave = self.waves.get(&group);
        let fan_out = self.process.fan_out(group);
        let follows = wave
            .zip(fan_out)
            .and_then(|(wave, fan_out)| wave.next(fan_out));
        if follows.is_some() {
            self.frontier.insert(Node::Wave(group));
        } else {
            self.frontier.remove(&Node::Wave(group));
        }
    }
}
