//! A signal: somebody outside says that what an activity waits for has happened.
//!
//! The same delivery may come again and changes nothing, not even once the release has ended.

use crate::id::Digest;
use crate::json::Json;
use crate::limits::SIGNALS_PER_ACTIVITY_MAX;
use crate::process::{ActivityIx, Kind, SignalWait, Wait};
use crate::release::decide::{known, wrong_state};
use crate::release::event::{Awaits, Event, OutputSource};
use crate::release::refusal::Refusal;
use crate::release::state::{ActivityState, Resumes};
use crate::release::{Release, bounds};

pub(super) fn signal(
    release: &Release,
    activity: ActivityIx,
    delivery: Digest,
    payload: &Json,
) -> Result<Vec<Event>, Refusal> {
    let before = release.signals(activity);
    if before.iter().any(|received| received.delivery == delivery) {
        return Ok(Vec::new());
    }
    let once = |ix| matches!(release.process.activity(ix).kind, Kind::Wait(_));
    if !before.is_empty() && once(activity) {
        return Err(Refusal::AlreadySignalled);
    }
    let state = known(release, activity)?;
    match (state.going(), &release.process.activity(activity).kind) {
        (
            ActivityState::Suspended {
                resumes: Resumes::Signal(_),
                ..
            },
            _,
        ) => resumed(activity, delivery, payload, before.len()),
        (ActivityState::Awaiting(waits), Kind::Wait(Wait::Signal(wait)))
            if waits.on == Awaits::Signal =>
        {
            waited(activity, delivery, payload, wait)
        }
        (state, Kind::Wait(Wait::Signal(_))) => Err(wrong_state(state, "suspended")),
        _ => Err(Refusal::NotSignal),
    }
}

/// What an activity that does nothing but wait has waited for.
fn waited(
    activity: ActivityIx,
    delivery: Digest,
    payload: &Json,
    wait: &SignalWait,
) -> Result<Vec<Event>, Refusal> {
    fits(wait, payload)?;
    Ok(vec![
        Event::SignalReceived {
            activity,
            delivery,
            payload: None,
        },
        Event::ActivitySucceeded {
            activity,
            outputs: payload.clone(),
            source: OutputSource::Signal,
        },
    ])
}

/// What a guest is suspended for. It may wait for another one afterwards, and each delivery is remembered.
fn resumed(
    activity: ActivityIx,
    delivery: Digest,
    payload: &Json,
    before: usize,
) -> Result<Vec<Event>, Refusal> {
    if before >= SIGNALS_PER_ACTIVITY_MAX {
        return Err(Refusal::TooMany("signals"));
    }
    bounds::given("payload", payload)?;
    Ok(vec![Event::SignalReceived {
        activity,
        delivery,
        payload: Some(payload.clone()),
    }])
}

/// Refuses a payload that is not what the process asks for.
fn fits(wait: &SignalWait, payload: &Json) -> Result<(), Refusal> {
    bounds::given("payload", payload)?;
    let faults = match &wait.schema {
        Some(schema) => schema.faults(&payload.value()),
        None if payload.as_str().starts_with('{') => Vec::new(),
        None => vec!["payload: must be an object".to_owned()],
    };
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Invalid(faults))
    }
}
