//! Requests to one repository of one registry: who asks, how long it may take, and how much is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use futures::{StreamExt as _, stream};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;

use super::challenge::Challenge;
use super::credentials::{Credentials, DOCKER_HUB};
use super::error::Error;
use super::layout::shown;
use super::reference::Reference;
use crate::client::{error, token};

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Most bytes of an answer that only tells something: a refusal, a token.
const TOLD_BYTES_MAX: usize = 64 * 1024;
/// Size of the pieces that are sent: small enough to see them go.
const PIECE_BYTES: usize = 64 * 1024;
/// What docker's own registry is really called.
const DOCKER_HUB_HOST: &str = "registry-1.docker.io";
/// Most of what a registry tells that is shown.
const TOLD_ERRORS_MAX: usize = 3;

/// What the repository is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To read.
    Pull,
    /// To read and write.
    Push,
}

impl Purpose {
    fn scope(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "pull,push",
        }
    }
}

/// What the user says about the way to the registry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Whether to do without TLS also beyond this machine.
    pub(crate) plain_http: bool,
    /// How long to wait for an answer, and for the next byte of a long one.
    pub(crate) timeout: Duration,
}

/// One repository.
#[derive(Debug)]
pub(super) struct Session {
    http: reqwest::Client,
    base: Url,
    /// As people know it.
    registry: String,
    repository: String,
    purpose: Purpose,
    settings: Settings,
    credentials: Credentials,
    authorization: Option<HeaderValue>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    /// The method.
    pub(super) method: Method,
    /// Where.
    pub(super) url: Url,
    /// For people: `read the manifest`.
    pub(super) what: &'static str,
    /// The media types that are understood; any if it is empty.
    pub(super) accept: &'static str,
    /// What is sent, and its media type.
    pub(super) body: Option<(&'static str, Bytes)>,
    /// Counts the bytes that have left.
    pub(super) sent: Arc<AtomicUsize>,
    /// How much more than the usual time it may take.
    pub(super) longer: Duration,
}

impl Ask {
    /// A request without a body.
    pub(super) fn new(method: Method, url: Url, what: &'static str) -> Self {
        Self {
            method,
            url,
            what,
            accept: "",
            body: None,
            sent: Arc::default(),
            longer: Duration::ZERO,
        }
    }
}

/// What registries say no with.
#[derive(Deserialize)]
struct Told {
    errors: Vec<ToldError>,
}

#[derive(Deserialize)]
struct ToldError {
    code: String,
    #[serde(default)]
    message: String,
}

/// A token, under the two names that it goes by.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Session {
    /// Prepares for a repository; asks nothing.
    pub(super) fn new(
        place: &Reference,
        purpose: Purpose,
        settings: Settings,
        credentials: Credentials,
    ) -> Result<Self, Error> {
        let is_hub = place.registry == DOCKER_HUB;
        let host = if is_hub {
            DOCKER_HUB_HOST
        } else {
            &place.registry
        };
        let address = |scheme: &str| Url::parse(&format!("{scheme}://{host}/v2/"));
        let base = address("https").and_then(|base| {
            let plain = settings.plain_http || token::is_loopback(&base);
            if plain { address("http") } else { Ok(base) }
        });
        let base = base.expect("a reference names a host, or host and port");
        let repository = match place.repository.as_str() {
            name if is_hub && !name.contains('/') => format!("library/{name}"),
            name => name.to_owned(),
        };
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(settings.timeout)
            // Nothing leads from a registry with TLS to one without it.
            .https_only(base.scheme() == "https")
            .user_agent(concat!("fermata/", env!("CARGO_PKG_VERSION")));
        if token::is_loopback(&base) {
            // A proxy cannot reach this machine's loopback for us.
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| Error::Unreachable {
            registry: place.registry.clone(),
            why: error::root(&error),
        })?;
        Ok(Self {
            http,
            base,
            registry: place.registry.clone(),
            repository,
            purpose,
            settings,
            credentials,
            authorization: None,
        })
    }

    /// An address below the repository.
    pub(super) fn url(&self, below: &str) -> Url {
        let path = format!("{}/{below}", self.repository);
        self.base
            .join(&path)
            .expect("names, tags and digests are path segments")
    }

    /// Asks; logs in if the registry wants that.
    pub(super) async fn ask(&mut self, ask: &Ask) -> Result<Response, Error> {
        let response = self.once(ask).await?;
        // Somebody else, to whom the registry has sent us, has no business with this login.
        let is_home = response.url().origin() == self.base.origin();
        if response.status() != StatusCode::UNAUTHORIZED || !is_home {
            return Ok(response);
        }
        match Challenge::read(response.headers()) {
            None => return Ok(response),
            Some(challenge) => self.meet(ask, &challenge).await?,
        }
        self.once(ask).await
    }

