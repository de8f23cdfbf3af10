//! `/releases/{id}/actions`: what people do about a release.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use fermata_core::id::ReleaseId;
use fermata_core::json::Json;
use fermata_service::request::{Ask, Command, UndoDecision};
use serde_json::Value;

use crate::access::Asker;
use crate::http::Api;
use crate::http::actor::Writer;
use crate::http::conditions::Conditions;
use crate::http::dto::action::{ActionBody, ActionName};
use crate::http::dto::release::ReleaseBody;
use crate::http::extract::{At, Body};
use crate::http::problem::{INVALID_BODY, Problem};
use crate::http::releases;

mod people;

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
        command: command(&api, &asker, action)?,
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
fn command(api: &Api, asker: &Asker, action: ActionBody) -> Result<Command, Problem> {
    foreign(&action)?;
    let json = |value: &Value| Json::of(value);
    let activity = |action: &mut ActionBody| needed(action.activity.take(), "activity");
    let mut action = action;
    Ok(match action.action {
        ActionName::Start => Command::Start,
        ActionName::Approve
        | ActionName::Reject
        | ActionName::Withdraw
        | ActionName::WithdrawQuestion
        | ActionName::MoveTask
        | ActionName::Comment
        | ActionName::EditComment
        | ActionName::AttachUrl
        | ActionName::BreakGlass
        | ActionName::CloseReview => Command::People {
            activity: activity(&mut action)?,
            what: people::command(api, asker, action)?,
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
        ActionName::HaltWave
        | ActionName::ResumeWave
        | ActionName::EndWave
        | ActionName::RollbackWave => return about_wave(action),
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

/// What somebody wants of a fan-out.
fn about_wave(action: ActionBody) -> Result<Command, Problem> {
    let wave = needed(action.wave, "wave")?;
    let reason = action.reason;
    Ok(match action.action {
        ActionName::ResumeWave => Command::ResumeWave { wave, reason },
        ActionName::HaltWave => Command::HaltWave {
            wave,
            reason: reason.unwrap_or_default(),
        },
        ActionName::RollbackWave => Command::RollbackWave {
            wave,
            reason: reason.unwrap_or_default(),
        },
        _ => Command::EndWave {
            wave,
            reason: reason.unwrap_or_default(),
        },
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

/// Actions that take a comment.
const SAYS: [ActionName; 8] = [
    ActionName::Approve,
    ActionName::Reject,
    ActionName::Withdraw,
    ActionName::MoveTask,
    ActionName::Comment,
    ActionName::EditComment,
    ActionName::CloseReview,
    ActionName::CloseRootCause,
];
/// Actions that take a reason.
const REASONS: [ActionName; 13] = [
    ActionName::Reject,
    ActionName::WithdrawQuestion,
    ActionName::BreakGlass,
    ActionName::Skip,
    ActionName::Fail,
    ActionName::Pause,
    ActionName::Abort,
    ActionName::AmendInputs,
    ActionName::AmendOutputs,
    ActionName::AmendRetry,
    ActionName::Rollback,
    ActionName::MarkUndone,
    ActionName::AcceptNotUndone,
];
/// Actions that may be about a task.
const TASKS: [ActionName; 4] = [
    ActionName::MoveTask,
    ActionName::Comment,
    ActionName::EditComment,
    ActionName::AttachUrl,
];
/// Actions that are about no activity.
const ALONE: [ActionName; 7] = [
    ActionName::Start,
    ActionName::Pause,
    ActionName::Resume,
    ActionName::Abort,
    ActionName::AmendInputs,
    ActionName::Rollback,
    ActionName::CloseRootCause,
];

/// Refuses what the action does not take.
fn foreign(action: &ActionBody) -> Result<(), Problem> {
    use ActionName::{
        AmendInputs, AmendOutputs, AmendRetry, Approve, AttachUrl, BreakGlass, EditComment,
        EndWave, HaltWave, Launch, MoveTask, Reject, ResumeWave, Retry, RollbackWave,
        SupplyOutputs,
    };
    const WAVES: [ActionName; 4] = [HaltWave, ResumeWave, EndWave, RollbackWave];
    let is = |names: &[ActionName]| names.contains(&action.action);
    let fields = [
        (
            "activity",
            action.activity.is_some(),
            !is(&ALONE) && !is(&WAVES),
        ),
        ("comment", action.comment.is_some(), is(&SAYS)),
        ("content", action.content.is_some(), is(&[Approve])),
        ("for", action.absent.is_some(), is(&[Approve, Reject])),
        (
            "reason",
            action.reason.is_some(),
            is(&REASONS) || is(&WAVES),
        ),
        ("form", action.form.is_some(), is(&[Approve, BreakGlass])),
        ("wave", action.wave.is_some(), is(&WAVES)),
        ("with", action.with.is_some(), is(&[Retry])),
        (
            "outputs",
            action.outputs.is_some(),
            is(&[SupplyOutputs, AmendOutputs]),
        ),
        ("task", action.task.is_some(), is(&TASKS)),
        ("state", action.state.is_some(), is(&[MoveTask])),
        ("number", action.number.is_some(), is(&[EditComment])),
        ("name", action.name.is_some(), is(&[AttachUrl])),
        ("url", action.url.is_some(), is(&[AttachUrl])),
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
