//! `/releases/{id}/activities/…/attempts`: what was tried, and what it logged.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use fermata_core::attempt::LogLevel;
use fermata_core::id::ReleaseId;
use fermata_core::process::ActivityIx;
use fermata_core::release::Release;
use fermata_core::release::event::{Event, Turn};

use crate::http::Api;
use crate::http::actor::Reader;
use crate::http::dto::event::{AttemptBody, AttemptsBody, LogBody, LogLineBody};
use crate::http::extract::At;
use crate::http::problem::{Problem, UNKNOWN_ACTIVITY, UNKNOWN_ATTEMPT};
use crate::http::releases::find;
use crate::view;

/// Turns that are read at a time.
const TURNS_PER_READ: usize = 1_000;

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
    Reader(_): Reader,
    At((id, phase, activity)): At<(ReleaseId, String, String)>,
) -> Result<Json<AttemptsBody>, Problem> {
    let release = find(&api, id).await?;
    let ix = position(&release, &phase, &activity)?;
    let mut items = Vec::new();
    let mut from = 0;
    loop {
        let turns = api.service.turns(id, from, TURNS_PER_READ).await?;
        for turn in &turns {
            turn.events
                .iter()
                .filter(|event| ends(event) || event.activity() == Some(ix))
                .for_each(|event| note(&mut items, turn, event));
        }
        match turns.last() {
            Some(last) => from = last.next(),
            None => return Ok(Json(AttemptsBody { items })),
        }
    }
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
    Reader(_): Reader,
    At((id, phase, activity, attempt)): At<(ReleaseId, String, String, u32)>,
) -> Result<Json<LogBody>, Problem> {
    let release = find(&api, id).await?;
    let ix = position(&release, &phase, &activity)?;
    let attempts = release.record(ix).map_or(0, |record| record.attempts);
    if !(1..=attempts).contains(&attempt) {
        let detail = format!("{phase}/{activity} has had {attempts} attempts");
        return Err(Problem::new(&UNKNOWN_ATTEMPT, detail));
    }
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

/// Whether an event that is not about one activity ends all of them.
fn ends(event: &Event) -> bool {
    matches!(event, Event::Aborted { .. })
}

/// Takes an event of the activity in.
fn note(attempts: &mut Vec<AttemptBody>, turn: &Turn, event: &Event) {
    if let Event::AttemptStarted {
        attempt, deadline, ..
    } = event
    {
        attempts.push(AttemptBody {
            number: *attempt,
            started_at: turn.at.to_string(),
            state: "running".into(),
            runs: 1,
            deadline: deadline.to_string(),
            ..AttemptBody::default()
        });
        return;
    }
    let open = |attempt: &&mut AttemptBody| attempt.ended_at.is_none();
    let Some(last) = attempts.last_mut().filter(open) else {
        return;
    };
    let state = match event {
        Event::AttemptSuspended { .. } => {
            last.state = "suspended".into();
            return;
        }
        Event::AttemptResumed { run, .. } => {
            last.state = "running".into();
            last.runs = *run;
            return;
        }
        Event::AttemptFailed {
            failure, retry_at, ..
        } => {
            last.failure = Some(view::failure(failure));
            last.retry_at = retry_at.map(|at| at.to_string());
            "failed"
        }
        Event::ActivitySucceeded { .. } => "succeeded",
        Event::ActivityFailed { .. }
        | Event::ActivitySkipped { .. }
        | Event::ActivityHeld { .. }
        | Event::Aborted { .. } => "ended",
        _ => return,
    };
    last.state = state.into();
    last.ended_at = Some(turn.at.to_string());
}
