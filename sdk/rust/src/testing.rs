//! Run activities on your own machine, without WebAssembly, against a fake host. Not there on `wasm32`.
//!
//! ```
//! use fermata_sdk::prelude::*;
//! use fermata_sdk::testing::{self, Answer, Host};
//!
//! struct Greet;
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Inputs { url: String }
//!
//! impl Activity for Greet {
//!     const NAME: &'static str = "greet";
//!     const VERSION: &'static str = "1.0.0";
//!     type Inputs = Inputs;
//!     type Outputs = ();
//!     fn summary() -> &'static str { "Greets." }
//!     fn run(attempt: &Attempt, inputs: Inputs) -> Result<Outcome<()>, Failure> {
//!         match attempt.checkpoint::<()>()? {
//!             None => pending(&(), Duration::from_secs(60)),
//!             Some(()) => {
//!                 http::Request::get(inputs.url).send()?.success()?;
//!                 Ok(Outcome::Done(()))
//!             }
//!         }
//!     }
//! }
//!
//! let host = Host::install();
//! host.answer("GET", "http://a/", Answer::status(204));
//! // Suspensions are resumed at once: tests never wait.
//! testing::finish::<Greet>(json!({ "url": "http://a/" })).unwrap();
//! assert_eq!(host.requests().len(), 1);
//! ```

use serde_json::Value;

use crate::activity::{self, read_inputs};
use crate::{Activity, Attempt, Failure, Outcome, Pending, Resume, Undo};

mod extension;
mod host;
pub(crate) mod imports;

pub use extension::{describe_notifier, describe_policy, judge, notification, notify, question};
pub use host::{Answer, Attachment, Host, Request};

/// Most runs of one attempt in [`finish`]: an activity that suspends itself more often never ends.
const RUNS_MAX: usize = 10_000;

/// A first attempt of an activity `staging/activity`; change its fields as the test needs.
pub fn attempt() -> Attempt {
    Attempt {
        release: "rel-00000000000000000000000001".to_owned(),
        process: "process".to_owned(),
        phase: "staging".to_owned(),
        activity: "activity".to_owned(),
        number: 1,
        idempotency_key: "rel-00000000000000000000000001/staging/activity".to_owned(),
        now_ms: 1_700_000_000_000,
        stored: None,
        received: None,
    }
}

/// What `describe` returns to the engine.
pub fn describe<A: Activity>() -> Value {
    activity::describe::<A>()
}

/// One run: the first of the first attempt.
pub fn run<A: Activity>(inputs: Value) -> Result<Outcome<A::Outputs>, Failure> {
    run_attempt::<A>(&attempt(), inputs)
}

/// One run of `attempt`.
#[expect(
    clippy::needless_pass_by_value,
    reason = "tests write `json!` in place, and a `&` before each of them says nothing"
)]
pub fn run_attempt<A: Activity>(
    attempt: &Attempt,
    inputs: Value,
) -> Result<Outcome<A::Outputs>, Failure> {
    A::run(attempt, read_inputs::<A>(&inputs.to_string())?)
}

/// Runs of the first attempt until it ends. Suspensions are resumed at once.
///
/// # Panics
/// If the activity suspends itself again and again.
pub fn finish<A: Activity>(inputs: Value) -> Result<A::Outputs, Failure> {
    finish_attempt::<A>(attempt(), inputs)
}

/// Runs of `attempt` until it ends. Suspensions are resumed at once.
///
/// # Panics
/// If the activity suspends itself again and again.
#[expect(
    clippy::needless_pass_by_value,
    reason = "tests write `json!` in place, and a `&` before each of them says nothing"
)]
pub fn finish_attempt<A: Activity>(attempt: Attempt, inputs: Value) -> Result<A::Outputs, Failure> {
    until_done(attempt, |attempt| run_attempt::<A>(attempt, inputs.clone()))
}

/// Undoes until that ends. `outputs` is what the run returned, if it finished.
///
/// # Panics
/// If the activity suspends itself again and again, or if `outputs` are not such as it returns.
#[expect(
    clippy::needless_pass_by_value,
    reason = "tests write `json!` in place, and a `&` before each of them says nothing"
)]
pub fn undo<A: Undo>(inputs: Value, outputs: Option<Value>) -> Result<(), Failure> {
    until_done(attempt(), |attempt| {
        let outputs = outputs.clone().map(|outputs| {
            serde_json::from_value(outputs).expect("outputs such as the activity returns")
        });
        A::undo(attempt, read_inputs::<A>(&inputs.to_string())?, outputs)
    })
}

fn until_done<T>(
    mut attempt: Attempt,
    run: impl Fn(&Attempt) -> Result<Outcome<T>, Failure>,
) -> Result<T, Failure> {
    for _ in 0..RUNS_MAX {
        match run(&attempt)? {
            Outcome::Done(outputs) => return Ok(outputs),
            Outcome::Pending(pending) => resume(&mut attempt, pending),
        }
    }
    panic!("still pending after {RUNS_MAX} runs");
}

/// Makes `attempt` the next run after `pending`: its checkpoint is set and time has passed.
///
/// # Panics
/// If it waits for a signal: [`signalled`] sends one.
pub fn resume(attempt: &mut Attempt, pending: Pending) {
    let Resume::After(time) = pending.resume else {
        panic!("it waits for a signal, so call `signalled`: {pending:?}");
    };
    let passed = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    attempt.now_ms = attempt.now_ms.saturating_add(passed);
    attempt.stored = Some(pending.checkpoint);
    attempt.received = None;
}

/// Makes `attempt` the next run after `pending`, which a signal with this payload has ended.
///
/// # Panics
/// If it does not wait for a signal.
pub fn signalled(attempt: &mut Attempt, pending: Pending, payload: &Value) {
    assert!(
        matches!(pending.resume, Resume::Signal(_)),
        "it waits for no signal: {pending:?}"
    );
    attempt.stored = Some(pending.checkpoint);
    attempt.received = Some(payload.to_string());
}
