//! `/signals/…`: what releases wait for, told from outside by whoever holds the secret of the signal.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use fermata_core::id::{Digest, ReleaseId};
use serde_json::Value;

use crate::http::conditions::IdempotencyKey;
use crate::http::dto::signal::SignalBody;
use crate::http::extract::{At, Body};
use crate::http::problem::{Problem, UNKNOWN_SIGNAL};
use crate::http::{Api, PREFIX};

/// The header that holds the secret, if the path does not.
pub(crate) const SECRET_HEADER: &str = "fermata-signal-secret";

/// Where the signal to an activity goes.
pub(crate) fn url(release: ReleaseId, activity: &str) -> String {
    format!("{PREFIX}/signals/{release}/{activity}")
}

/// A signal whose secret is right. Whatever is wrong with the release, the activity or the secret
/// gets one and the same answer: it shows nobody what there is.
#[derive(Debug)]
pub(crate) struct Signal {
    release: ReleaseId,
    activity: String,
}

impl FromRequestParts<Arc<Api>> for Signal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let unknown = || {
            let detail = "there is no such signal, or the secret is not the right one";
            Problem::new(&UNKNOWN_SIGNAL, detail)
        };
        let path = At::<BTreeMap<String, String>>::from_request_parts(parts, api).await;
        let At(path) = path.map_err(|_| unknown())?;
        let part = |name: &str| path.get(name).map(String::as_str).unwrap_or_default();
        let header = parts.headers.get(SECRET_HEADER);
        let header = header.and_then(|secret| secret.to_str().ok());
        let secret = path.get("secret").map(String::as_str).or(header);
        let activity = format!("{}/{}", part("phase"), part("activity"));
        let release: ReleaseId = part("release").parse().map_err(|_| unknown())?;
        if api
            .signals
            .opens(secret.unwrap_or_default(), release, &activity)
        {
            Ok(Self { release, activity })
        } else {
            Err(unknown())
        }
    }
}

/// Tell a release that what one of its activities waits for has happened.
///
/// The payload must fit the schema of the wait and becomes its outputs. The same `Idempotency-Key`
/// (without one: the same payload) may come again and gets the same answer.
#[utoipa::path(
    post, path = "/signals/{release}/{phase}/{activity}", tag = "releases", operation_id = "signal",
    params(
        ("release" = String, Path, description = "The release"),
        ("phase" = String, Path, description = "The phase"),
        ("activity" = String, Path, description = "The activity"),
        ("Fermata-Signal-Secret" = String, Header, description = "The secret of the signal, as `why` shows it"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the delivery"),
    ),
    request_body = Object,
    responses((status = 200, body = SignalBody, description = "The signal has been received, now or before")),
    security(()),
)]
pub(crate) async fn receive(
    State(api): State<Arc<Api>>,
    signal: Signal,
    IdempotencyKey(key): IdempotencyKey,
    body: Body<Value>,
) -> Result<Json<SignalBody>, Problem> {
    deliver(&api, signal, key, body).await
}

/// The same, for callers that can set no header.
#[utoipa::path(
    post, path = "/signals/{release}/{phase}/{activity}/{secret}", tag = "releases",
    operation_id = "signalAt",
    params(
        ("release" = String, Path, description = "The release"),
        ("phase" = String, Path, description = "The phase"),
        ("activity" = String, Path, description = "The activity"),
        ("secret" = String, Path, description = "The secret of the signal, as `why` shows it"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the delivery"),
    ),
    request_body = Object,
    responses((status = 200, body = SignalBody, description = "The signal has been received, now or before")),
    security(()),
)]
pub(crate) async fn receive_at(
    State(api): State<Arc<Api>>,
    signal: Signal,
    IdempotencyKey(key): IdempotencyKey,
    body: Body<Value>,
) -> Result<Json<SignalBody>, Problem> {
    deliver(&api, signal, key, body).await
}

async fn deliver(
    api: &Api,
    signal: Signal,
    key: Option<String>,
    Body { value, bytes }: Body<Value>,
) -> Result<Json<SignalBody>, Problem> {
    let delivery = match key {
        Some(key) => Digest::of(key.as_bytes()),
        None => Digest::of(&bytes),
    };
    let Signal { release, activity } = signal;
    let payload = fermata_core::json::Json::of(&value);
    let answer = api
        .service
        .signal(release, activity.clone(), delivery, payload);
    let found = answer.await?;
    let ix = found.process().find(&activity);
    let mut signals = ix.map_or(&[][..], |ix| found.signals(ix)).iter();
    let received = signals.find(|received| received.delivery == delivery);
    Ok(Json(SignalBody {
        release: release.to_string(),
        activity,
        received_at: received.map(|received| received.at.to_string()),
    }))
}
