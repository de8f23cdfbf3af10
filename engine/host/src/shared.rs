//! What all runs have in common.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fermata_core::component::Grants;
use fermata_core::id::Digest;

use crate::config::{Clock, Recordings};
use crate::egress::{Client, Given};
use crate::key::Key;
use crate::limits::Limits;
use crate::secrets::{Held, Secrets};

/// How a stand-in for a secret begins, so that people and scanners recognise one.
const STAND_IN_PREFIX: &str = "fsec_";
/// Hexadecimal digits of a stand-in: more than anybody can guess.
const STAND_IN_DIGITS: usize = 32;

/// What tells the seal that seeds come from apart from the one that stand-ins come from: it is longer than a number.
const SEED: &[u8] = b"random numbers of one run";

/// What all runs have in common.
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) client: Client,
    pub(crate) secrets: Arc<dyn Secrets>,
    /// Makes the stand-ins for secrets impossible to guess; lasts as long as the process.
    pub(crate) stand_ins: Key,
    pub(crate) runs_begun: AtomicU64,
    pub(crate) recordings: Recordings,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("limits", &self.limits)
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// The secrets that a new run is granted. Its stand-ins differ from those of every other run.
    pub(crate) fn hold(&self, grants: &Grants, given: Option<&Given>) -> Held {
        let run = self.runs_begun.fetch_add(1, Ordering::Relaxed);
        let stand_in = |name: &str| {
            let seal = self.stand_ins.seal(&[&run.to_be_bytes(), name.as_bytes()]);
            let guess = Digest(seal).hex();
            format!("{STAND_IN_PREFIX}{}", &guess[..STAND_IN_DIGITS])
        };
        match given {
            Some(given) => Held::given(&grants.secrets, &given.secrets, stand_in),
            None => Held::granted(&grants.secrets, &*self.secrets, stand_in),
        }
    }

    /// What the random numbers of one run come from: nobody can guess it, and it differs each time.
    pub(crate) fn seed(&self) -> [u8; 32] {
        let run = self.runs_begun.fetch_add(1, Ordering::Relaxed);
        self.stand_ins.seal(&[SEED, &run.to_be_bytes()])
    }
}
