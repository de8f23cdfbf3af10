//! Reject: one person's no ends the activity. Who has approved may still change their mind.

use crate::process::ActivityIx;
use crate::release::decide::people::{Voice, may_decide, question};
use crate::release::event::Event;
use crate::release::refusal::Refusal;
use crate::release::{Release, bounds};
use crate::time::Timestamp;

pub(super) fn reject(
    release: &Release,
    voice: Voice<'_>,
    activity: ActivityIx,
    comment: &str,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let asked = question(release, activity, now)?;
    may_decide(release, asked, voice, now)?;
    bounds::reason("comment", comment)?;
    let comment = comment.to_owned();
    Ok(vec![match voice.absent() {
        None => Event::Rejected { activity, comment },
        Some(backup_of) => Event::RejectedAsBackup {
            activity,
            backup_of,
            comment,
        },
    }])
}
