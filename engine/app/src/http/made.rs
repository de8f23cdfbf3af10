//! The answer to a request that makes something, or finds that it is there already.

use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};

/// 201, or 200 if the same was there before; `place` is where it is.
pub(crate) fn made(repeated: bool, place: String, body: impl IntoResponse) -> Response {
    let status = if repeated {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    (status, [(LOCATION, place)], body).into_response()
}
