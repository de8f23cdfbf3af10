//! Pause: nothing new starts.

use crate::release::decide::live;
use crate::release::event::Event;
use crate::release::refusal::Refusal;
use crate::release::{Release, bounds};

pub(super) fn pause(release: &Release, reason: Option<&String>) -> Result<Vec<Event>, Refusal> {
    live(release)?;
    if release.is_paused() {
        return Err(Refusal::AlreadyPaused);
    }
    if let Some(reason) = reason {
        bounds::text("reason", reason)?;
    }
    Ok(vec![Event::Paused {
        reason: reason.cloned(),
    }])
}
