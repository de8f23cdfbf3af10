//! What the sandbox is told at construction.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use fermata_core::attempt::Progress;
use fermata_core::id::Digest;
use fermata_core::time::Timestamp;

use crate::compile::Compiler;
use crate::egress::{Answers, Resolver, SystemResolver};
use crate::limits::Limits;
use crate::secrets::{NoSecrets, Secrets};

/// Where a run says how far it is; never blocks.
pub type ProgressSink = Arc<dyn Fn(Progress) + Send + Sync>;

/// Tells the time. The sandbox has no clock of its own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Where the bytes of admitted components are kept.
pub trait Blobs: fmt::Debug + Send + Sync + 'static {
    /// The bytes with this digest, as [`crate::Admitted::component`] held them. May block.
    fn component(&self, digest: &Digest) -> Option<Vec<u8>>;
}

/// Which runs leave a recording behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recordings {
    /// None. Nothing is recorded, either.
    None,
    /// Those that did not succeed.
    #[default]
    Failed,
    /// All of them. Their processor time is measured as exactly as the system can.
    All,
}

/// How a [`crate::Sandbox`] is set up.
#[derive(Clone)]
pub struct SandboxConfig {
    /// The bounds.
    pub limits: Limits,
    /// Directory of compiled code; can be deleted at any time.
    pub cache: PathBuf,
    /// File with the key that seals compiled code; made if absent. Not inside `cache`.
    pub cache_key: PathBuf,
    /// How components are compiled.
    pub compiler: Compiler,
    /// Opens secrets.
    pub secrets: Arc<dyn Secrets>,
    /// Looks host names up.
    pub resolver: Arc<dyn Resolver>,
    /// Answers calls in the place of the network, if a component is only tried out.
    pub answers: Option<Arc<dyn Answers>>,
    /// Which runs leave a recording behind.
    pub recordings: Recordings,
    /// Tells the time.
    pub clock: Clock,
    /// Most bytes of native code kept in memory: some hundred small components, or ten Python ones.
    pub loaded_bytes: u64,
    /// Most bytes of native code kept on disk; what is in use stays even if it is more.
    pub cache_bytes: u64,
}

/// Enough native code for a few thousand small components, or forty Python ones.
pub const CACHE_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// Enough native code for some hundred small components, or ten Python ones.
const LOADED_BYTES: u64 = 512 * 1024 * 1024;

impl SandboxConfig {
    /// A configuration with the default limits and the system's resolver, and without secrets.
    pub fn new(
        cache: impl Into<PathBuf>,
        cache_key: impl Into<PathBuf>,
        compiler: Compiler,
        clock: Clock,
    ) -> Self {
        Self {
            limits: Limits::default(),
            cache: cache.into(),
            cache_key: cache_key.into(),
            compiler,
            secrets: Arc::new(NoSecrets),
            resolver: Arc::new(SystemResolver),
            answers: None,
            recordings: Recordings::default(),
            clock,
            loaded_bytes: LOADED_BYTES,
            cache_bytes: CACHE_BYTES,
        }
    }
}

impl fmt::Debug for SandboxConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxConfig")
            .field("limits", &self.limits)
            .field("cache", &self.cache)
            .field("compiler", &self.compiler)
            .finish_non_exhaustive()
    }
}
