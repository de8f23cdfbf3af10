//! The HTTP calls of one run, by whichever interface the guest makes them: counted, permitted, given their secrets, sent
//! through the one client in [`crate::egress`], and told to people.

mod seen;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fermata_core::component::Grants;
use fermata_core::time::Timestamp;
use futures::TryFutureExt as _;
use serde_json::json;
use tokio::sync::Semaphore;

pub(crate) use seen::Unread;

use crate::background::Computes;
use crate::calls::seen::Seen;
use crate::egress::{Call, CallError, Denial, Patience, Permit, Response, covers, permit};
use crate::guest::Breach;
use crate::limits::length;
use crate::record::Recorder;
use crate::secrets::Held;
use crate::shared::Shared;

/// Calls of one run that are under way at the same time: each may hold a connection, a request and an answer.
const CALLS_AT_ONCE: usize = 4;
/// Calls that a run makes on the threads that all share: who makes more has work for a thread.
const CALLS_SHARED: u64 = 5;
/// The same for the bytes of an answer.
const RESPONSE_BYTES_SHARED: usize = 256 * 1024;

/// What a guest asks for.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) patience: Patience,
}

/// A call without an answer.
#[derive(Debug)]
pub(crate) struct Unanswered {
    /// For the guest.
    pub(crate) error: CallError,
    /// For people: which call it was, and what became of it.
    pub(crate) told: String,
}

/// What the calls of one run share.
pub(crate) struct Calls {
    shared: Arc<Shared>,
    grants: Arc<Grants>,
    held: Arc<Held>,
    computes: Computes,
    turns: Semaphore,
    seen: Seen,
    recorder: Recorder,
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls")
            .field("grants", &self.grants)
            .finish_non_exhaustive()
    }
}

impl Calls {
    pub(crate) fn new(
        shared: Arc<Shared>,
        grants: Arc<Grants>,
        held: Arc<Held>,
        computes: Computes,
    ) -> Self {
        let recorder = Recorder::new(shared.recordings, &shared.limits);
        Self {
            shared,
            grants,
            held,
            computes,
            turns: Semaphore::new(CALLS_AT_ONCE),
            seen: Seen::default(),
            recorder,
        }
    }

    /// Counts a call, and gives its number. The guest does not survive one too many.
    pub(crate) fn begin(&self) -> Result<u64, Breach> {
        let number = self.seen.begin();
        if number > self.shared.limits.http_calls {
            return Err(Breach("http-calls"));
        }
        if number > CALLS_SHARED {
            self.computes.set();
        }
        Ok(number)
    }

    /// Sends a call when its turn comes. `body` is asked for once the call is permitted.
    pub(crate) async fn send(
        &self,
        number: u64,
        outgoing: Outgoing,
        body: impl Future<Output = Result<Option<Vec<u8>>, CallError>>,
    ) -> Result<Response, Unanswered> {
        let _turn = self
            .turns
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let began = self.now();
        let headers = &outgoing.headers;
        let written = |method: &str, url: &str| {
            let held = &self.held;
            self.recorder.call(held, method, url, headers)
        };
        let permit = match self.permitted(&outgoing) {
            Ok(permit) => permit,
            Err(error) => {
                let place = written(&outgoing.method, &outgoing.url);
                let told = error.told();
                let unanswered = self.unanswered(number, told, error);
                self.recorder.answered(place, Err(&unanswered.error), 0);
                return Err(unanswered);
            }
        };
        let place = written(permit.method.as_str(), permit.target.url.as_str());
        let body = body.map_ok(|body| {
            self.recorder.sent(&self.held, place, body.as_deref());
            body
        });
        let answer = self.exchange(&permit, outgoing, body).await;
        let ms = self.now().since(began).0;
        let tell = |became: &str| {
            let (method, url) = (&permit.method, permit.target.shown());
            format!("{method} {url}: {became}, {ms} ms")
        };
        match answer {
            Ok(response) => {
                let told = self.held.redact(tell(&response.status.to_string()));
                self.seen.answered(number, response.body.len(), told);
                self.recorder.answered(place, Ok(&response), ms);
                Ok(response)
            }
            Err(error) => {
                let unanswered = self.unanswered(number, tell(&error.told()), error);
                self.recorder.answered(place, Err(&unanswered.error), ms);
                Err(unanswered)
            }
        }
    }

    /// The permit for a request. A URL is written down by everybody who sees it, so none holds a secret.
    fn permitted(&self, outgoing: &Outgoing) -> Result<Permit, CallError> {
        if self.held.is_shown_in_url(&outgoing.url) {
            let text = "the URL holds a secret; send it in a header or in the body";
            return Err(CallError::Invalid(text.into()));
        }
        // Refusals quote these two.
        let mut names = outgoing.headers.iter().map(|(name, _)| name);
        if names.any(|name| self.held.is_shown_in(name.as_bytes()))
            || self.held.is_shown_in(outgoing.method.as_bytes())
        {
            let text = "the method or the name of a header holds a secret";
            return Err(CallError::Invalid(text.into()));
        }
        if let Some(secret) = self.held.named_in(outgoing.url.as_bytes()).next() {
            return Err(CallError::Invalid(format!(
                "the URL holds the handle of the secret `{}`, which is replaced in header values and bodies only",
                secret.name
            )));
        }
        permit(&self.grants, &outgoing.method, &outgoing.url)
    }

