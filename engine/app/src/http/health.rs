//! `/livez` and `/readyz`, for probes: no token, and nothing but yes or no.

use std::sync::Arc;

use axum::extract::State;
use fermata_service::Condition;

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
    match api.service.health().condition {
        Condition::Accepting => Ok("ok\n"),
        Condition::Stopping => Err(Problem::new(&STOPPING, "the engine is shutting down")),
        Condition::Failed(_) => {
            let detail = "the engine has stopped after a failure; its log says why";
            Err(Problem::new(&UNAVAILABLE, detail))
        }
    }
}
