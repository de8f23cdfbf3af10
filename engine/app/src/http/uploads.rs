//! `/uploads`: a component sent in pieces, which goes on where it was after a broken connection.
//!
//! The headers are those of *Resumable Uploads for HTTP*
//! (<https://datatracker.ietf.org/doc/draft-ietf-httpbis-resumable-upload/>). To begin and to finish are requests
//! of their own here: the one says what will come, and the other is answered like an upload in one piece.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use fermata_core::id::Digest;

use crate::http::actor::Writer;
use crate::http::components::{self, COMPONENT_BYTES_MAX};
use crate::http::dto::Page;
use crate::http::dto::component::ComponentVersionBody;
use crate::http::dto::upload::{UploadBody, UploadOrderBody};
use crate::http::extract::{At, Body, Raw};
use crate::http::problem::{
    INVALID_BODY, INVALID_HEADER, Problem, TOO_LARGE, TOO_MANY, UNAVAILABLE, UNKNOWN_UPLOAD,
    UPLOAD_BUSY, UPLOAD_DIGEST, UPLOAD_INCOMPLETE, UPLOAD_OFFSET,
};
use crate::http::{Api, PREFIX};
use crate::uploads::{PIECE_BYTES_MAX, Upload, UploadError};

const UPLOAD_OFFSET_HEADER: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH_HEADER: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_COMPLETE_HEADER: HeaderName = HeaderName::from_static("upload-complete");

/// Where a piece begins, as its request says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UploadOffset(u64);

impl FromRequestParts<Arc<Api>> for UploadOffset {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Api>) -> Result<Self, Problem> {
        let given = parts.headers.get(UPLOAD_OFFSET_HEADER);
        let given = given.and_then(|given| given.to_str().ok()?.trim().parse().ok());
        given.map(Self).ok_or_else(|| {
            let detail = "Upload-Offset must be the number of bytes that were sent before";
            Problem::new(&INVALID_HEADER, detail)
        })
    }
}

/// Announce an upload in pieces. Announcing the same bytes again gives the same upload, as far as it has come.
#[utoipa::path(
    post, path = "/uploads", tag = "components", operation_id = "createUpload",
    request_body = UploadOrderBody,
    responses(
        (status = 201, body = UploadBody, description = "Send the first piece to its Location"),
        (status = 200, body = UploadBody, description = "It was begun before: go on at its offset"),
    ),
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    Writer(asker): Writer,
    Body { value: order, .. }: Body<UploadOrderBody>,
) -> Result<Response, Problem> {
    let digest: Digest = order
        .digest
        .parse()
        .map_err(|error| Problem::new(&INVALID_BODY, format!("digest: {error}")))?;
    if order.length == 0 {
        return Err(Problem::new(&INVALID_BODY, "length: expected at least 1"));
    }
    if order.length > COMPONENT_BYTES_MAX as u64 {
        let detail = format!("length: a component has at most {COMPONENT_BYTES_MAX} bytes");
        return Err(Problem::new(&TOO_LARGE, detail));
    }
    let upload = Upload {
        id: draw_id().map_err(|error| Problem::internal(&error))?,
        owner: asker.name,
        length: order.length,
        digest,
        created_at: api.clock.now(),
        component: None,
        offset: 0,
    };
    let uploads = Arc::clone(&api.uploads);
    let (upload, there) = blocking(move || uploads.begin(upload)).await?;
    let status = if there {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let place = format!("{PREFIX}/uploads/{}", upload.id);
    Ok((status, [(LOCATION, place)], shown(&upload)).into_response())
}

/// A name that nobody else can guess.
fn draw_id() -> std::io::Result<String> {
    use std::io::Read as _;
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("upl-{:032x}", u128::from_be_bytes(bytes)))
}

/// List one's own uploads, the oldest first.
#[utoipa::path(
    get, path = "/uploads", tag = "components", operation_id = "listUploads",
    responses((status = 200, body = Page<UploadBody>, description = "All of them")),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Writer(asker): Writer,
) -> Json<Page<UploadBody>> {
    let own = api.uploads.list(&asker.name, api.clock.now());
    Json(Page {
        items: own.iter().map(body).collect(),
        next_cursor: None,
    })
}

/// Say how much of an upload has arrived; `HEAD` says it in the headers alone.
#[utoipa::path(
    get, path = "/uploads/{upload}", tag = "components", operation_id = "getUpload",
    params(("upload" = String, Path, description = "The upload")),
    responses((status = 200, body = UploadBody, description = "The upload; `Upload-Offset` is where to go on")),
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    Writer(asker): Writer,
    At(id): At<String>,
) -> Result<Response, Problem> {
    let found = api.uploads.find(&asker.name, &id, api.clock.now());
    Ok(shown(&found?).into_response())
}

