//! Fail: a person lets an activity that is on hold fail for good.

use crate::process::ActivityIx;
use crate::release::decide::{known, wrong_state};
use crate::release::event::Event;
use crate::release::refusal::Refusal;
use crate::release::state::ActivityState;
use crate::release::{Release, bounds};

pub(super) fn fail(
    release: &Release,
    activity: ActivityIx,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    let state = known(release, activity)?;
    let ActivityState::OnHold { failure, .. } = state else {
        return Err(wrong_state(state, "on-hold"));
    };
    bounds::reason("reason", reason)?;
    // The failure stays what it was; that somebody gave up on it is added in front.
    let mut failure = failure.as_ref().clone();
    failure.message = format!("{reason} (it was on hold: {})", failure.message);
    Ok(vec![Event::ActivityFailed {
        activity,
        failure: Some(bounds::failure(failure)),
        continued: false,
    }])
}
