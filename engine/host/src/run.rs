//! One run, from the invocation to what came of it.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fermata_core::attempt::{Call, Invocation, Ran, Report, Usage};
use fermata_core::component::Grants;
use fermata_core::failure::{Failure, FailureClass};
use futures::FutureExt;
use rustix::time::{ClockId, clock_getres, clock_gettime};
use tokio::sync::OwnedSemaphorePermit;
use tracing::error;
use wasmtime::Store;

use crate::config::{ProgressSink, Recordings};
use crate::egress::Client;
use crate::guest::types::{Attempt, Failure as GuestFailure, Outcome as GuestOutcome};
use crate::guest::{self, Context};
use crate::library::Loaded;
use crate::limits::length;
use crate::outcome::{self, Ended};
use crate::record::{self, Begun};
use crate::sandbox::Inner;

/// Outputs that are checked on the threads that all share: checking takes less than an epoch.
const OUTPUT_BYTES_SHARED: usize = 64 * 1024;

type Answer = Result<GuestOutcome, GuestFailure>;

/// Runs one attempt. Everything that goes wrong is in the report.
pub(crate) async fn run(
    inner: Arc<Inner>,
    invocation: Invocation,
    grants: Arc<Grants>,
    progress: ProgressSink,
) -> Ran {
    let limits = &inner.shared.limits;
    let bytes = invocation.inputs.as_str().len();
    if bytes > length(limits.input_bytes) {
        let message = format!(
            "the inputs have {bytes} bytes, {} are allowed",
            limits.input_bytes
        );
        return without_guest(outcome::limit(limits, "input", message));
    }
    let loaded = match inner.loaded(invocation.component.digest).await {
        Ok(loaded) => loaded,
        Err(error) => {
            error!(digest = %invocation.component.digest, %error, "a component could not be prepared");
            let message = format!(
                "{}@{} could not be prepared: {error}",
                invocation.component.name, invocation.component.version
            );
            return without_guest(Failure::new(FailureClass::Engine, message));
        }
    };
    if matches!(invocation.call, Call::Undo { .. }) && loaded.undo.is_none() {
        return without_guest(no_undo(&invocation));
    }
    // Only now: preparing a component takes a slot itself, to ask for its descriptor.
    let slot = Arc::clone(&inner.slots)
        .acquire_owned()
        .await
        .expect("the semaphore is never closed");
    let mut store = guest::store(&inner.engine, &inner.shared, grants, progress, limits.cpu);
    let kinds = &loaded.descriptor.capabilities.evidence;
    store.data_mut().kinds.clone_from(kinds);
    let computes = store.data().computes.clone();
    let behind = loaded.behind.load(Ordering::Relaxed);
    let run = in_slot(slot, Arc::clone(&inner), store, loaded, invocation);
    inner.background.drive(behind, computes, run.boxed()).await
}

/// The run itself. It holds its slot to its very end, also when nobody waits for it any more.
async fn in_slot(
    slot: OwnedSemaphorePermit,
    inner: Arc<Inner>,
    mut store: Store<Context>,
    loaded: Arc<Loaded>,
    mut invocation: Invocation,
) -> Ran {
    let wall = Duration::from_millis(invocation.wall.0);
    let _running = inner.ticker.run();
    let begun = Begun {
        attempt: attempt(&mut invocation),
        invocation: &invocation,
    };
    store.data_mut().usage.input_bytes = invocation.inputs.as_str().len() as u64;
    // What `describe` promises is what `run` returns.
    let promised = matches!(invocation.call, Call::Run).then_some(&loaded.outputs);
    let call = AssertUnwindSafe(call(&mut store, &loaded, &begun)).catch_unwind();
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
    if let Ended::Answered(Ok(GuestOutcome::Succeeded(outputs))) = &ended
        && outputs.len() > OUTPUT_BYTES_SHARED
    {
        store.data().computes.set();
        tokio::task::yield_now().await;
    }
    // A crash costs the host more than a return: it reads the component's debug information.
    let crashed = !matches!(ended, Ended::Answered(_));
    let behind = crashed || store.data().computes.get();
    loaded.behind.store(behind, Ordering::Relaxed);
    let mut context = store.into_data();
    let report = outcome::conclude(&mut context, wall, ended, promised);
    let recording = record::recording(&mut context, begun, &report);
    drop(slot);
    Ran {
        report,
        usage: context.usage,
        log: context.log.into_lines(),
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

async fn call(
    store: &mut Store<Context>,
    loaded: &Loaded,
    begun: &Begun<'_>,
) -> wasmtime::Result<Answer> {
    let inputs = begun.invocation.inputs.as_str().to_owned();
    let Call::Undo { outputs } = &begun.invocation.call else {
        let guest = loaded.pre.instantiate_async(&mut *store).await?;
        store.data_mut().started = true;
        let run = guest.fermata_activity_run();
        return run.call_run(store, &begun.attempt, &inputs).await;
    };
    let outputs = outputs.as_ref().map(|outputs| outputs.as_str().to_owned());
    let undo = loaded.undo.as_ref();
    let undo = undo.expect("a run of `undo` was turned away where there is none");
    let guest = undo.instantiate_async(&mut *store).await?;
    store.data_mut().started = true;
    let undo = guest.fermata_activity_undo();
    undo.call_undo(store, &begun.attempt, &inputs, outputs.as_ref())
        .await
}

fn no_undo(invocation: &Invocation) -> Failure {
    let (name, version) = (&invocation.component.name, invocation.component.version);
    let message = format!("{name}@{version} exports no `undo`");
    let mut failure = Failure::new(FailureClass::Permanent, message)
        .remedy("undo it by hand and say so, or accept that it stays");
    failure.code = Some("no-undo".into());
    failure
}

/// What a guest is told about itself. What is large is taken, and not copied.
fn attempt(invocation: &mut Invocation) -> Attempt {
    let signal = invocation.signal.as_ref();
    Attempt {
        release: invocation.key.release.to_string(),
        process: invocation.process.to_string(),
        phase: invocation.phase.to_string(),
        activity: invocation.activity.to_string(),
        number: invocation.number,
        idempotency_key: std::mem::take(&mut invocation.idempotency_key),
        now_ms: u64::try_from(invocation.now.0).unwrap_or(0),
        checkpoint: invocation.checkpoint.take(),
        signal: signal.map(|payload| payload.as_str().to_owned()),
    }
}

fn without_guest(failure: Failure) -> Ran {
    let outcome = fermata_core::attempt::Outcome::Failed {
        failure,
        retry_after: None,
    };
    Ran::from(Report {
        outcome,
        evidence: Vec::new(),
    })
}

/// What a panic said.
fn text(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    said.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".into())
}
