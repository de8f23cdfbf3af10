//! The driver of releases: inputs become committed turns, and turns become work.
//!
//! [`Service`] is what the application uses. Behind it, one thread owns the [`driver::Driver`], which
//! is synchronous and decides everything: it takes [`wake::Wake`]s, commits what they make true as
//! one batch, and only then answers, tells watchers, and begins or drops runs. Everything else
//! here is either a port (clock, runner, store) or a reader of what was committed.

pub mod clock;
pub mod config;
pub mod directory;
pub mod dispatch;
pub mod error;
pub mod ids;
mod keys;
pub mod locks;
mod metrics;
mod outbox;
pub mod policies;
pub mod records;
pub mod request;
pub mod runner;
pub mod secrets;
pub mod timers;

pub mod catalog;
mod feed;
mod history;
pub mod inbox;
mod process_cache;
mod progress;
mod recent;
mod shared;

pub mod driver;
mod recover;
pub mod wake;

mod engine;
mod records_access;
mod service;
mod watch;

pub use config::Config;
pub use error::Error;
pub use history::{AttemptRecord, AttemptResult};
pub use metrics::MetricsNow;
pub use outbox::NotifierNow;
pub use records_access::Records;
pub use service::{Parts, Service, blob};
pub use shared::{Condition, Health};
pub use watch::{Seen, Watch};
