//! Sending a permitted call and taking its answer, within bounds.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue};
use tokio::sync::{Notify, Semaphore};

use crate::egress::resolve::{Forbidden, Judging, Resolver};
use crate::egress::{Answers, Asked, CallError, Given, Permit, Unanswered};
use crate::error::Error;
use crate::limits::{Limits, length};

/// How long an idle connection is kept for the next call.
const IDLE: Duration = Duration::from_secs(30);
/// Idle connections kept to one host.
const IDLE_PER_HOST: usize = 8;
/// Time for a connection to come about: what is further away is not reachable.
const CONNECT: Duration = Duration::from_secs(10);
/// Headers that belong to a connection, which is not the guest's.
const CONNECTION_HEADERS: [&str; 9] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// What calls are known by, unless the guest says otherwise.
const USER_AGENT: &str = concat!("fermata/", env!("CARGO_PKG_VERSION"));

/// What is sent, next to what the permit says.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) patience: Patience,
}

/// How long the guest waits, where it says so; the engine's own limit holds in any case.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Patience {
    /// For the whole answer.
    pub(crate) whole: Option<Duration>,
    /// For the head of the answer.
    pub(crate) head: Option<Duration>,
    /// For each part of its body.
    pub(crate) part: Option<Duration>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// Two clients, each with its own connections: one for the Internet, one for hosts that may be in this network. So a
/// connection that was judged for the one is never used by the other.
#[derive(Debug)]
pub(crate) struct Client {
    resolver: Arc<dyn Resolver>,
    answers: Option<Arc<dyn Answers>>,
    /// A call that no answer will ever come to ends its run.
    never: Notify,
    public: OnceLock<reqwest::Client>,
    private: OnceLock<reqwest::Client>,
    connections: Semaphore,
    response_bytes: u64,
    header_bytes: usize,
    request_bytes: u64,
}

impl Client {
    pub(crate) fn new(
        resolver: Arc<dyn Resolver>,
        answers: Option<Arc<dyn Answers>>,
        limits: &Limits,
    ) -> Self {
        Self {
            resolver,
            answers,
            never: Notify::new(),
            public: OnceLock::new(),
            private: OnceLock::new(),
            connections: Semaphore::new(length(limits.http_connections)),
            response_bytes: limits.http_response_bytes,
            header_bytes: length(limits.http_header_bytes),
            request_bytes: limits.http_request_bytes,
        }
    }

    /// Sends the call and takes the whole answer. How long that may take in all, the caller says.
    pub(crate) async fn send(&self, permit: &Permit, call: Call) -> Result<Response, CallError> {
        let headers = self.headers(&call.headers)?;
        if call
            .body
            .as_ref()
            .is_some_and(|body| body.len() as u64 > self.request_bytes)
        {
            return Err(CallError::TooLong(self.request_bytes));
        }
        if let Some(answers) = &self.answers {
            return self.prepared(answers.as_ref(), permit, &call).await;
        }
        let _connection = self
            .connections
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let mut request = self
            .client(permit.private)
            .map_err(|error| CallError::Unreachable(error.to_string()))?
            .request(permit.method.clone(), permit.target.url.clone())
            .headers(headers);
        if let Some(body) = call.body {
            request = request.body(body);
        }
        let response = within(call.patience.head, request.send())
            .await?
            .map_err(|error| explain(permit, error))?;
        self.take(permit, response, call.patience.part).await
    }

    /// What the run that begins now is given in the place of chance and time.
    pub(crate) fn given(&self) -> Option<Given> {
        self.answers.as_ref()?.given()
    }

    /// Says of a run that it waits for what never comes; nothing where answers come from the network, which may.
    pub(crate) fn never(&self) -> Option<&Notify> {
        self.answers.as_ref().map(|_| &self.never)
    }

