//! Parts of a request, read so that every way to get them wrong is a problem document.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body as AxumBody, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use fermata_core::limits::SECRET_BYTES_MAX;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::http::Api;
use crate::http::problem::{
    INVALID_BODY, INVALID_JSON, INVALID_QUERY, INVALID_REQUEST, Kind, MEDIA_TYPE, NOT_FOUND,
    Problem, TIMEOUT, TOO_LARGE,
};

/// Largest JSON body, in bytes: the largest inputs of a release, and what surrounds them.
pub(crate) const JSON_BYTES_MAX: usize = 1024 * 1024;
/// Largest body that holds a secret, in bytes: JSON takes up to six for one, and names what it is.
const CONFIDENTIAL_BYTES_MAX: usize = 6 * SECRET_BYTES_MAX + 1024;
/// Longest time for a body of up to a megabyte to arrive.
const BODY_WAIT: Duration = Duration::from_secs(30);
/// How much of a refused body is still taken: twice the largest component.
const DISCARDED_BYTES_MAX: usize = 128 * 1024 * 1024;
/// How long a refused body is still taken.
const DISCARD_WAIT: Duration = Duration::from_secs(5);
/// Longest time for an upload of a component to arrive.
const UPLOAD_WAIT: Duration = Duration::from_mins(5);

/// A JSON body of at most [`JSON_BYTES_MAX`] bytes, and the bytes themselves.
#[derive(Debug)]
pub(crate) struct Body<T> {
    /// What the JSON says.
    pub(crate) value: T,
    /// The JSON.
    pub(crate) bytes: Bytes,
}

/// A JSON body that holds a secret. What is wrong with it is said without quoting it.
#[derive(Debug)]
pub(crate) struct Confidential<T>(pub(crate) T);

/// A body of any kind, of at most `MAX` bytes.
#[derive(Debug)]
pub(crate) struct Raw<const MAX: usize>(pub(crate) Bytes);

/// The parts of the path.
#[derive(Debug)]
pub(crate) struct At<T>(pub(crate) T);

/// The query.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<Api>) -> Result<Self, Problem> {
        must_be_json(request.headers())?;
        let bytes = read(request, JSON_BYTES_MAX, BODY_WAIT).await?;
        let value = serde_json::from_slice(&bytes)
            .map_err(|error| Problem::new(kind(&error), error.to_string()))?;
        Ok(Self { value, bytes })
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for Confidential<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<Api>) -> Result<Self, Problem> {
        must_be_json(request.headers())?;
        let bytes = read(request, CONFIDENTIAL_BYTES_MAX, BODY_WAIT).await?;
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| Problem::new(kind(&error), "the body is not what it should be"))
    }
}

fn kind(error: &serde_json::Error) -> &'static Kind {
    match error.classify() {
        Category::Data => &INVALID_BODY,
        Category::Syntax | Category::Eof | Category::Io => &INVALID_JSON,
    }
}

impl<const MAX: usize> FromRequest<Arc<Api>> for Raw<MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<Api>) -> Result<Self, Problem> {
        let wait = if MAX > JSON_BYTES_MAX {
            UPLOAD_WAIT
        } else {
            BODY_WAIT
        };
        read(request, MAX, wait).await.map(Self)
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Api>> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, api).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(rejection) if rejection.status() == StatusCode::BAD_REQUEST => {
                // A name or id that cannot be one names nothing.
                Err(Problem::new(&NOT_FOUND, rejection.body_text()))
            }
            Err(rejection) => Err(Problem::internal(&rejection)),
        }
    }
}

impl<T: DeserializeOwned> FromRequestParts<Arc<Api>> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, api).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(Problem::new(&INVALID_QUERY, rejection.body_text())),
        }
    }
}

fn must_be_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let essence = kind.unwrap_or_default().split(';').next();
    let essence = essence.unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json")
        || (essence.starts_with("application/") && essence.ends_with("+json"))
    {
        Ok(())
    } else {
        Err(Problem::new(&MEDIA_TYPE, "the body must be JSON"))
    }
}

async fn read(request: Request, max: usize, wait: Duration) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(&TOO_LARGE, format!("the body is larger than {max} bytes"));
    let mut body = request.into_body();
    if axum::body::HttpBody::size_hint(&body).lower() > max as u64 {
        discard(body).await;
        return Err(too_large());
    }
    match tokio::time::timeout(wait, Limited::new(&mut body, max).collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            discard(body).await;
            Err(too_large())
        }
        Ok(Err(error)) => Err(Problem::new(
            &INVALID_REQUEST,
            format!("the body cannot be read: {error}"),
        )),
        Err(_) => {
            let detail = format!("the body did not arrive within {} s", wait.as_secs());
            Err(Problem::new(&TIMEOUT, detail))
        }
    }
}

/// Takes the rest of a body that is refused, within bounds: most clients read an answer only when
/// they have sent everything, and a connection that is closed on them hides it.
async fn discard(mut body: AxumBody) {
    let mut left = DISCARDED_BYTES_MAX;
    let take = async {
        while let Some(Ok(frame)) = body.frame().await {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(bytes) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // Whoever is slower than this is cut off: the answer was only a courtesy.
    drop(tokio::time::timeout(DISCARD_WAIT, take).await);
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn a_client_that_stops_sending_is_given_up() {
        let stuck = stream::pending::<Result<Vec<u8>, std::io::Error>>();
        let request = Request::new(Body::from_stream(stuck));
        let problem = read(request, 1, Duration::ZERO).await.unwrap_err();
        assert_eq!(problem.status(), StatusCode::REQUEST_TIMEOUT);
    }
}
