//! What follows when an attempt has failed: another attempt, or what `on-failure` says.

use crate::attempt::AttemptKey;
use crate::failure::Failure;
use crate::process::{ActivityIx, Kind, OnFailure};
use crate::release::event::Event;
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
        let retry_at = match &self.process.activity(activity).kind {
            Kind::Component(component)
                if failure.class.may_retry() && key.attempt < self.attempts_max(activity) =>
            {
                let wait = backoff::wait(&component.retry, key, retry_after);
                Some(now.after(wait))
            }
            _ => None,
        };
        let failed = Event::AttemptFailed {
            activity,
            failure: bounds::failure(failure),
            retry_at,
        };
        if retry_at.is_some() {
            return vec![failed];
        }
        let failure = None;
        let last = match self.process.activity(activity).on_failure {
            OnFailure::Hold => Event::ActivityHeld { activity, failure },
            OnFailure::Fail => Event::ActivityFailed {
                activity,
                failure,
                continued: false,
            },
            OnFailure::Continue => Event::ActivityFailed {
                activity,
                failure,
                continued: true,
            },
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
