//! `/releases/{id}/actions`: what people do about a release.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use fermata_core::id::ReleaseId;
use fermata_core::json::Json;
use fermata_service::request::{Ask, Command, UndoDecision};
use serde_json::Value;

use crate::http::Api;
use crate::http::actor::Writer;
use crate::http::conditions::Conditions;
use crate::http::dto::release::{ActionBody, ActionName, ReleaseBody};
use crate::http::extract::{At, Body};
use crate::http::problem::{INVALID_BODY, Problem};
use crate::http::releases;

/// Do something about a release.
#[utoipa::path(
    post, path = "/releases/{id}/actions", tag = "releases", operation_id = "actOnRelease",
    params(
        ("id" = String, Path, description = "The release"),
        ("If-Match" = Option<String>, Header, description = "Only if the release has this ETag"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body acts once"),
    ),
    request_body = ActionBody,
    responses((status = 200, body = ReleaseBody, description = "The release as it is afterwards")),
)]
pub(crate) async fn act(
    State(api): State<Arc<Api>>,
    Writer(asker): Writer,
    At(id): At<ReleaseId>,
    conditions: Conditions,
    Body {
        value: action,
        bytes,
    }: Body<ActionBody>,
) -> Result<Response, Problem> {
    let what = format!("POST /releases/{id}/actions");
    let ask = Ask {
        release: id,
        command: command(action)?,
        expected: conditions.expected,
        once: conditions.key.map(|key| releases::once(key, &what, &bytes)),
    };
    let release = api.service.input(asker.caller(), ask).await?;
    Ok(releases::show(&api, &release).into_response())
}

fn needed<T>(field: Option<T>, name: &str) -> Result<T, Problem> {
    field.ok_or_else(|| Problem::new(&INVALID_BODY, format!("{name}: this action needs it")))
}

/// What an action asks for; what it does not take must not be there, lest somebody relies on it.
fn command(action: ActionBody) -> Result<Command, Problem> {
    foreign(&action)?;
    let json = |value: &Value| Json::of(value);
    let activity = |action: &mut ActionBody| needed(action.activity.take(), "activity");
    let mut action = action;
    Ok(match action.action {
        ActionName::Start => Command::Start,
        ActionName::Approve => Command::Approve {
            activity: activity(&mut action)?,
            comment: action.comment,
            form: action.form.as_ref().map(json),
        },
        ActionName::Reject => Command::Reject {
            activity: activity(&mut action)?,
            // An empty reason is refused by the release itself, with its own code.
            comment: action.comment.or(action.reason).unwrap_or_default(),
        },
        ActionName::Retry => Command::Retry {
            activity: activity(&mut action)?,
            with: action.with.as_ref().map(json),
        },
        ActionName::SupplyOutputs => Command::SupplyOutputs {
            activity: activity(&mut action)?,
            outputs: json(&needed(action.outputs, "outputs")?),
        },
        ActionName::Launch => launch(action)?,
        ActionName::Skip => Command::Skip {
            activity: activity(&mut action)?,
            reason: action.reason.unwrap_or_default(),
        },
        ActionName::HaltWave => Command::HaltWave {
            wave: needed(action.wave, "wave")?,
            reason: action.reason.unwrap_or_default(),
        },
        ActionName::ResumeWave => Command::ResumeWave {
            wave: needed(action.wave, "wave")?,
            reason: action.reason,
        },
        ActionName::EndWave => Command::EndWave {
            wave: needed(action.wave, "wave")?,
            reason: action.reason.unwrap_or_default(),
        },
        ActionName::Fail => Command::Fail {
            activity: activity(&mut action)?,
            reason: action.reason.unwrap_or_default(),
        },
        ActionName::Pause => Command::Pause {
            reason: action.reason,
        },
        ActionName::Resume => Command::Resume,
        ActionName::Abort => Command::Abort {
            reason: action.reason.unwrap_or_default(),
        },
        ActionName::AmendInputs | ActionName::AmendOutputs | ActionName::AmendRetry => {
            return amendment(action);
        }
        ActionName::Rollback
        | ActionName::CloseRootCause
        | ActionName::RetryUndo
        | ActionName::MarkUndone
        | ActionName::AcceptNotUndone => return way_back(action),
    })
}

