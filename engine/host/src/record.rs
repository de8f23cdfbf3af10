//! What a guest and its host say to each other, kept within a bound while the run goes on, and what becomes of it.
//!
//! Nothing is allocated before the first exchange, and what a run that succeeds has gathered is dropped.

use std::borrow::Cow;

use fermata_core::attempt::{Call, Invocation, Outcome, Report};
use fermata_core::component::Grants;
use fermata_core::json::Json;
use fermata_core::recording::{
    Body, Content, Exchange, HttpAnswer, HttpExchange, RecordedAttempt, RecordedRun, Recording,
    SecretAnswer,
};

use crate::config::Recordings;
use crate::egress::CallError;
use crate::guest::Context;
use crate::guest::fermata::activity::http::Response;
use crate::guest::types::Attempt;
use crate::limits::{Limits, length};

/// What an exchange takes beside its texts.
const EXCHANGE_BYTES: usize = 64;
/// What the answer to asking for a secret takes.
const STAND_IN_BYTES: usize = 64;
/// What stands for a URL that holds a secret in a spelling of its own.
const HIDDEN_URL: &str = "[a URL with a secret]";

/// What one run has said so far.
#[derive(Debug)]
pub(crate) struct Recorder {
    is_on: bool,
    exchanges: Vec<Exchange>,
    bytes_left: usize,
    missed: u64,
    /// Whether the last exchange is an HTTP call without its answer.
    is_open: bool,
}

/// An HTTP call as it is written down.
pub(crate) struct Called<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    pub(crate) headers: &'a [(String, String)],
    pub(crate) body: Option<&'a [u8]>,
}

