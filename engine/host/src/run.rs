//! One run, from what is asked to what came of it.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fermata_core::attempt::{Evidence, LogLine};
use fermata_core::component::Grants;
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::time::Span;
use futures::FutureExt;
use tokio::sync::OwnedSemaphorePermit;
use tracing::error;
use wasmtime::Store;

use crate::ask::Ask;
use crate::config::ProgressSink;
use crate::guest::{self, Context};
use crate::library::Loaded;
use crate::limits::length;
use crate::outcome::{self, Ended};
use crate::sandbox::Inner;

/// Outputs that are checked on the threads that all share: checking takes less than an epoch.
const OUTPUT_BYTES_SHARED: u64 = 64 * 1024;

/// A call that has ended.
pub(crate) struct Run<G> {
    /// What the guest answered, or how the call failed.
    pub(crate) answer: Result<G, Failed>,
    /// Facts the guest recorded, in order.
    pub(crate) evidence: Vec<Evidence>,
    /// What the guest logged, oldest first, within the limits.
    pub(crate) log: Vec<LogLine>,
}

/// How a call failed.
pub(crate) struct Failed {
    pub(crate) failure: Failure,
    /// Not before this, if it is tried again.
    pub(crate) retry_after: Option<Span>,
}

/// Calls a component once. Everything that goes wrong is in the answer.
pub(crate) async fn run<A: Ask>(
    inner: Arc<Inner>,
    ask: A,
    grants: Arc<Grants>,
    progress: ProgressSink,
) -> Run<A::Good> {
    let limits = &inner.shared.limits;
    let bytes = ask.bytes();
    if bytes > length(limits.input_bytes) {
        let message = format!(
            "the inputs have {bytes} bytes, {} are allowed",
            limits.input_bytes
        );
        return without_guest(outcome::limit(limits, "input", message));
    }
    let pin = ask.component();
    let loaded = match inner.loaded(pin.digest).await {
        Ok(loaded) => loaded,
        Err(error) => {
            error!(digest = %pin.digest, %error, "a component could not be prepared");
            let message = format!(
                "{}@{} could not be prepared: {error}",
                pin.name, pin.version
            );
            return without_guest(Failure::new(FailureClass::Engine, message));
        }
    };
    if let Some(failure) = ask.turned_away(&loaded) {
        return without_guest(failure);
    }
    // Only now: preparing a component takes a slot itself, to ask for its descriptor.
    let slot = Arc::clone(A::slots(&inner))
        .acquire_owned()
        .await
        .expect("the semaphore is never closed");
    let mut store = guest::store(&inner.engine, &inner.shared, grants, progress, limits.cpu);
    let kinds = &loaded.descriptor.capabilities.evidence;
    store.data_mut().kinds.clone_from(kinds);
    let computes = store.data().computes.clone();
    let behind = loaded.behind.load(Ordering::Relaxed);
    let run = in_slot(slot, Arc::clone(&inner), store, loaded, ask);
    inner.background.drive(behind, computes, run.boxed()).await
}

/// The run itself. It holds its slot to its very end, also when nobody waits for it any more.
async fn in_slot<A: Ask>(
    slot: OwnedSemaphorePermit,
    inner: Arc<Inner>,
    mut store: Store<Context>,
    loaded: Arc<Loaded>,
    ask: A,
) -> Run<A::Good> {
    let wall = Duration::from_millis(ask.wall().0);
    let _running = inner.ticker.run();
    let promised = ask.promised(&loaded);
    let call = AssertUnwindSafe(ask.call(&mut store, &loaded)).catch_unwind();
    let ended = match tokio::time::timeout(wall, call).await {
        Ok(Ok(Ok(answer))) => Ended::Answered(answer),
        Ok(Ok(Err(error))) => Ended::Trapped(error),
        Ok(Err(panic)) => Ended::Panicked(text(&*panic)),
        Err(_) => Ended::TimedOut(wall),
    };
    if let Ended::Answered(Ok(answer)) = &ended
        && A::returned(answer).output_bytes > OUTPUT_BYTES_SHARED
    {
        store.data().computes.set();
        tokio::task::yield_now().await;
    }
    // A crash costs the host more than a return: it reads the component's debug information.
    let crashed = !matches!(ended, Ended::Answered(_));
    let behind = crashed || store.data().computes.get();
    loaded.behind.store(behind, Ordering::Relaxed);
    let run = outcome::conclude::<A>(store.into_data(), wall, ended, promised);
    drop(slot);
    run
}

fn without_guest<G>(failure: Failure) -> Run<G> {
    let failed = Failed {
        failure,
        retry_after: None,
    };
    Run {
        answer: Err(failed),
        evidence: Vec::new(),
        log: Vec::new(),
    }
}

/// What a panic said.
fn text(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    said.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".into())
}
