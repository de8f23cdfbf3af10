//! Supply outputs: a person gives what the component did not, and the release goes on.

use crate::json::Json;
use crate::process::{ActivityIx, Kind};
use crate::release::decide::{approve, known, wrong_state};
use crate::release::event::{Event, OutputSource};
use crate::release::refusal::Refusal;
use crate::release::state::ActivityState;
use crate::release::{Release, bounds};

pub(super) fn supply(
    release: &Release,
    activity: ActivityIx,
    outputs: &Json,
) -> Result<Vec<Event>, Refusal> {
    let state = known(release, activity)?;
    if !matches!(state, ActivityState::OnHold { .. }) {
        return Err(wrong_state(state, "on-hold"));
    }
    bounds::given("outputs", outputs)?;
    match &release.process.activity(activity).kind {
        Kind::Manual(manual) if manual.form.is_some() => approve::fits(manual, outputs)?,
        Kind::Manual(_) | Kind::Component(_) | Kind::Wait(_) | Kind::Process(_) => {}
    }
    Ok(vec![Event::ActivitySucceeded {
        activity,
        outputs: outputs.clone(),
        source: OutputSource::Supplied,
    }])
}
