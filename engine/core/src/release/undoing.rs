//! What follows for one effect whose turn it is: its undo begins, its validation, or a person must
//! decide.

use crate::attempt::AttemptKey;
use crate::failure::{Failure, FailureClass};
use crate::id::ReleaseId;
use crate::process::{ActivityIx, Component, Kind, Undo};
use crate::release::event::{Event, PlannedUndo, UndoPart, UndoWay};
use crate::release::plan::rollback_plan;
use crate::release::state::ActivityState;
use crate::release::{Release, backoff, bounds};
use crate::time::{Span, Timestamp};

impl Release {
    /// The event with which the release goes back.
    pub(super) fn roll_back(&self, trigger: Option<ActivityIx>, reason: Option<String>) -> Event {
        let stages: Vec<Vec<PlannedUndo>> = rollback_plan(self);
        Event::RollbackStarted {
            trigger,
            reason,
            plan: stages.into_iter().flatten().collect(),
        }
    }

    /// What follows for an effect whose turn it is.
    pub(super) fn advance_undo(&self, ix: ActivityIx, now: Timestamp) -> Event {
        let part = match self.activity_state(ix) {
            ActivityState::Undoing(undoing) => undoing.part,
            _ => self.first_part(ix),
        };
        self.begin_undo(ix, part, now)
    }

    /// The event with which a part of the way back begins, or fails before its first attempt.
    pub(super) fn begin_undo(&self, activity: ActivityIx, part: UndoPart, now: Timestamp) -> Event {
        if let UndoPart::Child(child) = part {
            return Event::ChildRecalled { activity, child };
        }
        let way = self.back_of(activity).and_then(|back| back.way(activity));
        if part == UndoPart::Undo && way == Some(UndoWay::Person) {
            return held(activity, no_undo());
        }
        let Some(component) = self.undo_call(activity, part) else {
            return held(activity, no_undo());
        };
        // An exported undo gets what its run got.
        let exported = part == UndoPart::Undo && way == Some(UndoWay::Component);
        let with = if exported {
            Ok(None)
        } else {
            self.render_with(component, activity).map(Some)
        };
        match with {
            Ok(with) => Event::UndoStarted {
                activity,
                part,
                attempt: self.attempts_begun(activity).saturating_add(1),
                with,
                deadline: now.after(component.timeout),
            },
            Err(fault) => held(activity, Failure::new(FailureClass::Expression, fault)),
        }
    }

    /// The events for a failed attempt on the way back.
    pub(super) fn undo_attempt_failed(
        &self,
        key: AttemptKey,
        failure: Failure,
        retry_after: Option<Span>,
        now: Timestamp,
    ) -> Vec<Event> {
        let activity = key.activity;
        let retry_at = self.called(activity).and_then(|component| {
            // Attempts at this part count, not those before it.
            let attempt = self.call_number(key);
            let again = failure.class.may_retry() && attempt < component.retry.attempts_max;
            let key = AttemptKey { attempt, ..key };
            again.then(|| now.after(backoff::wait(&component.retry, key, retry_after)))
        });
        let mut events = vec![Event::AttemptFailed {
            activity,
            failure: bounds::failure(failure),
            retry_at,
        }];
        if retry_at.is_none() {
            let failure = None;
            events.push(Event::UndoHeld { activity, failure });
        }
        events
    }

    /// The component that an activity calls now, on the way forward or back.
    pub(super) fn called(&self, ix: ActivityIx) -> Option<&Component> {
        match self.activity_state(ix) {
            ActivityState::Undoing(undoing) => self.undo_call(ix, undoing.part),
            _ => match &self.process.activity(ix).kind {
                Kind::Component(component) => Some(component),
                Kind::Manual(_) | Kind::Wait(_) | Kind::Process(_) => None,
            },
        }
    }

    /// Whether what the activity calls now is a script of its process.
    pub fn runs_script(&self, ix: ActivityIx) -> bool {
        let called = self.called(ix);
        called.is_some_and(|component| component.script.is_some())
    }

    /// 1 for the first attempt at what the activity calls now.
    pub(super) fn call_number(&self, key: AttemptKey) -> u32 {
        match self.activity_state(key.activity) {
            ActivityState::Undoing(undoing) => key.attempt.saturating_sub(undoing.before),
            _ => key.attempt,
        }
    }

    fn undo_call(&self, ix: ActivityIx, part: UndoPart) -> Option<&Component> {
        let activity = self.process.activity(ix);
        match (part, &activity.undo, &activity.kind) {
            (UndoPart::Validate, ..) => activity.validate.as_ref(),
            (UndoPart::Undo, Undo::Uses(component), _)
            | (UndoPart::Undo, Undo::Exported, Kind::Component(component)) => Some(component),
            (UndoPart::Undo, Undo::Exported | Undo::None, _) | (UndoPart::Child(_), ..) => None,
        }
    }

    /// What is taken back first: the releases that the activity started, the last of them first.
    fn first_part(&self, ix: ActivityIx) -> UndoPart {
        let last = self.recallable(ix).last();
        last.map_or(UndoPart::Undo, |child| UndoPart::Child(*child))
    }

    /// What follows once `child` has gone back; nothing if that was all.
    pub(super) fn part_after(&self, ix: ActivityIx, child: ReleaseId) -> Option<UndoPart> {
        let children = self.recallable(ix);
        let at = children.iter().position(|known| *known == child);
        if let Some(before) = at.and_then(|at| at.checked_sub(1)) {
            return Some(UndoPart::Child(children[before]));
        }
        let way = self.back_of(ix).and_then(|back| back.way(ix));
        if way == Some(UndoWay::Children) {
            let validated = self.process.activity(ix).validate.is_some();
            return validated.then_some(UndoPart::Validate);
        }
        Some(UndoPart::Undo)
    }

    /// The releases that go back with an activity: all that it started, unless its process says
    /// otherwise.
    fn recallable(&self, ix: ActivityIx) -> &[ReleaseId] {
        match (&self.process.activity(ix).undo, self.record(ix)) {
            (Undo::Exported, Some(record)) => &record.children,
            _ => &[],
        }
    }

    fn attempts_begun(&self, ix: ActivityIx) -> u32 {
        self.record(ix).map_or(0, |record| record.attempts)
    }
}

fn held(activity: ActivityIx, failure: Failure) -> Event {
    Event::UndoHeld {
        activity,
        failure: Some(bounds::failure(failure)),
    }
}

fn no_undo() -> Failure {
    let mut failure = Failure::new(
        FailureClass::Permanent,
        "the component exports no `undo`, and the process names nothing that undoes it",
    )
    .remedy("undo it by hand and say so, or accept that it stays; `undo:` in the process would say what to do");
    failure.code = Some("no-undo".to_owned());
    failure
}
