//! What an attempt knows about itself.

use serde::de::DeserializeOwned;

use crate::Failure;

/// Which attempt this is: of what, and the how-manieth.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The id of the release.
    pub release: String,
    /// The name of the process that the release runs.
    pub process: String,
    /// The name of the phase.
    pub phase: String,
    /// The name of the activity within its phase.
    pub activity: String,
    /// 1 for the first attempt.
    pub number: u32,
    /// The same for every attempt and every resumption of this activity in this release. Hand it to the systems you
    /// call, so that asking twice does a thing once.
    pub idempotency_key: String,
    /// When this run began, milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// What [`pending`](crate::pending()) stored, as bytes. [`Attempt::checkpoint`] reads it.
    pub stored: Option<Vec<u8>>,
    /// The payload of the signal that ended the suspension, as JSON text. [`Attempt::signal`] reads it.
    pub received: Option<String>,
}

impl Attempt {
    /// What the last [`pending`](crate::pending()) of this attempt stored; `None` on its first run.
    ///
    /// ```
    /// # use fermata_sdk::prelude::*;
    /// # fn sketch(attempt: &Attempt) -> Result<(), Failure> {
    /// #[derive(Serialize, Deserialize)]
    /// struct Checkpoint {
    ///     deployment: String,
    /// }
    ///
    /// match attempt.checkpoint::<Checkpoint>()? {
    ///     None => { /* the first run: start the deployment */ }
    ///     Some(checkpoint) => { /* ask how checkpoint.deployment is doing */ }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn checkpoint<T: DeserializeOwned>(&self) -> Result<Option<T>, Failure> {
        let read = |bytes: &Vec<u8>| {
            serde_json::from_slice(bytes).map_err(|error| {
                Failure::permanent(format!("the checkpoint cannot be read: {error}"))
                    .code("invalid-checkpoint")
            })
        };
        self.stored.as_ref().map(read).transpose()
    }

    /// The payload of the signal that [`pending_signal`](crate::pending_signal()) waited for; `None` if this run waited
    /// for none.
    pub fn signal<T: DeserializeOwned>(&self) -> Result<Option<T>, Failure> {
        let read = |text: &String| {
            serde_json::from_str(text).map_err(|error| {
                Failure::permanent(format!("the payload of the signal cannot be read: {error}"))
                    .code("invalid-signal")
            })
        };
        self.received.as_ref().map(read).transpose()
    }
}
