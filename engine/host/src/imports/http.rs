//! `fermata:activity/http`: calls, through the one policy in [`crate::egress`].

use std::time::Duration;

use serde_json::json;

use crate::egress::{Call, CallError, Denial, Permit, Response, covers, permit};
use crate::guest::fermata::activity::http::{Error, Host, Request, Response as Answer};
use crate::guest::{Breach, Context};
use crate::limits::length;
use crate::record::Called;

/// Calls that a run makes on the threads that all share: who makes more has work for a thread.
const CALLS_SHARED: u64 = 5;
/// The same for the bytes of an answer.
const RESPONSE_BYTES_SHARED: u64 = 256 * 1024;

impl Host for Context {
    async fn send(&mut self, request: Request) -> wasmtime::Result<Result<Answer, Error>> {
        self.calls += 1;
        if self.calls > self.shared.limits.http_calls {
            return Err(Breach("http-calls").into());
        }
        if self.calls > CALLS_SHARED {
            self.computes.set();
        }
        let began = self.now();
        let permit = match self.permitted(&request) {
            Ok(permit) => permit,
            Err(error) => {
                self.record_call(&called(&request.method, &request.url, &request));
                self.record_answer(Err(&error), 0);
                self.last_call = Some(self.held.redact(tell(&error)));
                return Ok(Err(self.refused(error)));
            }
        };
        let (method, url) = (permit.method.as_str(), permit.target.url.as_str());
        self.record_call(&called(method, url, &request));
        let answer = self.exchange(&permit, request).await;
        let ms = self.now().since(began).0;
        self.record_answer(answer.as_ref(), ms);
        let told = match &answer {
            Ok(response) => response.status.to_string(),
            Err(error) => tell(error),
        };
        let call = format!(
            "{} {}: {told}, {ms} ms",
            permit.method,
            permit.target.shown()
        );
        self.last_call = Some(self.held.redact(call));
        Ok(match answer {
            Ok(response) => {
                let bytes = response.body.len() as u64;
                self.response_bytes = self.response_bytes.max(bytes);
                // A call that got through shows that the guest found another way.
                self.denial = None;
                Ok(response)
            }
            Err(error) => Err(self.refused(error)),
        })
    }
}

impl Context {
    /// The permit for a request. A URL is written down by everybody who sees it, so none holds a secret.
    fn permitted(&self, request: &Request) -> Result<Permit, CallError> {
        if self.held.is_shown_in_url(&request.url) {
            let text = "the URL holds a secret; send it in a header or in the body";
            return Err(CallError::Invalid(text.into()));
        }
        // Refusals quote these two.
        let mut names = request.headers.iter().map(|(name, _)| name);
        if names.any(|name| self.held.is_shown_in(name.as_bytes()))
            || self.held.is_shown_in(request.method.as_bytes())
        {
            let text = "the method or the name of a header holds a secret";
            return Err(CallError::Invalid(text.into()));
        }
        if let Some(secret) = self.held.named_in(request.url.as_bytes()).next() {
            return Err(CallError::Invalid(format!(
                "the URL holds the handle of the secret `{}`, which is replaced in header values and bodies only",
                secret.name
            )));
        }
        permit(&self.grants, &request.method, &request.url)
    }

    async fn exchange(&mut self, permit: &Permit, request: Request) -> Result<Answer, CallError> {
        let call = self.revealed(permit, request)?;
        let response = self.shared.client.send(permit, call).await?;
        if response.body.len() as u64 > RESPONSE_BYTES_SHARED {
            // To look for secrets in it takes long, and so does what the guest does with it.
            self.computes.set();
            tokio::task::yield_now().await;
        }
        Ok(self.hidden(response))
    }

    /// The call as it is sent: with the secrets in the places of their stand-ins.
    fn revealed(&self, permit: &Permit, request: Request) -> Result<Call, CallError> {
        let timeout = request
            .timeout_ms
            .map(|ms| Duration::from_millis(u64::from(ms)));
        let mut headers: Vec<_> = request
            .headers
            .into_iter()
            .map(|(name, value)| (name, value.into_bytes()))
            .collect();
        let mut body = request.body;
        if !self.held.is_empty() {
            if body
                .as_ref()
                .is_some_and(|body| body.len() > length(self.shared.limits.http_request_bytes))
            {
                let max = self.shared.limits.http_request_bytes;
                return Err(CallError::Invalid(format!(
                    "the body has more than {max} bytes"
                )));
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
            timeout,
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
    fn hidden(&self, response: Response) -> Answer {
        let text = |value: Vec<u8>| String::from_utf8_lossy(&self.held.hide(value)).into_owned();
        Answer {
            status: response.status,
            headers: response
                .headers
                .into_iter()
                .map(|(name, value)| (text(name.into_bytes()), text(value)))
                .collect(),
            body: self.held.hide(response.body),
        }
    }

    /// The error as the guest sees it; a denial is remembered for the failure that may follow.
    fn refused(&mut self, error: CallError) -> Error {
        match error {
            CallError::Denied(denial) => Error::Denied(self.deny(denial)),
            CallError::Invalid(text) => Error::Invalid(self.held.redact(text)),
            CallError::Timeout => Error::Timeout,
            CallError::Unreachable(text) => Error::Unreachable(self.held.redact(text)),
            CallError::TooLarge(bytes) => Error::TooLarge(bytes),
        }
    }
}

fn called<'a>(method: &'a str, url: &'a str, request: &'a Request) -> Called<'a> {
    Called {
        method,
        url,
        headers: &request.headers,
        body: request.body.as_deref(),
    }
}

fn tell(error: &CallError) -> String {
    match error {
        CallError::Denied(denial) => format!("denied: {}", denial.what),
        CallError::Invalid(text) => format!("invalid: {text}"),
        CallError::Timeout => "timeout".into(),
        CallError::Unreachable(text) => format!("unreachable: {text}"),
        CallError::TooLarge(bytes) => format!("the answer has more than {bytes} bytes"),
    }
}
