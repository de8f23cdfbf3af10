//! The WebAssembly side: exports that call an [`Activity`], and imports that call the engine. Used by the macros.

use std::marker::PhantomData;
use std::panic::PanicHookInfo;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::activity::{describe, read_inputs};
use crate::log::Level;
use crate::{Activity, Attempt, Failure, Outcome, Undo};

pub(crate) mod imports;
mod notifier;
mod policy;

/// Bindings of the world `activity`.
#[expect(missing_docs, reason = "generated from wit/activity.wit")]
pub mod activity {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "activity",
        pub_export_macro: true,
        export_macro_name: "export",
    });
}

/// Bindings of what `reversible-activity` has beyond `activity`, with the same types.
///
/// Not the whole world, since the macros that export `run` may exist only once in a crate. A component is encoded for
/// the union of the worlds it was built for, which is `reversible-activity`.
#[expect(missing_docs, reason = "generated from wit/activity.wit")]
pub mod reversible {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package fermata:sdk;
            world undo-only {
                export fermata:activity/undo@0.1.0;
            }
        ",
        pub_export_macro: true,
        export_macro_name: "export",
        with: {
            "fermata:activity/types@0.1.0": super::activity::fermata::activity::types,
        },
    });
}

/// Bindings of what `policy` has beyond the imports of `activity`, with the same types.
#[expect(missing_docs, reason = "generated from wit/policy.wit")]
pub mod policy_world {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package fermata:sdk;
            world policy-only {
                export fermata:activity/judge@0.1.0;
            }
        ",
        pub_export_macro: true,
        export_macro_name: "export",
        with: {
            "fermata:activity/types@0.1.0": super::activity::fermata::activity::types,
        },
    });
}

/// Bindings of what `notifier` has beyond the imports of `activity`, with the same types.
#[expect(missing_docs, reason = "generated from wit/notifier.wit")]
pub mod notifier_world {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package fermata:sdk;
            world notifier-only {
                export fermata:activity/notify@0.1.0;
            }
        ",
        pub_export_macro: true,
        export_macro_name: "export",
        with: {
            "fermata:activity/types@0.1.0": super::activity::fermata::activity::types,
        },
    });
}

use activity::exports::fermata::activity::run::Guest as Run;
use activity::fermata::activity::types as wit;
use reversible::exports::fermata::activity::undo::Guest as TakeBack;

/// The exports that call `A`: an activity, a policy or a notifier.
#[derive(Debug)]
pub struct Exported<A>(PhantomData<A>);

impl<A: Activity> Run for Exported<A> {
    fn describe() -> String {
        describe_text::<A>()
    }

    fn run(attempt: wit::Attempt, inputs: String) -> Result<wit::Outcome, wit::Failure> {
        run::<A>(attempt, &inputs).map_err(Into::into)
    }
}

impl<A: Undo> TakeBack for Exported<A> {
    fn undo(
        attempt: wit::Attempt,
        inputs: String,
        outputs: Option<String>,
    ) -> Result<wit::Outcome, wit::Failure> {
        undo::<A>(attempt, &inputs, outputs.as_deref()).map_err(Into::into)
    }
}

fn describe_text<A: Activity>() -> String {
    std::panic::set_hook(Box::new(log_panic));
    describe::<A>().to_string()
}

fn run<A: Activity>(attempt: wit::Attempt, inputs: &str) -> Result<wit::Outcome, Failure> {
    std::panic::set_hook(Box::new(log_panic));
    let inputs = read_inputs::<A>(inputs)?;
    returned(A::run(&attempt.into(), inputs)?)
}

fn undo<A: Undo>(
    attempt: wit::Attempt,
    inputs: &str,
    outputs: Option<&str>,
) -> Result<wit::Outcome, Failure> {
    std::panic::set_hook(Box::new(log_panic));
    let inputs = read_inputs::<A>(inputs)?;
    let outputs = outputs.map(read_outputs).transpose().map_err(|error| {
        Failure::permanent(format!("the outputs do not fit {}: {error}", A::NAME))
            .code("invalid-outputs")
    })?;
    returned(A::undo(&attempt.into(), inputs, outputs)?)
}

/// What [`returned`] wrote.
fn read_outputs<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    let read = serde_json::from_str(text);
    match read {
        Err(error) if text == "{}" => serde_json::from_str("null").map_err(|_| error),
        read => read,
    }
}

/// The trap that follows says only `unreachable`; this line is what people read.
fn log_panic(panic: &PanicHookInfo<'_>) {
    imports::log(Level::Error, &panic.to_string());
}

/// What the engine is told. `()` is written as an empty object, since outputs are objects.
fn returned<T: Serialize>(outcome: Outcome<T>) -> Result<wit::Outcome, Failure> {
    Ok(match outcome {
        Outcome::Done(outputs) => {
            let json = serde_json::to_string(&outputs).map_err(|error| {
                Failure::permanent(format!("the outputs are no JSON: {error}"))
                    .code("invalid-outputs")
            })?;
            wit::Outcome::Succeeded(if json == "null" {
                "{}".to_owned()
            } else {
                json
            })
        }
        Outcome::Pending(pending) => wit::Outcome::Pending(wit::Pending {
            checkpoint: pending.checkpoint,
            resume: match pending.resume {
                crate::Resume::After(time) => wit::Resume::AfterMs(milliseconds(time)),
                crate::Resume::Signal(name) => wit::Resume::Signal(name),
            },
            status: pending.status,
        }),
    })
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl From<wit::Attempt> for Attempt {
    fn from(attempt: wit::Attempt) -> Self {
        Self {
            release: attempt.release,
            process: attempt.process,
            phase: attempt.phase,
            activity: attempt.activity,
            number: attempt.number,
            idempotency_key: attempt.idempotency_key,
            now_ms: attempt.now_ms,
            stored: attempt.checkpoint,
            received: attempt.signal,
        }
    }
}

impl From<Failure> for wit::Failure {
    fn from(failure: Failure) -> Self {
        let reason = wit::Reason {
            message: failure.message().to_owned(),
            code: failure.code_given().map(str::to_owned),
            details: failure.details_given().map(ToString::to_string),
        };
        if failure.is_retryable() {
            Self::Retryable((reason, failure.delay().map(milliseconds)))
        } else {
            Self::Permanent(reason)
        }
    }
}
