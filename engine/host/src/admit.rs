//! Admitting an upload: everything that can be found out about a component before it is ever used.

mod contract;
mod encode;
mod inspect;
mod verify;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use fermata_core::component::{Descriptor, Grants, World};
use fermata_core::id::Digest;
use fermata_core::schema::Schema;
use fermata_core::time::Span;
use futures::FutureExt;
use wasmtime::Store;
use wasmtime::component::{Component, InstancePre};

use crate::error::{AdmitError, Error};
use crate::guest::notifier::NotifierOnlyPre;
use crate::guest::policy::PolicyOnlyPre;
use crate::guest::{self, ActivityPre, Context, UndoOnlyPre};
use crate::library::{Entry, Loaded};
use crate::limits::{Limits, length};
use crate::outcome;
use crate::rejection::Rejection;
use crate::sandbox::Inner;
use contract::exported;
use inspect::Form;
pub use verify::Verified;

/// An upload that this engine runs.
#[derive(Clone)]
pub struct Admitted {
    /// The address of the bytes.
    pub digest: Digest,
    /// What the component says about itself.
    pub descriptor: Descriptor,
    /// The bytes to keep under the digest, as they were uploaded.
    pub component: Vec<u8>,
    /// Whether it can take its effect back.
    pub exports_undo: bool,
}

impl std::fmt::Debug for Admitted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admitted")
            .field("digest", &self.digest)
            .field("descriptor", &self.descriptor)
            .field("exports_undo", &self.exports_undo)
            .finish_non_exhaustive()
    }
}

/// Looks at an upload and makes a component of it. The second value is whether it exports `undo`.
pub(crate) fn component(upload: &[u8], limits: &Limits) -> Result<(Vec<u8>, bool), Rejection> {
    let inspected = inspect::inspect(upload, limits)?;
    let component = match inspected.form {
        Form::Component => upload.to_vec(),
        Form::Core { preview1 } => {
            let world = (inspected.world, inspected.exports_undo);
            let component = encode::encode(upload, world, preview1)?;
            inspect::inspect(&component, limits)?;
            component
        }
    };
    Ok((component, inspected.exports_undo))
}

impl Inner {
    /// Admits an upload, and leaves its native code in the cache.
    pub(crate) async fn admit(self: &Arc<Self>, upload: Vec<u8>) -> Result<Admitted, AdmitError> {
        let limits = self.shared.limits.clone();
        let look = move || {
            let made = component(&upload, &limits)?;
            Ok((Digest::of(&upload), upload, made))
        };
        let (digest, upload, (component, exports_undo)) = self.look(look).await?;
        let loaded = self.prepare(digest, component).await?;
        let descriptor = sound(loaded.descriptor)?;
        Ok(Admitted {
            digest,
            descriptor,
            component: upload,
            exports_undo,
        })
    }

    /// Looks at hostile bytes, in line with others who do.
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce() -> Result<T, Rejection> + Send + 'static,
    ) -> Result<T, Rejection> {
        let place = Arc::clone(&self.looks)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        let looked = self.background.blocking(move || {
            // To the end of the look, also when whoever uploads has gone.
            let _place = place;
            look()
        });
        // A panic while reading hostile bytes is a fault of the bytes until shown otherwise.
        let broken = |_| Rejection::Invalid {
            reason: "it cannot be read".into(),
        };
        looked.await.map_err(broken)?
    }

    /// Compiles a component unless that was done before, and checks that it answers.
    async fn prepare(
        self: &Arc<Self>,
        digest: Digest,
        component: Vec<u8>,
    ) -> Result<Loaded, AdmitError> {
        let (native, bytes) = if let Some(cached) = self.cached(digest).await? {
            cached
        } else {
            let native = self.compilation.compile(component).await?;
            self.kept(digest, native).await?
        };
        self.bind(&native, bytes).await
    }

    /// Binds compiled code to the host, and asks it for its descriptor.
    pub(crate) async fn bind(
        self: &Arc<Self>,
        native: &Component,
        bytes: u64,
    ) -> Result<Loaded, AdmitError> {
        let pre = self
            .linker
            .instantiate_pre(native)
            .map_err(|error| Rejection::Invalid {
                reason: format!("an import has not the type that the contract says: {error:#}"),
            })?;
        let entry = entry(native, pre)?;
        let text = self.described(entry.clone()).await?;
        let (mut descriptor, outputs) = read(&text)?;
        descriptor.reversible = match &entry {
            Entry::Activity { undo, .. } => Some(undo.is_some()),
            Entry::Policy(_) | Entry::Notifier(_) => None,
        };
        descriptor.world = entry.world();
        Ok(Loaded {
            entry,
            descriptor,
            outputs,
            bytes,
            behind: AtomicBool::new(false),
        })
    }

    /// Native code, loaded, and in the cache for the next time.
    async fn kept(
        self: &Arc<Self>,
        digest: Digest,
        native: Vec<u8>,
    ) -> Result<(Component, u64), AdmitError> {
        let inner = Arc::clone(self);
        let kept = move || inner.keep(&digest, &native);
        self.background
            .blocking(kept)
            .await
            .map_err(|error| Error::Engine(error.to_string()))?
    }

    /// Calls `describe`, which has no rights and little time.
    async fn described(self: &Arc<Self>, entry: Entry) -> Result<String, AdmitError> {
        let slot = Arc::clone(&self.slots)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        let store = guest::store(
            &self.engine,
            &self.shared,
            Arc::new(Grants::default()),
            Arc::new(|_| ()),
            self.shared.limits.describe_cpu,
        );
        let computes = store.data().computes.clone();
        let inner = Arc::clone(self);
        let describe = async move {
            let text = inner.describe(store, &entry).await;
            drop(slot);
            text
        };
        self.background
            .drive(false, computes, describe.boxed())
            .await
    }

    async fn describe(
        &self,
        mut store: Store<Context>,
        entry: &Entry,
    ) -> Result<String, AdmitError> {
        let limits = &self.shared.limits;
        let _running = self.ticker.run();
        let called = describe(&mut store, entry);
        let wall = Duration::from_millis(limits.describe_wall.0);
        let Ok(text) = tokio::time::timeout(wall, called).await else {
            let reason = format!("it took longer than {}", limits.describe_wall);
            return Err(Rejection::DescribeFailed { reason }.into());
        };
        let text = text.map_err(|error| {
            let failure = outcome::trapped(store.data(), &error);
            let at = failure
                .backtrace
                .first()
                .map(|frame| format!(", in {frame}"))
                .unwrap_or_default();
            store.data_mut().collect_output();
            let said = store.data_mut().log.last();
            let said = said.iter().map(|line| format!("\n  {line}"));
            Rejection::DescribeFailed {
                reason: format!("{failure}{at}{}", said.collect::<String>()),
            }
        })?;
        if text.len() > length(limits.descriptor_bytes) {
            let reason = format!(
                "it has {} bytes, {} are allowed",
                text.len(),
                limits.descriptor_bytes
            );
            return Err(Rejection::BadDescriptor { reason }.into());
        }
        Ok(text)
    }
}

