//! A guest that was built beforehand, in a sandbox of its own.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use fermata_core::attempt::{AttemptKey, Call, Invocation, LogLevel, Outcome, Progress, Ran};
use fermata_core::component::{Grants, Pin};
use fermata_core::failure::Failure;
use fermata_core::id::{Digest, ReleaseId};
use fermata_core::json::Json;
use fermata_core::process::ActivityIx;
use fermata_core::time::{Span, Timestamp};
use fermata_host::{Admitted, Blobs, Compiler, NoSecret, Sandbox, SandboxConfig, Secrets};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::server::{self, Server};

/// What the sandbox says that it is.
const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// Secrets that the guests ask for.
const SECRETS: [&str; 6] = [
    "token",
    "ticket-token",
    "cdn-token",
    "grafana-token",
    "probe-token",
    "balancer-token",
];

/// The bytes of the one guest.
#[derive(Debug)]
struct Shelf(Vec<u8>);

impl Blobs for Shelf {
    fn component(&self, _: &Digest) -> Option<Vec<u8>> {
        Some(self.0.clone())
    }
}

/// One guest, a sandbox to run it in, and a server for it to call.
pub(crate) struct Kit {
    pub(crate) name: String,
    pub(crate) admitted: Admitted,
    pub(crate) server: Server,
    sandbox: Sandbox,
    progress: Arc<Mutex<Vec<Progress>>>,
}

/// What one run is told.
pub(crate) struct Told<'a> {
    pub(crate) inputs: Value,
    pub(crate) grants: Value,
    pub(crate) checkpoint: Option<Vec<u8>>,
    pub(crate) signal: Option<Value>,
    pub(crate) call: Call,
    pub(crate) key: &'a str,
}

impl Kit {
    /// Admits the guest `name`. Its native code is kept from one run of the tests to the next, as a server keeps it:
    /// Python's takes many seconds to compile.
    pub(crate) async fn admit(name: &str) -> Self {
        let guests = std::env::var_os("FERMATA_GUESTS")
            .expect("FERMATA_GUESTS names the folder that `cargo xtask guests` fills");
        let path = PathBuf::from(guests).join(format!("{name}.wasm"));
        let upload = std::fs::read(&path).unwrap_or_else(|error| {
            panic!("{}: {error}: run `cargo xtask guests`", path.display())
        });
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("languages")
            .join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let mut config = SandboxConfig::new(
            folder.join("cache"),
            folder.join("cache.key"),
            Compiler::InProcess,
            Arc::new(|| NOW),
        );
        config.limits.concurrent_runs = 4;
        config.secrets = Arc::new(Same);
        let sandbox = Sandbox::new(config, Arc::new(Shelf(upload.clone()))).unwrap();
        let admitted = sandbox.admit(upload).await.unwrap();
        Self {
            name: name.to_owned(),
            admitted,
            server: server::start().await,
            sandbox,
            progress: Arc::default(),
        }
    }

    /// Grants to call the server, and to send the secret there.
    pub(crate) fn grants(&self) -> Value {
        let host = self.server.host();
        serde_json::json!({
            "http": [{ "host": host, "methods": [], "private": true }],
            "secrets": SECRETS.map(|name| serde_json::json!({ "name": name, "hosts": [host] })),
        })
    }

    pub(crate) async fn run(&self, inputs: Value) -> Ran {
        self.invoke(Told {
            inputs,
            grants: self.grants(),
            checkpoint: None,
            signal: None,
            call: Call::Run,
            key: "release/phase/activity",
        })
        .await
    }

    pub(crate) async fn undo(&self, inputs: Value, outputs: Option<Value>) -> Ran {
        let outputs = outputs.map(|outputs| Json::of(&outputs));
        self.invoke(Told {
            inputs,
            grants: self.grants(),
            checkpoint: None,
            signal: None,
            call: Call::Undo { outputs },
            key: "release/phase/activity/undo",
        })
        .await
    }

    /// Runs, and runs again with each checkpoint, as the engine does once the time has come. Gives the last run, and
    /// what the suspensions told people.
    pub(crate) async fn to_the_end(&self, inputs: Value, call: Call) -> (Ran, Vec<Option<String>>) {
        let mut checkpoint = None;
        let mut told = Vec::new();
        loop {
            let ran = self
                .invoke(Told {
                    inputs: inputs.clone(),
                    grants: self.grants(),
                    checkpoint,
                    signal: None,
                    call: call.clone(),
                    key: "release/phase/activity",
                })
                .await;
            let Outcome::Pending {
                checkpoint: next,
                status,
                ..
            } = ran.report.outcome
            else {
                return (ran, told);
            };
            told.push(status);
            assert!(told.len() < 20, "it never ends: {told:?}");
            checkpoint = Some(next);
        }
    }

    pub(crate) async fn invoke(&self, told: Told<'_>) -> Ran {
        let name = |text: &str| text.parse().unwrap();
        let descriptor = &self.admitted.descriptor;
        let invocation = Invocation {
            key: AttemptKey {
                release: ReleaseId(1),
                activity: ActivityIx(0),
                attempt: 2,
                run: 1,
            },
            component: Pin {
                name: descriptor.name.clone(),
                version: descriptor.version,
                digest: self.admitted.digest,
            },
            process: name("process"),
            phase: name("phase"),
            activity: name("activity"),
            call: told.call,
            number: 2,
            idempotency_key: told.key.into(),
            inputs: Json::of(&told.inputs),
            checkpoint: told.checkpoint,
            signal: told.signal.as_ref().map(Json::of),
            wall: Span(30_000),
            now: NOW,
        };
        let grants: Grants = serde_json::from_value(told.grants).unwrap();
        let progress = Arc::clone(&self.progress);
        let sink = Arc::new(move |report| progress.lock().unwrap().push(report));
        self.sandbox.run(invocation, Arc::new(grants), sink).await
    }

    /// How far the last runs said that they are.
    pub(crate) fn progress(&self) -> Vec<Progress> {
        std::mem::take(&mut self.progress.lock().unwrap())
    }
}

/// The same value under every name.
#[derive(Debug)]
struct Same;

impl Secrets for Same {
    fn open(&self, name: &str) -> Result<Zeroizing<String>, NoSecret> {
        if SECRETS.contains(&name) {
            Ok(Zeroizing::new("s3cret-of-the-test".to_owned()))
        } else {
            Err(NoSecret::Unknown)
        }
    }
}

pub(crate) fn outputs(ran: &Ran) -> Value {
    match &ran.report.outcome {
        Outcome::Succeeded(outputs) => outputs.value(),
        other => panic!("expected outputs: {other:?}, log: {:#?}", ran.log),
    }
}

pub(crate) fn failure(ran: Ran) -> (Failure, Option<Span>) {
    match ran.report.outcome {
        Outcome::Failed {
            failure,
            retry_after,
        } => (failure, retry_after),
        other => panic!("expected a failure: {other:?}"),
    }
}

pub(crate) fn lines(ran: &Ran) -> Vec<(LogLevel, String)> {
    let line = |line: &fermata_core::attempt::LogLine| (line.level, line.message.clone());
    ran.log.iter().map(line).collect()
}