impl Recorder {
    pub(crate) fn new(recordings: Recordings, limits: &Limits) -> Self {
        Self {
            is_on: recordings != Recordings::None,
            exchanges: Vec::new(),
            bytes_left: length(limits.recording_bytes),
            missed: 0,
            is_open: false,
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.is_on
    }

    /// Whether there is room for an exchange with so many bytes of text; what comes later has none, either, if not.
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

    fn write(&mut self, bytes: usize, exchange: Exchange) {
        if self.takes(bytes) {
            self.exchanges.push(exchange);
        }
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
}

impl Context {
    /// Writes an HTTP call down, before it is answered.
    pub(crate) fn record_call(&mut self, called: &Called<'_>) {
        if !self.recorder.is_on {
            return;
        }
        let url = if self.held.is_shown_in_url(called.url) {
            HIDDEN_URL.to_owned()
        } else {
            called.url.to_owned()
        };
        let text = |text: &str| self.held.redact(text.to_owned());
        let headers: Vec<_> = called
            .headers
            .iter()
            .map(|(name, value)| (text(name), text(value)))
            .collect();
        let method = text(called.method);
        let body = called.body.map(|body| {
            if self.held.is_empty() {
                Cow::Borrowed(body)
            } else {
                Cow::Owned(self.held.redact_bytes(body.to_vec()))
            }
        });
        let bytes = method.len() + url.len() + size(&headers);
        self.recorder.is_open = self.recorder.takes(bytes);
        if self.recorder.is_open {
            let body = body.map(|body| self.recorder.body(&body));
            self.recorder.exchanges.push(Exchange::Http(HttpExchange {
                method,
                url,
                headers,
                body,
                answer: HttpAnswer::Nothing,
                ms: 0,
            }));
        }
    }

    /// Writes down what the last call was answered, as the guest sees it.
    pub(crate) fn record_answer(&mut self, answer: Result<&Response, &CallError>, ms: u64) {
        if !std::mem::take(&mut self.recorder.is_open) {
            return;
        }
        let error = answer.err().map(|error| self.unanswered(error));
        let bytes = match (answer, &error) {
            (Ok(response), _) => size(&response.headers),
            (Err(_), Some(HttpAnswer::Denied { what, grant })) => {
                what.len() + grant.as_ref().map_or(0, String::len)
            }
            (Err(_), Some(HttpAnswer::Invalid(text) | HttpAnswer::Unreachable(text))) => text.len(),
            (Err(_), _) => 0,
        };
        let recorder = &mut self.recorder;
        if !recorder.takes(bytes) {
            // A call without its answer would look as if the run had ended there.
            recorder.exchanges.pop();
            return;
        }
        let answer = match answer {
            Ok(response) => HttpAnswer::Response {
                status: response.status,
                headers: response.headers.clone(),
                body: recorder.body(&response.body),
            },
            Err(_) => error.unwrap_or(HttpAnswer::Timeout),
        };
        if let Some(Exchange::Http(call)) = recorder.exchanges.last_mut() {
            call.answer = answer;
            call.ms = ms;
        }
    }

    fn unanswered(&self, error: &CallError) -> HttpAnswer {
        let text = |text: &str| self.held.redact(text.to_owned());
        match error {
            CallError::Denied(denial) => HttpAnswer::Denied {
                what: text(&denial.what),
                grant: denial.grant.as_deref().map(text),
            },
            CallError::Invalid(why) => HttpAnswer::Invalid(text(why)),
            CallError::Timeout => HttpAnswer::Timeout,
            CallError::Unreachable(why) => HttpAnswer::Unreachable(text(why)),
            CallError::TooLarge(bytes) => HttpAnswer::TooLarge(*bytes),
        }
    }

    /// Writes down that the guest asked for a secret.
    pub(crate) fn record_secret(&mut self, name: &str, answer: SecretAnswer) {
        if self.recorder.is_on {
            let name = self.held.redact(name.to_owned());
            let bytes = name.len() + STAND_IN_BYTES;
            self.recorder
                .write(bytes, Exchange::Secret { name, answer });
        }
    }

    /// Writes down that the guest recorded a fact of so many bytes, or why it could not.
    pub(crate) fn record_fact(&mut self, kind: &str, bytes: usize, taken: &Result<(), String>) {
        if self.recorder.is_on {
            let kind = self.held.redact(kind.to_owned());
            let refused = taken.clone().err().map(|why| self.held.redact(why));
            let size = kind.len() + refused.as_ref().map_or(0, String::len);
            let bytes = bytes as u64;
            let exchange = Exchange::Evidence {
                kind,
                bytes,
                refused,
            };
            self.recorder.write(size, exchange);
        }
    }
}

/// Bytes of headers.
fn size(headers: &[(String, String)]) -> usize {
    let each = headers.iter();
    each.map(|(name, value)| name.len() + value.len()).sum()
}

/// What a run was asked, as it is when the run has ended.
pub(crate) struct Begun<'a> {
    pub(crate) invocation: &'a Invocation,
    /// What of it the guest was told.
    pub(crate) attempt: Attempt,
}

/// The recording of a run that has ended, if one is kept of it.
pub(crate) fn recording(
    context: &mut Context,
    begun: Begun<'_>,
    report: &Report,
) -> Option<Box<Recording>> {
    let is_kept = match context.shared.recordings {
        Recordings::None => false,
        Recordings::Failed => !matches!(report.outcome, Outcome::Succeeded(_)),
        Recordings::All => true,
    };
    is_kept.then(|| Box::new(kept(context, begun, report)))
}

fn kept(context: &mut Context, begun: Begun<'_>, report: &Report) -> Recording {
    let Begun {
        invocation,
        attempt,
    } = begun;
    let clocks = context.told();
    let recorder = &mut context.recorder;
    let exchanges = std::mem::take(&mut recorder.exchanges);
    let missed = recorder.missed + clocks.missed;
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
            idempotency_key: attempt.idempotency_key,
            call: context.call_without_secrets(&invocation.call),
            inputs,
        },
        run: RecordedRun {
            run: invocation.key.run,
            now: invocation.now,
            began: context.began,
            wall: invocation.wall,
            grants: Grants::clone(&context.grants),
            checkpoint: attempt.checkpoint.map(Content),
            signal: signal.map(|(payload, _)| payload),
            seed: clocks.seed.map(|seed| Content(seed.to_vec())),
            wall_clock_ns: clocks.wall_ns,
            monotonic_clock_ns: clocks.monotonic_ns,
            exchanges,
            missed,
            redacted,
            outcome: report.outcome.clone(),
            evidence: report.evidence.clone(),
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
        let mut recorder = recorder(200);
        let fact = || Exchange::Evidence {
            kind: "link".into(),
            bytes: 2,
            refused: None,
        };
        for bytes in [4, 400, 4, 4] {
            recorder.write(bytes, fact());
        }
        assert_eq!((recorder.exchanges.len(), recorder.missed), (1, 3));
    }

    #[test]
    fn of_a_body_there_is_as_much_as_there_is_room_for() {
        let mut recorder = recorder(10);
        let whole = recorder.body(b"123456");
        assert!(whole.is_whole());
        let part = recorder.body(b"123456");
        assert_eq!((part.content.0.as_slice(), part.bytes), (&b"1234"[..], 6));
        assert!(!part.is_whole());
    }
}
