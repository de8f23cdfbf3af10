//! What came of a run, told so that a person can act on it without reading server logs.

use std::time::Duration;

use fermata_core::attempt::{LogLevel, Outcome, Resume};
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::json::Json;
use fermata_core::limits::{NESTING_MAX, TEXT_BYTES_MAX};
use fermata_core::schema::Schema;
use fermata_core::time::Span;
use serde_json::Value;
use tracing::error;
use wasmtime::Trap;

use crate::ask::{Answered, Ask};
use crate::backtrace;
use crate::error::Error;
use crate::guest::types::{
    Failure as GuestFailure, Outcome as GuestOutcome, Pending, Reason, Resume as GuestResume,
};
use crate::guest::{Breach, Context};
use crate::limits::{Limits, length};
use crate::run::Failed;
use crate::secrets::Sealed;
use crate::usage::{self, Returned};

/// How a run ended, before anybody looked at it.
pub(crate) enum Ended<A> {
    Answered(Answered<A>),
    Trapped(wasmtime::Error),
    Panicked(String),
    TimedOut(Duration),
}

/// Reads the end of a run together with what the host saw of it. `promised` is what outputs have to fit.
pub(crate) fn conclude<A: Ask>(
    context: &mut Context,
    wall: Duration,
    ended: Ended<A::Answer>,
    promised: Option<&Schema>,
) -> Result<A::Good, Failed> {
    context.collect_output();
    let returned = match &ended {
        Ended::Answered(Ok(answer)) => A::returned(answer),
        _ => Returned::default(),
    };
    let answer = match ended {
        Ended::Answered(Ok(answer)) => match A::read(context, answer, promised) {
            Ok(good) => Told::Good(good),
            Err(failure) => Told::Bad(failure, None),
        },
        Ended::Answered(Err(failure)) => {
            let (failure, retry_after) = failed(context, failure);
            Told::Bad(failure, retry_after)
        }
        Ended::Trapped(error) => trapped(context, &error).into(),
        Ended::Panicked(message) => {
            let message = context.held.redact(message);
            error!(%message, "the host panicked while a guest ran");
            Told::from(Failure::new(
                FailureClass::Engine,
                "the engine failed while the component ran; its log has more",
            ))
        }
        Ended::TimedOut(wall) => {
            let after = Span(u64::try_from(wall.as_millis()).unwrap_or(u64::MAX));
            let failure = Failure::new(
                FailureClass::Limit("wall".into()),
                format!("the run took longer than {after}"),
            );
            failure.remedy(A::REMEDY_OF_WALL).into()
        }
    };
    let answer = match answer {
        Told::Good(good) => Ok(good),
        Told::Bad(failure, retry_after) => Err(Failed {
            failure: Box::new(complete(context, *failure)),
            retry_after,
        }),
    };
    let failure = answer.as_ref().err().map(|failed| &*failed.failure);
    usage::measure(context, &returned);
    usage::warn::<A>(context, wall, failure);
    answer
}

enum Told<G> {
    Good(G),
    Bad(Box<Failure>, Option<Span>),
}

impl<G> From<Failure> for Told<G> {
    fn from(failure: Failure) -> Self {
        Self::Bad(Box::new(failure), None)
    }
}

/// A failure by reaching the limit with this name.
pub(crate) fn limit(limits: &Limits, name: &str, message: String) -> Failure {
    let failure = Failure::new(FailureClass::Limit(name.into()), message);
    match limits.remedy(name) {
        Some(remedy) => failure.remedy(remedy),
        None => failure,
    }
}

/// What an activity returned, if it is what may be returned.
pub(crate) fn answered(
    context: &mut Context,
    outcome: GuestOutcome,
    promised: Option<&Schema>,
) -> Result<Outcome, Box<Failure>> {
    match outcome {
        GuestOutcome::Succeeded(text) => outputs(context, &text, promised).map(Outcome::Succeeded),
        GuestOutcome::Pending(pending) => suspended(context, pending),
    }
}

/// A sentence of a guest for people, without secrets and no longer than a screen.
pub(crate) fn said(context: &Context, text: String) -> String {
    cut(context.held.redact(text))
}

