//! `/releases`: created, listed, read, and asked why they do not move.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use fermata_core::id::{Digest, Name, ReleaseId};
use fermata_core::release::Release;
use fermata_core::release::refusal::Refusal;
use fermata_service::records::ReleaseSummary;
use fermata_service::request::{NewRelease, Once, ReleaseFilter};
use serde_json::{Map, Value};

use crate::access::Role;
use crate::http::actor::{Reader, Writer};
use crate::http::conditions::{IDEMPOTENCY_REPLAYED, IdempotencyKey, Prefer, etag, is_known};
use crate::http::dto::Page;
use crate::http::dto::query::{ReleaseParams, RollbackPlanParams};
use crate::http::dto::release::{
    PriorityBody, ProcessRefBody, ReleaseBody, ReleaseOrderBody, ReleaseSummaryBody,
};
use crate::http::dto::rollback::RollbackPlanBody;
use crate::http::dto::why::WhyBody;
use crate::http::extract::{At, Body, Params};
use crate::http::input_sets;
use crate::http::page;
use crate::http::problem::{
    INVALID_BODY, INVALID_QUERY, Problem, UNKNOWN_ACTIVITY, UNKNOWN_PROCESS, UNKNOWN_RELEASE,
};
use crate::http::{Api, PREFIX};
use crate::view;

/// The states that a list can be narrowed to.
const STATES: [&str; 8] = [
    "draft",
    "running",
    "paused",
    "rolling-back",
    "succeeded",
    "failed",
    "aborted",
    "rolled-back",
];

/// Create a release, and start it unless it shall be a draft.
#[utoipa::path(
    post, path = "/releases", tag = "releases", operation_id = "createRelease",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body creates one release"),
        ("Prefer" = Option<String>, Header, description = "`wait=SECONDS`: answer when it has ended, or then"),
    ),
    request_body = ReleaseOrderBody,
    responses((status = 201, body = ReleaseBody, description = "The release; its ETag is its version")),
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    Writer(asker): Writer,
    IdempotencyKey(key): IdempotencyKey,
    Prefer(wait): Prefer,
    Body {
        value: order,
        bytes,
    }: Body<ReleaseOrderBody>,
) -> Result<Response, Problem> {
    let unknown = |_| {
        let detail = format!("there is no process `{}`", order.process);
        Problem::new(&UNKNOWN_PROCESS, detail)
    };
    let process: Name = order.process.parse().map_err(unknown)?;
    let inputs = order.inputs.unwrap_or_else(|| Value::Object(Map::new()));
    let Value::Object(mut inputs) = inputs else {
        return Err(Problem::new(&INVALID_BODY, "inputs: expected an object"));
    };
    if let Some(set) = &order.input_set {
        inputs = input_sets::under(&api, (&process, set), inputs).await?;
    }
    let emergency = emergency(order.priority, order.reason)?;
    let new = NewRelease {
        process,
        version: order.version,
        title: order.title,
        inputs: Value::Object(inputs),
        start: order.start,
        emergency,
        once: key.map(|key| once(key, "POST /releases", &bytes)),
    };
    let created = api.service.create_release(asker.caller(), new).await?;
    let release = wait_for_end(&api, created.release, wait).await?;
    let place = format!("{PREFIX}/releases/{}", release.id());
    let mut response = (
        StatusCode::CREATED,
        [(LOCATION, place)],
        show(&api, &release),
    )
        .into_response();
    if created.repeated {
        let headers = response.headers_mut();
        headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// Why a release is an emergency, if it is.
fn emergency(priority: PriorityBody, reason: Option<String>) -> Result<Option<String>, Problem> {
    match (priority, reason) {
        (PriorityBody::Normal, None) => Ok(None),
        (PriorityBody::Normal, Some(_)) => {
            let detail = "reason: only an emergency takes one";
            Err(Problem::new(&INVALID_BODY, detail))
        }
        (PriorityBody::Emergency, Some(reason)) if !reason.trim().is_empty() => Ok(Some(reason)),
        (PriorityBody::Emergency, _) => Err(Refusal::ReasonRequired.into()),
    }
}

/// What makes the repetition of a request harmless.
pub(crate) fn once(key: String, what: &str, body: &[u8]) -> Once {
    let request = [what.as_bytes(), b"\n", body].concat();
    Once {
        key,
        fingerprint: Digest::of(&request),
    }
}

/// List the releases, newest first.
#[utoipa::path(
    get, path = "/releases", tag = "releases", operation_id = "listReleases",
    params(ReleaseParams),
    responses((status = 200, body = Page<ReleaseSummaryBody>, description = "One page")),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    uri: Uri,
    Params(params): Params<ReleaseParams>,
) -> Result<Response, Problem> {
    let process = match &params.process {
        None => None,
        Some(name) => Some(
            name.parse()
                .map_err(|error| Problem::new(&INVALID_QUERY, format!("process: {error}")))?,
        ),
    };
    if let Some(state) = &params.state
        && !STATES.contains(&state.as_str())
    {
        let detail = format!("state: expected one of {}", STATES.join(", "));
        return Err(Problem::new(&INVALID_QUERY, detail));
    }
    let filter = ReleaseFilter {
        process,
        state: params.state,
    };
    let page = page::page(params.limit, params.cursor)?;
    let paged = api.service.releases(filter, page).await?;
    let items: Vec<ReleaseSummaryBody> = paged.items.into_iter().map(summary).collect();
    Ok(page::answer(&uri, items, paged.next))
}

/// Read a release with its whole tree.
#[utoipa::path(
    get, path = "/releases/{id}", tag = "releases", operation_id = "getRelease",
    params(
        ("id" = String, Path, description = "The release"),
        ("Prefer" = Option<String>, Header, description = "`wait=SECONDS`: answer when it has ended, or then"),
        ("If-None-Match" = Option<String>, Header, description = "Answer 304 if this is its ETag"),
    ),
    responses(
        (status = 200, body = ReleaseBody, description = "The release; its ETag is its version"),
        (status = 304, description = "It has not changed"),
    ),
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At(id): At<ReleaseId>,
    Prefer(wait): Prefer,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let release = find(&api, id).await?;
    let release = wait_for_end(&api, release, wait).await?;
    if is_known(&headers, release.version()) {
        return Ok((StatusCode::NOT_MODIFIED, etag(release.version())).into_response());
    }
    let ancestors = ancestors(&api, &release).await?;
    Ok(show_below(&api, &release, ancestors).into_response())
}

