//! `fermata:activity/http`: calls whose answer the guest waits for.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use crate::calls::Outgoing;
use crate::egress::{CallError, Patience, Response, too_long};
use crate::guest::Context;
use crate::guest::fermata::activity::http::{Error, Host, Request, Response as Answer};

impl Host for Context {
    async fn send(&mut self, request: Request) -> wasmtime::Result<Result<Answer, Error>> {
        let number = self.calls.begin()?;
        let calls = Arc::clone(&self.calls);
        let (outgoing, body) = outgoing(request);
        let answer = calls.send(number, outgoing, ready(Ok(body))).await;
        Ok(match answer {
            Ok(response) => Ok(self::answer(response)),
            Err(unanswered) => Err(error(unanswered.error)),
        })
    }
}

fn outgoing(request: Request) -> (Outgoing, Option<Vec<u8>>) {
    let whole = request
        .timeout_ms
        .map(|ms| Duration::from_millis(u64::from(ms)));
    let headers = request.headers.into_iter();
    let outgoing = Outgoing {
        method: request.method,
        url: request.url,
        headers: headers
            .map(|(name, value)| (name, value.into_bytes()))
            .collect(),
        patience: Patience {
            whole,
            ..Patience::default()
        },
    };
    (outgoing, request.body)
}

fn answer(response: Response) -> Answer {
    Answer {
        status: response.status,
        headers: response
            .headers
            .into_iter()
            .map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()))
            .collect(),
        body: response.body,
    }
}

fn error(error: CallError) -> Error {
    match error {
        CallError::Denied(denial) => Error::Denied(denial.text()),
        CallError::Invalid(text) => Error::Invalid(text),
        CallError::TooLong(bytes) => Error::Invalid(too_long(bytes)),
        CallError::Timeout => Error::Timeout,
        CallError::Unreachable(text) => Error::Unreachable(text),
        CallError::TooLarge(bytes) | CallError::HeadTooLarge(bytes) => Error::TooLarge(bytes),
    }
}