/// The outputs, if they are what the descriptor promises.
fn outputs(context: &Context, text: &str, promised: Option<&Schema>) -> Result<Json, Box<Failure>> {
    let limits = &context.shared.limits;
    if text.len() > length(limits.output_bytes) {
        let message = format!(
            "the outputs have {} bytes, {} are allowed",
            text.len(),
            limits.output_bytes
        );
        return Err(Box::new(limit(limits, "output", message)));
    }
    let broken = |message: String| Box::new(contract(context, &message));
    let mut value: Value = serde_json::from_str(text)
        .map_err(|error| broken(format!("the outputs are not JSON: {error}")))?;
    if depth(&value) > NESTING_MAX {
        return Err(broken(format!(
            "the outputs are nested deeper than {NESTING_MAX}"
        )));
    }
    let faults = promised
        .map(|schema| schema.faults(&value))
        .unwrap_or_default();
    if !faults.is_empty() {
        return Err(broken(format!(
            "the outputs do not fit the schema of the descriptor: {}",
            faults.join("; ")
        )));
    }
    context.held.redact_json(&mut value);
    Ok(Json::of(&value))
}

fn contract(context: &Context, message: &str) -> Failure {
    let failure = Failure::new(
        FailureClass::Contract,
        cut(context.held.redact(message.to_owned())),
    );
    failure.remedy("make `run` return what `describe` promises")
}

fn suspended(context: &mut Context, pending: Pending) -> Result<Outcome, Box<Failure>> {
    let limits = &context.shared.limits;
    let bytes = pending.checkpoint.len();
    if bytes > length(limits.checkpoint_bytes) {
        let message = format!(
            "the checkpoint has {bytes} bytes, {} are allowed",
            limits.checkpoint_bytes
        );
        return Err(Box::new(limit(limits, "checkpoint", message)));
    }
    let resume = match pending.resume {
        GuestResume::AfterMs(ms) => Resume::After(Span(ms)),
        GuestResume::Signal(name) => match name.parse() {
            // People see the name: a secret could be spelt by it.
            Ok(_) if context.held.is_shown_in(name.as_bytes()) => {
                return Err(Box::new(no_signal(&context.held.redact(name))));
            }
            Ok(name) => Resume::Signal(name),
            Err(_) => return Err(Box::new(no_signal(&context.held.redact(name)))),
        },
    };
    Ok(Outcome::Pending {
        checkpoint: without_secrets(context, pending.checkpoint),
        resume,
        status: pending.status.map(|status| said(context, status)),
    })
}

fn no_signal(name: &str) -> Failure {
    let name: String = name.chars().take(NAME_CHARS_SHOWN).collect();
    let message = format!("a signal cannot be called {name:?}");
    let failure = Failure::new(FailureClass::Contract, message);
    failure.remedy("name it in lower-case letters, digits and hyphens")
}

/// The checkpoint as it is stored. What is taken out is said: the next run will miss it.
fn without_secrets(context: &mut Context, checkpoint: Vec<u8>) -> Vec<u8> {
    if context.held.is_shown_in(&checkpoint) {
        let said =
            "the checkpoint held a secret, which was taken out; ask for its handle in each run";
        let at = context.now();
        context.log.write(at, LogLevel::Warn, said.into());
    }
    context.held.redact_bytes(checkpoint)
}

/// Of a name that a guest made up, as much as fits into a sentence.
const NAME_CHARS_SHOWN: usize = 60;

fn failed(context: &Context, failure: GuestFailure) -> (Box<Failure>, Option<Span>) {
    let (reason, retryable, after) = match failure {
        GuestFailure::Retryable((reason, after)) => (reason, true, after.map(Span)),
        GuestFailure::Permanent(reason) => (reason, false, None),
    };
    let class = match (context.calls.seen().denial(), retryable) {
        (_, true) => FailureClass::Retryable,
        (None, false) => FailureClass::Permanent,
        // The guest gave up after it was denied something: that is the cause, and it has a cure.
        (Some(denial), false) => FailureClass::Denied(denial.grant.unwrap_or(denial.what)),
    };
    let Reason {
        message,
        code,
        details,
    } = reason;
    let mut told = Failure::new(class, said(context, message));
    told.code = code.map(|code| said(context, code));
    told.details = details.map(|details| guest_details(context, &details));
    (Box::new(told), after)
}

/// What the guest added: JSON if it is, text if it is not, and only its beginning if it is too much.
fn guest_details(context: &Context, details: &str) -> Json {
    let whole = details.len() <= length(context.shared.limits.evidence_bytes);
    let value = if whole {
        serde_json::from_str(details)
            .ok()
            .filter(|value| depth(value) <= NESTING_MAX)
    } else {
        None
    };
    // Cut off last: a part of a value would not be known as one.
    let text = || Value::String(cut(context.held.redact(details.to_owned())));
    let mut value = value.unwrap_or_else(text);
    context.held.redact_json(&mut value);
    Json::of(&value)
}

