//! The way back, as JSON: the plan before it begins, and what has come of it.

use fermata_core::actor::Caller;
use fermata_core::process::{Group, Undo};
use fermata_core::release::event::{PlannedUndo, UndoWay};
use fermata_core::release::input::{Input, What};
use fermata_core::release::state::ActivityState;
use fermata_core::release::{Release, RootCause, decide, rollback_plan, wave_rollback_plan};
use fermata_core::time::Timestamp;

use crate::http::dto::release::ActivityBody;
use crate::http::dto::rollback::{
    PlannedUndoBody, RollbackBody, RollbackPlanBody, RollbackRefusalBody, RootCauseBody,
};
use crate::view::{failure, parties, signal};

/// What a rollback of `release`, or of the last open batch of a fan-out, would take back.
pub(crate) fn plan(release: &Release, wave: Option<Group>) -> RollbackPlanBody {
    let reason = "to see what it would do".to_owned();
    let asked = Input {
        by: Caller::engine(),
        what: match wave {
            None => What::Rollback { reason },
            Some(group) => What::RollbackWave { group, reason },
        },
    };
    // Nothing is changed, and no instant is part of the answer.
    let refused = decide(release, &asked, Timestamp::default()).err();
    let stages = match wave {
        None => rollback_plan(release),
        Some(group) => wave_rollback_plan(release, group),
    };
    RollbackPlanBody {
        release: release.id().to_string(),
        state: release.state().word().into(),
        version: release.version(),
        refused: refused.map(|refusal| RollbackRefusalBody {
            code: refusal.code().into(),
            detail: refusal.to_string(),
        }),
        stages: stages
            .iter()
            .map(|stage| stage.iter().map(|planned| item(release, planned)).collect())
            .collect(),
    }
}

/// The last rollback, if there was one.
pub(super) fn record(release: &Release) -> Option<RollbackBody> {
    let rollback = release.rollback()?;
    let planned = rollback.plan.iter();
    let owners = release.root_cause_owners();
    Some(RollbackBody {
        by: rollback.by.to_string(),
        trigger: rollback.trigger.map(|ix| release.process().path(ix)),
        reason: rollback.reason.clone(),
        since: rollback.since.to_string(),
        ended_at: rollback.ended_at.map(|at| at.to_string()),
        activities: planned.map(|planned| told(release, planned)).collect(),
        root_cause: rollback.root_cause.as_ref().map(|root_cause| {
            let owners = parties(&owners);
            match root_cause {
                RootCause::Open { since } => RootCauseBody {
                    state: "open".into(),
                    owners,
                    since: Some(since.to_string()),
                    ..RootCauseBody::default()
                },
                RootCause::Closed { by, at, text } => RootCauseBody {
                    state: "closed".into(),
                    owners,
                    by: Some(by.to_string()),
                    at: Some(at.to_string()),
                    text: Some(text.clone()),
                    ..RootCauseBody::default()
                },
            }
        }),
    })
}

fn item(release: &Release, planned: &PlannedUndo) -> PlannedUndoBody {
    let process = release.process();
    let activity = process.activity(planned.activity);
    let point = match planned.way {
        UndoWay::Kept { point } => Some(process.path(point)),
        _ => None,
    };
    let undo = match (&activity.undo, planned.way) {
        (Undo::Uses(component), UndoWay::Uses) => Some(component.uses.to_string()),
        _ => None,
    };
    let validate = activity.validate.as_ref();
    PlannedUndoBody {
        activity: process.path(planned.activity),
        way: planned.way.word().into(),
        uses: undo,
        validate: validate.map(|component| component.uses.to_string()),
        point,
        ..PlannedUndoBody::default()
    }
}

/// A planned undo with what has come of it.
fn told(release: &Release, planned: &PlannedUndo) -> PlannedUndoBody {
    let mut body = item(release, planned);
    body.result = Some(release.undo_result(planned).word().into());
    let said = match release.activity_state(planned.activity) {
        ActivityState::Undone(undone) => undone.by_hand.as_ref(),
        ActivityState::UndoFailed(failed) => {
            body.failure = Some(failure(&failed.failure));
            failed.accepted.as_ref()
        }
        _ => None,
    };
    if let Some((by, reason)) = said {
        body.by = Some(by.to_string());
        body.reason = Some(reason.clone());
    }
    body
}

/// Fills in where an activity is on the way back.
pub(super) fn current(state: &ActivityState, body: &mut ActivityBody) {
    match state {
        ActivityState::Undoing(undoing) => undoing_now(&undoing.now, body),
        ActivityState::Undone(undone) => {
            body.since = Some(undone.at.to_string());
            if let Some((by, reason)) = &undone.by_hand {
                body.by = Some(by.to_string());
                body.reason = Some(reason.clone());
            }
        }
        ActivityState::UndoFailed(failed) => {
            body.since = Some(failed.since.to_string());
            body.failure = Some(failure(&failed.failure));
            if let Some((by, reason)) = &failed.accepted {
                body.by = Some(by.to_string());
                body.reason = Some(reason.clone());
            }
        }
        _ => {}
    }
}

fn undoing_now(now: &ActivityState, body: &mut ActivityBody) {
    match now {
        ActivityState::Ready { since } => body.since = Some(since.to_string()),
        ActivityState::Running(attempt) | ActivityState::Suspended { attempt, .. } => {
            body.since = Some(attempt.since.to_string());
            body.run = Some(attempt.run);
            body.deadline = Some(attempt.deadline.to_string());
            if let ActivityState::Suspended {
                resumes, status, ..
            } = now
            {
                body.resume_at = resumes.at().map(|at| at.to_string());
                body.signal = signal(resumes);
                body.status.clone_from(status);
            }
        }
        ActivityState::Retrying {
            failure: failed,
            retry_at,
            since,
            ..
        } => {
            body.since = Some(since.to_string());
            body.failure = Some(failure(failed));
            body.retry_at = Some(retry_at.to_string());
        }
        _ => {}
    }
}