/// The releases above one, the nearest first.
async fn ancestors(api: &Api, release: &Release) -> Result<Vec<String>, Problem> {
    let mut above = Vec::new();
    let mut next = release.parent().map(|parent| parent.release);
    while let Some(id) = next {
        above.push(id.to_string());
        let parent = api.service.release(id).await?;
        next = parent.and_then(|release| release.parent().map(|parent| parent.release));
    }
    Ok(above)
}

/// Say of everything that does not move why, since when, and who or what can move it.
#[utoipa::path(
    get, path = "/releases/{id}/why", tag = "releases", operation_id = "getWhy",
    params(("id" = String, Path, description = "The release")),
    responses((status = 200, body = WhyBody, description = "What does not move")),
)]
pub(crate) async fn why(
    State(api): State<Arc<Api>>,
    Reader(asker): Reader,
    At(id): At<ReleaseId>,
) -> Result<Json<WhyBody>, Problem> {
    let release = find(&api, id).await?;
    let may_signal = asker.role >= Role::Member;
    let signals = may_signal.then_some(&api.signals);
    let blocked = release.claims().values();
    let locks = if blocked.into_iter().any(|claim| claim.granted.is_none()) {
        api.service.locks().await?
    } else {
        Vec::new()
    };
    let asked = api.service.awaiting_policies(id);
    Ok(Json(view::why(&release, signals, &locks, &asked)))
}

/// Say what a rollback would take back, in which order and how, before it begins.
#[utoipa::path(
    get, path = "/releases/{id}/rollback-plan", tag = "releases", operation_id = "getRollbackPlan",
    params(("id" = String, Path, description = "The release"), RollbackPlanParams),
    responses((status = 200, body = RollbackPlanBody, description = "The plan; its ETag is the version of the release")),
)]
pub(crate) async fn rollback_plan(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At(id): At<ReleaseId>,
    Params(params): Params<RollbackPlanParams>,
) -> Result<Response, Problem> {
    let release = find(&api, id).await?;
    let wave = params.wave.map(|name| {
        let found = release.process().find_group(&name);
        let detail = format!("nothing in the release is called `{name}` and fanned out by now");
        found.ok_or_else(|| Problem::new(&UNKNOWN_ACTIVITY, detail))
    });
    let plan = view::rollback::plan(&release, wave.transpose()?);
    Ok((etag(release.version()), Json(plan)).into_response())
}

/// The release with this id.
pub(crate) async fn find(api: &Api, id: ReleaseId) -> Result<Arc<Release>, Problem> {
    let found = api.service.release(id).await?;
    found.ok_or_else(|| Problem::new(&UNKNOWN_RELEASE, format!("there is no release {id}")))
}

/// The release as an answer.
pub(crate) fn show(api: &Api, release: &Release) -> impl IntoResponse + use<> {
    let parent = release.parent().map(|parent| parent.release.to_string());
    show_below(api, release, parent.into_iter().collect())
}

/// The same, with the releases above it, the nearest first.
fn show_below(api: &Api, release: &Release, ancestors: Vec<String>) -> impl IntoResponse + use<> {
    let said = api.service.progress(release.id());
    let progress = |key| {
        let of = said.iter().find(|(of, _)| *of == key);
        of.map(|(_, progress)| progress.clone())
    };
    let pins = release.pins().iter().map(|pinned| &pinned.pin);
    let notices = api.service.notices(pins).into_iter();
    (
        etag(release.version()),
        Json(ReleaseBody {
            ancestors,
            notices: notices.map(view::component::notice).collect(),
            ..view::tree(release, &progress)
        }),
    )
}

/// The release once it has ended, or as it is when `wait` is over or the server stops.
async fn wait_for_end(
    api: &Api,
    release: Arc<Release>,
    wait: Option<Duration>,
) -> Result<Arc<Release>, Problem> {
    let Some(wait) = wait.filter(|_| !release.has_ended()) else {
        return Ok(release);
    };
    let id = release.id();
    let waited = tokio::select! {
        waited = api.service.wait_ended(id, wait) => waited?,
        () = api.stopping.begun() => api.service.release(id).await?,
    };
    Ok(waited.unwrap_or(release))
}

fn summary(summary: ReleaseSummary) -> ReleaseSummaryBody {
    ReleaseSummaryBody {
        id: summary.id.to_string(),
        process: ProcessRefBody {
            name: summary.process.name.to_string(),
            version: summary.process.version,
            digest: summary.process.digest.to_string(),
        },
        title: summary.title,
        state: summary.state,
        initiator: summary.initiator.to_string(),
        created_at: summary.created_at.to_string(),
        started_at: summary.started_at.map(|at| at.to_string()),
        ended_at: summary.ended_at.map(|at| at.to_string()),
    }
}