/// What of a component is called, by the interface that it exports.
fn entry(native: &Component, pre: InstancePre<Context>) -> Result<Entry, Rejection> {
    let exports = |world| native.get_export_index(None, exported(world).0).is_some();
    let (world, entry) = if exports(World::Policy) {
        (World::Policy, PolicyOnlyPre::new(pre).map(Entry::Policy))
    } else if exports(World::Notifier) {
        let entry = NotifierOnlyPre::new(pre).map(Entry::Notifier);
        (World::Notifier, entry)
    } else {
        let undo = UndoOnlyPre::new(pre.clone()).ok();
        let entry = ActivityPre::new(pre).map(|run| Entry::Activity { run, undo });
        (World::Activity, entry)
    };
    entry.map_err(|error| Rejection::MissingExport {
        name: exported(world).0.into(),
        reason: format!("{error:#}"),
    })
}

/// Instantiates a component and asks it for its descriptor.
async fn describe(store: &mut Store<Context>, entry: &Entry) -> wasmtime::Result<String> {
    match entry {
        Entry::Activity { run, .. } => {
            let guest = run.instantiate_async(&mut *store).await?;
            store.data_mut().started = true;
            guest.fermata_activity_run().call_describe(store).await
        }
        Entry::Policy(policy) => {
            let guest = policy.instantiate_async(&mut *store).await?;
            store.data_mut().started = true;
            guest.fermata_activity_judge().call_describe(store).await
        }
        Entry::Notifier(notifier) => {
            let guest = notifier.instantiate_async(&mut *store).await?;
            store.data_mut().started = true;
            guest.fermata_activity_notify().call_describe(store).await
        }
    }
}

/// The descriptor of an upload, if nothing in it contradicts itself. What was admitted before stays as it is.
fn sound(descriptor: Descriptor) -> Result<Descriptor, Rejection> {
    match descriptor.fault() {
        Some(reason) => Err(Rejection::BadDescriptor { reason }),
        None => Ok(descriptor),
    }
}

/// The descriptor and its compiled output schema.
fn read(text: &str) -> Result<(Descriptor, Schema), Rejection> {
    let bad = |reason: String| Rejection::BadDescriptor { reason };
    let descriptor: Descriptor =
        serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
    Schema::compile(&descriptor.inputs)
        .map_err(|error| bad(format!("the schema of the inputs: {error}")))?;
    let outputs = Schema::compile(&descriptor.outputs)
        .map_err(|error| bad(format!("the schema of the outputs: {error}")))?;
    let hint = descriptor
        .retry
        .as_ref()
        .and_then(|retry| retry.backoff.as_ref());
    for span in hint.into_iter().chain(&descriptor.timeout) {
        span.parse::<Span>()
            .map_err(|error| bad(format!("`{span}`: {error}")))?;
    }
    Ok((descriptor, outputs))
}

impl Inner {
    /// Makes native code again for a component that was admitted before.
    pub(crate) async fn renew(self: &Arc<Self>, digest: Digest) -> Result<Loaded, AdmitError> {
        let (blobs, limits) = (Arc::clone(&self.blobs), self.shared.limits.clone());
        let made = self.background.blocking(move || {
            let upload = blobs.component(&digest).ok_or(Error::Missing(digest))?;
            Ok::<_, AdmitError>(component(&upload, &limits)?.0)
        });
        let component = made
            .await
            .map_err(|error| Error::Engine(error.to_string()))??;
        let native = self.compilation.compile(component).await?;
        let (native, bytes) = self.kept(digest, native).await?;
        self.bind(&native, bytes).await
    }
}
