//! What a guest and its host say to each other, kept within a bound while the run goes on, and what becomes of it.
//!
//! Nothing is allocated before the first exchange, and what a run that succeeds has gathered is dropped.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use fermata_core::attempt::{Call, Invocation, Outcome};
use fermata_core::json::Json;
use fermata_core::recording::{
    Body, Content, Exchange, HttpAnswer, HttpExchange, RecordedAttempt, RecordedRun, Recording,
    SecretAnswer,
};

use crate::config::Recordings;
use crate::egress::{CallError, Response};
use crate::guest::Context;
use crate::limits::{Limits, length};
use crate::run::Failed;
use crate::secrets::Held;

/// What an exchange takes beside its texts.
const EXCHANGE_BYTES: usize = 64;
/// What the answer to asking for a secret takes.
const STAND_IN_BYTES: usize = 64;
/// What stands for a URL that holds a secret in a spelling of its own.
const HIDDEN_URL: &str = "[a URL with a secret]";

/// What one run has said so far. Several of its calls may be under way at the same time.
#[derive(Debug)]
pub(crate) struct Recorder {
    is_on: bool,
    written: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    exchanges: Vec<Exchange>,
    bytes_left: usize,
    missed: u64,
}

/// Where an HTTP call stands that is not answered yet; nowhere if there was no room for it.
pub(crate) type Place = Option<usize>;

impl Recorder {
    pub(crate) fn new(recordings: Recordings, limits: &Limits) -> Self {
        Self {
            is_on: recordings != Recordings::None,
            written: Mutex::new(Written {
                exchanges: Vec::new(),
                bytes_left: length(limits.recording_bytes),
                missed: 0,
            }),
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.is_on
    }

    /// Writes an HTTP call down, before it is answered.
    pub(crate) fn call(
        &self,
        held: &Held,
        method: &str,
        url: &str,
        headers: &[(String, Vec<u8>)],
    ) -> Place {
        if !self.is_on {
            return None;
        }
        let url = if held.is_shown_in_url(url) {
            HIDDEN_URL.to_owned()
        } else {
            url.to_owned()
        };
        let text = |text: &str| held.redact(text.to_owned());
        let headers = headers.iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| (text(name), text(&String::from_utf8_lossy(value))))
            .collect();
        let method = text(method);
        let bytes = method.len() + url.len() + size(&headers);
        let mut written = self.written();
        let exchange = Exchange::Http(HttpExchange {
            method,
            url,
            headers,
            body: None,
            answer: HttpAnswer::Nothing,
            ms: 0,
        });
        written
            .write(bytes, exchange)
            .then(|| written.exchanges.len() - 1)
    }

    /// Writes down the body of a call.
    pub(crate) fn sent(&self, held: &Held, place: Place, body: Option<&[u8]>) {
        let (Some(place), Some(body)) = (place, body) else {
            return;
        };
        let body = if held.is_empty() {
            Cow::Borrowed(body)
        } else {
            Cow::Owned(held.redact_bytes(body.to_vec()))
        };
        let mut written = self.written();
        let body = written.body(&body);
        if let Some(call) = written.at(place) {
            call.body = Some(body);
        }
    }

    /// Writes down what a call was answered, as the guest sees it.
    pub(crate) fn answered(&self, place: Place, answer: Result<&Response, &CallError>, ms: u64) {
        let Some(place) = place else {
            return;
        };
        let headers = answer.map_or_else(|_| Vec::new(), texts);
        let unanswered = answer.err().map(unanswered);
        let bytes = size(&headers) + unanswered.as_ref().map_or(0, told);
        let mut written = self.written();
        if !written.takes(bytes) {
            // A call without its answer would look as if the run had ended there.
            written.end_before(place);
            return;
        }
        let answer = match (answer, unanswered) {
            (Ok(response), _) => HttpAnswer::Response {
                status: response.status,
                headers,
                body: written.body(&response.body),
            },
            (Err(_), unanswered) => unanswered.unwrap_or(HttpAnswer::Timeout),
        };
        if let Some(call) = written.at(place) {
            call.answer = answer;
            call.ms = ms;
        }
    }

