//! What is counted, in the format of Prometheus.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, http::request::Parts};
use fermata_service::MetricsNow;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::http::actor::Reader;
use crate::http::problem::Problem;
use crate::http::server::Peer;
use crate::http::{Api, NativeCache, request};

/// Bounds of the buckets of request times, in seconds: half a millisecond to half a minute.
const SECONDS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    status: &'static str,
}

/// What is counted.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    seconds: Histogram,
    /// Connections that are open.
    pub(crate) connections: Gauge,
    /// Watchers of events.
    pub(crate) watchers: Gauge,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("fermata");
        let requests = Family::<Answered, Counter>::default();
        let seconds = Histogram::new(SECONDS);
        let (connections, watchers) = (Gauge::default(), Gauge::default());
        registry.register("http_requests", "Requests answered", requests.clone());
        registry.register(
            "http_request_seconds",
            "Time from the head of a request to that of its answer",
            seconds.clone(),
        );
        registry.register("http_connections", "Connections open", connections.clone());
        registry.register(
            "http_watchers",
            "Event streams that are read",
            watchers.clone(),
        );
        Self {
            registry,
            requests,
            seconds,
            connections,
            watchers,
        }
    }
}

impl Metrics {
    /// Counts an answer.
    pub(crate) fn answered(&self, method: &Method, status: StatusCode, took: Duration) {
        let answered = Answered {
            method: word(method),
            status: request::class(status),
        };
        self.requests.get_or_create(&answered).inc();
        self.seconds.observe(took.as_secs_f64());
    }
}

/// A method as a label; those that nobody defined are one, so that they cannot fill the memory.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

/// `GET /metrics`: for everybody on this machine, and elsewhere for who has a token.
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    peer: Option<Extension<Peer>>,
    mut parts: Parts,
) -> Result<Response, Problem> {
    use axum::extract::FromRequestParts as _;
    let near = peer.is_some_and(|Extension(peer)| peer.is_loopback());
    if !near || is_forwarded(&parts.headers) || parts.headers.contains_key(AUTHORIZATION) {
        Reader::from_request_parts(&mut parts, &api).await?;
    }
    let (now, mut text) = (api.service.metrics(), String::new());
    let encoded = encode_registry(&mut text, &api.metrics.registry)
        .and_then(|()| engine(&now, &mut text))
        .and_then(|()| notifications(&now, &mut text))
        .and_then(|()| native_cache(api.sandbox.native_cache(), &mut text))
        .and_then(|()| encode_eof(&mut text));
    encoded.map_err(|error| Problem::internal(&error))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}

/// Adds what the engine counts itself.
fn engine(now: &MetricsNow, text: &mut String) -> fmt::Result {
    for (name, help, value) in [
        ("turns", "Turns committed", now.turns),
        ("events", "Events committed", now.events),
        ("commits", "Commits", now.commits),
        ("runs_started", "Runs begun", now.runs_started),
        ("runs_cancelled", "Runs cancelled", now.runs_cancelled),
        (
            "results_stale",
            "Results that came too late to count",
            now.results_stale,
        ),
        ("refusals", "Inputs refused", now.refusals),
        ("releases_created", "Releases created", now.releases_created),
    ] {
        head(text, name, help, "counter")?;
        writeln!(text, "fermata_{name}_total {value}")?;
    }
    for (name, help, label, values) in [
        (
            "runs_finished",
            "Runs ended, by how",
            "outcome",
            &now.runs_finished,
        ),
        (
            "policies_asked",
            "Answers of policies, by what they said",
            "verdict",
            &now.policies_asked,
        ),
        (
            "releases_ended",
            "Releases ended, by how",
            "state",
            &now.releases_ended,
        ),
    ] {
        head(text, name, help, "counter")?;
        for (word, value) in values {
            writeln!(text, "fermata_{name}_total{{{label}=\"{word}\"}} {value}")?;
        }
    }
    gauges(now, text)
}

/// Adds what the engine is at.
fn gauges(now: &MetricsNow, text: &mut String) -> fmt::Result {
    for (name, help, value) in [
        (
            "releases_open",
            "Releases that have not ended",
            now.releases_open,
        ),
        (
            "runs_waiting",
            "Runs that wait for a slot",
            now.runs_waiting,
        ),
        ("runs_running", "Runs that have a slot", now.runs_running),
        (
            "requests_waiting",
            "Requests that wait for the engine",
            now.requests_waiting,
        ),
    ] {
        head(text, name, help, "gauge")?;
        writeln!(text, "fermata_{name} {value}")?;
    }
    Ok(())
}

/// Adds what it counts of notifications.
fn notifications(now: &MetricsNow, text: &mut String) -> fmt::Result {
    for (name, help, value) in [
        (
            "notifications_told",
            "Notifications for notifiers to deliver",
            now.notifications_told,
        ),
        (
            "notifications_delivered",
            "Notifications delivered",
            now.notifications_delivered,
        ),
        (
            "notification_tries_failed",
            "Tries to deliver a notification that failed",
            now.notification_tries_failed,
        ),
        (
            "notifications_given_up",
            "Notifications given up, those dropped included",
            now.notifications_given_up,
        ),
        (
            "notifications_dropped",
            "Notifications given up since too many newer ones waited",
            now.notifications_dropped,
        ),
    ] {
        head(text, name, help, "counter")?;
        writeln!(text, "fermata_{name}_total {value}")?;
    }
    let (name, help) = (
        "notifications_pending",
        "Notifications that are to be tried",
    );
    head(text, name, help, "gauge")?;
    writeln!(text, "fermata_{name} {}", now.notifications_pending)
}

/// Adds what the sandbox counts of its cache.
fn native_cache(now: NativeCache, text: &mut String) -> fmt::Result {
    for (name, help, value) in [
        (
            "native_cache_hits",
            "Components whose native code was found on disk",
            now.hits,
        ),
        (
            "native_cache_misses",
            "Components whose native code was not there",
            now.misses,
        ),
        (
            "native_cache_removed",
            "Native code removed to make room",
            now.removed,
        ),
    ] {
        head(text, name, help, "counter")?;
        writeln!(text, "fermata_{name}_total {value}")?;
    }
    for (name, help, value) in [
        (
            "native_cache_files",
            "Components whose native code is on disk",
            now.files,
        ),
        (
            "native_cache_bytes",
            "Bytes of native code on disk",
            now.bytes,
        ),
        (
            "native_cache_bytes_max",
            "Bytes of native code that may be on disk",
            now.bytes_max,
        ),
    ] {
        head(text, name, help, "gauge")?;
        writeln!(text, "fermata_{name} {value}")?;
    }
    Ok(())
}

fn head(text: &mut String, name: &str, help: &str, kind: &str) -> fmt::Result {
    writeln!(
        text,
        "# HELP fermata_{name} {help}.\n# TYPE fermata_{name} {kind}"
    )
}

/// Whether a proxy on this machine asks for somebody else.
fn is_forwarded(headers: &HeaderMap) -> bool {
    ["forwarded", "x-forwarded-for"]
        .iter()
        .any(|name| headers.contains_key(*name))
}
