//! What the sandbox costs: a run of a guest that does nothing, alone and beside others; a denied call; an upload.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use fermata_core::attempt::{AttemptKey, Call, Invocation, Outcome};
use fermata_core::component::{Grants, Pin};
use fermata_core::id::{Digest, ReleaseId};
use fermata_core::json::Json;
use fermata_core::process::ActivityIx;
use fermata_core::time::{Span, Timestamp};
use fermata_host::{Admitted, Blobs, Compiler, Sandbox, SandboxConfig};
use futures::future::try_join_all;

use crate::bench::figure::{Figure, percentile};
use crate::hostile::http::calling;
use crate::hostile::memory::resident;
use crate::server::{guest, program};

/// What is measured here.
pub const FIGURES: [&str; 5] = [
    "sandbox.run_p50_us",
    "sandbox.concurrent_runs_per_s",
    "sandbox.policy_check_us",
    "sandbox.upload_p50_ms",
    "sandbox.resident_component_kb",
];
/// Runs that are measured, after as many that are not.
const RUNS: usize = 5_000;

/// The compiled code is in the sandbox's own cache, so the bytes are never asked for.
#[derive(Debug)]
struct NoBlobs;

impl Blobs for NoBlobs {
    fn component(&self, _: &Digest) -> Option<Vec<u8>> {
        None
    }
}

/// Runs that go on at the same time.
pub(crate) const CONCURRENT: usize = 16;
/// Runs of each of them.
const CONCURRENT_RUNS: usize = 5_000;
/// Calls of one run that are all denied.
const DENIED_CALLS: u32 = 20_000;
/// Components that differ in a byte.
const COMPONENTS: u8 = 40;

/// Measures runs, calls and uploads.
pub async fn measure() -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let sandbox = sandbox(folder.path())?;
    let pin = pin(&sandbox.admit(guest("noop")?).await?);
    let mut figures = vec![
        alone(&sandbox, &pin).await?,
        together(&sandbox, &pin).await?,
    ];
    figures.push(denied(&sandbox).await?);
    figures.extend(uploads(&sandbox).await?);
    Ok(figures)
}

pub(crate) fn sandbox(folder: &Path) -> Result<Sandbox> {
    let compiler = Compiler::Child {
        program: program("fermata", "FERMATA_BIN")?,
        args: vec!["compile-component".into()],
    };
    let mut config = SandboxConfig::new(
        folder.join("cache"),
        folder.join("key"),
        compiler,
        Arc::new(now),
    );
    config.limits.http_calls = u64::from(DENIED_CALLS);
    Ok(Sandbox::new(config, Arc::new(NoBlobs))?)
}

pub(crate) fn pin(admitted: &Admitted) -> Pin {
    Pin {
        name: admitted.descriptor.name.clone(),
        version: admitted.descriptor.version,
        digest: admitted.digest,
    }
}

/// Runs the guest once without inputs, and gives how long that took.
async fn run(sandbox: &Sandbox, pin: &Pin) -> Result<Duration> {
    run_with(sandbox, invocation(pin)?).await
}

/// Runs what is asked for, and gives how long that took.
pub(crate) async fn run_with(sandbox: &Sandbox, invocation: Invocation) -> Result<Duration> {
    let began = Instant::now();
    let ran = sandbox
        .run(invocation, Arc::new(Grants::default()), Arc::new(|_| ()))
        .await;
    let elapsed = began.elapsed();
    anyhow::ensure!(
        matches!(ran.report.outcome, Outcome::Succeeded(_)),
        "the guest failed: {ran:?}"
    );
    Ok(elapsed)
}

async fn alone(sandbox: &Sandbox, pin: &Pin) -> Result<Figure> {
    let mut taken = Vec::with_capacity(RUNS);
    for number in 0..RUNS * 2 {
        let elapsed = run(sandbox, pin).await?;
        if number >= RUNS {
            taken.push(elapsed);
        }
    }
    Ok(Figure::lower(
        "sandbox.run_p50_us",
        percentile(&mut taken, 0.5) * 1e6,
        "µs",
        Some(100.0),
    ))
}

async fn together(sandbox: &Sandbox, pin: &Pin) -> Result<Figure> {
    let began = Instant::now();
    let clients = (0..CONCURRENT).map(|_| {
        let (sandbox, pin) = (sandbox.clone(), pin.clone());
        tokio::spawn(async move {
            for _ in 0..CONCURRENT_RUNS {
                run(&sandbox, &pin).await?;
            }
            anyhow::Ok(())
        })
    });
    for client in try_join_all(clients).await? {
        client?;
    }
    #[expect(clippy::cast_precision_loss, reason = "some ten thousands")]
    let runs = (CONCURRENT * CONCURRENT_RUNS) as f64 / began.elapsed().as_secs_f64();
    Ok(Figure::higher(
        "sandbox.concurrent_runs_per_s",
        runs,
        "runs/s",
        Some(10_000.0),
    ))
}

/// What it costs to say no to a call: the call from the guest, reading its URL, searching the grants, the answer.
async fn denied(sandbox: &Sandbox) -> Result<Figure> {
    let pin = pin(&sandbox.admit(calling(DENIED_CALLS)).await?);
    let nothing = run(sandbox, &pin).await?.min(run(sandbox, &pin).await?);
    Ok(Figure::lower(
        "sandbox.policy_check_us",
        nothing.as_secs_f64() * 1e6 / f64::from(DENIED_CALLS),
        "µs",
        Some(5.0),
    ))
}

async fn uploads(sandbox: &Sandbox) -> Result<[Figure; 2]> {
    let noop = guest("noop")?;
    let before = resident()?.now;
    let mut taken = Vec::new();
    for number in 0..COMPONENTS {
        // A custom section of one byte: other bytes, another component, the same code.
        let upload = [noop.as_slice(), &[0, 3, 1, b'n', number]].concat();
        let began = Instant::now();
        let pin = pin(&sandbox.admit(upload).await?);
        taken.push(began.elapsed());
        run(sandbox, &pin).await?;
    }
    let grown = resident()?.now.saturating_sub(before) / 1024;
    #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
    let each = grown as f64 / f64::from(COMPONENTS);
    Ok([
        Figure::lower(
            "sandbox.upload_p50_ms",
            percentile(&mut taken, 0.5) * 1e3,
            "ms",
            None,
        ),
        Figure::lower("sandbox.resident_component_kb", each, "KiB", None),
    ])
}

pub(crate) fn invocation(pin: &Pin) -> Result<Invocation> {
    let name = |text: &str| text.parse().context("a name");
    Ok(Invocation {
        key: AttemptKey {
            release: ReleaseId(1),
            activity: ActivityIx(0),
            attempt: 1,
            run: 1,
        },
        component: pin.clone(),
        process: name("bench")?,
        phase: name("only")?,
        activity: name("noop")?,
        call: Call::Run,
        number: 1,
        idempotency_key: "bench/only/noop".to_owned(),
        inputs: Json::empty_object(),
        checkpoint: None,
        signal: None,
        wall: Span(10_000),
        now: now(),
    })
}

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
