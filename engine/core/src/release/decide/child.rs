//! Children: a person launches one, and each ends.

use crate::failure::Failure;
use crate::id::ReleaseId;
use crate::json::Json;
use crate::limits::CHILDREN_PER_ACTIVITY_MAX;
use crate::process::ActivityIx;
use crate::release::child::ChildOrder;
use crate::release::decide::{known, wrong_state};
use crate::release::event::{Event, OutputSource};
use crate::release::refusal::Refusal;
use crate::release::state::ActivityState;
use crate::release::{Holder, Release, bounds};
use crate::time::Timestamp;

/// A child in place of an attempt of an activity on hold, or beside a question to people.
pub(super) fn launch(
    release: &Release,
    activity: ActivityIx,
    order: &ChildOrder,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let state = known(release, activity)?;
    let is_task = match state {
        ActivityState::OnHold { .. } => false,
        ActivityState::NeedsPeople(_) => true,
        _ => return Err(wrong_state(state, "on-hold or needs-people")),
    };
    if release.is_paused() {
        return Err(Refusal::Paused);
    }
    bounds::given("inputs", &order.inputs)?;
    let invalid = |fault: String| Refusal::Invalid(vec![fault]);
    if let Some(failure) = release.too_deep() {
        return Err(invalid(failure.message));
    }
    let record = release.record(activity);
    let children = record.map_or(0, |record| record.children.len());
    if children >= CHILDREN_PER_ACTIVITY_MAX {
        let fault = format!("an activity has at most {CHILDREN_PER_ACTIVITY_MAX} children");
        return Err(invalid(fault));
    }
    if !is_task {
        let wants = release.wants(Holder::Activity(activity), None);
        if wants.map_err(invalid)?.is_some() {
            return Err(wrong_state(state, "holding its locks: retry it first"));
        }
        return Ok(vec![release.child_started(activity, order.clone(), now)]);
    }
    let number = u32::try_from(children).unwrap_or(u32::MAX);
    Ok(vec![Event::ChildLaunched {
        activity,
        child: release.child_id(activity, (b't', number), now),
        process: order.process.clone(),
        version: order.version,
        inputs: order.inputs.clone(),
    }])
}

pub(super) fn ended(
    release: &Release,
    activity: ActivityIx,
    child: ReleaseId,
    end: &Result<Json, Box<Failure>>,
) -> Result<Vec<Event>, Refusal> {
    let awaited = release.child(activity).map(|awaited| awaited.release);
    if release.has_ended() || awaited != Some(child) {
        return Err(Refusal::NotAwaited);
    }
    Ok(vec![match end {
        Ok(outputs) => Event::ActivitySucceeded {
            activity,
            outputs: outputs.clone(),
            source: OutputSource::Child,
        },
        Err(failure) => release.fails(activity, bounds::failure(failure.as_ref().clone())),
    }])
}

/// A child that was asked to go back has done so, or as much as it could.
pub(super) fn undone(
    release: &Release,
    activity: ActivityIx,
    child: ReleaseId,
    end: &Result<(), Box<Failure>>,
) -> Result<Vec<Event>, Refusal> {
    if release.has_ended() || release.recalled(activity) != Some(child) {
        return Err(Refusal::NotAwaited);
    }
    Ok(vec![match end {
        Err(failure) => Event::UndoHeld {
            activity,
            failure: Some(bounds::failure(failure.as_ref().clone())),
        },
        Ok(()) if release.part_after(activity, child).is_none() => Event::Undone {
            activity,
            by_hand: None,
        },
        Ok(()) => Event::ChildUndone { activity, child },
    }])
}
