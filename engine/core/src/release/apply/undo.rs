//! The fold of what happens to one activity on the way back.

use crate::actor::Actor;
use crate::failure::Failure;
use crate::id::ReleaseId;
use crate::json::Json;
use crate::process::ActivityIx;
use crate::release::Release;
use crate::release::apply::activity::next_state;
use crate::release::event::{Awaits, Event, UndoPart};
use crate::release::index::Node;
use crate::release::state::{ActivityState, Attempt, Await, UndoFailed, Undoing, Undone};
use crate::time::Timestamp;

impl Release {
    /// Folds an event of the way back in; whether it is one.
    pub(super) fn apply_to_undo(&mut self, at: Timestamp, by: &Actor, event: &Event) -> bool {
        let Some(ix) = event.activity() else {
            return false;
        };
        let is_undoing = matches!(self.activity_state(ix), ActivityState::Undoing(_));
        match event {
            Event::UndoStarted {
                part,
                attempt,
                with,
                deadline,
                ..
            } => self.undo_started(ix, (*part, *attempt), with.as_ref(), (at, *deadline)),
            Event::AttemptSuspended { .. }
            | Event::AttemptAwaitsSignal { .. }
            | Event::AttemptResumed { .. }
            | Event::AttemptFailed { .. }
                if is_undoing =>
            {
                self.undo_goes_on(ix, at, by, event);
            }
            Event::UndoReturned { .. } => self.undo_goes_to(ix, UndoPart::Validate, at),
            Event::ChildRecalled { child, .. } => self.child_recalled(ix, *child, at),
            Event::ChildUndone { child, .. } => {
                if let Some(part) = self.part_after(ix, *child) {
                    self.undo_goes_to(ix, part, at);
                }
            }
            Event::Undone { by_hand, .. } => self.undone(ix, at, by, by_hand.as_ref()),
            Event::UndoHeld { failure, .. } => self.undo_held(ix, at, failure.as_ref()),
            Event::UndoAccepted { reason, .. } => self.undo_accepted(ix, by, reason),
            _ => return false,
        }
        true
    }

    fn undo_started(
        &mut self,
        ix: ActivityIx,
        (part, number): (UndoPart, u32),
        with: Option<&Json>,
        (since, deadline): (Timestamp, Timestamp),
    ) {
        let state = self.activity_state(ix);
        if state.settled().is_none() {
            return;
        }
        let begun = self.record(ix).map_or(0, |record| record.attempts);
        // A retry, by time or by a person, goes on counting.
        let before = match state {
            ActivityState::Undoing(undoing) if undoing.part == part => undoing.before,
            ActivityState::UndoFailed(failed) if failed.part == part => failed.before,
            _ => begun,
        };
        let last = match state.going() {
            ActivityState::Retrying { with, .. } => Some(with),
            _ => self.record(ix).and_then(|record| record.with.as_ref()),
        };
        let with = with.or(last).cloned();
        let undoing = Undoing {
            past: state.forward().clone(),
            part,
            before,
            now: ActivityState::Running(Attempt {
                number,
                run: 1,
                with: with.unwrap_or_else(Json::empty_object),
                checkpoint: None,
                signal: None,
                since,
                deadline,
            }),
        };
        self.turn_back(ix, ActivityState::Undoing(Box::new(undoing)));
        if let Some(record) = self.record_mut(ix) {
            record.attempts = number;
        }
    }

    fn undo_goes_on(&mut self, ix: ActivityIx, at: Timestamp, by: &Actor, event: &Event) {
        let ActivityState::Undoing(undoing) = self.activity_state(ix) else {
            return;
        };
        if let Some(now) = next_state(&undoing.now, at, by, event) {
            let undoing = Undoing {
                now,
                ..undoing.as_ref().clone()
            };
            self.turn_back(ix, ActivityState::Undoing(Box::new(undoing)));
        }
    }

    fn child_recalled(&mut self, ix: ActivityIx, child: ReleaseId, at: Timestamp) {
        let state = self.activity_state(ix);
        if state.settled().is_none() {
            return;
        }
        let undoing = Undoing {
            past: state.forward().clone(),
            part: UndoPart::Child(child),
            before: self.record(ix).map_or(0, |record| record.attempts),
            now: ActivityState::Awaiting(Box::new(Await {
                on: Awaits::Release(child),
                since: at,
                until: None,
            })),
        };
        self.turn_back(ix, ActivityState::Undoing(Box::new(undoing)));
    }

    /// A part of the way back is done, and another one is next.
    fn undo_goes_to(&mut self, ix: ActivityIx, part: UndoPart, at: Timestamp) {
        let ActivityState::Undoing(undoing) = self.activity_state(ix) else {
            return;
        };
        let undoing = Undoing {
            past: undoing.past.clone(),
            part,
            before: self.record(ix).map_or(0, |record| record.attempts),
            now: ActivityState::Ready { since: at },
        };
        self.turn_back(ix, ActivityState::Undoing(Box::new(undoing)));
        if let Some(scope) = self.scope_of(ix).filter(|_| !self.is_paused()) {
            self.undos_due(scope, vec![ix]);
        }
    }

    fn undone(&mut self, ix: ActivityIx, at: Timestamp, by: &Actor, by_hand: Option<&String>) {
        let state = self.activity_state(ix);
        if !matches!(
            state,
            ActivityState::Undoing(_) | ActivityState::UndoFailed(_)
        ) {
            return;
        }
        let undone = Undone {
            past: state.forward().clone(),
            by_hand: by_hand.map(|said| (by.clone(), said.clone())),
            at,
        };
        self.turn_back(ix, ActivityState::Undone(Box::new(undone)));
        self.dealt_with(ix);
    }

    fn undo_held(&mut self, ix: ActivityIx, at: Timestamp, failure: Option<&Failure>) {
        let state = self.activity_state(ix);
        if state.settled().is_none() {
            return;
        }
        let (part, before) = match state {
            ActivityState::Undoing(undoing) => (undoing.part, undoing.before),
            ActivityState::UndoFailed(failed) => (failed.part, failed.before),
            _ => {
                let begun = self.record(ix).map_or(0, |record| record.attempts);
                (UndoPart::Undo, begun)
            }
        };
        let told = match state.going() {
            ActivityState::OnHold { failure, .. } => Some(failure.as_ref()),
            _ => None,
        };
        let Some(failure) = failure.or(told) else {
            return;
        };
        let failed = UndoFailed {
            past: state.forward().clone(),
            part,
            before,
            failure: failure.clone(),
            since: at,
            accepted: None,
        };
        self.turn_back(ix, ActivityState::UndoFailed(Box::new(failed)));
    }

    fn undo_accepted(&mut self, ix: ActivityIx, by: &Actor, reason: &str) {
        let ActivityState::UndoFailed(failed) = self.activity_state(ix) else {
            return;
        };
        let failed = UndoFailed {
            accepted: Some((by.clone(), reason.to_owned())),
            ..failed.as_ref().clone()
        };
        self.turn_back(ix, ActivityState::UndoFailed(Box::new(failed)));
        self.dealt_with(ix);
    }

    /// Moves an activity that has ended to `state` on the way back. What needs it is not told:
    /// nothing changes for the way forward.
    pub(super) fn turn_back(&mut self, ix: ActivityIx, state: ActivityState) {
        let Some(node) = self.activities.get_mut(ix.0 as usize) else {
            return;
        };
        self.index.remove(ix, &node.state);
        self.index.insert(ix, &state);
        self.frontier.remove(&Node::Undo(ix));
        node.state = state;
    }
}
