//! The bytes of a component version, as they were uploaded.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use fermata_core::component::Version;
use fermata_core::id::{Digest, Name};
use futures::stream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::Api;
use crate::http::actor::Writer;
use crate::http::components::find;
use crate::http::extract::At;
use crate::http::problem::{Problem, TOO_MANY};

/// Components that are sent at the same time: each is in memory until it has arrived.
pub(crate) const DOWNLOADS_MAX: usize = 4;
/// Bytes that are handed to the connection at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// Places for those who are sent a component.
#[derive(Clone, Debug)]
pub(crate) struct Downloads(Arc<Semaphore>);

impl Default for Downloads {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(DOWNLOADS_MAX)))
    }
}

/// Read the bytes of a version, as they were uploaded.
#[utoipa::path(
    get, path = "/components/{name}/versions/{version}/wasm", tag = "components", operation_id = "getComponentWasm",
    params(
        ("name" = String, Path, description = "The registry name"),
        ("version" = String, Path, description = "`MAJOR.MINOR.PATCH`"),
        ("If-None-Match" = Option<String>, Header, description = "The ETags of what the caller has"),
    ),
    responses(
        (status = 200, content_type = "application/wasm", body = Vec<u8>, description = "The bytes; the ETag is their SHA-256: `\"sha256:…\"`"),
        (status = 304, description = "The caller has them"),
    ),
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    _writer: Writer,
    At((name, version)): At<(Name, Version)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let entry = find(&api, &name, version)?;
    let tag = format!("\"{}\"", entry.digest);
    let etag = HeaderValue::try_from(&tag).expect("a digest in quotes is a header value");
    if is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response());
    }
    let place = Arc::clone(&api.downloads.0).try_acquire_owned();
    let place = place.map_err(|_| {
        let detail = format!("{DOWNLOADS_MAX} components are being sent already");
        Problem::new(&TOO_MANY, detail)
    })?;
    let bytes = bytes(&api, entry.digest).await?;
    let headers = [
        (ETAG, etag),
        (CONTENT_TYPE, HeaderValue::from_static("application/wasm")),
        (CONTENT_LENGTH, bytes.len().into()),
    ];
    Ok((headers, body(bytes, place)).into_response())
}

async fn bytes(api: &Api, digest: Digest) -> Result<Bytes, Problem> {
    let stored = api.service.blob(digest).await?;
    let absent = || std::io::Error::other(format!("the bytes of {digest} are not in the store"));
    Ok(stored.ok_or_else(|| Problem::internal(&absent()))?.into())
}

/// The bytes, piece by piece; the place is kept until the last one, or until the reader has gone.
fn body(bytes: Bytes, place: OwnedSemaphorePermit) -> Body {
    Body::from_stream(stream::unfold((bytes, place), |(mut bytes, place)| async {
        if bytes.is_empty() {
            return None;
        }
        let piece = bytes.split_to(bytes.len().min(PIECE_BYTES));
        Some((Ok::<_, std::convert::Infallible>(piece), (bytes, place)))
    }))
}

/// Whether the caller has these bytes. They never change, so a weak tag is as good as a strong one.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let given = headers.get_all(IF_NONE_MATCH).into_iter();
    let mut tags = given
        .filter_map(|given| given.to_str().ok())
        .flat_map(|given| given.split(','))
        .map(str::trim);
    tags.any(|given| given == "*" || given.trim_start_matches("W/") == tag)
}
