//! What follows for the graph from what has become true.

use crate::process::{ActivityIx, PhaseIx};
use crate::release::event::{Event, PhaseOutcome, ReleaseOutcome, SkipReason, Turn};
use crate::release::index::Node;
use crate::release::input::Input;
use crate::release::refusal::Refusal;
use crate::release::state::{ActivityState, ReleaseState};
use crate::release::{Release, decide};
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
            if let Some(Node::Rollback(trigger)) = release.frontier.first() {
                return vec![release.roll_back(Some(*trigger), None)];
            }
            let nodes = release.frontier.iter();
            nodes.map(|node| release.advance_node(*node, now)).collect()
        }
    }
}

impl Release {
    fn advance_node(&self, node: Node, now: Timestamp) -> Event {
        match node {
            Node::Rollback(ix) => self.roll_back(Some(ix), None),
            Node::Phase(ix) => self.advance_phase(ix),
            Node::Activity(ix) => self.advance_activity(ix, now),
            Node::Undo(ix) => self.advance_undo(ix, now),
            Node::Release => self.end(),
        }
    }

    fn advance_phase(&self, phase: PhaseIx) -> Event {
        let node = &self.phases[phase.0 as usize];
        if node.is_over() {
            let outcome = if node.failed && self.is_going_back() {
                PhaseOutcome::Aborted
            } else if node.failed {
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
        let condition = self.process.phase(phase).condition.as_ref();
        match self.holds(condition, &node.needs) {
            Ok(true) => Event::PhaseOpened { phase, fault: None },
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
        if matches!(node.state, ActivityState::Ready { .. }) {
            return self.begin(activity, now);
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
        match self.holds(definition.condition.as_ref(), self.needs_of(activity)) {
            Ok(true) if self.is_paused() => Event::ActivityReadied { activity },
            Ok(true) => self.begin(activity, now),
            Ok(false) => {
                let why = SkipReason::Condition;
                Event::ActivitySkipped { activity, why }
            }
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
        let outputs = template.and_then(|template| self.render(template).ok());
        Event::Ended { outcome, outputs }
    }
}
