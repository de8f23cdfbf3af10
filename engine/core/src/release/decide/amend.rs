//! Amend: a person changes what a release that has begun was given, for what has not begun yet.
//!
//! What has begun keeps what it was rendered with: a recorded expression is never evaluated again.

use serde_json::Value;

use crate::json::Json;
use crate::limits::ATTEMPTS_MAX;
use crate::process::{ActivityIx, Kind};
use crate::release::decide::{approve, known, wrong_state};
use crate::release::event::Event;
use crate::release::refusal::Refusal;
use crate::release::state::{ActivityState, ReleaseState};
use crate::release::{Release, bounds};

/// Inputs in place of those of the same name; the others stay. A draft can be amended as well.
pub(super) fn inputs(release: &Release, given: &Json, reason: &str) -> Result<Vec<Event>, Refusal> {
    if let ReleaseState::Ended { outcome, .. } = &release.state {
        return Err(Refusal::Ended(outcome.word()));
    }
    bounds::reason("reason", reason)?;
    bounds::given("inputs", given)?;
    let Value::Object(given) = given.value() else {
        let fault = "inputs: must be an object".to_owned();
        return Err(Refusal::Invalid(vec![fault]));
    };
    let before = release.inputs.value();
    let mut inputs = before.as_object().cloned().unwrap_or_default();
    let changed: Vec<String> = given
        .iter()
        .filter(|(name, value)| inputs.get(*name) != Some(value))
        .map(|(name, _)| name.clone())
        .collect();
    if changed.is_empty() {
        return Err(Refusal::NothingToAmend);
    }
    inputs.extend(given);
    let inputs = Value::Object(inputs);
    let json = Json::of(&inputs);
    bounds::given("inputs", &json)?;
    let faults = release.process.inputs.schema.faults(&inputs);
    if !faults.is_empty() {
        return Err(Refusal::Invalid(faults));
    }
    Ok(vec![Event::InputsAmended {
        inputs: json,
        changed,
        reason: reason.to_owned(),
    }])
}

/// Other outputs for an activity that has succeeded, for whatever reads them from now on.
pub(super) fn outputs(
    release: &Release,
    activity: ActivityIx,
    outputs: &Json,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    let state = known(release, activity)?;
    let ActivityState::Succeeded {
        outputs: before, ..
    } = state
    else {
        return Err(wrong_state(state, "succeeded"));
    };
    bounds::reason("reason", reason)?;
    bounds::given("outputs", outputs)?;
    match &release.process.activity(activity).kind {
        Kind::Manual(manual) if manual.form.is_some() => approve::fits(manual, outputs)?,
        _ => {}
    }
    if outputs == before {
        return Err(Refusal::NothingToAmend);
    }
    Ok(vec![Event::OutputsAmended {
        activity,
        outputs: outputs.clone(),
        reason: reason.to_owned(),
    }])
}

/// As many further attempts as `attempts` for an activity that has not ended: when one fails from
/// now on, it is tried again by itself.
pub(super) fn retry(
    release: &Release,
    activity: ActivityIx,
    attempts: u32,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    let state = known(release, activity)?;
    if !matches!(release.process.activity(activity).kind, Kind::Component(_)) {
        return Err(Refusal::NotComponent);
    }
    if state.settled().is_some() {
        return Err(wrong_state(state, "not over"));
    }
    bounds::reason("reason", reason)?;
    if !(1..=ATTEMPTS_MAX).contains(&attempts) {
        let fault = format!("attempts: must be from 1 to {ATTEMPTS_MAX}, not {attempts}");
        return Err(Refusal::Invalid(vec![fault]));
    }
    let begun = release.record(activity).map_or(0, |record| record.attempts);
    let before = release.attempts_max(activity).max(begun);
    Ok(vec![Event::RetryAmended {
        activity,
        attempts_max: before.saturating_add(attempts),
        reason: reason.to_owned(),
    }])
}
