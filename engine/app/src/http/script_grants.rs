//! `/processes/{name}/grants`: what the scripts of a process may reach.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use fermata_core::id::Name;
use fermata_service::catalog::ScriptGrants;
use fermata_service::error::GrantsError;

use crate::http::Api;
use crate::http::actor::{Administrator, Reader};
use crate::http::conditions::{IfMatch, etag};
use crate::http::dto::component::GrantsBody;
use crate::http::extract::{At, Body};
use crate::http::problem::{Problem, UNKNOWN_PROCESS};

/// Read what the scripts of a process may reach.
#[utoipa::path(
    get, path = "/processes/{name}/grants", tag = "processes", operation_id = "getScriptGrants",
    params(("name" = String, Path, description = "The process")),
    responses((status = 200, body = GrantsBody, description = "What its scripts may reach")),
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At(process): At<Name>,
) -> Result<Response, Problem> {
    answer(api.service.script_grants(&process), &process)
}

/// Say what the scripts of a process may reach. Replaces what was said before, and holds from the next run on,
/// for every version of the process.
#[utoipa::path(
    put, path = "/processes/{name}/grants", tag = "processes", operation_id = "putScriptGrants",
    params(
        ("name" = String, Path, description = "The process"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the grants that are replaced"),
    ),
    request_body = GrantsBody,
    responses((status = 200, body = GrantsBody, description = "What its scripts may reach now")),
)]
pub(crate) async fn put(
    State(api): State<Arc<Api>>,
    Administrator(asker): Administrator,
    At(process): At<Name>,
    IfMatch(expected): IfMatch,
    Body { value: grants, .. }: Body<GrantsBody>,
) -> Result<Response, Problem> {
    let caller = asker.caller();
    let granted = api
        .service
        .grant_scripts(caller, process.clone(), grants.try_into()?, expected);
    answer(granted.await, &process)
}

fn answer(
    granted: Result<Arc<ScriptGrants>, GrantsError>,
    process: &Name,
) -> Result<Response, Problem> {
    let granted = granted.map_err(|error| match error {
        GrantsError::Unknown => {
            Problem::new(&UNKNOWN_PROCESS, format!("there is no process `{process}`"))
        }
        error => error.into(),
    })?;
    let body = Json(GrantsBody::from(&*granted.grants));
    Ok((etag(granted.revision), body).into_response())
}
