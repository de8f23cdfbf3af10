//! `/processes`: documents checked, published and read.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use fermata_core::id::{Digest, Name};
use fermata_core::limits::DOCUMENT_BYTES_MAX;
use fermata_core::process::{ActivityIx, Kind, Process, Role};
use fermata_core::release::event::Pinned;
use fermata_service::policies::Ruling;
use fermata_service::records::ProcessRecord;

use crate::access;
use crate::http::actor::{Reader, Writer};
use crate::http::dto::Page;
use crate::http::dto::component::NoticeBody;
use crate::http::dto::process::{
    CheckedBody, DocumentBody, GraphActivityBody, GraphBody, GraphPhaseBody, ProcessBody,
    PublishedBody, VersionBody,
};
use crate::http::dto::query::PageParams;
use crate::http::dto::release::KindBody;
use crate::http::extract::{At, Params, Raw};
use crate::http::made::made;
use crate::http::page;
use crate::http::problem::{Problem, UNKNOWN_PROCESS};
use crate::http::{Api, PREFIX};
use crate::view;

/// Check a document, YAML or JSON, against the components that are registered. Nothing is stored. Policies
/// are asked for those only who may publish it.
#[utoipa::path(
    post, path = "/processes:validate", tag = "processes", operation_id = "validateProcess",
    request_body(content = String, content_type = "application/yaml", description = "The document, YAML or JSON"),
    responses((status = 200, body = CheckedBody, description = "It has no defects")),
)]
pub(crate) async fn validate(
    State(api): State<Arc<Api>>,
    Reader(asker): Reader,
    Raw(document): Raw<DOCUMENT_BYTES_MAX>,
) -> Result<Json<CheckedBody>, Problem> {
    let digest = Digest::of(&document);
    let checked = api.service.validate(document.to_vec()).await?;
    let (process, pins) = checked.map_err(Problem::defects)?;
    let ruling = if asker.role < access::Role::Member {
        // Who may not publish is not judged.
        Ruling::default()
    } else {
        let said = (&document[..], pins.as_slice());
        let caller = asker.caller();
        api.service.preview_publish(&caller, &process, said).await?
    };
    Ok(Json(CheckedBody {
        name: process.name.to_string(),
        title: process.title.clone(),
        phases: process.phases.len(),
        activities: process.activities.len(),
        digest: digest.to_string(),
        notices: notices(&api, &pins),
        warnings: ruling.warnings.iter().map(Into::into).collect(),
        denial: ruling.denial.as_ref().map(Into::into),
    }))
}

/// What people should know about the components that a process uses.
fn notices(api: &Api, pins: &[Pinned]) -> Vec<NoticeBody> {
    let notices = api.service.notices(pins.iter().map(|pinned| &pinned.pin));
    notices.into_iter().map(view::component::notice).collect()
}

/// Publish a document as the newest version of its process. The same document again is the same version.
#[utoipa::path(
    post, path = "/processes", tag = "processes", operation_id = "publishProcess",
    request_body(content = String, content_type = "application/yaml", description = "The document, YAML or JSON"),
    responses(
        (status = 201, body = PublishedBody, description = "A new version"),
        (status = 200, body = PublishedBody, description = "The newest version has this document already"),
    ),
)]
pub(crate) async fn publish(
    State(api): State<Arc<Api>>,
    Writer(asker): Writer,
    Raw(document): Raw<DOCUMENT_BYTES_MAX>,
) -> Result<Response, Problem> {
    let published = api
        .service
        .publish(asker.caller(), document.to_vec())
        .await?;
    let record = &published.record;
    let place = format!(
        "{PREFIX}/processes/{}/versions/{}",
        record.name, record.version
    );
    let body = PublishedBody {
        version: version(record),
        notices: notices(&api, &record.checked_with),
        warnings: published.warnings.iter().map(Into::into).collect(),
    };
    Ok(made(published.repeated, place, Json(body)))
}