    async fn once(&self, ask: &Ask) -> Result<Response, Error> {
        let mut request = self.http.request(ask.method.clone(), ask.url.clone());
        // Blobs may be sent elsewhere, where this login has no business.
        let is_home = ask.url.origin() == self.base.origin();
        if let Some(authorization) = self.authorization.as_ref().filter(|_| is_home) {
            request = request.header(AUTHORIZATION, authorization);
        }
        if !ask.accept.is_empty() {
            request = request.header(ACCEPT, ask.accept);
        }
        if let Some((kind, bytes)) = &ask.body {
            request = request
                .header(CONTENT_TYPE, *kind)
                .header(CONTENT_LENGTH, bytes.len())
                .body(pieces(bytes.clone(), &ask.sent));
        } else if ask.method == Method::POST {
            request = request.header(CONTENT_LENGTH, 0);
        }
        self.send(request, ask.longer).await
    }

    async fn send(&self, request: RequestBuilder, longer: Duration) -> Result<Response, Error> {
        let request = request.timeout(self.settings.timeout + longer);
        request.send().await.map_err(|error| self.broken(&error))
    }

    /// Gets what the registry wants to see.
    async fn meet(&mut self, ask: &Ask, challenge: &Challenge) -> Result<(), Error> {
        let login = self.credentials.login.as_ref();
        let header = match challenge {
            Challenge::Basic => match login {
                None => return Err(self.closed(ask.what, "it wants a name and a password")),
                Some(login) => {
                    let request = self.http.get(self.base.clone());
                    let request = request.basic_auth(&login.user, Some(&*login.password));
                    let built = request.build().map_err(|error| self.broken(&error))?;
                    built.headers().get(AUTHORIZATION).cloned()
                }
            },
            Challenge::Bearer { realm, service } => {
                let token = self.token(ask.what, realm, service.as_deref()).await?;
                HeaderValue::try_from(format!("Bearer {token}")).ok()
            }
        };
        let mut header =
            header.ok_or_else(|| self.closed(ask.what, "its token is no text of a header"))?;
        header.set_sensitive(true);
        self.authorization = Some(header);
        Ok(())
    }

    /// Fetches a token from where the registry says.
    async fn token(
        &self,
        what: &'static str,
        realm: &str,
        service: Option<&str>,
    ) -> Result<String, Error> {
        let realm = Url::parse(realm)
            .map_err(|_| self.closed(what, "it does not say where tokens are given out"))?;
        let is_private = realm.scheme() == "https"
            || realm.scheme() == "http" && (self.settings.plain_http || token::is_loopback(&realm));
        if !is_private {
            let realm = shown(realm.as_str());
            let why = format!("it gives out tokens at {realm}, where others could read along");
            return Err(self.closed(what, &why));
        }
        let scope = format!("repository:{}:{}", self.repository, self.purpose.scope());
        let mut realm = realm;
        {
            let mut query = realm.query_pairs_mut();
            service.map(|service| query.append_pair("service", service));
            query.append_pair("scope", &scope);
        }
        let mut request = self.http.get(realm);
        if let Some(login) = &self.credentials.login {
            request = request.basic_auth(&login.user, Some(&*login.password));
        }
        let response = self.send(request, Duration::ZERO).await?;
        let status = response.status();
        let body = self.told(response).await?;
        if !status.is_success() {
            return Err(self.closed(what, &told(status, &body)));
        }
        let token: Option<Token> = serde_json::from_slice(&body).ok();
        let token = token.and_then(|token| token.token.or(token.access_token));
        token.ok_or_else(|| self.closed(what, "where tokens are given out, there was none"))
    }

    /// The error for an answer that is not the one that was hoped for; `of` is what was asked for, for people.
    pub(super) async fn refusal(&self, ask: &Ask, of: &str, response: Response) -> Error {
        let status = response.status();
        let body = match self.told(response).await {
            Ok(body) => body,
            Err(error) => return error,
        };
        let speaks = serde_json::from_slice::<Told>(&body).is_ok();
        let registry = self.registry.clone();
        let told = told(status, &body);
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => self.closed(ask.what, &told),
            StatusCode::NOT_FOUND if speaks => Error::Missing {
                what: of.to_owned(),
                told,
            },
            _ if speaks || status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Error::Refused {
                    registry,
                    what: ask.what.to_owned(),
                    told,
                    status: status.as_u16(),
                }
            }
            _ => self.foreign(status, &told),
        }
    }

    /// The error for what no registry would answer.
    pub(super) fn foreign(&self, status: StatusCode, why: &str) -> Error {
        Error::Foreign {
            registry: self.registry.clone(),
            status: status.as_u16(),
            why: why.to_owned(),
        }
    }

    fn closed(&self, what: &str, why: &str) -> Error {
        let (login, elsewhere) = (&self.credentials.login, &self.credentials.out_of_reach);
        let flags = "--username NAME with --password-stdin or --password-file FILE, or FERMATA_OCI_USERNAME and FERMATA_OCI_PASSWORD";
        let next = match (login, elsewhere) {
            (Some(login), _) => format!(
                "see whether the password of `{}` is right, and whether it may do this in {}",
                login.user, self.repository
            ),
            (None, Some(keeper)) => {
                format!("docker's login is kept by {keeper}, which is not read: pass {flags}")
            }
            (None, None) => {
                format!("log in: `docker login {}`, or {flags}", self.registry)
            }
        };
        Error::Unauthorised {
            registry: self.registry.clone(),
            what: what.to_owned(),
            why: why.to_owned(),
            next,
        }
    }

    async fn told(&self, response: Response) -> Result<Vec<u8>, Error> {
        let what = format!("an answer of the registry at {}", self.registry);
        self.read(response, TOLD_BYTES_MAX, &what, &AtomicUsize::new(0))
            .await
    }

    /// Reads an answer of at most so many bytes; `got` counts those that have arrived.
    pub(super) async fn read(
        &self,
        response: Response,
        bytes_max: usize,
        what: &str,
        got: &AtomicUsize,
    ) -> Result<Vec<u8>, Error> {
        let too_large = || Error::TooLarge {
            what: what.to_owned(),
            bytes_max: bytes_max as u64,
        };
        let announced = response.content_length().unwrap_or(0);
        if announced > bytes_max as u64 {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| self.broken(&error))?;
            if bytes.len() + chunk.len() > bytes_max {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
            got.store(bytes.len(), Ordering::Relaxed);
        }
        Ok(bytes)
    }

    fn broken(&self, failed: &reqwest::Error) -> Error {
        let registry = self.registry.clone();
        let why = error::root(failed);
        if failed.is_connect() {
            Error::Unreachable { registry, why }
        } else if failed.is_timeout() {
            let after = self.settings.timeout;
            Error::Timeout { registry, after }
        } else {
            Error::Lost { registry, why }
        }
    }
}

