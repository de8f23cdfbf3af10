//! The sandbox: takes WebAssembly from strangers and runs it within bounds.
//!
//! It knows no release and no store. What it is asked ([`fermata_core::attempt::Invocation`], and for policies and
//! notifiers what is in [`fermata_core::extension`]) and what it answers ([`fermata_core::attempt::Ran`]) are values, and
//! the bytes of components come through [`Blobs`].
//!
//! * An upload is *admitted*: looked at, compiled in a process of its own, asked for its descriptor.
//! * A component is *run*: a fresh instance each time, with every bound of [`Limits`] in force.
//! * What it reaches outside, it reaches through one policy, `egress`.

mod admit;
mod ask;
mod background;
mod backtrace;
mod cache;
mod calls;
mod compile;
mod config;
mod egress;
mod engine;
mod error;
mod guest;
mod imports;
mod key;
mod library;
mod limits;
mod outcome;
mod record;
mod rejection;
mod run;
mod sandbox;
mod secrets;
mod shared;
mod ticker;
mod usage;

pub use admit::{Admitted, Verified};
pub use cache::CacheNow;
pub use compile::{Compiler, compile_child_main};
pub use config::{Blobs, CACHE_BYTES, Clock, ProgressSink, Recordings, SandboxConfig};
pub use egress::{Answered, Answers, Asked, Given, Resolver, SystemResolver, Unanswered};
pub use engine::RUNTIME;
pub use error::{AdmitError, Error};
pub use limits::{Limit, Limits};
pub use rejection::Rejection;
pub use sandbox::Sandbox;
pub use secrets::{NoSecret, Secrets};
pub use usage::Used;
