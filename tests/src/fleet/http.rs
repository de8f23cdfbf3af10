//! The platform's API.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, body::Bytes};
use fermata_core::id::Name;
use serde::Deserialize;
use serde_json::{Value, json};

use super::platform::{Key, Platform, Refused, SERVICES_MAX};

/// Largest body: it holds one version.
const BODY_BYTES_MAX: usize = 4 * 1024;
/// Longest wait for a deployment.
const WAIT_SECONDS_MAX: u64 = 60;

/// The routes of `platform`.
pub fn router(platform: Arc<Platform>) -> Router {
    let service = get(status).put(deploy).delete(remove);
    Router::new()
        .route("/livez", get(|| std::future::ready(StatusCode::OK)))
        .route("/environments", get(all))
        .route("/environments/{environment}/services/{name}", service)
        .method_not_allowed_fallback(|| {
            problem(405, "method-not-allowed", "there is no such method here")
        })
        .fallback(|| problem(404, "not-found", "there is no such page"))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(platform)
}

/// An error as JSON, with a code for machines and a message for people.
#[derive(Debug)]
struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
}

fn problem(
    status: u16,
    code: &'static str,
    message: impl Into<String>,
) -> std::future::Ready<Problem> {
    std::future::ready(Problem::new(status, code, message))
}

impl Problem {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::from_u16(status).expect("a literal status"),
            code,
            message: message.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({ "code": self.code, "message": self.message });
        (self.status, Json(body)).into_response()
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::UnknownEnvironment => Self::new(
                404,
                "unknown-environment",
                "there is no such environment; GET /environments lists them",
            ),
            Refused::UnknownService => Self::new(
                404,
                "unknown-service",
                "this service was never deployed here",
            ),
            Refused::BadVersion => Self::new(
                422,
                "bad-version",
                "a version has 1 to 64 letters, digits and . - + _, and does not begin with a hyphen",
            ),
            Refused::TooManyServices => Self::new(
                409,
                "too-many-services",
                format!("the fleet runs at most {SERVICES_MAX} services"),
            ),
        }
    }
}

/// Environment and service in a path.
fn key((environment, service): (String, String)) -> Result<Key, Problem> {
    let name = |text: String| {
        text.parse::<Name>()
            .map_err(|error| Problem::new(422, "bad-name", error.to_string()))
    };
    Ok((name(environment)?, name(service)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    version: String,
}

async fn deploy(
    State(platform): State<Arc<Platform>>,
    Path(path): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let key = key(path)?;
    let body = body.map_err(|rejection| {
        Problem::new(
            rejection.status().as_u16(),
            "bad-body",
            rejection.body_text(),
        )
    })?;
    let wanted: Wanted = serde_json::from_slice(&body).map_err(|error| {
        let message = format!("the body must be {{\"version\":\"…\"}}: {error}");
        Problem::new(422, "bad-body", message)
    })?;
    let accepted = platform.deploy(&key, &wanted.version)?;
    Ok((StatusCode::ACCEPTED, Json(accepted)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusQuery {
    /// Seconds to wait for a deployment that is under way.
    wait: Option<u64>,
}

async fn status(
    State(platform): State<Arc<Platform>>,
    Path(path): Path<(String, String)>,
    query: Result<Query<StatusQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let key = key(path)?;
    let Query(query) =
        query.map_err(|rejection| Problem::new(400, "bad-query", rejection.body_text()))?;
    if let Some(seconds) = query.wait {
        let longest = Duration::from_secs(seconds.min(WAIT_SECONDS_MAX));
        // If the time is over, the answer says that it is still going on.
        drop(tokio::time::timeout(longest, platform.settled(&key)).await);
    }
    Ok(Json(platform.status(&key).await?).into_response())
}

async fn remove(
    State(platform): State<Arc<Platform>>,
    Path(path): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    platform.remove(&key(path)?)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn all(State(platform): State<Arc<Platform>>) -> Json<Value> {
    let mut environments = Vec::new();
    for environment in platform.environments() {
        let keys = platform.services(environment);
        let services = futures::future::join_all(keys.iter().map(|key| platform.status(key))).await;
        // One that was removed in between is not there any more.
        let services: Vec<_> = services.into_iter().filter_map(Result::ok).collect();
        environments.push(json!({ "name": environment, "services": services }));
    }
    Json(json!({ "environments": environments }))
}
