//! `/processes/{name}/input-sets`: inputs that are kept for the releases to come.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use fermata_core::id::Name;
use fermata_service::request::InputSet;
use serde_json::{Map, Value};

use crate::http::Api;
use crate::http::actor::{Reader, Writer};
use crate::http::dto::input_set::{InputSetBody, InputSetOrderBody, InputSetsBody};
use crate::http::extract::{At, Body};
use crate::http::problem::{Problem, UNKNOWN_INPUT_SET};

/// List the input sets of a process, each with what is missing in it.
#[utoipa::path(
    get, path = "/processes/{name}/input-sets", tag = "processes", operation_id = "listInputSets",
    params(("name" = String, Path, description = "The process")),
    responses((status = 200, body = InputSetsBody, description = "All of them, by name")),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At(process): At<Name>,
) -> Result<Json<InputSetsBody>, Problem> {
    let sets = api.service.input_sets(&process).await?;
    let items = sets.iter().map(body).collect();
    Ok(Json(InputSetsBody { items }))
}

/// Read an input set.
#[utoipa::path(
    get, path = "/processes/{name}/input-sets/{set}", tag = "processes", operation_id = "getInputSet",
    params(
        ("name" = String, Path, description = "The process"),
        ("set" = String, Path, description = "The input set"),
    ),
    responses((status = 200, body = InputSetBody, description = "The input set")),
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At((process, set)): At<(Name, Name)>,
) -> Result<Json<InputSetBody>, Problem> {
    let set = api.service.input_set(&process, &set).await?;
    Ok(Json(body(&set)))
}

/// Keep inputs under a name, in place of what was there. They may be incomplete.
#[utoipa::path(
    put, path = "/processes/{name}/input-sets/{set}", tag = "processes", operation_id = "putInputSet",
    params(
        ("name" = String, Path, description = "The process"),
        ("set" = String, Path, description = "The input set"),
    ),
    request_body = InputSetOrderBody,
    responses((status = 200, body = InputSetBody, description = "The input set")),
)]
pub(crate) async fn put(
    State(api): State<Arc<Api>>,
    Writer(asker): Writer,
    At(at): At<(Name, Name)>,
    Body { value: order, .. }: Body<InputSetOrderBody>,
) -> Result<Json<InputSetBody>, Problem> {
    let kept = api.service.put_input_set(asker.caller(), at, order.inputs);
    Ok(Json(body(&kept.await?)))
}

/// Forget an input set. Releases that were started with it keep their inputs.
#[utoipa::path(
    delete, path = "/processes/{name}/input-sets/{set}", tag = "processes", operation_id = "deleteInputSet",
    params(
        ("name" = String, Path, description = "The process"),
        ("set" = String, Path, description = "The input set"),
    ),
    responses((status = 204, description = "It is gone")),
)]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    _writer: Writer,
    At((process, set)): At<(Name, Name)>,
) -> Result<StatusCode, Problem> {
    api.service.delete_input_set(&process, &set).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The inputs of a release that is ordered with the input set `set`: what is given goes before it.
pub(crate) async fn under(
    api: &Api,
    (process, set): (&Name, &str),
    given: Map<String, Value>,
) -> Result<Map<String, Value>, Problem> {
    let unknown = |_| {
        let detail = format!("there is no input set `{set}`");
        Problem::new(&UNKNOWN_INPUT_SET, detail)
    };
    let set: Name = set.parse().map_err(unknown)?;
    let found = api.service.input_set(process, &set).await?;
    let mut inputs = match found.record.inputs.value() {
        Value::Object(inputs) => inputs,
        _ => Map::new(),
    };
    inputs.extend(given);
    Ok(inputs)
}

fn body(set: &InputSet) -> InputSetBody {
    let InputSet {
        record,
        missing,
        faults,
    } = set;
    InputSetBody {
        process: record.process.to_string(),
        name: record.name.to_string(),
        inputs: record.inputs.value(),
        complete: missing.is_empty() && faults.is_empty(),
        missing: missing.clone(),
        faults: faults.clone(),
        updated_at: record.updated_at.to_string(),
        updated_by: record.updated_by.to_string(),
    }
}
