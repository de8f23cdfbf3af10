//! What follows for the graph from what has become true.

use crate::process::{ActivityIx, Group, PhaseIx};
use crate::release::event::{Event, PhaseOutcome, ReleaseOutcome, SkipReason, Turn};
use crate::release::index::Node;
use crate::release::input::Input;
use crate::release::refusal::Refusal;
use crate::release::state::{ActivityState, PhaseState, ReleaseState};
use crate::release::wave::Next;
use crate::release::{Holder, Release, decide};
use crate::time::Timestamp;

/// Decides `input` and applies what becomes true, with everything that follows from it. The turn
/// is to be committed before anything is done about it. On a refusal nothing has changed.
///
/// The events are empty when time passed and nothing was due: then there is nothing to commit.
pub fn turn(release: &mut Release, input: &Input, now: Timestamp) -> Result<Turn, Refusal> {
    let mut next = decide(release, input, now)?;
    let mut turn = Turn {
        first: release.version,
        at: now,
        by: input.by.actor.clone(),
        events: Vec::new(),
    };
    // Ends: every event moves a node of the graph towards its end, and none moves back.
    while !next.is_empty() {
        for event in &next {
            release.apply(now, &turn.by, event);
        }
        turn.events.append(&mut next);
        next = advance(release, now);
    }
    Ok(turn)
}

/// The next consequences of what has become true; empty when the graph is quiet.
pub fn advance(release: &Release, now: Timestamp) -> Vec<Event> {
    match release.state {
        ReleaseState::Draft | ReleaseState::Ended { .. } => Vec::new(),
        ReleaseState::Running | ReleaseState::Paused { .. } | ReleaseState::RollingBack => {
            release.advance(now)
        }
    }
}

impl Release {
    fn advance(&self, now: Timestamp) -> Vec<Event> {
        // What goes back does so before anything else follows; a batch that goes back is let finish,
        // and everything else waits for it.
        let postponed = self.is_rollback_postponed();
        if let Some(Node::Rollback(trigger)) = self.frontier.first()
            && !postponed
        {
            return vec![self.roll_back(Some(*trigger), None)];
        }
        let mut events = Vec::with_capacity(self.frontier.len());
        // Each fan-out takes from what is left of the instances that a release may have.
        let mut expanded = false;
        for node in &self.frontier {
            if postponed && !self.belongs_to_batch_going_back(*node) {
                continue;
            }
            if self.expands(*node) && std::mem::replace(&mut expanded, true) {
                continue;
            }
            events.extend(match node {
                Node::Rollback(ix) => Some(self.roll_back(Some(*ix), None)),
                Node::Undo(ix) => Some(self.advance_undo(*ix, now)),
                Node::Phase(ix) => Some(self.advance_phase(*ix)),
                Node::Activity(ix) => Some(self.advance_activity(*ix, now)),
                Node::Wave(group) => self.advance_wave(*group, now),
                Node::Release => Some(self.end()),
            });
        }
        events
    }

    fn belongs_to_batch_going_back(&self, node: Node) -> bool {
        match node {
            Node::Undo(_) => true,
            Node::Wave(group) => self.wave(group).is_some_and(|wave| wave.back.is_some()),
            Node::Rollback(_) | Node::Phase(_) | Node::Activity(_) | Node::Release => false,
        }
    }

    /// Whether the items of a fan-out may become known at `node`.
    fn expands(&self, node: Node) -> bool {
        match node {
            Node::Phase(ix) => self.is_to_expand(Group::Phase(ix)),
            Node::Activity(ix) => self.is_to_expand(Group::Activity(ix)),
            Node::Rollback(_) | Node::Undo(_) | Node::Wave(_) | Node::Release => false,
        }
    }

    fn advance_phase(&self, phase: PhaseIx) -> Event {
        let node = &self.phases[phase.0 as usize];
        let group = Group::Phase(phase);
        if node.is_over() {
            let failed = node.failed || self.has_failed(group);
            let outcome = if failed && self.is_going_back() {
                PhaseOutcome::Aborted
            } else if failed {
                PhaseOutcome::Failed
            } else {
                PhaseOutcome::Succeeded
            };
            return Event::PhaseEnded { phase, outcome };
        }
        if node.needs.is_broken() {
            let why = SkipReason::Upstream;
            return Event::PhaseSkipped { phase, why };
        }
        // What waited for its locks has had its condition looked at before.
        if matches!(node.state, PhaseState::Blocked { .. }) {
            return Event::PhaseOpened { phase, fault: None };
        }
        if self.process.phase(phase).instance.is_some() {
            // The condition was that of all instances together.
            return self.enter_phase(phase);
        }
        let condition = self.process.phase(phase).condition.as_ref();
        match self.holds(condition, (None, &node.needs)) {
            Ok(true) => match self.expand(group) {
                None => self.enter_phase(phase),
                Some(Ok(expanded)) => expanded,
                Some(Err(fault)) => Event::PhaseOpened {
                    phase,
                    fault: Some(fault),
                },
            },
            Ok(false) => {
                let why = SkipReason::Condition;
                Event::PhaseSkipped { phase, why }
            }
            Err(fault) => Event::PhaseOpened {
                phase,
                fault: Some(fault),
            },
        }
    }

