//! Reject: one person's no ends the activity. Who has approved may still change their mind.

use crate::actor::Caller;
use crate::process::ActivityIx;
use crate::release::decide::people::question;
use crate::release::event::Event;
use crate::release::refusal::Refusal;
use crate::release::{Release, bounds};
use crate::time::Timestamp;

pub(super) fn reject(
    release: &Release,
    by: &Caller,
    activity: ActivityIx,
    comment: &str,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    question(release, by, activity, now)?;
    bounds::reason("comment", comment)?;
    Ok(vec![Event::Rejected {
        activity,
        comment: comment.to_owned(),
    }])
}
