//! Resume: what is ready starts. What fell due meanwhile is answered when time passes next, which
//! is at once.

use crate::release::Release;
use crate::release::decide::live;
use crate::release::event::Event;
use crate::release::refusal::Refusal;

pub(super) fn resume(release: &Release) -> Result<Vec<Event>, Refusal> {
    live(release)?;
    if release.is_paused() {
        Ok(vec![Event::Resumed])
    } else {
        Err(Refusal::NotPaused)
    }
}
