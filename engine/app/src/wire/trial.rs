//! The sandbox for one component that is tried out, without an engine around it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use fermata_core::attempt::{Invocation, Ran, Usage};
use fermata_core::component::Grants;
use fermata_core::id::Digest;
use fermata_host::{Answers, Blobs, Recordings, Sandbox, SandboxConfig, Used};

use super::{CACHE_KEY_FILE, OpenError, compiler, set_up};

/// A sandbox to try one component out, with these answers in the place of the network. Compiled code is kept in `cache`.
pub(crate) fn trial(
    component: Vec<u8>,
    cache: &Path,
    answers: Arc<dyn Answers>,
    clock: fermata_host::Clock,
) -> Result<Sandboxed, OpenError> {
    let file = |source| OpenError::File {
        path: cache.into(),
        source,
    };
    fs::create_dir_all(cache).map_err(file)?;
    let key = cache.join(CACHE_KEY_FILE);
    let mut settings = SandboxConfig::new(cache.join("cache"), key, compiler()?, clock);
    // One run at a time.
    settings.limits.concurrent_runs = 1;
    settings.answers = Some(answers);
    settings.recordings = Recordings::All;
    let sandbox = set_up(settings, Arc::new(One(component)))?;
    Ok(Sandboxed(sandbox))
}

/// The one component that is tried out.
#[derive(Debug)]
struct One(Vec<u8>);

impl Blobs for One {
    fn component(&self, _: &Digest) -> Option<Vec<u8>> {
        Some(self.0.clone())
    }
}

/// A sandbox without an engine around it.
#[derive(Debug)]
pub(crate) struct Sandboxed(Sandbox);

impl Sandboxed {
    /// Admits a component as an upload is admitted.
    pub(crate) async fn admit(
        &self,
        component: Vec<u8>,
    ) -> Result<fermata_host::Admitted, OpenError> {
        Ok(self.0.admit(component).await?)
    }

    /// Looks at a component as an upload is looked at, and keeps nothing.
    pub(crate) async fn verify(
        &self,
        component: Vec<u8>,
    ) -> Result<fermata_host::Verified, OpenError> {
        Ok(self.0.verify(component).await?)
    }

    /// How near a run came to its limits.
    pub(crate) fn used(&self, usage: &Usage) -> Vec<Used> {
        self.0.limits().used(usage)
    }

    /// Runs it once.
    pub(crate) async fn run(&self, invocation: Invocation, grants: Arc<Grants>) -> Ran {
        self.0.run(invocation, grants, Arc::new(|_| ())).await
    }
}