/// Append a piece. It counts as a whole or not at all.
#[utoipa::path(
    patch, path = "/uploads/{upload}", tag = "components", operation_id = "appendUpload",
    params(
        ("upload" = String, Path, description = "The upload"),
        ("Upload-Offset" = u64, Header, description = "How many bytes were sent before"),
    ),
    request_body(content = Vec<u8>, content_type = "application/partial-upload", description = "The next bytes"),
    responses((status = 204, description = "The piece is on disk; `Upload-Offset` is where to go on")),
)]
pub(crate) async fn append(
    State(api): State<Arc<Api>>,
    Writer(asker): Writer,
    At(id): At<String>,
    UploadOffset(offset): UploadOffset,
    Raw(piece): Raw<PIECE_BYTES_MAX>,
) -> Result<Response, Response> {
    let now = api.clock.now();
    let held = api.uploads.hold(&asker.name, &id, now);
    let held = held.map_err(|error| Problem::from(error).into_response())?;
    match blocking_raw(move || held.append(offset, &piece)).await {
        Ok(Ok(reached)) => Ok((StatusCode::NO_CONTENT, [at(reached)]).into_response()),
        Ok(Err(error @ UploadError::Offset { expected, .. })) => {
            Err(([at(expected)], Problem::from(error)).into_response())
        }
        Ok(Err(error)) => Err(Problem::from(error).into_response()),
        Err(problem) => Err(problem.into_response()),
    }
}

/// Register what has arrived, as an upload in one piece would be. Repeated, it gives the same answer.
#[utoipa::path(
    post, path = "/uploads/{upload}/finish", tag = "components", operation_id = "finishUpload",
    params(("upload" = String, Path, description = "The upload")),
    responses(
        (status = 201, body = ComponentVersionBody, description = "A new version"),
        (status = 200, body = ComponentVersionBody, description = "The version with these bytes is there already"),
    ),
)]
pub(crate) async fn finish(
    State(api): State<Arc<Api>>,
    Writer(asker): Writer,
    At(id): At<String>,
) -> Result<Response, Problem> {
    let held = api.uploads.hold(&asker.name, &id, api.clock.now())?;
    if let Some((name, version)) = &held.upload().component {
        let entry = components::find(&api, name, *version)?;
        return Ok(components::answer(&api, &entry, true));
    }
    let (held, bytes) = blocking(move || held.whole().map(|bytes| (held, bytes))).await?;
    match components::register(&api, &asker, bytes.into(), None).await {
        Ok(registered) => {
            let descriptor = &registered.entry.descriptor;
            let component = (descriptor.name.clone(), descriptor.version);
            blocking(move || held.finished(component)).await?;
            Ok(components::answer(
                &api,
                &registered.entry,
                registered.repeated,
            ))
        }
        Err(problem) => {
            // The bytes will not become better by being sent once more.
            if problem.is_final() {
                blocking(move || {
                    held.cancel();
                    Ok(())
                })
                .await?;
            }
            Err(problem)
        }
    }
}

/// Give an upload up.
#[utoipa::path(
    delete, path = "/uploads/{upload}", tag = "components", operation_id = "deleteUpload",
    params(("upload" = String, Path, description = "The upload")),
    responses((status = 204, description = "It is gone")),
)]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    Writer(asker): Writer,
    At(id): At<String>,
) -> Result<StatusCode, Problem> {
    let held = api.uploads.hold(&asker.name, &id, api.clock.now())?;
    blocking(move || {
        held.cancel();
        Ok(())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, UploadError> + Send + 'static,
) -> Result<T, Problem> {
    Ok(blocking_raw(work).await??)
}

async fn blocking_raw<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, UploadError> + Send + 'static,
) -> Result<Result<T, UploadError>, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Problem::internal(&error))
}

fn at(offset: u64) -> (HeaderName, HeaderValue) {
    (UPLOAD_OFFSET_HEADER, offset.into())
}

fn shown(upload: &Upload) -> impl IntoResponse + use<> {
    let is_complete = upload.offset == upload.length;
    let complete = HeaderValue::from_static(if is_complete { "?1" } else { "?0" });
    let headers = [
        at(upload.offset),
        (UPLOAD_LENGTH_HEADER, upload.length.into()),
        (UPLOAD_COMPLETE_HEADER, complete),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, Json(body(upload)))
}

fn body(upload: &Upload) -> UploadBody {
    let component = upload.component.as_ref();
    UploadBody {
        id: upload.id.clone(),
        length: upload.length,
        digest: upload.digest.to_string(),
        offset: upload.offset,
        piece_bytes_max: PIECE_BYTES_MAX as u64,
        created_at: upload.created_at.to_string(),
        expires_at: upload.expires_at().to_string(),
        component: component.map(|(name, version)| format!("{name}@{version}")),
    }
}

impl From<UploadError> for Problem {
    fn from(error: UploadError) -> Self {
        let kind = match &error {
            UploadError::Unknown => &UNKNOWN_UPLOAD,
            UploadError::TooMany(_) => &TOO_MANY,
            UploadError::Offset { .. } => &UPLOAD_OFFSET,
            UploadError::TooLong(_) => &TOO_LARGE,
            UploadError::Busy => &UPLOAD_BUSY,
            UploadError::Incomplete { .. } => &UPLOAD_INCOMPLETE,
            UploadError::OtherBytes(_) => &UPLOAD_DIGEST,
            UploadError::File(cause) if cause.kind() == std::io::ErrorKind::StorageFull => {
                &UNAVAILABLE
            }
            UploadError::File(_) => return Self::internal(&error),
        };
        let problem = Self::new(kind, error.to_string());
        match error {
            UploadError::TooMany(_) => problem.hint(
                "finish or delete one first: GET /api/v1/uploads lists yours; they are forgotten after a day",
            ),
            UploadError::File(_) => problem.hint("free space on the disk of the server's cache"),
            _ => problem,
        }
    }
}