    async fn exchange(
        &self,
        permit: &Permit,
        outgoing: Outgoing,
        body: impl Future<Output = Result<Option<Vec<u8>>, CallError>>,
    ) -> Result<Response, CallError> {
        let most = Duration::from_millis(self.shared.limits.http_time.0);
        let time = outgoing
            .patience
            .whole
            .map_or(most, |whole| whole.min(most));
        let exchange = async {
            let call = self.revealed(permit, outgoing, body.await?)?;
            self.shared.client.send(permit, call).await
        };
        let response = tokio::time::timeout(time, exchange)
            .await
            .unwrap_or(Err(CallError::Timeout))?;
        self.hidden(response).await
    }

    /// The call as it is sent: with the secrets in the places of their stand-ins.
    fn revealed(
        &self,
        permit: &Permit,
        outgoing: Outgoing,
        mut body: Option<Vec<u8>>,
    ) -> Result<Call, CallError> {
        let mut headers = outgoing.headers;
        if !self.held.is_empty() {
            let most = self.shared.limits.http_request_bytes;
            if body.as_ref().is_some_and(|body| body.len() > length(most)) {
                return Err(CallError::TooLong(most));
            }
            for bytes in headers.iter().map(|(_, value)| value).chain(&body) {
                self.may_send(permit, bytes)?;
            }
            headers = headers
                .into_iter()
                .map(|(name, value)| (name, self.held.reveal(value)))
                .collect();
            body = body.map(|body| self.held.reveal(body));
        }
        Ok(Call {
            headers,
            body,
            patience: outgoing.patience,
        })
    }

    /// Whether every secret that `bytes` stands for may go to where the call goes.
    fn may_send(&self, permit: &Permit, bytes: &[u8]) -> Result<(), CallError> {
        for secret in self.held.named_in(bytes) {
            let granted = self
                .grants
                .secrets
                .iter()
                .filter(|grant| grant.name == secret.name);
            if !granted
                .flat_map(|grant| &grant.hosts)
                .any(|host| covers(host, &permit.target))
            {
                let authority = permit.target.authority();
                let grant = json!({ "secrets": [{ "name": secret.name, "hosts": [authority] }] });
                let what = format!(
                    "the secret `{}` may not be sent to {authority}",
                    secret.name
                );
                return Err(CallError::Denied(Denial::new(what, &grant)));
            }
        }
        Ok(())
    }

    /// The answer as the guest sees it: a server that echoes a secret does not give it away.
    async fn hidden(&self, mut response: Response) -> Result<Response, CallError> {
        let hide =
            |text: String| String::from_utf8_lossy(&self.held.hide(text.into_bytes())).into_owned();
        response.headers = response
            .headers
            .into_iter()
            .map(|(name, value)| (hide(name), self.held.hide(value)))
            .collect();
        if response.body.len() <= RESPONSE_BYTES_SHARED {
            response.body = self.held.hide(response.body);
            return Ok(response);
        }
        // To look for secrets in it takes long, and so does what the guest does with it.
        self.computes.set();
        let held = Arc::clone(&self.held);
        let body = response.body;
        response.body = tokio::task::spawn_blocking(move || held.hide(body))
            .await
            .map_err(|_| CallError::Unreachable("the engine stops".into()))?;
        Ok(response)
    }

    /// The error as guest and people see it; a denial is remembered for the failure that may follow.
    fn unanswered(&self, number: u64, told: String, error: CallError) -> Unanswered {
        let told = self.held.redact(told);
        let error = match error {
            CallError::Denied(denial) => CallError::Denied(self.remember(number, denial)),
            CallError::Invalid(text) => CallError::Invalid(self.held.redact(text)),
            CallError::Unreachable(text) => CallError::Unreachable(self.held.redact(text)),
            other => other,
        };
        self.seen.unanswered(told.clone());
        Unanswered { error, told }
    }

    /// Remembers a denial that is not of a call, for the failure that may follow; the text is for the guest.
    pub(crate) fn deny(&self, denial: Denial) -> String {
        self.remember(self.seen.count(), denial).text()
    }

    fn remember(&self, number: u64, denial: Denial) -> Denial {
        let denial = Denial {
            what: self.held.redact(denial.what),
            grant: denial.grant.map(|grant| self.held.redact(grant)),
        };
        self.seen.denied(number, denial.clone());
        denial
    }

    /// Bytes that the body of a request may have.
    pub(crate) fn request_bytes(&self) -> u64 {
        self.shared.limits.http_request_bytes
    }

    /// Bytes of answers that the host keeps for a guest that does not read them: two of the largest.
    pub(crate) fn unread_bytes(&self) -> u64 {
        self.shared.limits.http_response_bytes.saturating_mul(2)
    }

    /// What the guest may reach.
    pub(crate) fn grants(&self) -> &Grants {
        &self.grants
    }

    /// Where it is written down what the guest asks of its host.
    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// What people see of the calls.
    pub(crate) fn seen(&self) -> &Seen {
        &self.seen
    }

    fn now(&self) -> Timestamp {
        (self.shared.clock)()
    }
}
