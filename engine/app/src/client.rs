//! The HTTP API as a client sees it. Knows nothing of the server's code but its public contract.

pub(crate) mod error;
pub(crate) mod problem;
pub(crate) mod sse;
pub(crate) mod token;
pub(crate) mod view;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue};
use reqwest::{Body, Method, Response, StatusCode, Url};
use serde_json::Value;

pub(crate) use error::Error;
use problem::Problem;

/// How long to wait for a connection: a server that needs longer is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Largest answer that is read: above the largest list or document the server sends.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A connection to one server, as one caller.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<token::Token>,
    timeout: Duration,
}

/// What is asked: method, path, query, headers and body.
#[derive(Debug)]
pub(crate) struct Call {
    method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
    body: Option<Body>,
    longer: Duration,
}

impl Call {
    fn new(method: Method, path: &[&str]) -> Self {
        Self {
            method,
            path: path.iter().map(ToString::to_string).collect(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            longer: Duration::ZERO,
        }
    }

    /// `GET /api/v1/{path…}`; the parts are escaped.
    pub(crate) fn get(path: &[&str]) -> Self {
        Self::new(Method::GET, path)
    }

    /// `POST /api/v1/{path…}`.
    pub(crate) fn post(path: &[&str]) -> Self {
        Self::new(Method::POST, path)
    }

    /// `PUT /api/v1/{path…}`.
    pub(crate) fn put(path: &[&str]) -> Self {
        Self::new(Method::PUT, path)
    }

    /// `PATCH /api/v1/{path…}`.
    pub(crate) fn patch(path: &[&str]) -> Self {
        Self::new(Method::PATCH, path)
    }

    /// `DELETE /api/v1/{path…}`.
    pub(crate) fn delete(path: &[&str]) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// The same with a query parameter, if there is a value.
    pub(crate) fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query
            .extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// The same with a header, if there is a value.
    pub(crate) fn header(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.headers
            .extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// The same with a JSON body.
    pub(crate) fn json(self, body: &Value) -> Self {
        let mut call = self.header(CONTENT_TYPE.as_str(), Some("application/json"));
        call.body = Some(Body::from(body.to_string()));
        call
    }

    /// The same with bytes as the body.
    pub(crate) fn bytes(self, kind: &str, body: impl Into<Body>, length: usize) -> Self {
        let mut call = self
            .header(CONTENT_TYPE.as_str(), Some(kind))
            .header(CONTENT_LENGTH.as_str(), Some(length));
        call.body = Some(body.into());
        call
    }

    /// The same with more time for the answer.
    pub(crate) fn longer(mut self, span: Duration) -> Self {
        self.longer = span;
        self
    }
}

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status, a good one.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The JSON; `null` if there was no body.
    pub(crate) body: Value,
}

impl Client {
    /// A client for the server at `address`, such as `http://127.0.0.1:7717`.
    pub(crate) fn new(
        address: &str,
        token: Option<token::Token>,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let base = base(address)?;
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("fermata/", env!("CARGO_PKG_VERSION")));
        if token::is_loopback(&base) {
            // A proxy cannot reach this machine's loopback for us.
            builder = builder.no_proxy();
        }
        let http = builder
            .build()
            .map_err(|error| Error::address(address, error::root(&error)))?;
        Ok(Self {
            http,
            base,
            token,
            timeout,
        })
    }

