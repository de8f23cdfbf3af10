//! A signal: somebody outside says that what an activity waits for has happened.
//!
//! The same delivery may come again and changes nothing, not even once the release has ended.

use crate::id::Digest;
use crate::json::Json;
use crate::process::{ActivityIx, Kind, SignalWait, Wait};
use crate::release::decide::{known, wrong_state};
use crate::release::event::{Awaits, Event, OutputSource};
use crate::release::refusal::Refusal;
use crate::release::state::ActivityState;
use crate::release::{Release, bounds};

pub(super) fn signal(
    release: &Release,
    activity: ActivityIx,
    delivery: Digest,
    payload: &Json,
) -> Result<Vec<Event>, Refusal> {
    if let Some(received) = release.signal(activity) {
        return if received.delivery == delivery {
            Ok(Vec::new())
        } else {
            Err(Refusal::AlreadySignalled)
        };
    }
    let state = known(release, activity)?;
    let Kind::Wait(Wait::Signal(wait)) = &release.process.activity(activity).kind else {
        return Err(Refusal::NotSignal);
    };
    match state {
        ActivityState::Awaiting(waits) if waits.on == Awaits::Signal => {}
        _ => return Err(wrong_state(state, "suspended")),
    }
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