    /// Writes down that the guest asked for a secret.
    pub(crate) fn secret(&self, held: &Held, name: &str, answer: SecretAnswer) {
        if self.is_on {
            let name = held.redact(name.to_owned());
            let bytes = name.len() + STAND_IN_BYTES;
            let exchange = Exchange::Secret { name, answer };
            self.written().write(bytes, exchange);
        }
    }

    /// Writes down that the guest recorded a fact of so many bytes, or why it could not.
    pub(crate) fn fact(&self, held: &Held, kind: &str, bytes: usize, taken: &Result<(), String>) {
        if self.is_on {
            let kind = held.redact(kind.to_owned());
            let refused = taken.clone().err().map(|why| held.redact(why));
            let size = kind.len() + refused.as_ref().map_or(0, String::len);
            let bytes = bytes as u64;
            let exchange = Exchange::Evidence {
                kind,
                bytes,
                refused,
            };
            self.written().write(size, exchange);
        }
    }

    /// All exchanges, and how many are missing.
    fn take(&self) -> (Vec<Exchange>, u64) {
        let mut written = self.written();
        (std::mem::take(&mut written.exchanges), written.missed)
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Written {
    /// Whether there is room for so many bytes of text; what comes later has none, either, if not.
    fn takes(&mut self, bytes: usize) -> bool {
        let bytes = bytes.saturating_add(EXCHANGE_BYTES);
        if bytes > self.bytes_left {
            self.bytes_left = 0;
            self.missed += 1;
            return false;
        }
        self.bytes_left -= bytes;
        true
    }

    /// Whether there was room for the exchange.
    fn write(&mut self, bytes: usize, exchange: Exchange) -> bool {
        let takes = self.takes(bytes);
        if takes {
            self.exchanges.push(exchange);
        }
        takes
    }

    /// As much of a body as there is room for.
    fn body(&mut self, whole: &[u8]) -> Body {
        let kept = &whole[..whole.len().min(self.bytes_left)];
        self.bytes_left -= kept.len();
        Body {
            content: Content(kept.to_vec()),
            bytes: whole.len() as u64,
        }
    }

    /// The call at a place that is still there.
    fn at(&mut self, place: usize) -> Option<&mut HttpExchange> {
        match self.exchanges.get_mut(place) {
            Some(Exchange::Http(call)) => Some(call),
            _ => None,
        }
    }

    /// Lets a recording end before the exchange at `place`, which counts as missed already.
    fn end_before(&mut self, place: usize) {
        let later = self.exchanges.len().saturating_sub(place + 1);
        self.missed += later as u64;
        self.exchanges.truncate(place);
    }
}

/// What a call without an answer is told.
fn unanswered(error: &CallError) -> HttpAnswer {
    match error {
        CallError::Denied(denial) => HttpAnswer::Denied {
            what: denial.what.clone(),
            grant: denial.grant.clone(),
        },
        CallError::Invalid(why) => HttpAnswer::Invalid(why.clone()),
        CallError::TooLong(bytes) => {
            HttpAnswer::Invalid(format!("the body has more than {bytes} bytes"))
        }
        CallError::Timeout => HttpAnswer::Timeout,
        CallError::Unreachable(why) => HttpAnswer::Unreachable(why.clone()),
        CallError::TooLarge(bytes) | CallError::HeadTooLarge(bytes) => HttpAnswer::TooLarge(*bytes),
    }
}

/// Bytes of text in it, but for headers and bodies.
fn told(answer: &HttpAnswer) -> usize {
    match answer {
        HttpAnswer::Denied { what, grant } => what.len() + grant.as_ref().map_or(0, String::len),
        HttpAnswer::Invalid(text) | HttpAnswer::Unreachable(text) => text.len(),
        HttpAnswer::Nothing
        | HttpAnswer::Response { .. }
        | HttpAnswer::Timeout
        | HttpAnswer::TooLarge(_) => 0,
    }
}

/// Headers as text.
fn texts(response: &Response) -> Vec<(String, String)> {
    let headers = response.headers.iter();
    headers
        .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned()))
        .collect()
}

/// Bytes of headers.
fn size(headers: &[(String, String)]) -> usize {
    let each = headers.iter();
    each.map(|(name, value)| name.len() + value.len()).sum()
}

