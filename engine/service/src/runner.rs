//! The port through which attempts run and policies are asked; the sandbox implements it outside this crate.

use std::fmt;
use std::sync::Arc;

use fermata_core::attempt::{Invocation, Progress, Ran};
use fermata_core::component::Grants;
use fermata_core::extension::{Judged, Notification, Notified, Question};
use futures::future::BoxFuture;

/// Where a run says how far it is; never blocks.
pub type ProgressSink = Arc<dyn Fn(Progress) + Send + Sync>;

/// Runs attempts and asks policies. Dropping the future cancels it.
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

    /// Asks a policy; every failure, the machine's included, is in the answer.
    fn judge(&self, question: Question, grants: Arc<Grants>) -> BoxFuture<'static, Judged>;
}
