//! Time has passed: attempts time out, questions expire, retries and resumptions begin.
//!
//! Everything due is answered in the order in which it fell due, then by position.

use crate::failure::{Failure, FailureClass};
use crate::limits::TIMERS_PER_TURN_MAX;
use crate::process::{ActivityIx, Expiry, Kind, Then};
use crate::release::Release;
use crate::release::event::Event;
use crate::release::state::{ActivityState, Attempt, Question, ReleaseState};
use crate::time::Timestamp;

pub(super) fn passed(release: &Release, now: Timestamp) -> Vec<Event> {
    let may_start = match release.state {
        ReleaseState::Running | ReleaseState::RollingBack => true,
        ReleaseState::Paused { .. } => false,
        ReleaseState::Draft | ReleaseState::Ended { .. } => return Vec::new(),
    };
    let due = release.index.due(may_start, now, TIMERS_PER_TURN_MAX);
    let baked = release.index.baked(may_start, now, TIMERS_PER_TURN_MAX);
    let baked = baked.map(|group| Event::BatchBaked { group });
    due.into_iter()
        .flat_map(|(_, activity)| answer(release, activity, now))
        .chain(baked)
        .collect()
}

/// What is true of an activity whose timer has fallen due.
fn answer(release: &Release, activity: ActivityIx, now: Timestamp) -> Vec<Event> {
    match release.activity_state(activity).going() {
        ActivityState::Running(attempt) => timed_out(release, activity, attempt, now),
        ActivityState::Suspended { attempt, .. } if attempt.deadline <= now => {
            timed_out(release, activity, attempt, now)
        }
        ActivityState::Suspended { attempt, .. } => vec![Event::AttemptResumed {
            activity,
            run: attempt.run.saturating_add(1),
        }],
        ActivityState::Retrying { attempt, .. } => {
            let Some(component) = release.called(activity) else {
                return Vec::new();
            };
            let next = attempt.saturating_add(1);
            let deadline = now.after(component.timeout);
            vec![release.again(activity, next, deadline)]
        }
        ActivityState::NeedsPeople(question) => waited(release, activity, question, now),
        ActivityState::Awaiting(wait) => vec![release.wait_over(activity, wait)],
        _ => Vec::new(),
    }
}

/// What time does to a question. What fell due first comes first; at the same instant people are
/// given the chance before it is too late, and nobody is reminded of what is over.
fn waited(
    release: &Release,
    activity: ActivityIx,
    question: &Question,
    now: Timestamp,
) -> Vec<Event> {
    let Kind::Manual(manual) = &release.process.activity(activity).kind else {
        return Vec::new();
    };
    let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    let mut events = Vec::new();
    if is_due(question.escalates_at) {
        events.push(Event::Escalated { activity });
    }
    let ends = manual.expires.filter(|_| is_due(question.expires_at));
    match ends {
        Some(expiry) if expiry.then != Then::Escalate => {
            events.push(unanswered(activity, expiry));
        }
        _ if is_due(question.reminds_at) => events.push(Event::Reminded {
            activity,
            number: question.reminders.saturating_add(1),
        }),
        _ => {}
    }
    events
}

/// What comes of a question that nobody decided in time.
fn unanswered(activity: ActivityIx, expiry: Expiry) -> Event {
    let message = format!("nobody decided within {}", expiry.after);
    match expiry.then {
        Then::Expire | Then::Escalate => Event::Expired { activity },
        Then::Reject => Event::Rejected {
            activity,
            comment: message,
        },
        Then::Hold => {
            let failure = Failure::new(FailureClass::Limit("expires".to_owned()), message)
                .remedy("ask again with `retry`, supply the outputs, skip it, or let it fail");
            let failure = Some(failure);
            Event::ActivityHeld { activity, failure }
        }
    }
}

fn timed_out(
    release: &Release,
    activity: ActivityIx,
    attempt: &Attempt,
    now: Timestamp,
) -> Vec<Event> {
    let Some(component) = release.called(activity) else {
        return Vec::new();
    };
    let message = format!("the attempt did not end within {}", component.timeout);
    let failure = Failure::new(FailureClass::Limit("wall".to_owned()), message)
        .remedy("find out what it waited for, or give the activity a longer `timeout`");
    let key = crate::attempt::AttemptKey {
        release: release.id,
        activity,
        attempt: attempt.number,
        run: attempt.run,
    };
    release.attempt_failed(key, failure, None, now)
}
