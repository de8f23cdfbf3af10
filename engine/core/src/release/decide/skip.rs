//! Skip: a person does without an activity. What needs it goes on as if it had succeeded.

use crate::process::ActivityIx;
use crate::release::decide::{known, wrong_state};
use crate::release::event::{Event, SkipReason};
use crate::release::refusal::Refusal;
use crate::release::{Release, bounds};

pub(super) fn skip(
    release: &Release,
    activity: ActivityIx,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    let state = known(release, activity)?;
    if state.settled().is_some() {
        return Err(wrong_state(state, "not over"));
    }
    bounds::reason("reason", reason)?;
    Ok(vec![Event::ActivitySkipped {
        activity,
        why: SkipReason::Person(reason.to_owned()),
    }])
}
