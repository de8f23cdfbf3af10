//! What all runs have in common.

use std::fmt;
use std::sync::atomic::AtomicU64;

use crate::config::Clock;
use crate::egress::Client;
use crate::key::Key;
use crate::limits::Limits;
use crate::secrets::Vault;

/// What all runs have in common.
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) client: Client,
    pub(crate) vault: Vault,
    /// Makes the stand-ins for secrets impossible to guess; lasts as long as the process.
    pub(crate) stand_ins: Key,
    pub(crate) runs_begun: AtomicU64,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("limits", &self.limits)
            .field("vault", &self.vault)
            .finish_non_exhaustive()
    }
}
