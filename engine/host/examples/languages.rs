//! Measures one activity in every language: size, compilation, loading, and the time of an attempt.
//!
//! `FERMATA_GUESTS=guest-examples/target/guests cargo run --package fermata-host --example languages`
#![expect(
    clippy::disallowed_methods,
    reason = "a measurement asks the machine's clock"
)]
#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot go on says so by panicking"
)]

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fermata_core::attempt::{AttemptKey, Call, Invocation, Outcome};
use fermata_core::component::Pin;
use fermata_core::id::{Digest, ReleaseId};
use fermata_core::json::Json;
use fermata_core::process::ActivityIx;
use fermata_core::time::{Span, Timestamp};
use fermata_host::{Admitted, Blobs, Compiler, Sandbox, SandboxConfig};

const LANGUAGES: [&str; 6] = ["rust", "js", "python", "go", "c", "zig"];
/// Attempts of which the median is taken.
const ATTEMPTS: usize = 200;

#[derive(Debug)]
struct One(Vec<u8>);

impl Blobs for One {
    fn component(&self, _: &Digest) -> Option<Vec<u8>> {
        Some(self.0.clone())
    }
}

#[tokio::main]
async fn main() {
    let guests = PathBuf::from(std::env::var_os("FERMATA_GUESTS").expect("FERMATA_GUESTS"));
    let mut out = std::io::stdout();
    writeln!(
        out,
        "| language | size | compilation, once | loading from the cache | attempt |"
    )
    .unwrap();
    writeln!(out, "|---|---|---|---|---|").unwrap();
    for language in LANGUAGES {
        let upload = std::fs::read(guests.join(format!("sdk-{language}.wasm"))).unwrap();
        let size = upload.len() / 1024;
        let dir = tempfile::tempdir().unwrap();
        let (sandbox, _, compiled) = admitted(dir.path(), &upload).await;
        drop(sandbox);
        let (sandbox, admitted, loaded) = admitted(dir.path(), &upload).await;
        let mut times = Vec::new();
        for _ in 0..ATTEMPTS {
            let began = Instant::now();
            let ran = sandbox
                .run(invocation(&admitted), Arc::default(), Arc::new(|_| ()))
                .await;
            times.push(began.elapsed());
            assert!(
                matches!(ran.report.outcome, Outcome::Succeeded(_)),
                "{ran:?}"
            );
        }
        times.sort_unstable();
        let (compiled, loaded, attempt) = (ms(compiled), ms(loaded), ms(times[ATTEMPTS / 2]));
        writeln!(
            out,
            "| {language} | {size} KiB | {compiled} ms | {loaded} ms | {attempt} ms |"
        )
        .unwrap();
    }
}

async fn admitted(dir: &std::path::Path, upload: &[u8]) -> (Sandbox, Admitted, Duration) {
    let clock = Arc::new(|| Timestamp(1_700_000_000_000));
    let mut config = SandboxConfig::new(
        dir.join("cache"),
        dir.join("key"),
        Compiler::InProcess,
        clock,
    );
    config.limits.concurrent_runs = 1;
    let sandbox = Sandbox::new(config, Arc::new(One(upload.to_vec()))).unwrap();
    let began = Instant::now();
    let admitted = sandbox.admit(upload.to_vec()).await.unwrap();
    (sandbox, admitted, began.elapsed())
}

fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 10.0 {
        format!("{ms:.2}")
    } else {
        format!("{ms:.0}")
    }
}

fn invocation(admitted: &Admitted) -> Invocation {
    let name = |text: &str| text.parse().unwrap();
    Invocation {
        key: AttemptKey {
            release: ReleaseId(1),
            activity: ActivityIx(0),
            attempt: 1,
            run: 1,
        },
        component: Pin {
            name: admitted.descriptor.name.clone(),
            version: admitted.descriptor.version,
            digest: admitted.digest,
        },
        process: name("process"),
        phase: name("phase"),
        activity: name("activity"),
        call: Call::Run,
        number: 1,
        idempotency_key: "key".into(),
        inputs: Json::parse(r#"{"do":"echo","text":"a"}"#).unwrap(),
        checkpoint: None,
        signal: None,
        wall: Span(30_000),
        now: Timestamp(42),
    }
}
