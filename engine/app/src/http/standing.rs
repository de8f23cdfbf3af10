//! What is said about component versions: which should not be used any more, and which must not run.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use fermata_core::component::Version;
use fermata_core::id::{Digest, Name};
use fermata_service::records::QuarantineRecord;

use crate::http::actor::{Administrator, Reader, Writer};
use crate::http::components::find;
use crate::http::dto::Page;
use crate::http::dto::component::{
    ComponentVersionBody, DeprecationOrderBody, QuarantineBody, QuarantineOrderBody,
};
use crate::http::dto::query::PageParams;
use crate::http::extract::{At, Body, Params};
use crate::http::problem::Problem;
use crate::http::{Api, page};
use crate::view;

/// Say that a component version should not be used any more. It runs as before; whoever uses it is told.
#[utoipa::path(
    put, path = "/components/{name}/versions/{version}/deprecation", tag = "components", operation_id = "putDeprecation",
    params(
        ("name" = String, Path, description = "The registry name"),
        ("version" = String, Path, description = "`MAJOR.MINOR.PATCH`"),
    ),
    request_body = DeprecationOrderBody,
    responses((status = 200, body = ComponentVersionBody, description = "The version, with the notice")),
)]
pub(crate) async fn deprecate(
    State(api): State<Arc<Api>>,
    Writer(asker): Writer,
    At((name, version)): At<(Name, Version)>,
    Body { value: order, .. }: Body<DeprecationOrderBody>,
) -> Result<Json<ComponentVersionBody>, Problem> {
    let notice = Some(order.notice);
    let deprecated = api
        .service
        .deprecate(asker.caller(), (name, version), notice);
    let entry = deprecated.await?;
    Ok(Json(view::component::version(&api.service, &entry)))
}

/// Say that a component version may be used again.
#[utoipa::path(
    delete, path = "/components/{name}/versions/{version}/deprecation", tag = "components", operation_id = "deleteDeprecation",
    params(
        ("name" = String, Path, description = "The registry name"),
        ("version" = String, Path, description = "`MAJOR.MINOR.PATCH`"),
    ),
    responses((status = 204, description = "It may be used")),
)]
pub(crate) async fn undeprecate(
    State(api): State<Arc<Api>>,
    Writer(asker): Writer,
    At((name, version)): At<(Name, Version)>,
) -> Result<StatusCode, Problem> {
    find(&api, &name, version)?;
    let undone = api.service.deprecate(asker.caller(), (name, version), None);
    undone.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List every quarantine there ever was, the newest first.
#[utoipa::path(
    get, path = "/quarantine", tag = "components", operation_id = "listQuarantine",
    params(PageParams),
    responses((status = 200, body = Page<QuarantineBody>, description = "One page")),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    uri: Uri,
    Params(params): Params<PageParams>,
) -> Result<Response, Problem> {
    let paged = api.service.quarantines(&page::of(params)?)?;
    let shown = paged.items.iter();
    let items: Vec<QuarantineBody> = shown.map(|record| body(&api, record)).collect();
    Ok(page::answer(&uri, items, paged.next))
}

/// Put a digest into quarantine: it does not run any more anywhere, what runs is stopped, and releases hold.
#[utoipa::path(
    put, path = "/quarantine/{digest}", tag = "components", operation_id = "putQuarantine",
    params(("digest" = String, Path, description = "The SHA-256 of a component, registered or not: `sha256:…`")),
    request_body = QuarantineOrderBody,
    responses((status = 200, body = QuarantineBody, description = "It is in force")),
)]
pub(crate) async fn quarantine(
    State(api): State<Arc<Api>>,
    Administrator(asker): Administrator,
    At(digest): At<Digest>,
    Body { value: order, .. }: Body<QuarantineOrderBody>,
) -> Result<Json<QuarantineBody>, Problem> {
    let begun = api.service.quarantine(asker.caller(), digest, order.reason);
    let record = begun.await?;
    Ok(Json(body(&api, &record)))
}

/// Lift the quarantine of a digest. Activities that it held are tried again by people.
#[utoipa::path(
    post, path = "/quarantine/{digest}/lift", tag = "components", operation_id = "liftQuarantine",
    params(("digest" = String, Path, description = "The SHA-256 of a component")),
    request_body = QuarantineOrderBody,
    responses((status = 200, body = QuarantineBody, description = "It is lifted")),
)]
pub(crate) async fn lift(
    State(api): State<Arc<Api>>,
    Administrator(asker): Administrator,
    At(digest): At<Digest>,
    Body { value: order, .. }: Body<QuarantineOrderBody>,
) -> Result<Json<QuarantineBody>, Problem> {
    let lifted = api
        .service
        .lift_quarantine(asker.caller(), digest, order.reason);
    let record = lifted.await?;
    Ok(Json(body(&api, &record)))
}

fn body(api: &Api, record: &QuarantineRecord) -> QuarantineBody {
    let entry = api.service.component_with(&record.digest);
    view::component::quarantine(record, entry.map(|entry| view::component::named(&entry)))
}
