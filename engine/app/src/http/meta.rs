//! `/version`, `/limits`, `/openapi.json` and `/backups`: the server about itself.

use std::path::Path;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use fermata_core::component::WANTS_MAX;
use fermata_core::limits;
use fermata_core::notification::TRIES_MAX;
use fermata_service::{Error, config};

use crate::http::Api;
use crate::http::actor::{Administrator, Reader};
use crate::http::components::COMPONENT_BYTES_MAX;
use crate::http::conditions::{KEY_BYTES_MAX, WAIT_MAX};
use crate::http::dto::meta::{BackupBody, BackupOrderBody, LimitBody, LimitsBody, VersionBody};
use crate::http::extract::{Body, JSON_BYTES_MAX};
use crate::http::page::LIMIT_MAX;
use crate::http::problem::{INVALID_BODY, Problem, RECORD_EXISTS};
use crate::http::wasm::DOWNLOADS_MAX;
use crate::uploads::{
    PIECE_BYTES_MAX, UPLOAD_AGE_MAX, UPLOADS_BYTES_MAX, UPLOADS_PER_PERSON_BYTES_MAX,
    UPLOADS_PER_PERSON_MAX,
};

/// Say what runs.
#[utoipa::path(
    get, path = "/version", tag = "server", operation_id = "getVersion",
    responses((status = 200, body = VersionBody, description = "What runs")),
)]
pub(crate) async fn version(_reader: Reader) -> Json<VersionBody> {
    Json(VersionBody {
        name: "fermata".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        api: "v1".into(),
    })
}

/// List every bound that holds for guests, documents and requests.
#[utoipa::path(
    get, path = "/limits", tag = "server", operation_id = "getLimits",
    responses((status = 200, body = LimitsBody, description = "Every bound")),
)]
pub(crate) async fn limits(State(api): State<Arc<Api>>, _reader: Reader) -> Json<LimitsBody> {
    let mut items = api.sandbox.limits();
    items.extend(limits_of_the_server());
    items.push(native_cache(&api));
    Json(LimitsBody { items })
}

/// The bounds that hold for everything but guests.
pub(crate) fn limits_of_the_server() -> Vec<LimitBody> {
    let mut rows = Vec::from(of_documents());
    rows.extend(of_rehearsals());
    rows.extend(of_requests());
    rows.extend(of_components());
    rows.extend(of_notifiers());
    rows.extend(of_recordings());
    rows
}

fn row(name: &str, value: usize, unit: &str, remedy: &str) -> LimitBody {
    LimitBody {
        name: name.into(),
        value: value as u64,
        unit: unit.into(),
        beyond: "the request is refused".into(),
        remedy: remedy.into(),
    }
}

fn of_documents() -> [LimitBody; 9] {
    let split = "split the process into several";
    [
        row("document", limits::DOCUMENT_BYTES_MAX, "bytes", split),
        row("phases", limits::PHASES_MAX, "phases", split),
        row("activities", limits::ACTIVITIES_MAX, "activities", split),
        row("nesting", limits::NESTING_MAX, "levels", "nest less deeply"),
        row(
            "expression",
            limits::EXPRESSION_BYTES_MAX,
            "bytes",
            "compute it in an activity",
        ),
        row(
            "script",
            limits::SCRIPT_BYTES_MAX,
            "bytes",
            "make a component of it",
        ),
        row(
            "signals",
            limits::SIGNALS_PER_ACTIVITY_MAX,
            "for each activity",
            "wait in several activities",
        ),
        row(
            "value",
            limits::VALUE_BYTES_MAX,
            "bytes",
            "pass a reference instead of the content",
        ),
        row(
            "text",
            limits::TEXT_BYTES_MAX,
            "bytes",
            "say it in fewer words, or link to more",
        ),
    ]
}

fn of_rehearsals() -> [LimitBody; 3] {
    let shorter = "rehearse with shorter durations";
    let days = usize::try_from(limits::REHEARSAL_TIME_MAX.0 / 86_400_000).expect("a few years fit");
    [
        row("rehearsal time", days, "days", shorter),
        row(
            "rehearsal turns",
            limits::REHEARSAL_TURNS_MAX,
            "turns",
            "rehearse a part of the process",
        ),
        row(
            "rehearsal bytes",
            limits::REHEARSAL_BYTES_MAX,
            "bytes",
            "rehearse with smaller inputs",
        ),
    ]
}

fn of_requests() -> [LimitBody; 7] {
    let wait = usize::try_from(WAIT_MAX.as_secs()).expect("a minute fits");
    [
        row(
            "request",
            JSON_BYTES_MAX,
            "bytes",
            "send less in one request",
        ),
        row(
            "upload",
            COMPONENT_BYTES_MAX,
            "bytes",
            "build with optimisation for size, and strip it",
        ),
        row(
            "page",
            LIMIT_MAX,
            "entries",
            "read the next page with its cursor",
        ),
        row(
            "secret",
            limits::SECRET_BYTES_MAX,
            "bytes",
            "keep a token, not a file",
        ),
        row(
            "secrets",
            limits::SECRETS_MAX,
            "secrets",
            "delete those that nothing is granted",
        ),
        LimitBody {
            beyond: "the answer comes then, as things are".into(),
            ..row("wait", wait, "seconds", "ask again, or follow the events")
        },
        row(
            "idempotency-key",
            KEY_BYTES_MAX,
            "bytes",
            "take a shorter key",
        ),
    ]
}

