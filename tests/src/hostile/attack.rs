//! What an attack is: guests, what they are granted, and the answers they have to get.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};

/// The guests of an attack, given where the hostile server listens.
pub type Steps = Arc<dyn Fn(SocketAddr) -> Vec<Step> + Send + Sync>;

/// One attack.
#[derive(Clone)]
pub struct Attack {
    /// A stable name.
    pub name: &'static str,
    /// One sentence: what it tries.
    pub tries: &'static str,
    /// How many of it run at once.
    pub copies: usize,
    /// Most memory that the host may need for it, in MiB.
    pub memory_mib: u64,
    /// Its guests.
    pub steps: Steps,
}

impl fmt::Debug for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attack")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// One guest of an attack.
#[derive(Clone, Debug)]
pub struct Step {
    /// What this one does, where an attack has several.
    pub what: String,
    /// The component or module.
    pub upload: Arc<Vec<u8>>,
    /// What it is granted.
    pub grants: Value,
    /// Longest time of its run, in milliseconds.
    pub wall_ms: u64,
    /// The answer: a class of failure, a code of rejection, or `succeeded`, with the limit where there is one.
    pub expected: &'static str,
}

/// Long enough for every guest that is ended by something else.
const WALL_MS: u64 = 60_000;
/// What the host itself may need beside what an attack is allowed: native code, buffers, the allocator's reserve, and
/// memory of ended guests, which goes back to the system in batches.
pub const HOST_MIB: u64 = 128;

impl Attack {
    /// An attack of one copy, which may take the memory of one guest.
    pub(crate) fn new(
        name: &'static str,
        tries: &'static str,
        steps: impl Fn(SocketAddr) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            tries,
            copies: 1,
            memory_mib: HOST_MIB + 64,
            steps: Arc::new(steps),
        }
    }

    pub(crate) fn copies(mut self, copies: usize) -> Self {
        self.copies = copies;
        self.memory_mib = HOST_MIB + 64 * copies as u64;
        self
    }

    pub(crate) fn memory_mib(mut self, mib: u64) -> Self {
        self.memory_mib = mib;
        self
    }
}

impl Step {
    /// A guest that is granted nothing.
    pub(crate) fn new(upload: Vec<u8>, expected: &'static str) -> Self {
        Self {
            what: String::new(),
            upload: Arc::new(upload),
            grants: json!({}),
            wall_ms: WALL_MS,
            expected,
        }
    }

    pub(crate) fn what(mut self, what: impl Into<String>) -> Self {
        self.what = what.into();
        self
    }

    pub(crate) fn grants(mut self, grants: Value) -> Self {
        self.grants = grants;
        self
    }

    pub(crate) fn wall_ms(mut self, wall_ms: u64) -> Self {
        self.wall_ms = wall_ms;
        self
    }
}
