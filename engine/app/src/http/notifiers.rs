//! `/notifiers`: who outside is told of what, and how it went.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use fermata_core::component::Uses;
use fermata_core::failure::Failure;
use fermata_core::id::Name;
use fermata_service::NotifierNow;
use fermata_service::records::{DeliveryRecord, Standing};
use fermata_service::request::NewNotifier;
use serde_json::{Value, json};

use crate::http::actor::{Administrator, Reader};
use crate::http::conditions::{IfMatch, etag};
use crate::http::dto::Page;
use crate::http::dto::notifier::{
    DeliveryBody, DeliveryParams, NotifierBody, NotifierOrderBody, NotifierTestBody, NotifiersBody,
};
use crate::http::extract::{At, Body, Params};
use crate::http::made::made;
use crate::http::page;
use crate::http::problem::{INVALID_BODY, INVALID_QUERY, Problem};
use crate::http::{Api, PREFIX};

/// What a delivery may be, as words.
const STANDINGS: [&str; 3] = ["pending", "delivered", "given-up"];

/// List every notifier, and how it is doing.
#[utoipa::path(
    get, path = "/notifiers", tag = "notifiers", operation_id = "listNotifiers",
    responses((status = 200, body = NotifiersBody, description = "All of them, by name")),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Reader(asker): Reader,
) -> Json<NotifiersBody> {
    let all = api.service.notifiers();
    let is_administrator = asker.is_administrator();
    let items = all.iter().map(|now| body(now, is_administrator)).collect();
    Json(NotifiersBody { items })
}

/// Read a notifier, and how it is doing.
#[utoipa::path(
    get, path = "/notifiers/{name}", tag = "notifiers", operation_id = "getNotifier",
    params(("name" = String, Path, description = "The notifier")),
    responses((status = 200, body = NotifierBody, description = "The notifier")),
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    Reader(asker): Reader,
    At(name): At<Name>,
) -> Result<Response, Problem> {
    let now = api.service.notifier(&name)?;
    Ok(answer(&now, asker.is_administrator()))
}

/// Set a notifier, in place of what was there under its name. What waits for it is tried at once.
#[utoipa::path(
    put, path = "/notifiers/{name}", tag = "notifiers", operation_id = "putNotifier",
    params(
        ("name" = String, Path, description = "The notifier"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the notifier that is replaced"),
    ),
    request_body = NotifierOrderBody,
    responses(
        (status = 201, body = NotifierBody, description = "A new notifier"),
        (status = 200, body = NotifierBody, description = "The notifier is another one now"),
    ),
)]
pub(crate) async fn put(
    State(api): State<Arc<Api>>,
    Administrator(asker): Administrator,
    At(name): At<Name>,
    IfMatch(expected): IfMatch,
    Body { value: order, .. }: Body<NotifierOrderBody>,
) -> Result<Response, Problem> {
    let place = format!("{PREFIX}/notifiers/{name}");
    let component: Uses = order.component.parse().map_err(|error| {
        let detail = format!("component: {error}");
        Problem::new(&INVALID_BODY, detail)
    })?;
    let new = NewNotifier {
        name,
        component,
        settings: order.settings,
        on: order.on,
        processes: order.processes,
        enabled: order.enabled,
    };
    let set = api.service.set_notifier(asker.caller(), new, expected);
    let now = set.await?;
    let is_new = now.record.revision == 1;
    Ok(made(!is_new, place, answer(&now, true)))
}

/// Forget a notifier, and everything that it was to deliver.
#[utoipa::path(
    delete, path = "/notifiers/{name}", tag = "notifiers", operation_id = "deleteNotifier",
    params(
        ("name" = String, Path, description = "The notifier"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the notifier that is removed"),
    ),
    responses((status = 204, description = "It is gone")),
)]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    _administrator: Administrator,
    At(name): At<Name>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Problem> {
    api.service.remove_notifier(name, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let a notifier deliver a notification of kind `test` now, once.
#[utoipa::path(
    post, path = "/notifiers/{name}/test", tag = "notifiers", operation_id = "testNotifier",
    params(("name" = String, Path, description = "The notifier")),
    responses((status = 200, body = NotifierTestBody, description = "How it went")),
)]
pub(crate) async fn test(
    State(api): State<Arc<Api>>,
    Administrator(asker): Administrator,
    At(name): At<Name>,
) -> Result<Json<NotifierTestBody>, Problem> {
    let notified = api.service.test_notifier(&asker.caller(), &name).await?;
    Ok(Json(NotifierTestBody {
        delivered: notified.told.is_ok(),
        failure: notified.told.err().map(|untold| whole(&untold.failure)),
        log: notified.log.into_iter().map(|line| line.message).collect(),
    }))
}