/// The recording of a run of an attempt that has ended, if one is kept of it.
pub(crate) fn recording(
    context: &mut Context,
    invocation: &Invocation,
    answer: &Result<Outcome, Failed>,
) -> Option<Box<Recording>> {
    let is_kept = match context.shared.recordings {
        Recordings::None => false,
        Recordings::Failed => !matches!(answer, Ok(Outcome::Succeeded(_))),
        Recordings::All => true,
    };
    is_kept.then(|| Box::new(kept(context, invocation, answer)))
}

fn kept(
    context: &mut Context,
    invocation: &Invocation,
    answer: &Result<Outcome, Failed>,
) -> Recording {
    let clocks = context.told();
    let (exchanges, missed) = context.calls.recorder().take();
    let (inputs, changed) = context.without_secrets(&invocation.inputs);
    let signal = invocation.signal.as_ref();
    let signal = signal.map(|payload| context.without_secrets(payload));
    let redacted = changed || signal.as_ref().is_some_and(|(_, changed)| *changed);
    Recording {
        attempt: RecordedAttempt {
            component: invocation.component.clone(),
            release: invocation.key.release,
            process: invocation.process.clone(),
            phase: invocation.phase.clone(),
            activity: invocation.activity.clone(),
            attempt: invocation.key.attempt,
            number: invocation.number,
            idempotency_key: invocation.idempotency_key.clone(),
            call: context.call_without_secrets(&invocation.call),
            inputs,
        },
        run: RecordedRun {
            run: invocation.key.run,
            now: invocation.now,
            began: context.began,
            wall: invocation.wall,
            grants: context.calls.grants().clone(),
            checkpoint: invocation.checkpoint.clone().map(Content),
            signal: signal.map(|(payload, _)| payload),
            seed: clocks.seed.map(|seed| Content(seed.to_vec())),
            wall_clock_ns: clocks.wall_ns,
            monotonic_clock_ns: clocks.monotonic_ns,
            exchanges,
            missed: missed + clocks.missed,
            redacted,
            outcome: answer.as_ref().map_or_else(Failed::outcome, Outcome::clone),
            evidence: context.evidence.clone(),
            usage: context.usage,
        },
    }
}

impl Context {
    /// The value without secrets that somebody wrote into it, and whether there were any.
    fn without_secrets(&self, json: &Json) -> (Json, bool) {
        if self.held.is_empty() {
            return (json.clone(), false);
        }
        let mut value = json.value();
        self.held.redact_json(&mut value);
        let redacted = Json::of(&value);
        let changed = redacted != *json;
        (redacted, changed)
    }

    fn call_without_secrets(&self, call: &Call) -> Call {
        match call {
            Call::Run => Call::Run,
            Call::Undo { outputs } => {
                let outputs = outputs.as_ref();
                Call::Undo {
                    outputs: outputs.map(|outputs| self.without_secrets(outputs).0),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorder(bytes: u64) -> Recorder {
        let limits = Limits {
            recording_bytes: bytes,
            ..Limits::default()
        };
        Recorder::new(Recordings::Failed, &limits)
    }

    #[test]
    fn a_full_recording_counts_what_it_misses_and_has_no_holes() {
        let recorder = recorder(200);
        for letters in [4, 400, 4, 4] {
            recorder.fact(&Held::default(), &"k".repeat(letters), 2, &Ok(()));
        }
        let (exchanges, missed) = recorder.take();
        assert_eq!((exchanges.len(), missed), (1, 3));
    }

    #[test]
    fn a_recording_ends_before_the_first_call_whose_answer_has_no_room() {
        let recorder = recorder(400);
        let held = Held::default();
        let place = recorder.call(&held, "GET", "http://a.example/", &[]);
        let other = recorder.call(&held, "GET", "http://b.example/", &[]);
        let error = CallError::Invalid("x".repeat(400));
        recorder.answered(place, Err(&error), 1);
        recorder.answered(other, Err(&CallError::Timeout), 1);
        let (exchanges, missed) = recorder.take();
        assert!(exchanges.is_empty(), "{exchanges:?}");
        assert!(missed >= 2, "{missed}");
    }

    #[test]
    fn of_a_body_there_is_as_much_as_there_is_room_for() {
        let recorder = recorder(10);
        let mut written = recorder.written();
        let whole = written.body(b"123456");
        assert!(whole.is_whole());
        let part = written.body(b"123456");
        assert_eq!((part.content.0.as_slice(), part.bytes), (&b"1234"[..], 6));
        assert!(!part.is_whole());
    }
}