    /// The address of the server.
    pub(crate) fn server(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The token that is sent, if any.
    pub(crate) fn token(&self) -> Option<&token::Token> {
        self.token.as_ref()
    }

    /// Asks, and reads the whole answer. A bad status is an error.
    pub(crate) async fn send(&self, call: Call) -> Result<Answer, Error> {
        let limit = self.timeout + call.longer;
        let whole = async {
            let response = self.open(call).await?;
            self.read(response).await
        };
        match tokio::time::timeout(limit, whole).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::Timeout {
                server: self.server().into(),
                after: limit,
            }),
        }
    }

    /// Asks, and gives the answer as it is, with its `ETag`. `got` counts the bytes that have arrived.
    pub(crate) async fn download(
        &self,
        call: Call,
        got: &AtomicUsize,
    ) -> Result<(String, Vec<u8>), Error> {
        let limit = self.timeout + call.longer;
        let whole = async {
            let response = self.open(call).await?;
            let tag = response.headers().get(ETAG).cloned();
            let (status, headers, bytes) = self.whole(response, got).await?;
            match tag.as_ref().and_then(|tag| tag.to_str().ok()) {
                _ if !status.is_success() => Err(refused(status, &headers, &bytes)),
                Some(tag) => Ok((tag.to_owned(), bytes)),
                None => Err(self.foreign(status.as_u16())),
            }
        };
        let in_time = tokio::time::timeout(limit, whole).await;
        in_time.unwrap_or_else(|_| {
            Err(Error::Timeout {
                server: self.server().into(),
                after: limit,
            })
        })
    }

    /// Asks, and gives the JSON of the answer.
    pub(crate) async fn json(&self, call: Call) -> Result<Value, Error> {
        self.send(call).await.map(|answer| answer.body)
    }

    /// Asks outside `/api/v1`, without a token: `livez`, `readyz`.
    pub(crate) async fn probe(&self, path: &str) -> Result<u16, Error> {
        let mut url = self.base.clone();
        url.set_path(path);
        let request = self.http.get(url).timeout(self.timeout).send();
        let response = request.await.map_err(|error| self.broken(&error))?;
        Ok(response.status().as_u16())
    }

    /// Follows an event stream from after `last`.
    pub(crate) async fn follow(
        &self,
        path: &[&str],
        last: Option<&str>,
    ) -> Result<sse::Events, Error> {
        let call = Call::get(path)
            .header("accept", Some("text/event-stream"))
            .header("last-event-id", last);
        let opened = tokio::time::timeout(self.timeout, self.open(call));
        let response = opened.await.map_err(|_| Error::Timeout {
            server: self.server().into(),
            after: self.timeout,
        })??;
        if !response.status().is_success() {
            return Err(match self.read(response).await {
                Err(error) => error,
                Ok(answer) => self.foreign(answer.status),
            });
        }
        let server = self.server().to_owned();
        let chunks = response.bytes_stream().map(move |chunk| {
            chunk
                .map(|bytes| bytes.to_vec())
                .map_err(|error| Error::lost(&server, &error))
        });
        Ok(sse::Events::new(chunks.boxed()))
    }

    async fn open(&self, call: Call) -> Result<Response, Error> {
        let mut request = self
            .http
            .request(call.method, self.url(&call.path, &call.query));
        if let Some(token) = &self.token {
            let mut value = HeaderValue::try_from(format!("Bearer {}", token.text))
                .map_err(|_| Error::token(&token.source, "it holds characters no token has"))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = call.body {
            request = request.body(body);
        }
        request.send().await.map_err(|error| self.broken(&error))
    }

    async fn read(&self, response: Response) -> Result<Answer, Error> {
        let (status, headers, bytes) = self.whole(response, &AtomicUsize::new(0)).await?;
        if !status.is_success() {
            return Err(refused(status, &headers, &bytes));
        }
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).map_err(|_| self.foreign(status.as_u16()))?
        };
        Ok(Answer {
            status: status.as_u16(),
            headers,
            body,
        })
    }

    /// Reads a whole answer, whatever it says.
    async fn whole(
        &self,
        response: Response,
        got: &AtomicUsize,
    ) -> Result<(StatusCode, HeaderMap, Vec<u8>), Error> {
        let status = response.status();
        let headers = response.headers().clone();
        let mut bytes = Vec::new();
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            bytes.extend_from_slice(&chunk.map_err(|error| Error::lost(self.server(), &error))?);
            if bytes.len() > ANSWER_BYTES_MAX {
                return Err(self.foreign(status.as_u16()));
            }
            got.store(bytes.len(), Ordering::Relaxed);
        }
        Ok((status, headers, bytes))
    }

    fn url(&self, path: &[String], query: &[(&'static str, String)]) -> Url {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .expect("the base is an http address, which has a path")
            .pop_if_empty()
            .extend(["api", "v1"])
            .extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    fn broken(&self, error: &reqwest::Error) -> Error {
        if error.is_timeout() && !error.is_connect() {
            Error::Timeout {
                server: self.server().into(),
                after: self.timeout,
            }
        } else if error.is_connect() {
            Error::Unreachable {
                server: self.server().into(),
                why: error::root(error),
            }
        } else {
            Error::lost(self.server(), error)
        }
    }

    fn foreign(&self, status: u16) -> Error {
        Error::Foreign {
            server: self.server().into(),
            status,
        }
    }
}

fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    Error::Problem(Box::new(Problem::parse(status.as_u16(), headers, body)))
}

/// Reads the address of a server.
fn base(address: &str) -> Result<Url, Error> {
    let url = Url::parse(address).map_err(|error| Error::address(address, error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(Error::address(
            address,
            "it does not begin with http:// or https://",
        ));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str) -> Client {
        Client::new(address, None, Duration::from_secs(1)).expect("a client")
    }

    #[test]
    fn parts_of_a_path_are_escaped() {
        for (address, parts, expected) in [
            (
                "http://h:1",
                ["releases", "rel-1"],
                "http://h:1/api/v1/releases/rel-1",
            ),
            (
                "http://h:1/",
                ["releases", "a/../b?c"],
                "http://h:1/api/v1/releases/a%2F..%2Fb%3Fc",
            ),
            ("http://h/base/", ["me", "x"], "http://h/base/api/v1/me/x"),
        ] {
            let parts = parts.map(String::from);
            assert_eq!(client(address).url(&parts, &[]).as_str(), expected);
        }
        let url = client("http://h").url(&["releases".into()], &[("state", "a&b".into())]);
        assert_eq!(url.query(), Some("state=a%26b"));
    }

    #[test]
    fn addresses_that_are_none_are_usage_errors() {
        for address in ["", "127.0.0.1:7717", "localhost", "ftp://h", "http://"] {
            let error = Client::new(address, None, Duration::from_secs(1)).expect_err(address);
            assert_eq!(error.exit(), crate::exit::Exit::Usage, "{address}");
        }
    }
}
