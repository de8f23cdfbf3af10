//! Halt, resume and end a wave: whether further batches of a fan-out open.

use crate::process::Group;
use crate::release::decide::live;
use crate::release::event::{Event, HaltReason};
use crate::release::plan::batch_plan;
use crate::release::refusal::Refusal;
use crate::release::wave::Wave;
use crate::release::{Release, bounds};

pub(super) fn halt(release: &Release, group: Group, reason: &str) -> Result<Vec<Event>, Refusal> {
    let wave = known(release, group)?;
    if wave.halt.is_some() {
        return Err(Refusal::AlreadyHalted);
    }
    bounds::reason("reason", reason)?;
    Ok(vec![Event::WaveHalted {
        group,
        reason: HaltReason::Person(reason.to_owned()),
    }])
}

pub(super) fn resume(
    release: &Release,
    group: Group,
    reason: Option<&String>,
) -> Result<Vec<Event>, Refusal> {
    let wave = known(release, group)?;
    if wave.halt.is_none() {
        return Err(Refusal::NotHalted);
    }
    still(wave)?;
    if let Some(reason) = reason {
        bounds::text("reason", reason)?;
    }
    Ok(vec![Event::WaveResumed {
        group,
        reason: reason.cloned(),
    }])
}

pub(super) fn end(release: &Release, group: Group, reason: &str) -> Result<Vec<Event>, Refusal> {
    still(known(release, group)?)?;
    bounds::reason("reason", reason)?;
    Ok(vec![Event::WaveEnded {
        group,
        reason: reason.to_owned(),
    }])
}

/// Takes back what the last open batch did. It must have ended: what still runs in it is decided first.
pub(super) fn roll_back(
    release: &Release,
    group: Group,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    let wave = known(release, group)?;
    still(wave)?;
    if release.is_going_back() {
        return Err(Refusal::AlreadyRollingBack);
    }
    if wave.unended > 0 {
        return Err(Refusal::BatchGoing);
    }
    bounds::reason("reason", reason)?;
    let batch = wave.last_batch().ok_or(Refusal::NothingToUndo)?;
    Ok(vec![Event::WaveRollbackStarted {
        group,
        batch,
        reason: reason.to_owned(),
        plan: batch_plan(release, group, batch).concat(),
    }])
}

fn still(wave: &Wave) -> Result<(), Refusal> {
    match wave.goes_back() {
        Some(_) => Err(Refusal::AlreadyRollingBack),
        None => Ok(()),
    }
}

/// A wave that still has batches to open.
fn known(release: &Release, group: Group) -> Result<&Wave, Refusal> {
    live(release)?;
    let wave = release.wave(group).ok_or(Refusal::NotFannedOut)?;
    if wave.is_over() {
        return Err(Refusal::WaveOver);
    }
    Ok(wave)
}