    /// The answer that stands ready in the place of the network.
    async fn prepared(
        &self,
        answers: &dyn Answers,
        permit: &Permit,
        call: &Call,
    ) -> Result<Response, CallError> {
        let asked = Asked {
            method: permit.method.as_str(),
            url: permit.target.url.as_str(),
            body: call.body.as_deref(),
        };
        let answered = match answers.answer(&asked) {
            Ok(answered) => answered,
            Err(why) => {
                let ends_run = matches!(why, Unanswered::Never);
                if let Some(error) = why.seen() {
                    return Err(error);
                }
                if ends_run {
                    self.never.notify_one();
                }
                return std::future::pending().await;
            }
        };
        if answered.body.len() as u64 > self.response_bytes {
            return Err(CallError::TooLarge(self.response_bytes));
        }
        Ok(Response {
            status: answered.status,
            headers: answered
                .headers
                .into_iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), value.into_bytes()))
                .collect(),
            body: answered.body,
        })
    }

    fn client(&self, private: bool) -> Result<&reqwest::Client, Error> {
        let cell = if private { &self.private } else { &self.public };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let judging = Judging {
            resolver: Arc::clone(&self.resolver),
            private,
        };
        let client = reqwest::Client::builder()
            .dns_resolver(Arc::new(judging))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .build()
            .map_err(|error| Error::Http(error.to_string()))?;
        Ok(cell.get_or_init(|| client))
    }

    /// The guest's headers, without those that the client itself sets.
    fn headers(&self, given: &[(String, Vec<u8>)]) -> Result<HeaderMap, CallError> {
        let bytes: usize = given
            .iter()
            .map(|(name, value)| name.len() + value.len() + 4)
            .sum();
        if bytes > self.header_bytes {
            return Err(CallError::Invalid(format!(
                "the headers have more than {} bytes",
                self.header_bytes
            )));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            let invalid =
                |what| CallError::Invalid(format!("the header `{}` {what}", name.escape_debug()));
            let parsed = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| invalid("has no valid name"))?;
            if CONNECTION_HEADERS.contains(&parsed.as_str()) {
                return Err(invalid(
                    "belongs to the connection, which is not the guest's",
                ));
            }
            if parsed != HOST && parsed != CONTENT_LENGTH {
                let mut value =
                    HeaderValue::from_bytes(value).map_err(|_| invalid("has no valid value"))?;
                // It may hold a secret: nobody who logs a request shows it.
                value.set_sensitive(true);
                headers.append(parsed, value);
            }
        }
        Ok(headers)
    }

    async fn take(
        &self,
        permit: &Permit,
        mut response: reqwest::Response,
        patience: Option<Duration>,
    ) -> Result<Response, CallError> {
        let headers: Vec<_> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect();
        let bytes: usize = headers
            .iter()
            .map(|(name, value)| name.len() + value.len() + 4)
            .sum();
        if bytes > self.header_bytes {
            return Err(CallError::HeadTooLarge(self.header_bytes as u64));
        }
        if response
            .content_length()
            .is_some_and(|length| length > self.response_bytes)
        {
            return Err(CallError::TooLarge(self.response_bytes));
        }
        let mut body = Vec::new();
        while let Some(part) = within(patience, response.chunk())
            .await?
            .map_err(|error| explain(permit, error))?
        {
            if (body.len() + part.len()) as u64 > self.response_bytes {
                return Err(CallError::TooLarge(self.response_bytes));
            }
            body.extend_from_slice(&part);
        }
        Ok(Response {
            status: response.status().as_u16(),
            headers,
            body,
        })
    }
}

/// What comes within the time, if there is one.
async fn within<T>(time: Option<Duration>, what: impl Future<Output = T>) -> Result<T, CallError> {
    match time {
        Some(time) => tokio::time::timeout(time, what)
            .await
            .map_err(|_| CallError::Timeout),
        None => Ok(what.await),
    }
}

/// What a failed exchange means for the guest.
fn explain(permit: &Permit, error: reqwest::Error) -> CallError {
    let error = error.without_url();
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    let mut text = String::new();
    while let Some(error) = cause {
        if let Some(Forbidden(reach)) = error.downcast_ref() {
            return permit
                .judge(*reach)
                .err()
                .unwrap_or(CallError::Unreachable(error.to_string()));
        }
        text = error.to_string();
        cause = error.source();
    }
    if error.is_timeout() {
        return CallError::Timeout;
    }
    // The innermost cause is the one that tells people something: "connection refused".
    CallError::Unreachable(text)
}
