//! What uses a component, its removal, and what differs between versions of a process.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use fermata_core::component::Version;
use fermata_core::id::Name;
use fermata_core::process::difference::differences;
use fermata_service::request::ComponentUsage;

use crate::http::Api;
use crate::http::actor::{Administrator, Reader};
use crate::http::dto::query::{DifferenceParams, UsageParams};
use crate::http::dto::usage::{
    ChangeBody, DefinitionUseBody, DifferenceBody, ProcessUseBody, ReleaseUseBody, UsageBody,
};
use crate::http::extract::{At, Params};
use crate::http::problem::{
    INVALID_QUERY, Kind, Problem, UNKNOWN_COMPONENT, UNKNOWN_DEFINITION, UNKNOWN_PROCESS,
};

/// What uses a component: process versions and definitions that were checked with it, open releases that
/// pinned it, notifiers and policies.
#[utoipa::path(
    get, path = "/components/{name}/used-by", tag = "components", operation_id = "getComponentUsage",
    params(("name" = String, Path, description = "The registry name"), UsageParams),
    responses((status = 200, body = UsageBody, description = "What uses it")),
)]
pub(crate) async fn used_by(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At(name): At<Name>,
    Params(params): Params<UsageParams>,
) -> Result<Json<UsageBody>, Problem> {
    let versions = api.service.component(&name);
    let versions: Vec<_> = versions
        .iter()
        .map(|entry| entry.descriptor.version)
        .collect();
    let version = wanted(params, &versions, (&UNKNOWN_COMPONENT, &name))?;
    let usage = api.service.component_usage(&name, version).await?;
    Ok(Json(usage_body(&usage)))
}

/// Take a component version out of the registry, if nothing uses it.
#[utoipa::path(
    delete, path = "/components/{name}/versions/{version}", tag = "components", operation_id = "deleteComponentVersion",
    params(
        ("name" = String, Path, description = "The registry name"),
        ("version" = String, Path, description = "`MAJOR.MINOR.PATCH`"),
    ),
    responses((status = 204, description = "It is gone; its bytes are kept for what ran with it")),
)]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    _administrator: Administrator,
    At((name, version)): At<(Name, Version)>,
) -> Result<StatusCode, Problem> {
    if api.service.component_version(&name, version).is_none() {
        let detail = format!("there is no component {name}@{version}");
        return Err(Problem::new(&UNKNOWN_COMPONENT, detail));
    }
    api.service.remove_registered(name, version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Process versions that were checked with a definition.
#[utoipa::path(
    get, path = "/definitions/{name}/used-by", tag = "definitions", operation_id = "getDefinitionUsage",
    params(("name" = String, Path, description = "The definition"), UsageParams),
    responses((status = 200, body = UsageBody, description = "What uses it")),
)]
pub(crate) async fn definition_used_by(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At(name): At<Name>,
    Params(params): Params<UsageParams>,
) -> Result<Json<UsageBody>, Problem> {
    let versions = api.service.definition(&name);
    let versions: Vec<_> = versions.iter().map(|entry| entry.record.version).collect();
    let version = wanted(params, &versions, (&UNKNOWN_DEFINITION, &name))?;
    let usage = api.service.component_usage(&name, version).await?;
    Ok(Json(usage_body(&usage)))
}

/// Take a version of a definition out of the registry, if no process version uses it.
#[utoipa::path(
    delete, path = "/definitions/{name}/versions/{version}", tag = "definitions", operation_id = "deleteDefinitionVersion",
    params(
        ("name" = String, Path, description = "The definition"),
        ("version" = String, Path, description = "`MAJOR.MINOR.PATCH`"),
    ),
    responses((status = 204, description = "It is gone")),
)]
pub(crate) async fn delete_definition(
    State(api): State<Arc<Api>>,
    _administrator: Administrator,
    At((name, version)): At<(Name, Version)>,
) -> Result<StatusCode, Problem> {
    if api.service.definition_version(&name, version).is_none() {
        let detail = format!("there is no definition {name}@{version}");
        return Err(Problem::new(&UNKNOWN_DEFINITION, detail));
    }
    api.service.remove_registered(name, version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The version that is asked for, if one is; it must be one of `versions`, and there must be some.
fn wanted(
    params: UsageParams,
    versions: &[Version],
    (unknown, name): (&'static Kind, &Name),
) -> Result<Option<Version>, Problem> {
    let version = params.version.map(|text| {
        let version = text.parse::<Version>();
        version.map_err(|error| Problem::new(&INVALID_QUERY, format!("version: {error}")))
    });
    let version = version.transpose()?;
    match version {
        _ if versions.is_empty() => {
            let detail = format!("nothing is registered as `{name}`");
            Err(Problem::new(unknown, detail))
        }
        Some(version) if !versions.contains(&version) => {
            let detail = format!("there is no version {version} of `{name}`");
            Err(Problem::new(unknown, detail))
        }
        version => Ok(version),
    }
}

/// What differs between two versions of a process, part by part.
#[utoipa::path(
    get, path = "/processes/{name}/diff", tag = "processes", operation_id = "diffProcess",
    params(("name" = String, Path, description = "The process"), DifferenceParams),
    responses((status = 200, body = DifferenceBody, description = "Every difference; none if there is none")),
)]
pub(crate) async fn difference(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At(name): At<Name>,
    Params(params): Params<DifferenceParams>,
) -> Result<Json<DifferenceBody>, Problem> {
    let before = document(&api, &name, params.from).await?;
    let after = document(&api, &name, params.to).await?;
    let changes = differences(&before, &after);
    Ok(Json(DifferenceBody {
        name: name.to_string(),
        from: params.from,
        to: params.to,
        changes: changes.into_iter().map(ChangeBody::from).collect(),
    }))
}

/// The document of a version, byte for byte.
async fn document(api: &Api, name: &Name, version: u32) -> Result<Vec<u8>, Problem> {
    let found = api.service.process(name, Some(version)).await?;
    let found = found.ok_or_else(|| {
        let detail = format!("there is no version {version} of the process `{name}`");
        Problem::new(&UNKNOWN_PROCESS, detail)
    })?;
    Ok(found.document)
}

fn usage_body(usage: &ComponentUsage) -> UsageBody {
    let processes = usage.processes.iter().map(|by| ProcessUseBody {
        name: by.process.to_string(),
        version: by.version,
        uses: by.pinned.uses.to_string(),
        component: by.pinned.pin.version.to_string(),
    });
    let definitions = usage.definitions.iter().map(|by| DefinitionUseBody {
        name: by.name.to_string(),
        version: by.version.to_string(),
        uses: by.pinned.uses.to_string(),
        component: by.pinned.pin.version.to_string(),
    });
    let releases = usage.releases.iter().map(|(id, pinned)| ReleaseUseBody {
        id: id.to_string(),
        uses: pinned.uses.to_string(),
        component: pinned.pin.version.to_string(),
    });
    UsageBody {
        processes: processes.collect(),
        definitions: definitions.collect(),
        releases: releases.collect(),
        notifiers: usage.notifiers.iter().map(ToString::to_string).collect(),
        policies: usage.policies.iter().map(ToString::to_string).collect(),
    }
}
