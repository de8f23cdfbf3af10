//! Another release is where an activity waits for it to be, or will never be there.

use crate::failure::{Failure, FailureClass};
use crate::id::ReleaseId;
use crate::json::Json;
use crate::process::ActivityIx;
use crate::release::event::{Event, OutputSource};
use crate::release::refusal::Refusal;
use crate::release::{Release, bounds};

pub(super) fn reached(
    release: &Release,
    activity: ActivityIx,
    other: ReleaseId,
    found: &Result<Json, Box<Failure>>,
) -> Result<Vec<Event>, Refusal> {
    let awaited = release.awaited(activity).map(|awaited| awaited.release);
    if release.has_ended() || awaited != Some(other) {
        return Err(Refusal::NotAwaited);
    }
    let fault = |outputs| bounds::json("outputs", outputs).err();
    Ok(vec![match found {
        Ok(outputs) => match fault(outputs) {
            None => Event::ActivitySucceeded {
                activity,
                outputs: outputs.clone(),
                source: OutputSource::Wait,
            },
            Some(fault) => release.fails(activity, Failure::new(FailureClass::Contract, fault)),
        },
        Err(failure) => release.fails(activity, bounds::failure(failure.as_ref().clone())),
    }])
}