/// List the deliveries of a notifier, the newest first: all that are pending, and the last that are over.
#[utoipa::path(
    get, path = "/notifiers/{name}/deliveries", tag = "notifiers", operation_id = "listDeliveries",
    params(("name" = String, Path, description = "The notifier"), DeliveryParams),
    responses((status = 200, body = Page<DeliveryBody>, description = "One page")),
)]
pub(crate) async fn deliveries(
    State(api): State<Arc<Api>>,
    Reader(asker): Reader,
    At(name): At<Name>,
    uri: Uri,
    Params(params): Params<DeliveryParams>,
) -> Result<Response, Problem> {
    let page = page::page(params.limit, params.cursor)?;
    let unknown = |word: &String| !STANDINGS.contains(&word.as_str());
    if params.standing.as_ref().is_some_and(unknown) {
        let detail = format!("standing: expected one of {}", STANDINGS.join(", "));
        return Err(Problem::new(&INVALID_QUERY, detail));
    }
    let paged = api.service.deliveries(&name, params.standing, page).await?;
    let is_administrator = asker.is_administrator();
    let shown = |record| delivery(record, is_administrator);
    let items: Vec<DeliveryBody> = paged.items.iter().map(shown).collect();
    Ok(page::answer(&uri, items, paged.next))
}

fn answer(now: &NotifierNow, is_administrator: bool) -> Response {
    let body = Json(body(now, is_administrator));
    (etag(now.record.revision), body).into_response()
}

fn body(now: &NotifierNow, is_administrator: bool) -> NotifierBody {
    let record = &now.record;
    let pin = &record.component;
    NotifierBody {
        name: record.name.to_string(),
        component: format!("{}@{}", pin.name, pin.version),
        digest: pin.digest.to_string(),
        settings: is_administrator.then(|| record.settings.value()),
        on: record.on.clone(),
        processes: record.processes.clone(),
        enabled: record.enabled,
        revision: record.revision,
        set_at: record.set_at.to_string(),
        set_by: record.set_by.to_string(),
        pending: now.pending,
        dropped: now.dropped,
        failures: now.failures,
        failure: now
            .failure
            .as_deref()
            .filter(|_| is_administrator)
            .map(str::to_owned),
    }
}

fn delivery(record: &DeliveryRecord, is_administrator: bool) -> DeliveryBody {
    let (next_at, ended_at, failed) = match &record.standing {
        Standing::Pending {
            next_at, failure, ..
        } => (Some(next_at), None, failure.as_ref()),
        Standing::Delivered { at, .. } => (None, Some(at), None),
        Standing::GivenUp { at, failure, .. } => (None, Some(at), Some(failure)),
    };
    DeliveryBody {
        id: record.id(),
        kind: record.kind.clone(),
        at: record.at.to_string(),
        text: record.text.clone(),
        data: record.data.value(),
        standing: record.standing.word(),
        tries: record.tries(),
        next_at: next_at.map(ToString::to_string),
        ended_at: ended_at.map(ToString::to_string),
        failure: failed.map(if is_administrator { whole } else { guarded }),
    }
}

/// A failure as everybody may see it: the address that a chat gives out is all that it takes to write
/// there, and it is in what a component says, logs and calls.
fn guarded(failure: &Failure) -> Value {
    json!({
        "class": failure.class.code(),
        "code": failure.code,
        "remedy": failure.remedy,
    })
}

/// A failure as whoever may see the settings sees it.
fn whole(failure: &Failure) -> Value {
    let mut shown = guarded(failure);
    shown["message"] = failure.to_string().into();
    shown["last_log"] = json!(failure.last_log);
    shown["last_call"] = json!(failure.last_call);
    shown
}
