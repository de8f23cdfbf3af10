//! Withdraw: a person takes their approval back, or the initiator the whole question.

use crate::actor::Caller;
use crate::process::ActivityIx;
use crate::release::decide::people;
use crate::release::event::Event;
use crate::release::refusal::Refusal;
use crate::release::{Release, bounds};
use crate::time::Timestamp;

/// Both may take an approval back that a backup gave: who gave it, and in whose place it was given.
pub(super) fn approval(
    release: &Release,
    by: &Caller,
    activity: ActivityIx,
    comment: Option<&String>,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let (_, question) = people::question(release, activity, now)?;
    let mut own = question.approvals.iter();
    let Some(given) = own.find(|given| given.involves(&by.actor)) else {
        return Err(Refusal::NothingToWithdraw);
    };
    if let Some(comment) = comment {
        bounds::text("comment", comment)?;
    }
    Ok(vec![Event::ApprovalWithdrawn {
        activity,
        of: given.of().clone(),
        comment: comment.cloned(),
    }])
}

pub(super) fn question(
    release: &Release,
    by: &Caller,
    activity: ActivityIx,
    reason: &str,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    people::question(release, activity, now)?;
    if by.actor != *release.initiator() && by.actor != release.created_by {
        return Err(Refusal::NotInitiator);
    }
    bounds::reason("reason", reason)?;
    Ok(vec![Event::QuestionWithdrawn {
        activity,
        reason: reason.to_owned(),
    }])
}
