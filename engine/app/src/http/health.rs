//! `/livez` and `/readyz`, for probes: no token, and nothing but yes or no.

use std::sync::Arc;

use axum::extract::State;

use crate::http::Api;
use crate::http::problem::{Problem, STOPPING, UNAVAILABLE};

/// `GET /livez`: whether the process answers at all.
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: whether requests are welcome.
pub(crate) async fn ready(State(api): State<Arc<Api>>) -> Result<&'static str, Problem> {
    if api.stopping.is_stopping() {
        return Err(Problem::new(&STOPPING, "the server is shutting down"));
    }
    match api.service.failure() {
        None => Ok("ok\n"),
        Some(reason) => Err(Problem::new(&UNAVAILABLE, reason)),
    }
}
