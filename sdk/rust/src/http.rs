//! HTTP calls to the hosts that a person granted.
//!
//! ```
//! # use fermata_sdk::prelude::*;
//! # use fermata_sdk::testing::{Answer, Host};
//! # let host = Host::install();
//! # host.answer("PUT", "https://platform.example.com/payment", Answer::json(202, &json!({ "id": "d-1" })));
//! # fn sketch() -> Result<(), Failure> {
//! let answer: Value = http::Request::put("https://platform.example.com/payment")
//!     .header("idempotency-key", "rel-1/staging/payment")
//!     .json(&json!({ "version": "1.4.0" }))
//!     .timeout(Duration::from_secs(10))
//!     .send()?
//!     .success()?
//!     .json()?;
//! # assert_eq!(answer["id"], "d-1");
//! # Ok(())
//! # }
//! # sketch().unwrap();
//! ```
//!
//! A 4xx or 5xx is an answer like any other until [`Response::success`] is asked for. Redirects are not followed.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::imports;

mod error;

pub use error::{Cause, Error};

/// A request that is being put together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "call `send`"]
pub struct Request {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) timeout: Option<Duration>,
    /// What is wrong with the body, kept until there is a result to put it into.
    fault: Option<String>,
}

impl Request {
    /// A request with any method, upper-case.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: None,
            timeout: None,
            fault: None,
        }
    }

    /// A `GET` request.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A `POST` request.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// A `PUT` request.
    pub fn put(url: impl Into<String>) -> Self {
        Self::new("PUT", url)
    }

    /// A `PATCH` request.
    pub fn patch(url: impl Into<String>) -> Self {
        Self::new("PATCH", url)
    }

    /// A `DELETE` request.
    pub fn delete(url: impl Into<String>) -> Self {
        Self::new("DELETE", url)
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends `body` as JSON, with its content type.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.header("content-type", "application/json").body(bytes),
            Err(error) => {
                self.fault = Some(format!("the body is no JSON: {error}"));
                self
            }
        }
    }

    /// Sends `body` as it is.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Longest time until the whole answer is there. The engine has a limit of its own, which is the default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends the request and waits for the whole answer.
    pub fn send(self) -> Result<Response, Error> {
        let answer = match &self.fault {
            Some(fault) => Err(Cause::Invalid(fault.clone())),
            None => imports::send(&self),
        };
        let call = Call::new(&self);
        match answer {
            Ok(answer) => Ok(Response { answer, call }),
            Err(cause) => Err(Error { call, cause }),
        }
    }

    /// The method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The first header called `name`, in any case.
    pub fn header_value(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The body, if there is one.
    pub fn body_bytes(&self) -> Option<&[u8]> {
        self.body.as_deref()
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// What was called, for messages: without the query, which may hold what nobody should read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Call {
    method: String,
    url: String,
}

impl Call {
    fn new(request: &Request) -> Self {
        let end = request.url.find(['?', '#']).unwrap_or(request.url.len());
        Self {
            method: request.method.clone(),
            url: request.url[..end].to_owned(),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// What came back over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// An answer, of whatever status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    answer: Received,
    call: Call,
}

impl Response {
    /// The status code.
    pub fn status(&self) -> u16 {
        self.answer.status
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.answer.status)
    }

    /// This answer if its status is 2xx, else an error. As a [`Failure`](crate::Failure) it is retryable for 408, 425,
    /// 429 and 5xx, not before the time in `retry-after`, and permanent for the rest.
    pub fn success(self) -> Result<Self, Error> {
        if self.is_success() {
            return Ok(self);
        }
        let cause = Cause::Status {
            status: self.status(),
            body: error::excerpt(&self.text()),
            retry_after: self
                .header("retry-after")
                .and_then(|seconds| seconds.parse().ok())
                .map(Duration::from_secs),
        };
        Err(Error {
            call: self.call,
            cause,
        })
    }

    /// The first header called `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.answer.headers, name)
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.answer.body
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.answer.body).into_owned()
    }

    /// The body, read as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.answer.body).map_err(|error| Error {
            call: self.call.clone(),
            cause: Cause::Unreadable(error.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Failure;
    use crate::testing::{Answer, Host};

    const URL: &str = "https://example.com/a";

    fn failure(answer: Answer) -> Failure {
        let host = Host::install();
        host.answer("GET", URL, answer);
        Request::get(URL)
            .send()
            .and_then(Response::success)
            .and_then(|response| response.json::<u32>())
            .expect_err("fails")
            .into()
    }

    #[test]
    fn every_cause_says_whether_to_try_again() {
        for (answer, retryable, code, message) in [
            (
                Answer::error(Cause::Denied("host example.com".into())),
                false,
                "http-denied",
                "is not granted: host example.com",
            ),
            (
                Answer::error(Cause::Timeout),
                true,
                "http-timeout",
                "in time",
            ),
            (
                Answer::error(Cause::Unreachable("refused".into())),
                true,
                "http-unreachable",
                "refused",
            ),
            (
                Answer::error(Cause::TooLarge(9)),
                false,
                "http-too-large",
                "9 bytes",
            ),
            (Answer::status(404), false, "http-status", "status 404"),
            (Answer::status(503), true, "http-status", "status 503"),
            (
                Answer::text(200, "x"),
                false,
                "http-unreadable",
                "expected value",
            ),
        ] {
            let failure = failure(answer);
            assert!(failure.message().starts_with("GET https://example.com/a "));
            assert!(failure.message().contains(message), "{failure}");
            assert_eq!(
                (failure.is_retryable(), failure.code_given()),
                (retryable, Some(code))
            );
        }
    }

    #[test]
    fn the_other_side_may_say_when_to_try_again() {
        let failure = failure(Answer::status(429).header("Retry-After", "7"));
        assert_eq!(failure.delay(), Some(Duration::from_secs(7)));
    }

    #[test]
    fn messages_hold_no_query_and_only_the_beginning_of_a_body() {
        let host = Host::install();
        let url = "https://example.com/a?token=s3cret";
        host.answer("GET", url, Answer::text(400, &"ä".repeat(5_000)));
        let error = Request::get(url)
            .send()
            .and_then(Response::success)
            .expect_err("a 400");
        let message = error.to_string();
        assert!(!message.contains("s3cret"), "{message}");
        assert!(message.len() < 1_000, "{}", message.len());
    }

    #[test]
    fn a_body_that_is_no_json_is_an_invalid_request_and_is_not_sent() {
        let host = Host::install();
        let error = Request::post(URL)
            .json(&std::collections::BTreeMap::from([((1, 2), 3)]))
            .send()
            .expect_err("no JSON");
        assert!(matches!(error.cause(), Cause::Invalid(_)), "{error}");
        assert!(host.requests().is_empty());
    }
}
