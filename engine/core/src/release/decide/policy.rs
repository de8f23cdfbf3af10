//! What policies said to something that they let happen.

use crate::process::ActivityIx;
use crate::release::Release;
use crate::release::bounds;
use crate::release::decide::known;
use crate::release::event::{Event, PolicyWarning, PolicyWarnings};
use crate::release::refusal::Refusal;
use crate::release::state::ReleaseState;

/// Records warnings about the release, or about an attempt of one activity.
pub(super) fn warned(
    release: &Release,
    activity: Option<ActivityIx>,
    warnings: &[PolicyWarning],
) -> Result<Vec<Event>, Refusal> {
    if let ReleaseState::Ended { outcome, .. } = &release.state {
        return Err(Refusal::Ended(outcome.word()));
    }
    if let Some(activity) = activity {
        known(release, activity)?;
        if release.current_run(activity).is_none() {
            return Err(Refusal::StaleAttempt);
        }
    }
    if warnings.is_empty() {
        return Ok(Vec::new());
    }
    let mut warnings = warnings.to_vec();
    for warning in &mut warnings {
        bounds::cut(&mut warning.message);
    }
    let warned = PolicyWarnings { activity, warnings };
    Ok(vec![Event::PoliciesWarned(warned)])
}