/// What somebody wants to be otherwise in a release that has begun.
fn amendment(action: ActionBody) -> Result<Command, Problem> {
    let reason = action.reason.unwrap_or_default();
    if action.action == ActionName::AmendInputs {
        let inputs = Json::of(&needed(action.inputs, "inputs")?);
        return Ok(Command::AmendInputs { inputs, reason });
    }
    let activity = needed(action.activity, "activity")?;
    Ok(if action.action == ActionName::AmendOutputs {
        Command::AmendOutputs {
            activity,
            outputs: Json::of(&needed(action.outputs, "outputs")?),
            reason,
        }
    } else {
        Command::AmendRetry {
            activity,
            attempts: needed(action.attempts, "attempts")?,
            reason,
        }
    })
}

fn launch(action: ActionBody) -> Result<Command, Problem> {
    let inputs = action.inputs.as_ref();
    Ok(Command::Launch {
        inputs: inputs.map_or_else(Json::empty_object, Json::of),
        activity: needed(action.activity, "activity")?,
        process: needed(action.process, "process")?
            .parse()
            .map_err(|error| Problem::new(&INVALID_BODY, format!("process: {error}")))?,
        version: action.version,
    })
}

/// What somebody wants of the way back.
fn way_back(action: ActionBody) -> Result<Command, Problem> {
    let reason = action.reason.unwrap_or_default();
    match action.action {
        ActionName::Rollback => return Ok(Command::Rollback { reason }),
        ActionName::CloseRootCause => {
            let text = action.comment.unwrap_or_default();
            return Ok(Command::CloseRootCause { text });
        }
        _ => {}
    }
    Ok(Command::DecideUndo {
        activity: needed(action.activity, "activity")?,
        decision: match action.action {
            ActionName::MarkUndone => UndoDecision::MarkUndone { reason },
            ActionName::AcceptNotUndone => UndoDecision::Accept { reason },
            _ => UndoDecision::Retry,
        },
    })
}

/// Refuses what the action does not take.
fn foreign(action: &ActionBody) -> Result<(), Problem> {
    use ActionName::{
        Abort, AcceptNotUndone, AmendInputs, AmendOutputs, AmendRetry, Approve, CloseRootCause,
        EndWave, Fail, HaltWave, Launch, MarkUndone, Pause, Reject, Resume, ResumeWave, Retry,
        Rollback, Skip, Start, SupplyOutputs,
    };
    const WAVES: [ActionName; 3] = [HaltWave, ResumeWave, EndWave];
    const WHOLE: [ActionName; 4] = [Start, Pause, Resume, Abort];
    let is = |names: &[ActionName]| names.contains(&action.action);
    let fields = [
        (
            "activity",
            action.activity.is_some(),
            !is(&WHOLE) && !is(&[AmendInputs, Rollback, CloseRootCause]) && !is(&WAVES),
        ),
        ("wave", action.wave.is_some(), is(&WAVES)),
        (
            "comment",
            action.comment.is_some(),
            is(&[Approve, Reject, CloseRootCause]),
        ),
        (
            "reason",
            action.reason.is_some(),
            is(&[
                Reject,
                Skip,
                Fail,
                Pause,
                Abort,
                AmendInputs,
                AmendOutputs,
                AmendRetry,
                Rollback,
                MarkUndone,
                AcceptNotUndone,
            ]) || is(&WAVES),
        ),
        ("form", action.form.is_some(), is(&[Approve])),
        ("with", action.with.is_some(), is(&[Retry])),
        (
            "outputs",
            action.outputs.is_some(),
            is(&[SupplyOutputs, AmendOutputs]),
        ),
        (
            "inputs",
            action.inputs.is_some(),
            is(&[AmendInputs, Launch]),
        ),
        ("attempts", action.attempts.is_some(), is(&[AmendRetry])),
        ("process", action.process.is_some(), is(&[Launch])),
        ("version", action.version.is_some(), is(&[Launch])),
    ];
    match fields.iter().find(|(_, given, taken)| *given && !*taken) {
        Some((name, _, _)) => {
            let detail = format!("{name}: this action does not take it");
            Err(Problem::new(&INVALID_BODY, detail))
        }
        None => Ok(()),
    }
}
