//! Locks that a part of the release waits for are its own now, or never will be.

use crate::failure::Failure;
use crate::release::event::Event;
use crate::release::refusal::Refusal;
use crate::release::{Holder, Release, bounds};

pub(super) fn granted(release: &Release, holder: Holder) -> Result<Vec<Event>, Refusal> {
    wanted(release, holder)?;
    if !release.takes_locks() {
        return Err(Refusal::Paused);
    }
    Ok(vec![Event::LocksGranted { holder }])
}

/// An activity that would wait for ever fails.
pub(super) fn refused(
    release: &Release,
    holder: Holder,
    failure: &Failure,
) -> Result<Vec<Event>, Refusal> {
    wanted(release, holder)?;
    match holder {
        Holder::Activity(activity) => Ok(vec![
            release.fails(activity, bounds::failure(failure.clone())),
        ]),
        Holder::Phase(_) | Holder::Release => Err(Refusal::NotBlocked),
    }
}

fn wanted(release: &Release, holder: Holder) -> Result<(), Refusal> {
    match release.claim(holder) {
        Some(claim) if claim.granted.is_none() => Ok(()),
        _ => Err(Refusal::NotBlocked),
    }
}
