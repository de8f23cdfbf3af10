//! `/components`: uploaded, described, and granted what they may reach.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use fermata_core::component::Version;
use fermata_core::id::{Digest, Name};
use fermata_core::process::script::interpreter;
use fermata_service::catalog::ComponentEntry;
use fermata_service::error::RegisterError;
use fermata_service::request::Registered;

use crate::access::Asker;
use crate::http::actor::{Administrator, Reader, Writer};
use crate::http::conditions::{IfMatch, etag};
use crate::http::dto::Page;
use crate::http::dto::component::{
    ComponentBody, ComponentSummaryBody, ComponentVersionBody, GrantsBody,
};
use crate::http::dto::query::PageParams;
use crate::http::extract::{At, Body, Params, Raw};
use crate::http::made::made;
use crate::http::page;
use crate::http::problem::{FORBIDDEN, OTHER_COMPONENT, Problem, UNKNOWN_COMPONENT};
use crate::http::{Api, PREFIX};
use crate::view;

/// Largest component, in bytes; the sandbox's own limit may be lower.
pub(crate) const COMPONENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Upload a component, or a core module built with an SDK. Its name and version are what it says itself.
#[utoipa::path(
    post, path = "/components", tag = "components", operation_id = "uploadComponent",
    request_body(content = Vec<u8>, content_type = "application/wasm", description = "The bytes"),
    responses(
        (status = 201, body = ComponentVersionBody, description = "A new version"),
        (status = 200, body = ComponentVersionBody, description = "The version with these bytes is there already"),
    ),
)]
pub(crate) async fn upload(
    State(api): State<Arc<Api>>,
    Writer(asker): Writer,
    Raw(bytes): Raw<COMPONENT_BYTES_MAX>,
) -> Result<Response, Problem> {
    let registered = register(&api, &asker, bytes, None).await?;
    Ok(answer(&api, &registered.entry, registered.repeated))
}

/// Upload a component under the name and version that it must have.
#[utoipa::path(
    put, path = "/components/{name}/versions/{version}", tag = "components", operation_id = "putComponent",
    params(
        ("name" = String, Path, description = "The registry name"),
        ("version" = String, Path, description = "`MAJOR.MINOR.PATCH`"),
    ),
    request_body(content = Vec<u8>, content_type = "application/wasm", description = "The bytes"),
    responses(
        (status = 201, body = ComponentVersionBody, description = "A new version"),
        (status = 200, body = ComponentVersionBody, description = "The version with these bytes is there already"),
    ),
)]
pub(crate) async fn put(
    State(api): State<Arc<Api>>,
    Writer(asker): Writer,
    At(expected): At<(Name, Version)>,
    Raw(bytes): Raw<COMPONENT_BYTES_MAX>,
) -> Result<Response, Problem> {
    let registered = register(&api, &asker, bytes, Some(expected)).await?;
    Ok(answer(&api, &registered.entry, registered.repeated))
}

/// Checks a component and takes it into the registry.
pub(crate) async fn register(
    api: &Api,
    asker: &Asker,
    bytes: Bytes,
    expected: Option<(Name, Version)>,
) -> Result<Registered, Problem> {
    if let Some(record) = api.service.quarantine_of(&Digest::of(&bytes)) {
        return Err(RegisterError::Quarantined(Box::new(record)).into());
    }
    let admitted = api.sandbox.admit(bytes).await?;
    let descriptor = &admitted.descriptor;
    // It gets what is granted to the scripts of every process.
    if descriptor.name == interpreter().name && !asker.is_administrator() {
        let detail = "only administrators upload the interpreter of scripts";
        return Err(Problem::new(&FORBIDDEN, detail));
    }
    if let Some((name, version)) = expected
        && (name != descriptor.name || version != descriptor.version)
    {
        let detail = format!(
            "`describe` says {}@{}, and the path {name}@{version}",
            descriptor.name, descriptor.version
        );
        return Err(Problem::new(&OTHER_COMPONENT, detail));
    }
    let registered = api.service.register_component(
        asker.caller(),
        admitted.descriptor,
        admitted.digest,
        admitted.bytes,
    );
    Ok(registered.await?)
}

/// The answer to whoever uploaded a component.
pub(crate) fn answer(api: &Api, entry: &ComponentEntry, repeated: bool) -> Response {
    let body = view::component::version(&api.service, entry);
    let place = format!(
        "{PREFIX}/components/{}/versions/{}",
        body.summary.name, body.summary.version
    );
    made(repeated, place, (etag(entry.revision), Json(body)))
}

