//! What surrounds every request: an id, a bound host name, panics caught, and a count.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt as _;
use tokio::time::Instant;

use crate::http::Api;
use crate::http::problem::{FOREIGN_HOST, INTERNAL, Problem};

/// Names a request in answers and in the log.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest request id that is taken over from a client.
const ID_BYTES_MAX: usize = 64;

tokio::task_local! {
    /// The request that the current task answers.
    static CURRENT: Current;
}

/// A request, for whoever reports on it.
#[derive(Clone, Debug)]
struct Current {
    id: Box<str>,
    path: Box<str>,
}

/// The id of the current request; empty outside of one.
pub(crate) fn id() -> String {
    place().1.unwrap_or_default()
}

/// Path and id of the current request.
pub(crate) fn place() -> (Option<String>, Option<String>) {
    let current = CURRENT.try_with(Clone::clone).ok();
    current.map_or((None, None), |current| {
        (Some(current.path.into()), Some(current.id.into()))
    })
}

/// Runs `next` with everything around it that all requests have in common.
pub(crate) async fn surround(
    State(api): State<Arc<Api>>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let current = Current {
        id: given_id(&request).unwrap_or_else(|| api.request_ids.next()),
        path: request.uri().path().into(),
    };
    let id = HeaderValue::from_str(&current.id);
    let path = current.path.clone();
    let answer = CURRENT.scope(current, answer(&api, request, next));
    let mut response = answer.await;
    if let Ok(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let status = response.status();
    api.metrics.answered(&method, status, began.elapsed());
    tracing::debug!(%method, %path, status = status.as_u16(), took = ?began.elapsed(), "answered");
    response
}

async fn answer(api: &Api, request: Request, next: Next) -> Response {
    if !api.hosts.allow(request.headers().get(HOST)) {
        let detail = "the Host header names another host than this server";
        return Problem::new(&FOREIGN_HOST, detail).into_response();
    }
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            let said = panic
                .downcast_ref::<&str>()
                .map(ToString::to_string)
                .or_else(|| panic.downcast_ref::<String>().cloned());
            tracing::error!(request = %id(), "a request panicked: {}", said.unwrap_or_default());
            Problem::new(&INTERNAL, "something went wrong inside the server").into_response()
        }
    }
}

/// The id that the client gave, if it is one that is safe to repeat.
fn given_id(request: &Request) -> Option<Box<str>> {
    let given = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
    let fine = (1..=ID_BYTES_MAX).contains(&given.len()) && given.bytes().all(plain);
    fine.then(|| given.into())
}

/// Gives every request an id of its own.
#[derive(Debug)]
pub(crate) struct RequestIds {
    start: u64,
    count: AtomicU64,
}

impl RequestIds {
    /// Ids that begin with something of this start of the server.
    pub(crate) fn new(start: u64) -> Self {
        Self {
            start,
            count: AtomicU64::new(0),
        }
    }

    fn next(&self) -> Box<str> {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        format!("req-{:x}-{count:x}", self.start).into()
    }
}

/// Under which names the server may be called. A page of another site that a browser was led to
/// by DNS (rebinding) comes with the name of that site.
#[derive(Debug)]
pub(crate) struct Hosts {
    loopback: bool,
    names: Vec<String>,
}

impl Hosts {
    /// Every name if the server listens to other machines, else those of loopback and `names`.
    pub(crate) fn new(loopback: bool, names: Vec<String>) -> Self {
        Self { loopback, names }
    }

    fn allow(&self, host: Option<&HeaderValue>) -> bool {
        if !self.loopback {
            return true;
        }
        // HTTP/1.0 has no Host, and no browser speaks it.
        let Some(host) = host else { return true };
        let Ok(host) = host.to_str() else {
            return false;
        };
        let name = without_port(host);
        name.eq_ignore_ascii_case("localhost")
            || name
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
            || self
                .names
                .iter()
                .any(|allowed| allowed.eq_ignore_ascii_case(name))
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether a status is one that a metric of failures counts.
pub(crate) fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_server_answers_to_its_own_names_only() {
        let hosts = Hosts::new(true, vec!["fermata.test".into()]);
        for (host, allowed) in [
            ("127.0.0.1:7717", true),
            ("localhost", true),
            ("LOCALHOST:80", true),
            ("[::1]:7717", true),
            ("fermata.test:7717", true),
            ("evil.example:7717", false),
            ("127.0.0.1.evil.example", false),
            ("10.0.0.1", false),
            ("", false),
        ] {
            let value = HeaderValue::from_str(host).unwrap();
            assert_eq!(hosts.allow(Some(&value)), allowed, "{host}");
        }
        assert!(hosts.allow(None));
        let value = HeaderValue::from_static("evil.example");
        assert!(Hosts::new(false, Vec::new()).allow(Some(&value)));
    }
}
