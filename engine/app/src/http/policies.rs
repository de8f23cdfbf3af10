//! `/policies`: set, listed, tried and removed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use fermata_core::extension::Point;
use fermata_core::id::Name;
use fermata_core::json::Json as Text;
use fermata_core::pattern::Pattern;
use fermata_core::time::Span;
use fermata_service::config::POLICY_TIMEOUT_DEFAULT;
use fermata_service::records::{OnFailure, PolicyRecord};
use fermata_service::request::{PolicyOrder, Trial, TrialSubject};
use serde_json::{Value, json};

use crate::http::actor::{Administrator, Reader};
use crate::http::conditions::{IfMatch, etag};
use crate::http::dto::Page;
use crate::http::dto::policy::{PolicyBody, PolicyOrderBody, PolicyVerdictBody, TrialBody};
use crate::http::extract::{At, Body};
use crate::http::made::made;
use crate::http::problem::{INVALID_BODY, Problem, UNKNOWN_POLICY};
use crate::http::{Api, PREFIX};

/// List the policies by name, whether they are in force or not.
#[utoipa::path(
    get, path = "/policies", tag = "policies", operation_id = "listPolicies",
    responses((status = 200, body = Page<PolicyBody>, description = "All policies")),
)]
pub(crate) async fn list(State(api): State<Arc<Api>>, _reader: Reader) -> Json<Page<PolicyBody>> {
    let all = api.service.policies();
    Json(Page {
        items: all
            .iter()
            .map(|record| PolicyBody::from(&**record))
            .collect(),
        next_cursor: None,
    })
}

/// Read a policy.
#[utoipa::path(
    get, path = "/policies/{name}", tag = "policies", operation_id = "getPolicy",
    params(("name" = String, Path, description = "The policy")),
    responses((status = 200, body = PolicyBody, description = "The policy; the ETag is its revision")),
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At(name): At<Name>,
) -> Result<Response, Problem> {
    let record = find(&api, &name)?;
    Ok((etag(record.revision), Json(PolicyBody::from(&*record))).into_response())
}

/// Set a policy, in place of what was set under its name. It is in force from the next question on.
#[utoipa::path(
    put, path = "/policies/{name}", tag = "policies", operation_id = "putPolicy",
    params(
        ("name" = String, Path, description = "The policy"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the revision that is replaced"),
    ),
    request_body = PolicyOrderBody,
    responses(
        (status = 201, body = PolicyBody, description = "A new policy"),
        (status = 200, body = PolicyBody, description = "The policy is another one now"),
    ),
)]
pub(crate) async fn put(
    State(api): State<Arc<Api>>,
    Administrator(asker): Administrator,
    At(name): At<Name>,
    IfMatch(expected): IfMatch,
    Body { value: body, .. }: Body<PolicyOrderBody>,
) -> Result<Response, Problem> {
    let place = format!("{PREFIX}/policies/{name}");
    let order = order(name, body)?;
    let set = api.service.set_policy(asker.caller(), order, expected);
    let record = set.await?;
    let body = PolicyBody::from(&*record);
    let is_new = record.revision == 1;
    Ok(made(!is_new, place, (etag(record.revision), Json(body))))
}

/// Remove a policy.
#[utoipa::path(
    delete, path = "/policies/{name}", tag = "policies", operation_id = "deletePolicy",
    params(
        ("name" = String, Path, description = "The policy"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the revision that is removed"),
    ),
    responses((status = 204, description = "It is gone")),
)]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    _administrator: Administrator,
    At(name): At<Name>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Problem> {
    api.service.remove_policy(name, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Say what a policy would say to something. Nothing comes of it, and it need not be in force.
#[utoipa::path(
    post, path = "/policies/{name}/judge", tag = "policies", operation_id = "tryPolicy",
    params(("name" = String, Path, description = "The policy")),
    request_body = TrialBody,
    responses((status = 200, body = PolicyVerdictBody, description = "What it says")),
)]
pub(crate) async fn judge(
    State(api): State<Arc<Api>>,
    Administrator(asker): Administrator,
    At(name): At<Name>,
    Body { value: body, .. }: Body<TrialBody>,
) -> Result<Json<PolicyVerdictBody>, Problem> {
    let policy = find(&api, &name)?;
    let trial = trial(&policy, body)?;
    let answer = api
        .service
        .try_policy(&asker.caller(), &name, trial)
        .await?;
    Ok(Json(PolicyVerdictBody::from(&answer)))
}

fn find(api: &Api, name: &Name) -> Result<Arc<PolicyRecord>, Problem> {
    let found = api.service.policy(name);
    found.ok_or_else(|| Problem::new(&UNKNOWN_POLICY, format!("there is no policy `{name}`")))
}

fn invalid(field: &str, fault: &str) -> Problem {
    Problem::new(&INVALID_BODY, format!("{field}: {fault}"))
}

fn order(name: Name, body: PolicyOrderBody) -> Result<PolicyOrder, Problem> {
    let component = body.component.parse();
    let component = component.map_err(|fault: &str| invalid("component", fault))?;
    let at = body.at.iter().map(|text| point(text)).collect();
    let patterns = body.processes.iter().map(|text| text.parse::<Pattern>());
    let processes: Result<Vec<Pattern>, _> = patterns.collect();
    let on_failure = match body.on_failure.as_str() {
        "deny" => OnFailure::Deny,
        "warn" => OnFailure::Warn,
        "allow" => OnFailure::Allow,
        _ => return Err(invalid("on_failure", "expected deny, warn or allow")),
    };
    let timeout = body.timeout.map(|text| text.parse::<Span>()).transpose();
    let timeout = timeout.map_err(|fault| invalid("timeout", &fault.to_string()))?;
    Ok(PolicyOrder {
        name,
        component,
        settings: Text::of(&body.settings.unwrap_or_else(|| json!({}))),
        at: at_least_known(at)?,
        processes: processes.map_err(|fault| invalid("processes", fault))?,
        on_failure,
        timeout: timeout.unwrap_or(POLICY_TIMEOUT_DEFAULT),
        enabled: body.enabled,
    })
}

fn at_least_known(at: Vec<Option<Point>>) -> Result<Vec<Point>, Problem> {
    let known: Option<Vec<Point>> = at.into_iter().collect();
    known.ok_or_else(|| invalid("at", "expected publish, start or activity"))
}

fn point(text: &str) -> Option<Point> {
    let all = [Point::Publish, Point::Start, Point::Activity];
    all.into_iter().find(|point| point.word() == text)
}

fn trial(policy: &PolicyRecord, body: TrialBody) -> Result<Trial, Problem> {
    let point = match &body.at {
        Some(text) => at_least_known(vec![point(text)])?[0],
        None => policy.at.first().copied().unwrap_or(Point::Start),
    };
    let subject = match (body.subject, body.process) {
        (Some(subject @ Value::Object(_)), None) => TrialSubject::Given(Text::of(&subject)),
        (None, Some(process)) => TrialSubject::Process {
            name: process
                .parse()
                .map_err(|_| invalid("process", "this is no name of a process"))?,
            version: body.version,
            inputs: body.inputs.unwrap_or_else(|| json!({})),
        },
        _ => return Err(invalid("subject", "give an object, or a `process` instead")),
    };
    Ok(Trial { point, subject })
}
