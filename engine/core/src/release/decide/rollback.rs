//! Rollback: a person sends a release back, and decides about effects that could not be taken back.

use crate::process::ActivityIx;
use crate::release::decide::{known, live, wrong_state};
use crate::release::event::{Event, ReleaseOutcome, UndoPart, UndoWay};
use crate::release::refusal::Refusal;
use crate::release::rollback::RootCause;
use crate::release::state::{ActivityState, ReleaseState, UndoFailed};
use crate::release::{Release, bounds};
use crate::time::Timestamp;

/// Goes back, from wherever the release is: what it did is there after it has ended as well.
pub(super) fn rollback(release: &Release, reason: &str) -> Result<Vec<Event>, Refusal> {
    match &release.state {
        ReleaseState::Ended {
            outcome: outcome @ ReleaseOutcome::RolledBack,
            ..
        } => return Err(Refusal::Ended(outcome.word())),
        ReleaseState::Ended { .. } => {}
        _ => live(release)?,
    }
    if release.is_going_back() || release.has_wave_going_back() {
        return Err(Refusal::AlreadyRollingBack);
    }
    bounds::reason("reason", reason)?;
    let started = release.roll_back(None, Some(reason.to_owned()));
    if let Event::RollbackStarted { plan, .. } = &started {
        let mut ways = plan.iter().map(|planned| planned.way);
        if !ways.clone().any(UndoWay::is_target) {
            let kept = ways.find_map(|way| match way {
                UndoWay::Kept { point } => Some(release.process.path(point)),
                _ => None,
            });
            return Err(kept.map_or(Refusal::NothingToUndo, Refusal::PointOfNoReturn));
        }
    }
    Ok(vec![started])
}

pub(super) fn retry_undo(
    release: &Release,
    activity: ActivityIx,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let failed = undo_failed(release, activity)?;
    if release.is_paused() {
        return Err(Refusal::Paused);
    }
    let way = release
        .back_of(activity)
        .and_then(|back| back.way(activity));
    if failed.part == UndoPart::Undo && way == Some(UndoWay::Person) {
        return Err(Refusal::NotReversible);
    }
    Ok(vec![release.begin_undo(activity, failed.part, now)])
}

/// Says that an effect was taken back by hand; the engine stops trying.
pub(super) fn mark_undone(
    release: &Release,
    activity: ActivityIx,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    let state = known(release, activity)?;
    if !matches!(state, ActivityState::Undoing(_)) {
        undo_failed(release, activity)?;
    }
    bounds::reason("reason", reason)?;
    Ok(vec![Event::Undone {
        activity,
        by_hand: Some(reason.to_owned()),
    }])
}

pub(super) fn accept(
    release: &Release,
    activity: ActivityIx,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    undo_failed(release, activity)?;
    bounds::reason("reason", reason)?;
    Ok(vec![Event::UndoAccepted {
        activity,
        reason: reason.to_owned(),
    }])
}

/// Closes the task that a rollback leaves behind, whether the release has ended or goes back again.
pub(super) fn close_root_cause(release: &Release, text: &str) -> Result<Vec<Event>, Refusal> {
    let root_cause = release
        .rollback
        .as_ref()
        .and_then(|back| back.root_cause.as_ref());
    let Some(RootCause::Open { .. }) = root_cause else {
        return Err(Refusal::NoRootCause);
    };
    bounds::reason("text", text)?;
    Ok(vec![Event::RootCauseClosed {
        text: text.to_owned(),
    }])
}

/// An effect about which a person has to decide.
fn undo_failed(release: &Release, activity: ActivityIx) -> Result<&UndoFailed, Refusal> {
    match known(release, activity)? {
        ActivityState::UndoFailed(failed) if failed.accepted.is_none() => Ok(failed),
        ActivityState::UndoFailed(_) => Err(Refusal::WrongState {
            state: "accepted as not undone",
            expected: "undo-failed",
        }),
        state => Err(wrong_state(state, "undo-failed")),
    }
}