/// List the components by name, each with its newest version.
#[utoipa::path(
    get, path = "/components", tag = "components", operation_id = "listComponents",
    params(PageParams),
    responses((status = 200, body = Page<ComponentSummaryBody>, description = "One page")),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    uri: Uri,
    Params(params): Params<PageParams>,
) -> Result<Response, Problem> {
    let paged = api.service.components(&page::of(params)?);
    let newest = paged.items.iter().filter_map(|versions| versions.last());
    let summary = |entry| view::component::summary(&api.service, entry);
    let items: Vec<ComponentSummaryBody> = newest.map(|entry| summary(entry)).collect();
    Ok(page::answer(&uri, items, paged.next))
}

/// Read a component: its newest version, and the list of all.
#[utoipa::path(
    get, path = "/components/{name}", tag = "components", operation_id = "getComponent",
    params(("name" = String, Path, description = "The registry name")),
    responses((status = 200, body = ComponentBody, description = "The component")),
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At(name): At<Name>,
) -> Result<Json<ComponentBody>, Problem> {
    let versions = api.service.component(&name);
    let newest = versions.last().ok_or_else(|| {
        Problem::new(
            &UNKNOWN_COMPONENT,
            format!("there is no component `{name}`"),
        )
    })?;
    Ok(Json(ComponentBody {
        newest: view::component::version(&api.service, newest),
        versions: versions
            .iter()
            .rev()
            .map(|entry| view::component::summary(&api.service, entry))
            .collect(),
    }))
}

/// Read one version: what it says about itself, and what it may reach.
#[utoipa::path(
    get, path = "/components/{name}/versions/{version}", tag = "components", operation_id = "getComponentVersion",
    params(
        ("name" = String, Path, description = "The registry name"),
        ("version" = String, Path, description = "`MAJOR.MINOR.PATCH`"),
    ),
    responses((status = 200, body = ComponentVersionBody, description = "The version; the ETag is that of its grants")),
)]
pub(crate) async fn read_version(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At((name, version)): At<(Name, Version)>,
) -> Result<Response, Problem> {
    let entry = find(&api, &name, version)?;
    Ok((
        etag(entry.revision),
        Json(view::component::version(&api.service, &entry)),
    )
        .into_response())
}

/// Read what a version may reach.
#[utoipa::path(
    get, path = "/components/{name}/versions/{version}/grants", tag = "components", operation_id = "getGrants",
    params(
        ("name" = String, Path, description = "The registry name"),
        ("version" = String, Path, description = "`MAJOR.MINOR.PATCH`"),
    ),
    responses((status = 200, body = GrantsBody, description = "What it may reach")),
)]
pub(crate) async fn read_grants(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At((name, version)): At<(Name, Version)>,
) -> Result<Response, Problem> {
    let entry = find(&api, &name, version)?;
    Ok((etag(entry.revision), Json(GrantsBody::from(&*entry.grants))).into_response())
}

/// Say what a version may reach. Replaces what was said before, and holds from the next run on.
#[utoipa::path(
    put, path = "/components/{name}/versions/{version}/grants", tag = "components", operation_id = "putGrants",
    params(
        ("name" = String, Path, description = "The registry name"),
        ("version" = String, Path, description = "`MAJOR.MINOR.PATCH`"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the grants that are replaced"),
    ),
    request_body = GrantsBody,
    responses((status = 200, body = GrantsBody, description = "What it may reach now")),
)]
pub(crate) async fn put_grants(
    State(api): State<Arc<Api>>,
    Administrator(asker): Administrator,
    At((name, version)): At<(Name, Version)>,
    IfMatch(expected): IfMatch,
    Body { value: grants, .. }: Body<GrantsBody>,
) -> Result<Response, Problem> {
    let entry = api
        .service
        .set_grants(
            asker.caller(),
            (name, version),
            grants.try_into()?,
            expected,
        )
        .await?;
    Ok((etag(entry.revision), Json(GrantsBody::from(&*entry.grants))).into_response())
}

/// One version of a component.
pub(crate) fn find(
    api: &Api,
    name: &Name,
    version: Version,
) -> Result<Arc<ComponentEntry>, Problem> {
    let found = api.service.component_version(name, version);
    found.ok_or_else(|| {
        let detail = format!("there is no component {name}@{version}");
        Problem::new(&UNKNOWN_COMPONENT, detail)
    })
}
