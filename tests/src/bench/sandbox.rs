//! What one run costs in the sandbox: instantiate, run, drop, of a guest that does nothing.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use fermata_core::attempt::{AttemptKey, Call, Invocation, Outcome};
use fermata_core::component::{Grants, Pin};
use fermata_core::id::{Digest, ReleaseId};
use fermata_core::json::Json;
use fermata_core::process::ActivityIx;
use fermata_core::time::{Span, Timestamp};
use fermata_host::{Blobs, Compiler, Sandbox, SandboxConfig};

use crate::bench::figure::{Figure, percentile};
use crate::server::{guest, program};

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

/// Measures the runs.
pub async fn measure() -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let compiler = Compiler::Child {
        program: program("fermata", "FERMATA_BIN")?,
        args: vec!["compile-component".into()],
    };
    let clock = Arc::new(now);
    let config = SandboxConfig::new(
        folder.path().join("cache"),
        folder.path().join("key"),
        compiler,
        clock,
    );
    let sandbox = Sandbox::new(config, Arc::new(NoBlobs))?;
    let admitted = sandbox.admit(guest("noop")?).await?;
    let pin = Pin {
        name: admitted.descriptor.name.clone(),
        version: admitted.descriptor.version,
        digest: admitted.digest,
    };
    let mut taken = Vec::with_capacity(RUNS);
    for number in 0..RUNS * 2 {
        let invocation = invocation(&pin)?;
        let began = Instant::now();
        let ran = sandbox
            .run(invocation, Arc::new(Grants::default()), Arc::new(|_| ()))
            .await;
        let elapsed = began.elapsed();
        anyhow::ensure!(
            matches!(ran.report.outcome, Outcome::Succeeded(_)),
            "the guest failed: {ran:?}"
        );
        if number >= RUNS {
            taken.push(elapsed);
        }
    }
    Ok(vec![Figure::lower(
        "sandbox.run_p50_us",
        percentile(&mut taken, 0.5) * 1e6,
        "µs",
        Some(100.0),
    )])
}

fn invocation(pin: &Pin) -> Result<Invocation> {
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

fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
