//! What a guest and its host say to each other, kept within a bound while the run goes on, and what becomes of it.
//!
//! Nothing is allocated before the first exchange, and what a run that succeeds has gathered is dropped.

use std::sync::{Mutex, MutexGuard, PoisonError};

use fermata_core::attempt::{Call, Invocation, Outcome};
use fermata_core::json::Json;
use fermata_core::recording::{
    Body, Content, Exchange, HttpAnswer, HttpExchange, RecordedAttempt, RecordedRun, Recording,
    SecretAnswer,
};

use crate::config::Recordings;
use crate::egress::{CallError, Response, too_long};
use crate::guest::Context;
use crate::limits::{Limits, length};
use crate::run::Failed;
use crate::secrets::Held;

/// What a header takes beside its texts.
const HEADER_BYTES: usize = size_of::<(String, String)>();
/// What an exchange takes beside its texts.
const EXCHANGE_BYTES: usize = 64;
/// Kept free by the body of a request, so that the answer to it has a place as well.
const ANSWER_BYTES_MIN: usize = 64 * 1024;
/// What the answer to asking for a secret takes.
const STAND_IN_BYTES: usize = 64;
/// What stands for a URL that holds a secret in a spelling of its own.
const HIDDEN_URL: &str = "[a URL with a secret]";

/// What one run has said so far. Several of its calls may be under way at the same time.
#[derive(Debug)]
pub(crate) struct Recorder {
    is_on: bool,
    /// Bodies of requests that are longer are never sent, and not looked at.
    request_bytes: usize,
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
            request_bytes: length(limits.http_request_bytes),
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
        let bytes = method.len() + url.len() + size(headers);
        let mut written = if self.is_on {
            self.written()
        } else {
            return None;
        };
        if !written.takes(bytes) {
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
        written.exchanges.push(Exchange::Http(HttpExchange {
            method,
            url,
            headers,
            body: None,
            answer: HttpAnswer::Nothing,
            ms: 0,
        }));
        Some(written.exchanges.len() - 1)
    }

    /// Writes down the body of a call.
    pub(crate) fn sent(&self, held: &Held, place: Place, body: Option<&[u8]>) {
        let (Some(place), Some(body)) = (place, body) else {
            return;
        };
        let mut written = self.written();
        let body = if body.len() > self.request_bytes {
            Body {
                content: Content::default(),
                bytes: body.len() as u64,
            }
        } else if held.is_empty() {
            written.body(body, ANSWER_BYTES_MIN)
        } else {
            written.body(&held.redact_bytes(body.to_vec()), ANSWER_BYTES_MIN)
        };
        if let Some(call) = written.at(place) {
            call.body = Some(body);
        }
    }

    /// Writes down what a call was answered, as the guest sees it.
    pub(crate) fn answered(&self, place: Place, answer: Result<&Response, &CallError>, ms: u64) {
        let Some(place) = place else {
            return;
        };
        let unanswered = answer.err().map(unanswered);
        let heads = answer.map_or(0, |response| size(&response.headers));
        let bytes = heads + unanswered.as_ref().map_or(0, told);
        let mut written = self.written();
        if !written.takes(bytes) {
            // A call without its answer would look as if the run had ended there.
            written.end_before(place);
            return;
        }
        let answer = match (answer, unanswered) {
            (Ok(response), _) => HttpAnswer::Response {
                status: response.status,
                headers: texts(response),
                body: written.body(&response.body, 0),
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

    /// As much of a body as there is room for, if `others` stays free.
    fn body(&mut self, whole: &[u8], others: usize) -> Body {
        let room = self.bytes_left.saturating_sub(others);
        let kept = &whole[..whole.len().min(room)];
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
        CallError::TooLong(bytes) => HttpAnswer::Invalid(too_long(*bytes)),
        CallError::Timeout => HttpAnswer::Timeout,
        CallError::Unreachable(why) => HttpAnswer::Unreachable(why.clone()),
        CallError::TooLarge(bytes) => HttpAnswer::TooLarge(*bytes),
        CallError::HeadTooLarge(bytes) => HttpAnswer::HeadTooLarge(*bytes),
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
        | HttpAnswer::TooLarge(_)
        | HttpAnswer::HeadTooLarge(_) => 0,
    }
}

/// Headers as text.
fn texts(response: &Response) -> Vec<(String, String)> {
    let headers = response.headers.iter();
    headers
        .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned()))
        .collect()
}

/// What headers take: an empty one is not for nothing.
fn size(headers: &[(String, Vec<u8>)]) -> usize {
    let each = headers.iter();
    each.map(|(name, value)| HEADER_BYTES + name.len() + value.len())
        .sum()
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
    let checkpoint = invocation.checkpoint.clone();
    let checkpoint = checkpoint.map(|bytes| Content(context.held.redact_bytes(bytes)));
    let stored = checkpoint.as_ref().map(|checkpoint| &checkpoint.0);
    let redacted = changed
        || stored != invocation.checkpoint.as_ref()
        || signal.as_ref().is_some_and(|(_, changed)| *changed);
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
            checkpoint,
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
    fn headers_without_text_are_not_for_nothing() {
        let recorder = recorder(1_000);
        let headers = vec![(String::new(), Vec::new()); 300_000];
        for _ in 0..100 {
            let place = recorder.call(&Held::default(), "GET", "http://a.example/", &headers);
            assert_eq!(place, None);
        }
        assert_eq!(recorder.take().1, 100);
    }

    #[test]
    fn a_long_body_leaves_room_for_its_answer() {
        let recorder = recorder(1024 * 1024);
        let held = Held::default();
        let place = recorder.call(&held, "POST", "http://a.example/", &[]);
        recorder.sent(&held, place, Some(&vec![b'x'; 1024 * 1024]));
        recorder.answered(place, Err(&CallError::Timeout), 1);
        let (exchanges, missed) = recorder.take();
        assert!(matches!(
            exchanges.as_slice(),
            [Exchange::Http(call)] if call.answer == HttpAnswer::Timeout && call.body.as_ref().is_some_and(|body| !body.is_whole())
        ));
        assert_eq!(missed, 0);
    }

    #[test]
    fn of_a_body_there_is_as_much_as_there_is_room_for() {
        let recorder = recorder(10);
        let mut written = recorder.written();
        let whole = written.body(b"123456", 0);
        assert!(whole.is_whole());
        let part = written.body(b"123456", 0);
        assert_eq!((part.content.0.as_slice(), part.bytes), (&b"1234"[..], 6));
        assert!(!part.is_whole());
    }
}
