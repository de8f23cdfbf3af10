//! Time has passed: attempts time out, questions expire, retries and resumptions begin.
//!
//! Everything due is answered in the order in which it fell due, then by position.

use crate::failure::{Failure, FailureClass};
use crate::limits::TIMERS_PER_TURN_MAX;
use crate::process::ActivityIx;
use crate::release::Release;
use crate::release::event::Event;
use crate::release::state::{ActivityState, Attempt, ReleaseState};
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
        ActivityState::NeedsPeople(_) => vec![Event::Expired { activity }],
        ActivityState::Awaiting(wait) => vec![release.wait_over(activity, wait)],
        _ => Vec::new(),
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
