//! Abort: a person gives the release up, drafts included.

use crate::release::event::{Event, ReleaseOutcome};
use crate::release::refusal::Refusal;
use crate::release::state::ReleaseState;
use crate::release::{Release, bounds};

pub(super) fn abort(release: &Release, reason: &str) -> Result<Vec<Event>, Refusal> {
    if let ReleaseState::Ended { outcome, .. } = &release.state {
        return Err(Refusal::Ended(outcome.word()));
    }
    bounds::reason("reason", reason)?;
    Ok(vec![
        Event::Aborted {
            reason: reason.to_owned(),
        },
        Event::Ended {
            outcome: ReleaseOutcome::Aborted,
            outputs: None,
        },
    ])
}