fn of_components() -> [LimitBody; 7] {
    let finish = "finish or delete one first";
    let bytes = |bytes: u64| usize::try_from(bytes).expect("a gigabyte fits");
    let (own, all) = (
        bytes(UPLOADS_PER_PERSON_BYTES_MAX),
        bytes(UPLOADS_BYTES_MAX),
    );
    let hours = usize::try_from(UPLOAD_AGE_MAX.0 / 3_600_000).expect("a day fits");
    [
        row("uploads", UPLOADS_PER_PERSON_MAX, "for each person", finish),
        row("uploads-bytes", own, "bytes for each person", finish),
        row("uploads-bytes-all", all, "bytes", finish),
        row("upload-age", hours, "hours", "begin again"),
        row(
            "upload-piece",
            PIECE_BYTES_MAX,
            "bytes",
            "send smaller pieces",
        ),
        row(
            "downloads",
            DOWNLOADS_MAX,
            "components at a time",
            "wait a moment, then repeat",
        ),
        row(
            "wants",
            WANTS_MAX,
            "of each kind",
            "want fewer hosts, secrets or kinds",
        ),
    ]
}

fn of_notifiers() -> [LimitBody; 5] {
    let dropped = "the oldest are given up, and that is counted";
    [
        row(
            "notifiers",
            config::NOTIFIERS_MAX,
            "notifiers",
            "let one notifier tell of more kinds and processes",
        ),
        row(
            "notifier-patterns",
            config::NOTIFIER_PATTERNS_MAX,
            "patterns of each kind",
            "choose by fewer patterns that fit more",
        ),
        row(
            "notifier-settings",
            config::NOTIFIER_SETTINGS_BYTES_MAX,
            "bytes",
            "keep long texts where the notifier delivers",
        ),
        LimitBody {
            beyond: dropped.into(),
            ..row(
                "notifications-pending",
                config::DELIVERIES_PENDING_MAX,
                "for each notifier",
                "repair where it delivers, or tell it less",
            )
        },
        LimitBody {
            beyond: "it is given up".into(),
            ..row(
                "notification-tries",
                TRIES_MAX as usize,
                "tries",
                "repair where it delivers; the list of deliveries says why it failed",
            )
        },
    ]
}

fn of_recordings() -> [LimitBody; 2] {
    let bytes = usize::try_from(config::RECORDINGS_BYTES_MAX).expect("a few megabytes fit");
    let row = |name, value, unit| LimitBody {
        beyond: "the oldest attempts lose their recordings".into(),
        ..row(name, value, unit, "export what you want to keep")
    };
    [
        row("recordings-bytes", bytes, "bytes for each release"),
        row(
            "recordings",
            config::RECORDINGS_MAX,
            "runs for each release",
        ),
    ]
}

/// What the server was set to keep, unlike the bounds above.
fn native_cache(api: &Api) -> LimitBody {
    LimitBody {
        name: "native-cache".into(),
        value: api.sandbox.native_cache().bytes_max,
        unit: "bytes".into(),
        beyond: "what was used longest ago is removed, and compiled again when it is needed".into(),
        remedy: "set `cache-bytes` to keep more native code on disk".into(),
    }
}

/// Describe the API in OpenAPI 3.1.
#[utoipa::path(
    get, path = "/openapi.json", tag = "server", operation_id = "getOpenApi", security(()),
    responses((status = 200, description = "The description", content_type = "application/json")),
)]
pub(crate) async fn openapi(State(api): State<Arc<Api>>) -> Response {
    let description = api.description.clone();
    ([(CONTENT_TYPE, "application/json")], description).into_response()
}

/// Write a backup into a new directory on the server's machine while work goes on.
#[utoipa::path(
    post, path = "/backups", tag = "server", operation_id = "createBackup",
    request_body = BackupOrderBody,
    responses((status = 201, body = BackupBody, description = "It is on disk and checked")),
)]
pub(crate) async fn backup(
    State(api): State<Arc<Api>>,
    _administrator: Administrator,
    Body { value: order, .. }: Body<BackupOrderBody>,
) -> Result<(StatusCode, Json<BackupBody>), Problem> {
    let path = Path::new(&order.directory);
    if !path.is_absolute() {
        let detail = "directory: expected an absolute path";
        return Err(Problem::new(&INVALID_BODY, detail));
    }
    if path.exists() {
        let detail = "directory: something is there already";
        return Err(Problem::new(&RECORD_EXISTS, detail).hint("name a new directory"));
    }
    let at = api.clock.now();
    match api.service.backup(path.to_owned()).await {
        Ok(()) => {}
        Err(Error::Store(fermata_store::Error::Directory(reason))) => {
            return Err(Problem::new(&INVALID_BODY, format!("directory: {reason}")));
        }
        Err(error) => return Err(error.into()),
    }
    let body = BackupBody {
        directory: order.directory,
        created_at: at.to_string(),
    };
    Ok((StatusCode::CREATED, Json(body)))
}
