//! What follows when an attempt has failed: another attempt, or what `on-failure` says.

use crate::attempt::AttemptKey;
use crate::failure::Failure;
use crate::process::{ActivityIx, Kind};
use crate::release::event::Event;
use crate::release::state::ActivityState;
use crate::release::{Release, backoff, bounds};
use crate::time::{Span, Timestamp};

impl Release {
    /// The events for a failed attempt. `retry_after` is the least wait that the guest asked for.
    ///
    /// Attempts that people asked for count like the others: after the last automatic one, each
    /// retry by a person is one attempt.
    pub(super) fn attempt_failed(
        &self,
        key: AttemptKey,
        failure: Failure,
        retry_after: Option<Span>,
        now: Timestamp,
    ) -> Vec<Event> {
        let activity = key.activity;
        if let ActivityState::Undoing(_) = self.activity_state(activity) {
            return self.undo_attempt_failed(key, failure, retry_after, now);
        }
        let retry_at = match &self.process.activity(activity).kind {
            Kind::Component(component)
                if !self.is_going_back()
                    && failure.class.may_retry()
                    && key.attempt < self.attempts_max(activity) =>
            {
                let wait = backoff::wait(&component.retry, key, retry_after);
                Some(now.after(wait))
            }
            _ => None,
        };
        let holds = failure.class.holds();
        let failed = Event::AttemptFailed {
            activity,
            failure: bounds::failure(failure),
            retry_at,
        };
        if retry_at.is_some() {
            return vec![failed];
        }
        // On the way back nobody decides about the way forward any more.
        let last = if self.is_going_back() {
            Event::ActivityFailed {
                activity,
                failure: None,
                continued: false,
            }
        } else if holds {
            let failure = None;
            Event::ActivityHeld { activity, failure }
        } else {
            self.failed_for_good(activity, None)
        };
        vec![failed, last]
    }

    /// How many attempts the activity at `ix` has in all, as far as they follow by themselves.
    pub(super) fn attempts_max(&self, ix: ActivityIx) -> u32 {
        let allowed = self.record(ix).and_then(|record| record.attempts_max);
        match &self.process.activity(ix).kind {
            Kind::Component(component) => allowed.unwrap_or(component.retry.attempts_max),
            Kind::Manual(_) | Kind::Wait(_) | Kind::Process(_) => 0,
        }
    }
}
