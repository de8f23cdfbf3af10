//! The sandbox as the rest of the engine sees it: admit a component, run it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use fermata_core::attempt::{Invocation, Outcome, Ran, Report};
use fermata_core::component::Grants;
use fermata_core::extension::{Judged, Notification, Notified, Question, Untold};
use fermata_core::id::Digest;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::admit::{Admitted, Verified};
use crate::ask::EXTENSION_RUNS;
use crate::background::Background;
use crate::cache::{Cache, CacheNow};
use crate::compile::Compilation;
use crate::config::{Blobs, ProgressSink, SandboxConfig};
use crate::egress::Client;
use crate::error::{AdmitError, Error};
use crate::guest::{self, Context};
use crate::key::Key;
use crate::library::{Library, Loaded};
use crate::limits::{Limits, length};
use crate::run::Run;
use crate::shared::Shared;
use crate::ticker::Ticker;
use crate::{engine, run};

/// Uploads that are looked at together: each can take some hundred megabytes while it is validated.
const LOOKS_MAX: usize = 2;

/// Admits and runs components. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

/// What every clone of a sandbox shares.
pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<Context>,
    pub(crate) ticker: Ticker,
    pub(crate) cache: Cache,
    pub(crate) compilation: Compilation,
    pub(crate) library: Library,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) policy_slots: Arc<Semaphore>,
    pub(crate) notifier_slots: Arc<Semaphore>,
    /// Uploads that are looked at.
    pub(crate) looks: Arc<Semaphore>,
    pub(crate) background: Background,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("shared", &self.inner.shared)
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Sets a sandbox up. `blobs` has the bytes of what was admitted.
    pub fn new(config: SandboxConfig, blobs: Arc<dyn Blobs>) -> Result<Self, Error> {
        let engine = engine::running(&config.limits)?;
        let key = Key::of_installation(&config.cache_key)?;
        let shared = Shared {
            client: Client::new(
                Arc::clone(&config.resolver),
                config.answers.clone(),
                &config.limits,
            ),
            secrets: config.secrets,
            stand_ins: Key::random()?,
            runs_begun: AtomicU64::new(0),
            recordings: config.recordings,
            clock: config.clock,
            limits: config.limits.clone(),
        };
        let inner = Inner {
            linker: guest::linker(&engine)?,
            ticker: Ticker::start(&engine)?,
            cache: Cache::open(&config.cache, key, &engine, config.cache_bytes)?,
            slots: Arc::new(Semaphore::new(length(config.limits.concurrent_runs))),
            policy_slots: Arc::new(Semaphore::new(EXTENSION_RUNS)),
            notifier_slots: Arc::new(Semaphore::new(EXTENSION_RUNS)),
            looks: Arc::new(Semaphore::new(LOOKS_MAX)),
            background: Background::start()?,
            compilation: Compilation::new(config.compiler, config.limits),
            library: Library::new(config.loaded_bytes),
            blobs,
            shared: Arc::new(shared),
            engine,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The bounds in force.
    pub fn limits(&self) -> &Limits {
        &self.inner.shared.limits
    }

    /// Admits an upload, a component or a core module: looks at it, compiles it, and asks it for its descriptor.
    pub async fn admit(&self, upload: Vec<u8>) -> Result<Admitted, AdmitError> {
        self.inner.admit(upload).await
    }

    /// Does everything with an upload that admission does, and keeps nothing of it.
    pub async fn verify(&self, upload: Vec<u8>) -> Result<Verified, AdmitError> {
        self.inner.verify(upload).await
    }

    /// What the cache of native code holds, and what it was good for.
    pub fn cache(&self) -> CacheNow {
        self.inner.cache.now()
    }

    /// Runs one attempt. Everything that goes wrong is in the report. Dropping the future ends the run. Has to be
    /// polled within a tokio runtime with its timer on.
    pub fn run(
        &self,
        invocation: Invocation,
        grants: Arc<Grants>,
        progress: ProgressSink,
    ) -> BoxFuture<'static, Ran> {
        let run = run::run(Arc::clone(&self.inner), invocation, grants, progress);
        run.map(ran).boxed()
    }

    /// Asks a policy, as [`Self::run`] runs an attempt.
    pub fn judge(&self, question: Question, grants: Arc<Grants>) -> BoxFuture<'static, Judged> {
        let run = run::run(Arc::clone(&self.inner), question, grants, Arc::new(|_| ()));
        let judged = |run: Run<_>| Judged {
            verdict: run.answer.map_err(|failed| *failed.failure),
            log: run.log,
        };
        run.map(judged).boxed()
    }

    /// Has a notifier tell something once, as [`Self::run`] runs an attempt.
    pub fn notify(
        &self,
        notification: Notification,
        grants: Arc<Grants>,
    ) -> BoxFuture<'static, Notified> {
        let inner = Arc::clone(&self.inner);
        let run = run::run(inner, notification, grants, Arc::new(|_| ()));
        let notified = |run: Run<()>| Notified {
            told: run.answer.map_err(|failed| Untold {
                failure: *failed.failure,
                retry_after: failed.retry_after,
            }),
            log: run.log,
        };
        run.map(notified).boxed()
    }
}

/// What came of an attempt.
fn ran(run: Run<Outcome>) -> Ran {
    let report = Report {
        outcome: run.answer.unwrap_or_else(|failed| failed.outcome()),
        evidence: run.evidence,
    };
    Ran {
        report,
        usage: run.usage,
        log: run.log,
        recording: run.recording,
    }
}

impl Inner {
    /// The component with this digest, ready to run. Whoever asks first prepares it, the others wait.
    pub(crate) async fn loaded(
        self: &Arc<Self>,
        digest: Digest,
    ) -> Result<Arc<Loaded>, AdmitError> {
        let place = self.library.place(digest);
        if let Some(loaded) = place.get() {
            return Ok(Arc::clone(loaded));
        }
        let filled = place
            .get_or_try_init(|| self.load(digest))
            .await
            .map(Arc::clone);
        drop(place);
        self.library.tidy();
        filled
    }

    async fn load(self: &Arc<Self>, digest: Digest) -> Result<Arc<Loaded>, AdmitError> {
        let loaded = match self.cached(digest).await? {
            Some((native, bytes)) => self.bind(&native, bytes).await?,
            None => self.renew(digest).await?,
        };
        Ok(Arc::new(loaded))
    }

    /// Keeps the native code of a component, removes what there is no room for, and gives it loaded.
    pub(crate) fn keep(
        &self,
        digest: &Digest,
        native: &[u8],
    ) -> Result<(Component, u64), AdmitError> {
        let loaded = self.cache.put(&self.engine, digest, native);
        self.cache
            .make_room(|held| held == digest || self.library.holds(held));
        loaded
    }

    /// Compiled code from the cache; on a thread where reading and checking megabytes keeps nobody waiting.
    pub(crate) async fn cached(
        self: &Arc<Self>,
        digest: Digest,
    ) -> Result<Option<(Component, u64)>, Error> {
        let inner = Arc::clone(self);
        self.background
            .blocking(move || inner.cache.get(&inner.engine, &digest))
            .await
            .map_err(|error| Error::Engine(error.to_string()))
    }
}
