//! The news that the server is about to stop.

use tokio::sync::watch;

/// Tells everybody who asks whether the server is about to stop.
#[derive(Clone, Debug)]
pub(crate) struct Stopping {
    sender: watch::Sender<bool>,
}

impl Default for Stopping {
    fn default() -> Self {
        Self {
            sender: watch::Sender::new(false),
        }
    }
}

impl Stopping {
    /// Says so from now on.
    pub(crate) fn begin(&self) {
        self.sender.send_replace(true);
    }

    /// Whether the server is about to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.sender.borrow()
    }

    /// Ends when the server is about to stop.
    pub(crate) fn begun(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut receiver = self.sender.subscribe();
        async move {
            // The sender cannot be gone before the server is.
            drop(receiver.wait_for(|stopping| *stopping).await);
        }
    }
}
