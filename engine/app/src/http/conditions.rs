//! Headers that make requests conditional: `ETag`, `If-Match`, `Prefer` and `Idempotency-Key`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::http::Api;
use crate::http::problem::{INVALID_HEADER, Problem};

/// Longest wait that `Prefer: wait=` can ask for: below what proxies allow a request.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(50);
/// Longest idempotency key, in bytes.
pub(crate) const KEY_BYTES_MAX: usize = 255;
/// Names a request, so that it can be repeated safely.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer was given before.
pub(crate) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// The `ETag` of something at `version`.
pub(crate) fn etag(version: u64) -> [(HeaderName, HeaderValue); 1] {
    let tag = format!("\"{version}\"");
    let tag = HeaderValue::try_from(tag).expect("digits and quotes are a header value");
    [(ETAG, tag)]
}

/// The version that the caller knows, from `If-Match`; `*` and an absent header ask for none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IfMatch(pub(crate) Option<u64>);

impl FromRequestParts<Arc<Api>> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Api>) -> Result<Self, Problem> {
        let Some(given) = parts.headers.get(IF_MATCH) else {
            return Ok(Self(None));
        };
        let given = given.to_str().unwrap_or_default().trim();
        if given == "*" {
            return Ok(Self(None));
        }
        version(given)
            .map(|version| Self(Some(version)))
            .ok_or_else(|| {
                let detail =
                    "If-Match must be one strong ETag as the server gave it, such as \"7\"";
                Problem::new(&INVALID_HEADER, detail)
            })
    }
}

/// Whether the caller has `version` already, as `If-None-Match` says.
pub(crate) fn is_known(headers: &HeaderMap, current: u64) -> bool {
    let given = headers
        .get(IF_NONE_MATCH)
        .and_then(|given| given.to_str().ok());
    given.is_some_and(|given| {
        given
            .split(',')
            .any(|tag| version(tag.trim().trim_start_matches("W/")) == Some(current))
    })
}

fn version(tag: &str) -> Option<u64> {
    tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

/// How long the caller likes to wait for a release to end, from `Prefer: wait=SECONDS` (RFC 7240).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prefer(pub(crate) Option<Duration>);

impl FromRequestParts<Arc<Api>> for Prefer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Api>) -> Result<Self, Infallible> {
        let given = parts.headers.get_all(PREFER).into_iter();
        let wait = given
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split([',', ';']))
            .filter_map(|preference| preference.trim().split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"))
            .and_then(|(_, seconds)| seconds.trim().trim_matches('"').parse().ok());
        // A preference that makes no sense is one that is not honoured.
        Ok(Self(
            wait.map(|seconds| Duration::from_secs(seconds).min(WAIT_MAX)),
        ))
    }
}

/// The idempotency key of a request, if it has one.
#[derive(Clone, Debug)]
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

impl FromRequestParts<Arc<Api>> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Api>) -> Result<Self, Problem> {
        let Some(given) = parts.headers.get(IDEMPOTENCY_KEY) else {
            return Ok(Self(None));
        };
        let given = given.to_str().unwrap_or_default();
        if !(1..=KEY_BYTES_MAX).contains(&given.len()) {
            let detail =
                format!("Idempotency-Key must have 1 to {KEY_BYTES_MAX} visible ASCII characters");
            return Err(Problem::new(&INVALID_HEADER, detail));
        }
        Ok(Self(Some(given.into())))
    }
}

/// Under which conditions something is changed.
#[derive(Clone, Debug)]
pub(crate) struct Conditions {
    /// The version it must have.
    pub(crate) expected: Option<u64>,
    /// To change it once, however often it is asked.
    pub(crate) key: Option<String>,
}

impl FromRequestParts<Arc<Api>> for Conditions {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let IfMatch(expected) = IfMatch::from_request_parts(parts, api).await?;
        let IdempotencyKey(key) = IdempotencyKey::from_request_parts(parts, api).await?;
        Ok(Self { expected, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_server_gave_is_a_version() {
        for (tag, expected) in [
            ("\"7\"", Some(7)),
            ("7", None),
            ("W/\"7\"", None),
            ("\"\"", None),
            ("\"-1\"", None),
            ("\"99999999999999999999\"", None),
        ] {
            assert_eq!(version(tag), expected, "{tag}");
        }
    }
}
