//! `/definitions`: activities that are set up once and used by name.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use fermata_core::component::Version;
use fermata_core::id::Name;
use fermata_core::limits::DOCUMENT_BYTES_MAX;
use fermata_service::catalog::DefinitionEntry;
use serde_json::Value;

use crate::http::actor::{Reader, Writer};
use crate::http::dto::Page;
use crate::http::dto::definition::{DefinitionBody, DefinitionsBody};
use crate::http::dto::query::PageParams;
use crate::http::extract::{At, Params, Raw};
use crate::http::made::made;
use crate::http::page;
use crate::http::problem::{Problem, UNKNOWN_DEFINITION};
use crate::http::{Api, PREFIX};

/// Publish a version of an activity definition. The same document again is the same version.
#[utoipa::path(
    post, path = "/definitions", tag = "definitions", operation_id = "publishDefinition",
    request_body(content = String, content_type = "application/yaml", description = "The document, YAML or JSON"),
    responses(
        (status = 201, body = DefinitionBody, description = "A new version"),
        (status = 200, body = DefinitionBody, description = "The version has this document already"),
    ),
)]
pub(crate) async fn publish(
    State(api): State<Arc<Api>>,
    Writer(asker): Writer,
    Raw(document): Raw<DOCUMENT_BYTES_MAX>,
) -> Result<Response, Problem> {
    let defined = api.service.define(asker.caller(), document.to_vec());
    let defined = defined.await?;
    let body = body(&defined.entry);
    let place = format!(
        "{PREFIX}/definitions/{}/versions/{}",
        body.name, body.version
    );
    Ok(made(defined.repeated, place, Json(body)))
}

/// List the activity definitions by name, each with its newest version.
#[utoipa::path(
    get, path = "/definitions", tag = "definitions", operation_id = "listDefinitions",
    params(PageParams),
    responses((status = 200, body = Page<DefinitionBody>, description = "One page")),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    uri: Uri,
    Params(params): Params<PageParams>,
) -> Result<Response, Problem> {
    let paged = api.service.definitions(&page::of(params)?);
    let items: Vec<DefinitionBody> = paged.items.iter().map(|entry| body(entry)).collect();
    Ok(page::answer(&uri, items, paged.next))
}

/// Read an activity definition: all its versions.
#[utoipa::path(
    get, path = "/definitions/{name}", tag = "definitions", operation_id = "getDefinition",
    params(("name" = String, Path, description = "The definition")),
    responses((status = 200, body = DefinitionsBody, description = "Its versions, newest first")),
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At(name): At<Name>,
) -> Result<Json<DefinitionsBody>, Problem> {
    let versions = api.service.definition(&name);
    if versions.is_empty() {
        let detail = format!("there is no definition `{name}`");
        return Err(Problem::new(&UNKNOWN_DEFINITION, detail));
    }
    let versions = versions.iter().rev().map(|entry| body(entry)).collect();
    Ok(Json(DefinitionsBody { versions }))
}

/// Read one version of an activity definition.
#[utoipa::path(
    get, path = "/definitions/{name}/versions/{version}", tag = "definitions", operation_id = "getDefinitionVersion",
    params(
        ("name" = String, Path, description = "The definition"),
        ("version" = String, Path, description = "`MAJOR.MINOR.PATCH`"),
    ),
    responses((status = 200, body = DefinitionBody, description = "The version")),
)]
pub(crate) async fn read_version(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At((name, version)): At<(Name, Version)>,
) -> Result<Json<DefinitionBody>, Problem> {
    let entry = api.service.definition_version(&name, version);
    let entry = entry.ok_or_else(|| {
        let detail = format!("there is no definition {name}@{version}");
        Problem::new(&UNKNOWN_DEFINITION, detail)
    })?;
    Ok(Json(body(&entry)))
}

fn body(entry: &DefinitionEntry) -> DefinitionBody {
    let DefinitionEntry { record, definition } = entry;
    DefinitionBody {
        name: record.name.to_string(),
        version: record.version.to_string(),
        title: record.title.clone(),
        uses: definition.uses.to_string(),
        with: Value::Object(definition.with.clone()),
        attempts: definition.retry.map(|retry| retry.attempts_max),
        timeout: definition.timeout.map(|timeout| timeout.to_string()),
        digest: record.digest.to_string(),
        published_at: record.published_at.to_string(),
        published_by: record.published_by.to_string(),
    }
}