/// List the processes by name, each with its newest version.
#[utoipa::path(
    get, path = "/processes", tag = "processes", operation_id = "listProcesses",
    params(PageParams),
    responses((status = 200, body = Page<VersionBody>, description = "One page")),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    uri: Uri,
    Params(params): Params<PageParams>,
) -> Result<Response, Problem> {
    let paged = api.service.processes(&page::of(params)?);
    let items: Vec<VersionBody> = paged.items.iter().map(|record| version(record)).collect();
    Ok(page::answer(&uri, items, paged.next))
}

/// Read a process: its newest version, and the list of all.
#[utoipa::path(
    get, path = "/processes/{name}", tag = "processes", operation_id = "getProcess",
    params(("name" = String, Path, description = "The process")),
    responses((status = 200, body = ProcessBody, description = "The process")),
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At(name): At<Name>,
) -> Result<Json<ProcessBody>, Problem> {
    let versions = api.service.process_versions(&name).await?;
    let newest = versions.first().map(version);
    let newest = newest
        .ok_or_else(|| Problem::new(&UNKNOWN_PROCESS, format!("there is no process `{name}`")))?;
    Ok(Json(ProcessBody {
        newest,
        versions: versions.iter().map(version).collect(),
    }))
}

/// Read one version: its document and its graph.
#[utoipa::path(
    get, path = "/processes/{name}/versions/{version}", tag = "processes", operation_id = "getProcessVersion",
    params(
        ("name" = String, Path, description = "The process"),
        ("version" = u32, Path, description = "1 for the first"),
    ),
    responses((status = 200, body = DocumentBody, description = "The version")),
)]
pub(crate) async fn read_version(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At((name, number)): At<(Name, u32)>,
) -> Result<Json<DocumentBody>, Problem> {
    let found = api.service.process(&name, Some(number)).await?;
    let found = found.ok_or_else(|| {
        let detail = format!("there is no version {number} of the process `{name}`");
        Problem::new(&UNKNOWN_PROCESS, detail)
    })?;
    Ok(Json(DocumentBody {
        version: version(&found.record),
        document: String::from_utf8_lossy(&found.document).into_owned(),
        inputs: found.process.inputs.schema.source().clone(),
        graph: graph(&found.process),
    }))
}

fn version(record: &ProcessRecord) -> VersionBody {
    VersionBody {
        name: record.name.to_string(),
        version: record.version,
        title: record.title.clone(),
        digest: record.digest.to_string(),
        phases: record.phases,
        activities: record.activities,
        published_at: record.published_at.to_string(),
        published_by: record.published_by.to_string(),
    }
}

fn graph(process: &Process) -> GraphBody {
    let phases = process.phases.iter();
    let phase = |phase: &fermata_core::process::Phase| GraphPhaseBody {
        name: phase.name.to_string(),
        title: phase.title.clone(),
        owners: phase.owners.iter().map(ToString::to_string).collect(),
        needs: phase
            .needs
            .iter()
            .map(|need| process.phase(*need).name.to_string())
            .collect(),
        joins: view::joins(&phase.joins, |need| process.phase(need).name.to_string()),
        each: phase.fan_out().is_some(),
        activities: phase
            .activities
            .clone()
            .map(|ix| graph_activity(process, ActivityIx(ix)))
            .collect(),
    };
    GraphBody {
        phases: phases.map(phase).collect(),
    }
}

fn graph_activity(process: &Process, ix: ActivityIx) -> GraphActivityBody {
    let activity = process.activity(ix);
    let (kind, uses) = match &activity.kind {
        Kind::Component(component) => (KindBody::Component, Some(component.uses.to_string())),
        Kind::Manual(_) => (KindBody::Manual, None),
        Kind::Wait(_) => (KindBody::Wait, None),
        Kind::Process(process) => (KindBody::Process, Some(view::uses(process))),
    };
    GraphActivityBody {
        name: activity.name.to_string(),
        title: activity.title.clone(),
        path: process.path(ix),
        kind,
        uses,
        each: activity.fan_out().is_some(),
        gate: activity.role == Role::Template,
        needs: activity
            .needs
            .iter()
            .map(|need| process.path(*need))
            .collect(),
        joins: view::joins(&activity.joins, |need| process.path(need)),
    }
}
