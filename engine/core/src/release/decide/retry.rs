//! Retry: a person wants another attempt, perhaps with other inputs; or people asked again.
//!
//! A retry runs the activity whatever its condition, or that of its phase, said or failed to say:
//! the person has decided.

use crate::json::Json;
use crate::process::{ActivityIx, ChildProcess, Component, Kind, Manual, Wait};
use crate::release::begin::attempt_started;
use crate::release::decide::{known, wrong_state};
use crate::release::event::Event;
use crate::release::refusal::Refusal;
use crate::release::state::ActivityState;
use crate::release::{ChildOrder, Holder, Release, bounds};
use crate::time::Timestamp;

pub(super) fn retry(
    release: &Release,
    activity: ActivityIx,
    with: Option<&Json>,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    known(release, activity)?;
    match &release.process.activity(activity).kind {
        Kind::Component(component) => attempt(release, (activity, component), with, now),
        Kind::Wait(wait) => once_more(release, (activity, wait), with, now),
        Kind::Process(process) => another(release, (activity, process), with, now),
        Kind::Manual(manual) if with.is_none() => ask_again(release, (activity, manual), now),
        Kind::Manual(_) => Err(Refusal::NotComponent),
    }
}

fn attempt(
    release: &Release,
    (activity, component): (ActivityIx, &Component),
    with: Option<&Json>,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let state = release.activity_state(activity);
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
    let wants = release.wants(Holder::Activity(activity), with.as_ref().or(before));
    if let Some(wants) = wants.map_err(|fault| Refusal::Invalid(vec![fault]))? {
        return Ok(vec![wants]);
    }
    let deadline = now.after(component.timeout);
    let next = attempts.saturating_add(1);
    Ok(vec![attempt_started(activity, next, with, deadline)])
}

/// Another child in place of one that failed.
fn another(
    release: &Release,
    (activity, process): (ActivityIx, &ChildProcess),
    with: Option<&Json>,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let state = release.activity_state(activity);
    let ActivityState::OnHold { with: before, .. } = state else {
        return Err(wrong_state(state, "on-hold"));
    };
    if release.is_paused() {
        return Err(Refusal::Paused);
    }
    let invalid = |fault| Refusal::Invalid(vec![fault]);
    let inputs = match with {
        Some(with) => Some(object(with)?),
        None => before.as_ref(),
    };
    let wants = release.wants(Holder::Activity(activity), inputs);
    if let Some(wants) = wants.map_err(invalid)? {
        return Ok(vec![wants]);
    }
    let started = match inputs {
        Some(inputs) => {
            let order = ChildOrder {
                process: process.name.clone(),
                version: process.version,
                inputs: inputs.clone(),
            };
            release.child_started(activity, order, now)
        }
        None => release
            .start_child(activity, process, now)
            .map_err(invalid)?,
    };
    Ok(vec![started])
}

/// A wait that was given up begins once more.
fn once_more(
    release: &Release,
    (activity, wait): (ActivityIx, &Wait),
    with: Option<&Json>,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let state = release.activity_state(activity);
    if !matches!(state, ActivityState::OnHold { .. }) {
        return Err(wrong_state(state, "on-hold"));
    }
    if release.is_paused() {
        return Err(Refusal::Paused);
    }
    let invalid = |fault| Refusal::Invalid(vec![fault]);
    if with.is_some() {
        return Err(invalid("with: a wait has no inputs".to_owned()));
    }
    let wants = release.wants(Holder::Activity(activity), None);
    if let Some(wants) = wants.map_err(invalid)? {
        return Ok(vec![wants]);
    }
    let began = release.wait(activity, wait, now);
    Ok(vec![began.map_err(invalid)?])
}

/// People are asked once more, from the beginning.
fn ask_again(
    release: &Release,
    (activity, manual): (ActivityIx, &Manual),
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let state = release.activity_state(activity);
    if !matches!(state, ActivityState::OnHold { .. }) {
        return Err(wrong_state(state, "on-hold"));
    }
    if release.is_paused() {
        return Err(Refusal::Paused);
    }
    let invalid = |fault| Refusal::Invalid(vec![fault]);
    let wants = release.wants(Holder::Activity(activity), None);
    if let Some(wants) = wants.map_err(invalid)? {
        return Ok(vec![wants]);
    }
    let asked = release.ask(activity, manual, now);
    Ok(vec![asked.map_err(invalid)?])
}

fn object(with: &Json) -> Result<&Json, Refusal> {
    bounds::given("with", with)?;
    if with.as_str().starts_with('{') {
        Ok(with)
    } else {
        Err(Refusal::Invalid(vec!["with: must be an object".to_owned()]))
    }
}
