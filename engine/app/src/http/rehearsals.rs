//! `/rehearsals`: a release played through before it is started.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use fermata_core::rehearsal::{Assumptions, DURATION_DEFAULT, RehearsalError};
use fermata_core::time::{Span, TimeError};
use fermata_service::error::RehearseError;
use fermata_service::request::{NewRehearsal, Subject};

use crate::http::Api;
use crate::http::actor::Reader;
use crate::http::dto::rehearsal::{RehearsalBody, RehearsalOrderBody};
use crate::http::extract::Body;
use crate::http::problem::{
    INVALID_BODY, INVALID_VALUES, Problem, REHEARSAL_LIMIT, UNKNOWN_ACTIVITY, UNKNOWN_PROCESS,
};

/// Play a release through: what starts when, who approves what, what determines the end. Nothing is
/// stored and nothing is called.
#[utoipa::path(
    post, path = "/rehearsals", tag = "processes", operation_id = "rehearse",
    request_body = RehearsalOrderBody,
    responses((status = 200, body = RehearsalBody, description = "The plan")),
)]
pub(crate) async fn rehearse(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    Body { value: order, .. }: Body<RehearsalOrderBody>,
) -> Result<Json<RehearsalBody>, Problem> {
    let new = new(order, &api)?;
    Ok(Json(api.service.rehearse(new).await?.into()))
}

fn new(order: RehearsalOrderBody, api: &Api) -> Result<NewRehearsal, Problem> {
    let starts_at = order.starts_at.map(|text| text.parse()).transpose();
    let assumptions = Assumptions {
        inputs: order.inputs.unwrap_or_else(|| serde_json::json!({})),
        starts_at: starts_at
            .map_err(|error| invalid("starts_at", &error))?
            .unwrap_or_else(|| api.clock.now()),
        durations: spans(order.durations)?,
        history: BTreeMap::new(),
        duration_default: span("duration_default", order.duration_default.as_deref())?
            .unwrap_or(DURATION_DEFAULT),
        approve_after: span("approve_after", order.approve_after.as_deref())?,
        outputs: order.outputs,
        fail: order.fail,
        components: BTreeMap::new(),
    };
    Ok(NewRehearsal {
        subject: subject(order.process, order.version, order.document)?,
        assumptions,
        learn: order.history,
    })
}

fn subject(
    process: Option<String>,
    version: Option<u32>,
    document: Option<String>,
) -> Result<Subject, Problem> {
    match (process, document) {
        (None, Some(document)) => Ok(Subject::Document(document.into_bytes())),
        (Some(process), None) => {
            let name = process
                .parse()
                .map_err(|error| Problem::new(&UNKNOWN_PROCESS, format!("process: {error}")))?;
            Ok(Subject::Published { name, version })
        }
        _ => {
            let detail = "say either which `process` to rehearse, or give its `document`";
            Err(Problem::new(&INVALID_BODY, detail))
        }
    }
}

fn spans(durations: BTreeMap<String, String>) -> Result<BTreeMap<String, Span>, Problem> {
    let durations = durations.into_iter();
    durations
        .map(|(name, text)| match text.parse() {
            Ok(span) => Ok((name, span)),
            Err(error) => Err(invalid(&format!("durations: {name}"), &error)),
        })
        .collect()
}

fn span(what: &str, text: Option<&str>) -> Result<Option<Span>, Problem> {
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|error| invalid(what, &error))
}

fn invalid(what: &str, error: &TimeError) -> Problem {
    Problem::new(&INVALID_BODY, format!("{what}: {error}"))
}

impl From<RehearseError> for Problem {
    fn from(error: RehearseError) -> Self {
        match error {
            RehearseError::UnknownProcess => Self::new(&UNKNOWN_PROCESS, error.to_string()),
            RehearseError::Defects(defects) => Self::defects(defects),
            RehearseError::Rehearsal(error) => error.into(),
            RehearseError::Error(error) => error.into(),
        }
    }
}

impl From<RehearsalError> for Problem {
    fn from(error: RehearsalError) -> Self {
        let said = error.to_string();
        match error {
            RehearsalError::Inputs(_) => {
                Self::new(&INVALID_VALUES, said).hint("the process shows the schema of its inputs")
            }
            RehearsalError::UnknownActivity { .. } => Self::new(&UNKNOWN_ACTIVITY, said),
            RehearsalError::Refused(refusal) => refusal.into(),
            RehearsalError::Limit { .. } => Self::new(&REHEARSAL_LIMIT, said),
        }
    }
}
