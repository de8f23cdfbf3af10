//! Retry: a person wants another attempt, perhaps with other inputs; or people asked again.
//!
//! A retry runs the activity whatever its condition, or that of its phase, said or failed to say:
//! the person has decided.

use crate::json::Json;
use crate::process::{ActivityIx, Kind, Manual};
use crate::release::begin::attempt_started;
use crate::release::decide::{component, known, wrong_state};
use crate::release::event::Event;
use crate::release::refusal::Refusal;
use crate::release::state::ActivityState;
use crate::release::{Release, bounds};
use crate::time::Timestamp;

pub(super) fn retry(
    release: &Release,
    activity: ActivityIx,
    with: Option<&Json>,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let state = known(release, activity)?;
    if let (Kind::Manual(manual), None) = (&release.process.activity(activity).kind, with) {
        return ask_again(release, (activity, manual), state, now);
    }
    let component = component(release, activity)?;
    let (attempts, before) = match state {
        ActivityState::OnHold { attempts, with, .. } => (*attempts, with.as_ref()),
        ActivityState::Retrying { attempt, with, .. } => (*attempt, Some(with)),
        _ => return Err(wrong_state(state, "on-hold or retrying")),
    };
    if release.is_paused() {
        return Err(Refusal::Paused);
    }
    let with = match (with, before) {
        (Some(with), _) => Some(object(with)?.clone()),
        (None, Some(_)) => None,
        (None, None) => {
            let rendered = release.render_with(component, activity);
            Some(rendered.map_err(|fault| Refusal::Invalid(vec![fault]))?)
        }
    };
    let deadline = now.after(component.timeout);
    let next = attempts.saturating_add(1);
    Ok(vec![attempt_started(activity, next, with, deadline)])
}

fn ask_again(
    release: &Release,
    (activity, manual): (ActivityIx, &Manual),
    state: &ActivityState,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    if !matches!(state, ActivityState::OnHold { .. }) {
        return Err(wrong_state(state, "on-hold"));
    }
    if release.is_paused() {
        return Err(Refusal::Paused);
    }
    let asked = release.ask(activity, manual, now);
    Ok(vec![asked.map_err(|fault| Refusal::Invalid(vec![fault]))?])
}

fn object(with: &Json) -> Result<&Json, Refusal> {
    bounds::given("with", with)?;
    if with.as_str().starts_with('{') {
        Ok(with)
    } else {
        Err(Refusal::Invalid(vec!["with: must be an object".to_owned()]))
    }
}
