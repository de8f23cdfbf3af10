//! One run, from what is asked to what came of it.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fermata_core::attempt::{Evidence, LogLine, Outcome, Usage};
use fermata_core::component::Grants;
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::recording::Recording;
use fermata_core::time::Span;
use futures::FutureExt;
use rustix::time::{ClockId, clock_getres, clock_gettime};
use tokio::sync::OwnedSemaphorePermit;
use tracing::error;
use wasmtime::Store;

use crate::ask::Ask;
use crate::config::{ProgressSink, Recordings};
use crate::egress::Client;
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
    /// What it used.
    pub(crate) usage: Usage,
    /// What passed between guest and host, if that is kept.
    pub(crate) recording: Option<Box<Recording>>,
}

/// How a call failed.
pub(crate) struct Failed {
    pub(crate) failure: Box<Failure>,
    /// Not before this, if it is tried again.
    pub(crate) retry_after: Option<Span>,
}

impl Failed {
    /// The failure as what came of an attempt.
    pub(crate) fn outcome(&self) -> Outcome {
        Outcome::Failed {
            failure: Failure::clone(&self.failure),
            retry_after: self.retry_after,
        }
    }
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
    store.data_mut().usage.input_bytes = ask.bytes() as u64;
    let promised = ask.promised(&loaded);
    let call = AssertUnwindSafe(ask.call(&mut store, &loaded)).catch_unwind();
    let client = &inner.shared.client;
    let (answer, cpu) = if inner.shared.recordings == Recordings::All {
        let mut cpu = Duration::ZERO;
        let answer = within(client, wall, measured(call, &mut cpu)).await;
        (answer, Some(cpu))
    } else {
        (within(client, wall, call).await, None)
    };
    let ended = match answer {
        Some(Ok(Ok(answer))) => Ended::Answered(answer),
        Some(Ok(Err(error))) => Ended::Trapped(error),
        Some(Err(panic)) => Ended::Panicked(text(&*panic)),
        None => Ended::TimedOut(wall),
    };
    if let Some(cpu) = cpu {
        measure(&mut store.data_mut().usage, cpu);
    }
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
    let mut context = store.into_data();
    let answer = outcome::conclude::<A>(&mut context, wall, ended, promised);
    let recording = ask.recording(&mut context, &answer);
    drop(slot);
    Run {
        answer,
        evidence: context.evidence,
        log: context.log.into_lines(),
        usage: context.usage,
        recording,
    }
}

/// What comes of the call, if it does within its time.
async fn within<T>(client: &Client, wall: Duration, call: impl Future<Output = T>) -> Option<T> {
    let call = tokio::time::timeout(wall, call);
    let Some(never) = client.never() else {
        return call.await.ok();
    };
    tokio::select! {
        answer = call => answer.ok(),
        () = never.notified() => None,
    }
}

/// The call, with the processor time that it takes added to `cpu`.
async fn measured<T>(call: impl Future<Output = T>, cpu: &mut Duration) -> T {
    let mut call = pin!(call);
    poll_fn(|context| {
        let before = clock_gettime(ClockId::ThreadCPUTime);
        let polled = call.as_mut().poll(context);
        let took = clock_gettime(ClockId::ThreadCPUTime) - before;
        *cpu += Duration::try_from(took).unwrap_or_default();
        polled
    })
    .await
}

/// Puts processor time that was measured in the place of epochs that were counted.
fn measure(usage: &mut Usage, cpu: Duration) {
    let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    usage.cpu_us = micros(cpu);
    let resolution = Duration::try_from(clock_getres(ClockId::ThreadCPUTime));
    usage.cpu_resolution_us = micros(resolution.unwrap_or_default()).max(1);
}

fn without_guest<G>(failure: Failure) -> Run<G> {
    let failed = Failed {
        failure: Box::new(failure),
        retry_after: None,
    };
    Run {
        answer: Err(failed),
        evidence: Vec::new(),
        log: Vec::new(),
        usage: Usage::default(),
        recording: None,
    }
}

/// What a panic said.
fn text(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    said.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".into())
}
