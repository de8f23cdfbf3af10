//! A sandbox for a test to run guests in.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use fermata_core::attempt::{AttemptKey, Call, Invocation, LogLine, Outcome, Progress, Ran};
use fermata_core::component::{Grants, Pin};
use fermata_core::failure::Failure;
use fermata_core::id::{Digest, ReleaseId};
use fermata_core::json::Json;
use fermata_core::process::ActivityIx;
use fermata_core::time::{Span, Timestamp};
use fermata_host::{Admitted, Blobs, Compiler, Limits, Rejection, Sandbox, SandboxConfig};

/// Bytes in memory.
#[derive(Debug, Default)]
pub(crate) struct Shelf(Mutex<BTreeMap<Digest, Vec<u8>>>);

impl Blobs for Shelf {
    fn component(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(digest).cloned()
    }
}

/// A sandbox with a directory of its own.
pub(crate) struct Kit {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) sandbox: Sandbox,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) progress: Arc<Mutex<Vec<Progress>>>,
}

pub(crate) fn config(dir: &Path) -> SandboxConfig {
    let clock = Arc::new(|| Timestamp(1_700_000_000_000));
    SandboxConfig::new(
        dir.join("cache"),
        dir.join("cache.key"),
        Compiler::InProcess,
        clock,
    )
}

impl Kit {
    pub(crate) fn new(change: impl FnOnce(&mut SandboxConfig)) -> Self {
        Self::in_dir(tempfile::tempdir().unwrap(), Arc::default(), change)
    }

    pub(crate) fn in_dir(
        dir: tempfile::TempDir,
        shelf: Arc<Shelf>,
        change: impl FnOnce(&mut SandboxConfig),
    ) -> Self {
        let mut config = config(dir.path());
        // A pool for a few runs is made faster than one for hundreds.
        config.limits.concurrent_runs = 4;
        change(&mut config);
        let sandbox = Sandbox::new(config, Arc::<Shelf>::clone(&shelf)).unwrap();
        Self {
            dir,
            sandbox,
            shelf,
            progress: Arc::default(),
        }
    }

    pub(crate) fn limited(change: impl FnOnce(&mut Limits)) -> Self {
        Self::new(|config| change(&mut config.limits))
    }

    pub(crate) async fn admit(&self, upload: Vec<u8>) -> Admitted {
        let admitted = self.sandbox.admit(upload).await.unwrap();
        self.shelf
            .0
            .lock()
            .unwrap()
            .insert(admitted.digest, admitted.component.clone());
        admitted
    }

    pub(crate) async fn rejection(&self, upload: Vec<u8>) -> Rejection {
        match self.sandbox.admit(upload).await.unwrap_err() {
            fermata_host::AdmitError::Rejected(rejection) => rejection,
            fermata_host::AdmitError::Failed(error) => panic!("{error}"),
        }
    }

    /// Admits a guest and runs it once.
    pub(crate) async fn run(&self, upload: Vec<u8>, grants: &str) -> Ran {
        let digest = self.admit(upload).await.digest;
        self.invoke(invocation(digest), grants).await
    }

    pub(crate) async fn invoke(&self, invocation: Invocation, grants: &str) -> Ran {
        let grants: Grants = serde_json::from_str(grants).unwrap();
        let progress = Arc::clone(&self.progress);
        let sink = Arc::new(move |report| progress.lock().unwrap().push(report));
        self.sandbox.run(invocation, Arc::new(grants), sink).await
    }

    /// Runs a guest that fails.
    pub(crate) async fn failure(&self, upload: Vec<u8>, grants: &str) -> Failure {
        failure(self.run(upload, grants).await)
    }

    pub(crate) fn cached(&self) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(self.dir.path().join("cache/native")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

pub(crate) fn failure(ran: Ran) -> Failure {
    match ran.report.outcome {
        Outcome::Failed { failure, .. } => failure,
        other => panic!("expected a failure: {other:?}"),
    }
}

pub(crate) fn outputs(ran: &Ran) -> serde_json::Value {
    match &ran.report.outcome {
        Outcome::Succeeded(outputs) => outputs.value(),
        other => panic!("expected outputs: {other:?}"),
    }
}

pub(crate) fn messages(log: &[LogLine]) -> Vec<&str> {
    log.iter().map(|line| line.message.as_str()).collect()
}

pub(crate) fn invocation(digest: Digest) -> Invocation {
    let name = |text: &str| text.parse().unwrap();
    let pin = Pin {
        name: name("probe"),
        version: "1.2.3".parse().unwrap(),
        digest,
    };
    Invocation {
        key: AttemptKey {
            release: ReleaseId(1),
            activity: ActivityIx(0),
            attempt: 2,
            run: 1,
        },
        component: pin,
        process: name("process"),
        phase: name("phase"),
        activity: name("activity"),
        call: Call::Run,
        number: 2,
        idempotency_key: "release/phase/activity".into(),
        inputs: Json::parse(r#"{"input":1}"#).unwrap(),
        signal: None,
        checkpoint: Some(b"seven\0!".to_vec()),
        wall: Span(30_000),
        now: Timestamp(42),
    }
}