    fn advance_activity(&self, activity: ActivityIx, now: Timestamp) -> Event {
        let node = &self.activities[activity.0 as usize];
        // What is ready has had its condition looked at before the release was paused.
        match &node.state {
            ActivityState::Ready { .. } => return self.enter(activity, now),
            ActivityState::Blocked(blocked) => return self.unblocked(activity, blocked, now),
            _ => {}
        }
        if matches!(node.state, ActivityState::FannedOut { .. }) {
            let outcome = if self.has_failed(Group::Activity(activity)) {
                PhaseOutcome::Failed
            } else {
                PhaseOutcome::Succeeded
            };
            return Event::InstancesEnded { activity, outcome };
        }
        if let Some(content) = self.changed_content(activity) {
            return Event::ApprovalsLapsed { activity, content };
        }
        if node.needs.is_broken() {
            let why = SkipReason::Upstream;
            return Event::ActivitySkipped { activity, why };
        }
        let definition = self.process.activity(activity);
        if let Some(fault) = self.phase_fault(definition.phase)
            && self.is_root(activity)
        {
            return self.failed_before(activity, fault.to_owned());
        }
        // The condition of an instance was that of all instances together.
        let condition = definition.condition.as_ref();
        let condition = condition.filter(|_| definition.instance().is_none());
        match self.holds(condition, (Some(activity), self.needs_of(activity))) {
            Ok(true) if self.is_to_expand(Group::Activity(activity)) => {
                match self.expand(Group::Activity(activity)) {
                    Some(Ok(expanded)) => expanded,
                    Some(Err(fault)) => self.failed_before(activity, fault),
                    None => self.begin(activity, now),
                }
            }
            Ok(true) if self.is_paused() => Event::ActivityReadied { activity },
            Ok(true) => self.enter(activity, now),
            Ok(false) => {
                let why = SkipReason::Condition;
                Event::ActivitySkipped { activity, why }
            }
            Err(fault) => self.failed_before(activity, fault),
        }
    }

    /// Whether more instances of a group failed than may.
    fn has_failed(&self, group: Group) -> bool {
        let wave = self.wave(group).zip(self.process.fan_out(group));
        wave.is_some_and(|(wave, fan_out)| wave.failed > fan_out.failures_max)
    }

    fn advance_wave(&self, group: Group, now: Timestamp) -> Option<Event> {
        let (wave, fan_out) = self.wave(group).zip(self.process.fan_out(group))?;
        let batch = wave.open + 1;
        Some(match wave.next(fan_out)? {
            Next::Halt(reason) => Event::WaveHalted { group, reason },
            Next::Open => Event::BatchOpened { group, batch },
            Next::GoneBack(batch) => Event::WaveRolledBack { group, batch },
            Next::Bake => Event::BatchBaking {
                group,
                until: now.after(fan_out.bake),
            },
            Next::Gate => {
                let gates = &self.process.instances(group)?.gates;
                // The first gate stands before the second batch.
                let gate = ActivityIx(gates.start + wave.open.checked_sub(1)?);
                Event::GateOpened { group, gate }
            }
        })
    }

    /// The phase asks for its locks, or opens if it needs none.
    fn enter_phase(&self, phase: PhaseIx) -> Event {
        match self.wants(Holder::Phase(phase), None) {
            Ok(Some(wants)) => wants,
            Ok(None) => Event::PhaseOpened { phase, fault: None },
            Err(fault) => Event::PhaseOpened {
                phase,
                fault: Some(fault),
            },
        }
    }

    /// The activity asks for its locks, or begins if it needs none.
    fn enter(&self, activity: ActivityIx, now: Timestamp) -> Event {
        match self.wants(Holder::Activity(activity), None) {
            Ok(Some(wants)) => wants,
            Ok(None) => self.begin(activity, now),
            Err(fault) => self.failed_before(activity, fault),
        }
    }

    /// Whether the activity needs nothing inside its own phase.
    fn is_root(&self, ix: ActivityIx) -> bool {
        let phase = self.process.activity(ix).phase;
        let needs = &self.process.activity(ix).needs;
        needs
            .iter()
            .all(|need| self.process.activity(*need).phase != phase)
    }

    fn end(&self) -> Event {
        if self.is_going_back() {
            let outcome = if self.is_all_undone() {
                ReleaseOutcome::RolledBack
            } else {
                ReleaseOutcome::Failed
            };
            let outputs = None;
            return Event::Ended { outcome, outputs };
        }
        let outcome = if self.phase_failed {
            ReleaseOutcome::Failed
        } else {
            ReleaseOutcome::Succeeded
        };
        // Outputs that cannot be rendered, say because what they read failed, fail nothing.
        let template = self.process.outputs.as_ref();
        let outputs = template.and_then(|template| self.render(template, None).ok());
        Event::Ended { outcome, outputs }
    }
}
