//! Write Fermata activities in Rust.
//!
//! An *activity* is a small WebAssembly program that does one unit of work in a release: it deploys a service, checks
//! its health, writes release notes. The engine runs it in a sandbox, hands it typed inputs as JSON, and stores what it
//! returns. This crate is the thin typed layer between such a program and the contract in `wit/activity.wit`.
//!
//! ```
//! use fermata_sdk::prelude::*;
//!
//! /// What a process writes under `with:`.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Inputs {
//!     /// The service to restart.
//!     service: String,
//! }
//!
//! /// What later activities can read as `needs.….outputs`.
//! #[derive(Debug, PartialEq, Serialize, JsonSchema)]
//! struct Outputs {
//!     pods: u32,
//! }
//!
//! struct Restart;
//!
//! impl Activity for Restart {
//!     const NAME: &'static str = "restart";
//!     const VERSION: &'static str = "1.0.0";
//!     type Inputs = Inputs;
//!     type Outputs = Outputs;
//!
//!     fn summary() -> &'static str {
//!         "Restarts every pod of a service."
//!     }
//!
//!     fn capabilities() -> Capabilities {
//!         Capabilities::none().http("platform.example.com", &["POST"])
//!     }
//!
//!     fn run(attempt: &Attempt, inputs: Inputs) -> Result<Outcome<Outputs>, Failure> {
//!         #[derive(Deserialize)]
//!         struct Answer {
//!             pods: u32,
//!         }
//!         let answer: Answer =
//!             http::Request::post(format!("https://platform.example.com/restart/{}", inputs.service))
//!                 .header("idempotency-key", &attempt.idempotency_key)
//!                 .send()?
//!                 .success()?
//!                 .json()?;
//!         log::info!("{} restarts {} pods", inputs.service, answer.pods);
//!         Ok(Outcome::Done(Outputs { pods: answer.pods }))
//!     }
//! }
//!
//! fermata_sdk::activity!(Restart);
//!
//! // Tests run on your machine without WebAssembly: the host is a fake that answers as it was told.
//! use fermata_sdk::testing::{self, Answer, Host};
//!
//! let host = Host::install();
//! host.answer("POST", "https://platform.example.com/restart/payment", Answer::json(200, &json!({ "pods": 3 })));
//!
//! let outputs = testing::finish::<Restart>(json!({ "service": "payment" })).unwrap();
//! assert_eq!(outputs, Outputs { pods: 3 });
//! assert_eq!(host.log(), ["info: payment restarts 3 pods"]);
//!
//! // Failures are data too: a 503 is worth another attempt, a 404 is not.
//! host.answer("POST", "https://platform.example.com/restart/ledger", Answer::status(404));
//! let failure = testing::finish::<Restart>(json!({ "service": "ledger" })).unwrap_err();
//! assert!(!failure.is_retryable());
//! # assert_eq!(failure.message(), "POST https://platform.example.com/restart/ledger was answered with status 404");
//! ```
//!
//! # The pieces
//!
//! * [`Activity`] names the activity, its inputs and outputs, and runs it. [`activity!`] exports it.
//! * [`Undo`] takes the effect back in a rollback. [`reversible_activity!`] exports both.
//! * [`Policy`] says whether something may happen, [`Notifier`] tells people outside what happened. [`policy!`] and
//!   [`notifier!`] export them. They are components of their own, not activities, and have [`log`], [`http`] and
//!   [`secrets`] only.
//! * [`Outcome::Done`] ends with outputs. [`pending`] suspends: the instance is dropped, the checkpoint is stored, and
//!   the activity is run again later with it, so that waiting for hours costs nothing and survives a crash.
//! * [`Failure`] is retryable or permanent. `?` makes one of every error in this crate, and [`OrFail`] of any other.
//! * [`log`], [`progress`], [`http`], [`secrets`] and [`evidence`] are what an activity can do. Each but the first two
//!   must be granted by a person; ask for them in [`Activity::capabilities`].
//!
//! # Delivery
//!
//! A run is at-least-once: after a crash of the engine the same run may happen again. Hand
//! [`Attempt::idempotency_key`] to the systems you call, or call them in a way that can be repeated.
//!
//! # Building
//!
//! Make the crate a `cdylib`, depend on `serde` and `schemars` for the derives, and build it with
//! `cargo build --release --target wasm32-unknown-unknown`. The engine turns the module into a component when it is
//! uploaded; no other tool is needed. A panic becomes a log line and a failed attempt.

mod activity;
mod attempt;
mod failure;
mod notifier;
mod outcome;
mod policy;

pub mod evidence;
pub mod http;
pub mod log;
pub mod prelude;
pub mod progress;
pub mod secrets;

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod guest;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

#[cfg(target_arch = "wasm32")]
use guest::imports;
#[cfg(not(target_arch = "wasm32"))]
use testing::imports;

pub use activity::{Activity, Capabilities, Idempotency, Retry, Undo};
pub use attempt::Attempt;
pub use failure::{Failure, OrFail};
pub use notifier::{Notification, Notifier};
pub use outcome::{Outcome, Pending, Resume, pending, pending_signal};
pub use policy::{Point, Policy, Question, Verdict};

pub use schemars;
pub use serde;
pub use serde_json;

/// Exports a type that implements [`Activity`] as the world `activity`. Once per crate.
///
/// On other targets than WebAssembly it only checks the type, so that the crate can be tested.
#[macro_export]
macro_rules! activity {
    ($activity:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::guest::Exported<$activity>;
            $crate::guest::activity::export! { Exported with_types_in $crate::guest::activity }
        };
        const _: () = {
            const fn is_an_activity<A: $crate::Activity>() {}
            is_an_activity::<$activity>();
        };
    };
}

/// Exports a type that implements [`Activity`] and [`Undo`] as the world `reversible-activity`. Once per crate.
///
/// On other targets than WebAssembly it only checks the type, so that the crate can be tested.
#[macro_export]
macro_rules! reversible_activity {
    ($activity:ty) => {
        $crate::activity!($activity);
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::guest::Exported<$activity>;
            $crate::guest::reversible::export! { Exported with_types_in $crate::guest::reversible }
        };
        const _: () = {
            const fn is_reversible<A: $crate::Undo>() {}
            is_reversible::<$activity>();
        };
    };
}

/// Exports a type that implements [`Policy`] as the world `policy`. Once per crate.
///
/// On other targets than WebAssembly it only checks the type, so that the crate can be tested.
#[macro_export]
macro_rules! policy {
    ($policy:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::guest::Exported<$policy>;
            $crate::guest::policy_world::export! { Exported with_types_in $crate::guest::policy_world }
        };
        const _: () = {
            const fn is_a_policy<P: $crate::Policy>() {}
            is_a_policy::<$policy>();
        };
    };
}

/// Exports a type that implements [`Notifier`] as the world `notifier`. Once per crate.
///
/// On other targets than WebAssembly it only checks the type, so that the crate can be tested.
#[macro_export]
macro_rules! notifier {
    ($notifier:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::guest::Exported<$notifier>;
            $crate::guest::notifier_world::export! { Exported with_types_in $crate::guest::notifier_world }
        };
        const _: () = {
            const fn is_a_notifier<N: $crate::Notifier>() {}
            is_a_notifier::<$notifier>();
        };
    };
}

/// The activity of the project's README, compiled so that it stays true.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;
