//! A sandbox without an engine around it, to try one component out.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use fermata_core::attempt::{Invocation, Ran};
use fermata_core::component::Grants;
use fermata_core::id::Digest;
use fermata_host::{Answers, Blobs, Sandbox, SandboxConfig};

use super::{CACHE_KEY_FILE, OpenError, compiler, now};

/// A sandbox to try one component out, with these answers in the place of the network. Compiled code is kept in `cache`.
pub(crate) fn trial(
    component: Vec<u8>,
    cache: &Path,
    answers: Arc<dyn Answers>,
) -> Result<Sandboxed, OpenError> {
    let file = |source| OpenError::File {
        path: cache.into(),
        source,
    };
    fs::create_dir_all(cache).map_err(file)?;
    let clock = Arc::new(now);
    let key = cache.join(CACHE_KEY_FILE);
    let mut settings = SandboxConfig::new(cache.join("cache"), key, compiler()?, clock);
    // One run at a time.
    settings.limits.concurrent_runs = 1;
    settings.answers = Some(answers);
    Ok(Sandboxed(Sandbox::new(settings, Arc::new(One(component)))?))
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

    /// Runs it once.
    pub(crate) async fn run(&self, invocation: Invocation, grants: Arc<Grants>) -> Ran {
        self.0.run(invocation, grants, Arc::new(|_| ())).await
    }
}
