//! `/releases/{id}/activities/…/attempts`: what was tried, and what it logged.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use fermata_core::attempt::LogLevel;
use fermata_core::id::ReleaseId;
use fermata_core::process::ActivityIx;
use fermata_core::release::Release;
use fermata_service::{AttemptRecord, AttemptResult};

use crate::http::Api;
use crate::http::actor::Reader;
use crate::http::dto::event::{AttemptBody, AttemptsBody, LogBody, LogLineBody};
use crate::http::extract::At;
use crate::http::problem::{Problem, UNKNOWN_ACTIVITY, UNKNOWN_ATTEMPT, UNKNOWN_RECORDING};
use crate::http::releases::find;
use crate::recording::{self, Document, Line};
use crate::view;

/// List the attempts of an activity, oldest first.
#[utoipa::path(
    get, path = "/releases/{id}/activities/{phase}/{activity}/attempts", tag = "releases",
    operation_id = "listAttempts",
    params(
        ("id" = String, Path, description = "The release"),
        ("phase" = String, Path, description = "The phase"),
        ("activity" = String, Path, description = "The activity"),
    ),
    responses((status = 200, body = AttemptsBody, description = "The attempts")),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At((id, phase, activity)): At<(ReleaseId, String, String)>,
) -> Result<Json<AttemptsBody>, Problem> {
    let release = find(&api, id).await?;
    let ix = position(&release, &phase, &activity)?;
    let found = api.service.attempts(id, ix).await?;
    let items = found.iter().map(body).collect();
    Ok(Json(AttemptsBody { items }))
}

fn body(attempt: &AttemptRecord) -> AttemptBody {
    let mut body = AttemptBody {
        number: attempt.number,
        runs: attempt.runs,
        started_at: attempt.started_at.to_string(),
        deadline: attempt.deadline.to_string(),
        ended_at: attempt.ended_at.map(|at| at.to_string()),
        with: attempt.with.as_ref().map(fermata_core::json::Json::value),
        ..AttemptBody::default()
    };
    let state = match &attempt.result {
        AttemptResult::Running => "running",
        AttemptResult::Suspended { resumes, status } => {
            body.resume_at = resumes.at().map(|at| at.to_string());
            body.signal = view::signal(resumes);
            body.status.clone_from(status);
            "suspended"
        }
        AttemptResult::Succeeded => "succeeded",
        AttemptResult::Failed { failure, retry_at } => {
            body.failure = Some(view::failure(failure));
            body.retry_at = retry_at.map(|at| at.to_string());
            "failed"
        }
        AttemptResult::Dropped => "dropped",
    };
    body.state = state.into();
    body.undo = attempt.undo.map(|part| part.word().into());
    body
}

/// Read what an attempt logged, oldest line first. Logs are kept when a run ends.
#[utoipa::path(
    get, path = "/releases/{id}/activities/{phase}/{activity}/attempts/{attempt}/logs",
    tag = "releases", operation_id = "getAttemptLogs",
    params(
        ("id" = String, Path, description = "The release"),
        ("phase" = String, Path, description = "The phase"),
        ("activity" = String, Path, description = "The activity"),
        ("attempt" = u32, Path, description = "1 for the first"),
    ),
    responses((status = 200, body = LogBody, description = "The lines")),
)]
pub(crate) async fn logs(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At((id, phase, activity, attempt)): At<(ReleaseId, String, String, u32)>,
) -> Result<Json<LogBody>, Problem> {
    let release = find(&api, id).await?;
    let ix = attempted(&release, &phase, &activity, attempt)?;
    let runs = api.service.logs(id, ix, attempt).await?;
    let mut items = Vec::new();
    for log in runs {
        let run = log.run;
        items.extend(log.lines.into_iter().map(|line| LogLineBody {
            at: line.at.to_string(),
            level: level(line.level).into(),
            message: line.message,
            run,
        }));
    }
    Ok(Json(LogBody { items }))
}

/// Read what passed between an attempt and its host: what `fermata component test --replay` runs again. Attempts that
/// succeeded leave no recording, unless the server was told so.
#[utoipa::path(
    get, path = "/releases/{id}/activities/{phase}/{activity}/attempts/{attempt}/recording",
    tag = "releases", operation_id = "getAttemptRecording",
    params(
        ("id" = String, Path, description = "The release"),
        ("phase" = String, Path, description = "The phase"),
        ("activity" = String, Path, description = "The activity"),
        ("attempt" = u32, Path, description = "1 for the first"),
    ),
    responses((status = 200, body = Document, description = "The recording")),
)]
pub(crate) async fn recording(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At((id, phase, activity, attempt)): At<(ReleaseId, String, String, u32)>,
) -> Result<Json<Document>, Problem> {
    let release = find(&api, id).await?;
    let ix = attempted(&release, &phase, &activity, attempt)?;
    let Some(recorded) = api.service.recording(id, ix, attempt).await? else {
        let detail = format!("nothing is recorded of attempt {attempt} of {phase}/{activity}");
        return Err(Problem::new(&UNKNOWN_RECORDING, detail));
    };
    let attempts = api.service.attempts(id, ix).await?;
    let listed = attempts.iter().find(|listed| listed.number == attempt);
    let log = api.service.logs(id, ix, attempt).await?;
    let lines = log.into_iter().flat_map(|log| {
        let run = log.run;
        log.lines.into_iter().map(move |line| Line { run, line })
    });
    Ok(Json(Document {
        format: recording::FORMAT.into(),
        engine: env!("CARGO_PKG_VERSION").into(),
        state: listed.map(|listed| body(listed).state).unwrap_or_default(),
        attempt: recorded.attempt,
        runs: recorded.runs,
        log: lines.collect(),
    }))
}

/// The position of an activity that has had this attempt.
fn attempted(
    release: &Release,
    phase: &str,
    activity: &str,
    attempt: u32,
) -> Result<ActivityIx, Problem> {
    let ix = position(release, phase, activity)?;
    let attempts = release.record(ix).map_or(0, |record| record.attempts);
    if !(1..=attempts).contains(&attempt) {
        let detail = format!("{phase}/{activity} has had {attempts} attempts");
        return Err(Problem::new(&UNKNOWN_ATTEMPT, detail));
    }
    Ok(ix)
}

fn level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}

fn position(release: &Release, phase: &str, activity: &str) -> Result<ActivityIx, Problem> {
    let found = release.process().find(&format!("{phase}/{activity}"));
    found.ok_or_else(|| {
        let detail = format!("the process has no activity {phase}/{activity}");
        Problem::new(&UNKNOWN_ACTIVITY, detail)
    })
}
