//! The port through which attempts run; the sandbox implements it outside this crate.

use std::fmt;
use std::sync::Arc;

use fermata_core::attempt::{Invocation, Progress, Ran};
use fermata_core::component::Grants;
use fermata_core::extension::{Notification, Notified};
use futures::future::BoxFuture;

/// Where a run says how far it is; never blocks.
pub type ProgressSink = Arc<dyn Fn(Progress) + Send + Sync>;

/// Runs attempts. Dropping the future cancels the run.
pub trait Runner: fmt::Debug + Send + Sync + 'static {
    /// Executes one run to its end; every failure, the machine's included, is in the report.
    fn run(
        &self,
        invocation: Invocation,
        grants: Arc<Grants>,
        progress: ProgressSink,
    ) -> BoxFuture<'static, Ran>;

    /// Lets a notifier deliver a notification once; every failure, the machine's included, is in the
    /// result.
    fn notify(
        &self,
        notification: Notification,
        grants: Arc<Grants>,
    ) -> BoxFuture<'static, Notified>;
}