/// The bytes in pieces, counted as they leave.
fn pieces(bytes: Bytes, sent: &Arc<AtomicUsize>) -> Body {
    let sent = Arc::clone(sent);
    sent.store(0, Ordering::Relaxed);
    let begins = (0..bytes.len()).step_by(PIECE_BYTES);
    Body::wrap_stream(stream::iter(begins.map(move |begin| {
        let piece = bytes.slice(begin..bytes.len().min(begin + PIECE_BYTES));
        sent.fetch_add(piece.len(), Ordering::Relaxed);
        Ok::<_, std::io::Error>(piece)
    })))
}

/// What an answer says, in one line.
fn told(status: StatusCode, body: &[u8]) -> String {
    let Ok(told) = serde_json::from_slice::<Told>(body) else {
        let text = String::from_utf8_lossy(body);
        let line = text.lines().find(|line| !line.trim().is_empty());
        let reason = status.canonical_reason().unwrap_or("no reason given");
        return shown(line.unwrap_or(reason));
    };
    let first = told.errors.iter().take(TOLD_ERRORS_MAX);
    let lines: Vec<String> = first
        .map(|error| format!("{}: {}", shown(&error.code), shown(&error.message)))
        .collect();
    lines.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(reference: &str, plain_http: bool) -> String {
        let settings = Settings {
            plain_http,
            timeout: Duration::from_secs(1),
        };
        let place = reference.parse().unwrap();
        let session = Session::new(&place, Purpose::Pull, settings, Credentials::default());
        session.unwrap().url("manifests/1").to_string()
    }

    #[test]
    fn only_this_machine_is_asked_without_tls_unless_the_user_says_so() {
        for (reference, plain_http, expected) in [
            (
                "oci://ghcr.io/a/b",
                false,
                "https://ghcr.io/v2/a/b/manifests/1",
            ),
            (
                "oci://10.0.0.1:5000/a",
                false,
                "https://10.0.0.1:5000/v2/a/manifests/1",
            ),
            (
                "oci://10.0.0.1:5000/a",
                true,
                "http://10.0.0.1:5000/v2/a/manifests/1",
            ),
            (
                "oci://127.0.0.1:5000/a",
                false,
                "http://127.0.0.1:5000/v2/a/manifests/1",
            ),
            (
                "oci://localhost/a",
                false,
                "http://localhost/v2/a/manifests/1",
            ),
            (
                "oci://localhost.example/a",
                false,
                "https://localhost.example/v2/a/manifests/1",
            ),
            (
                "oci://docker.io/a",
                false,
                "https://registry-1.docker.io/v2/library/a/manifests/1",
            ),
            (
                "oci://docker.io/a/b",
                false,
                "https://registry-1.docker.io/v2/a/b/manifests/1",
            ),
        ] {
            assert_eq!(address(reference, plain_http), expected, "{reference}");
        }
    }

    #[test]
    fn what_a_registry_tells_is_short_and_draws_nothing() {
        let errors = r#"{"errors":[{"code":"DENIED","message":"no\u001b[2J"},{"code":"B"},{"code":"C"},{"code":"D"}]}"#;
        for (body, expected) in [
            (errors, "DENIED: no[2J; B: ; C: "),
            ("", "Forbidden"),
            ("\n<html>\nmore", "<html>"),
            (&"x".repeat(10_000), &"x".repeat(100)),
        ] {
            assert_eq!(told(StatusCode::FORBIDDEN, body.as_bytes()), expected);
        }
    }
}