/// The failure of a guest that did not return.
pub(crate) fn trapped(context: &Context, error: &wasmtime::Error) -> Failure {
    let limits = &context.shared.limits;
    let trap = error.downcast_ref::<Trap>();
    let mut failure = if let Some(Breach(name)) = error.downcast_ref() {
        limit(limits, name, breached(limits, name))
    } else if let Some(sealed) = error.downcast_ref::<Sealed>() {
        unopened(sealed)
    } else if let Some(name) = context.limiter.refused() {
        limit(limits, name, breached(limits, name))
    } else if trap == Some(&Trap::StackOverflow) {
        limit(limits, "stack", breached(limits, "stack"))
    } else if let Some(name) = limit_in_text(context, error) {
        limit(limits, name, breached(limits, name))
    } else if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
        Failure::new(
            FailureClass::Trap,
            format!("the guest left its process with code {}", exit.0),
        )
        .remedy("return from `run` instead")
    } else if let Some(trap) = trap {
        crashed(context, *trap)
    } else if context.started && error.downcast_ref::<Error>().is_none() {
        // What is left is a guest that handed over something other than what its types say.
        Failure::new(
            FailureClass::Contract,
            cut(context.held.redact(format!(
                "the guest broke the contract: {}",
                error.root_cause()
            ))),
        )
        .remedy("build against wit/activity.wit with a generator of bindings")
    } else {
        let error = context.held.redact(error.to_string());
        error!(%error, "the engine could not run a guest");
        Failure::new(
            FailureClass::Engine,
            "the engine could not run the component; its log has more",
        )
    };
    failure.backtrace = error
        .downcast_ref()
        .map(backtrace::lines)
        .unwrap_or_default();
    failure
}

fn unopened(sealed: &Sealed) -> Failure {
    let mut failure = Failure::new(FailureClass::Engine, sealed.to_string())
        .remedy("give the server the key that is missing and restart it, or set the secret again: `fermata secret list` shows the keys");
    failure.code = Some("secret-sealed".into());
    failure
}

fn crashed(context: &Context, trap: Trap) -> Failure {
    let told = match context.log.panicked() {
        Some(line) => format!("the guest {}", line.replace('\n', " ")),
        None => format!(
            "the guest crashed: {}",
            trap.to_string().trim_start_matches("wasm trap: ")
        ),
    };
    Failure::new(FailureClass::Trap, cut(told))
        .remedy("mend the component: the back-trace and its last log lines show where it crashed")
}

/// Limits that the WebAssembly engine reports in words only.
fn limit_in_text(context: &Context, error: &wasmtime::Error) -> Option<&'static str> {
    let text = format!("{error:#}");
    let resources = if context.used_wasi_http() {
        "http-resources"
    } else {
        "handles"
    };
    [
        ("hostcall", "host-call"),
        ("store handle limit exceeded", "handles"),
        ("resource table has no free keys", resources),
        ("total size of fields exceeds limit", "http-headers"),
        ("too many fields in the field map", "http-headers"),
        ("instance count too high", "instances"),
        ("memory count too high", "instances"),
        ("table count too high", "instances"),
    ]
    .into_iter()
    .find_map(|(part, name)| text.contains(part).then_some(name))
}

fn breached(limits: &Limits, name: &str) -> String {
    match limits.table().iter().find(|limit| limit.name == name) {
        Some(limit) => format!(
            "the limit `{name}` of {} {} was reached",
            limit.value, limit.unit
        ),
        None => format!("the limit `{name}` was reached"),
    }
}

/// Adds to a failure what the host saw.
fn complete(context: &mut Context, mut failure: Failure) -> Failure {
    if let Some(denial) = context.calls.seen().denial() {
        failure.remedy = Some(denial.remedy());
    } else if let Some(name) = &context.unset {
        let remedy = || format!("an administrator sets it: `fermata secret set {name}`");
        failure.remedy.get_or_insert_with(remedy);
    }
    failure.last_log = context.log.last();
    failure.last_call = context.calls.seen().last().map(cut);
    failure
}

/// Text for people, no longer than a screen.
fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    text
}

fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(fields) => fields.values().map(depth).max(),
        _ => return 0,
    };
    1 + inner.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_counted() {
        for (text, expected) in [("1", 0), ("[]", 1), (r#"{"a":[{"b":1}]}"#, 3)] {
            assert_eq!(
                depth(&serde_json::from_str(text).unwrap()),
                expected,
                "{text}"
            );
        }
    }
}
