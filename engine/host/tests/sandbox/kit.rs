//! Guests written in WAT against the canonical ABI, and a sandbox to run them in.

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

/// A descriptor that demands nothing but to record what the tests record.
pub(crate) const DESCRIPTOR: &str = r#"{"name":"probe","version":"1.2.3","outputs":{},"capabilities":{"evidence":["deployment","link"]}}"#;

/// The body of a `run` that succeeds without outputs.
pub(crate) const SUCCEED: &str = "(call $succeed «{}»)";

/// What every guest imports.
const IMPORTS: &str = r#"
  (import "fermata:activity/log@0.1.0" "write" (func $log (param i32 i32 i32)))
  (import "fermata:activity/progress@0.1.0" "report" (func $report (param i32 i32 i32 i32)))
  (import "fermata:activity/http@0.1.0" "send"
    (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "fermata:activity/secrets@0.1.0" "handle" (func $handle (param i32 i32 i32)))
  (import "fermata:activity/evidence@0.1.0" "record" (func $record (param i32 i32 i32 i32 i32)))
"#;

/// What every guest has: an allocator that never frees, and ways to answer.
const PRELUDE: &str = r#"
  (memory (export "memory") 2)
  (global $next (mut i32) (i32.const 65536))
  (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (local.set $at (global.get $next))
    (global.set $next (i32.add (global.get $next) (local.get 3)))
    (block $fits (loop $grow
      (br_if $fits (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
      (br_if $grow (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))
      unreachable))
    (local.get $at))
  (func $succeed (param $at i32) (param $len i32) (result i32)
    (i32.store8 (i32.const 1024) (i32.const 0)) (i32.store8 (i32.const 1032) (i32.const 0))
    (i32.store (i32.const 1040) (local.get $at)) (i32.store (i32.const 1044) (local.get $len))
    (i32.const 1024))
  (func $fail (param $retry i32) (param $at i32) (param $len i32) (result i32)
    (i32.store8 (i32.const 1024) (i32.const 1)) (i32.store8 (i32.const 1032) (i32.eqz (local.get $retry)))
    (i32.store (i32.const 1040) (local.get $at)) (i32.store (i32.const 1044) (local.get $len))
    (i32.store8 (i32.const 1048) (i32.const 0)) (i32.store8 (i32.const 1060) (i32.const 0))
    (i32.store8 (i32.const 1072) (local.get $retry)) (i64.store (i32.const 1080) (i64.const 1500))
    (i32.const 1024))
  (func $suspend (param $at i32) (param $len i32) (param $signal i32) (result i32)
    (i32.store8 (i32.const 1024) (i32.const 0)) (i32.store8 (i32.const 1032) (i32.const 1))
    (i32.store (i32.const 1040) (local.get $at)) (i32.store (i32.const 1044) (local.get $len))
    (i32.store8 (i32.const 1048) (local.get $signal)) (i64.store (i32.const 1056) (i64.const 2000))
    (if (local.get $signal) (then
      (i32.store (i32.const 1056) (local.get $at)) (i32.store (i32.const 1060) (i32.const 3))))
    (i32.store8 (i32.const 1064) (i32.const 0))
    (i32.const 1024))
  ;; Sends a request without body; succeeds with the answer's body, or fails with the error's text.
  (func $call (param $url i32) (param $len i32) (param $headers i32) (param $count i32) (result i32)
    (call $send «GET» (local.get $url) (local.get $len) (local.get $headers) (local.get $count)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2048))
    (if (result i32) (i32.load8_u (i32.const 2048))
      (then (if (result i32) (i32.eq (i32.load8_u (i32.const 2056)) (i32.const 2))
        (then (call $fail (i32.const 0) «timeout»))
        (else (if (result i32) (i32.eq (i32.load8_u (i32.const 2056)) (i32.const 4))
          (then (call $fail (i32.const 0) «too large»))
          (else (call $fail (i32.const 0) (i32.load (i32.const 2064)) (i32.load (i32.const 2068))))))))
      (else (call $succeed (i32.load (i32.const 2068)) (i32.load (i32.const 2072))))))
  ;; Puts a header with the handle of a secret at 3072, or fails.
  (func $with_secret (param $name i32) (param $len i32) (param $url i32) (param $url_len i32) (result i32)
    (call $handle (local.get $name) (local.get $len) (i32.const 3000))
    (if (result i32) (i32.load8_u (i32.const 3000))
      (then (call $fail (i32.const 0) (i32.load (i32.const 3008)) (i32.load (i32.const 3012))))
      (else
        (call $log (i32.const 1) (i32.load (i32.const 3004)) (i32.load (i32.const 3008)))
        (call $header «authorization» (i32.load (i32.const 3004)) (i32.load (i32.const 3008)))
        (call $call (local.get $url) (local.get $url_len) (i32.const 3072) (i32.const 1)))))
  (func $header (param i32 i32 i32 i32)
    (i32.store (i32.const 3072) (local.get 0)) (i32.store (i32.const 3076) (local.get 1))
    (i32.store (i32.const 3080) (local.get 2)) (i32.store (i32.const 3084) (local.get 3)))
"#;

/// The parts of a guest, as WAT. `«text»` stands for the address and the length of a text.
pub(crate) struct Source<'a> {
    pub(crate) descriptor: &'a str,
    pub(crate) imports: &'a str,
    pub(crate) more: &'a str,
    /// The body of `run`; the local 0 points to the parameters.
    pub(crate) run: &'a str,
}

impl Default for Source<'_> {
    fn default() -> Self {
        Self {
            descriptor: DESCRIPTOR,
            imports: "",
            more: "",
            run: SUCCEED,
        }
    }
}

impl Source<'_> {
    /// The core module.
    pub(crate) fn module(&self) -> Vec<u8> {
        let Self {
            descriptor,
            imports,
            more,
            run,
        } = self;
        let template = format!(
            r#"(module $probe {IMPORTS} {imports} {PRELUDE} {more}
              (func $describe (export "fermata:activity/run@0.1.0#describe") (result i32)
                (i32.store (i32.const 512) (i32.const DESCRIPTOR_AT)) (i32.store (i32.const 516) (i32.const {len}))
                (i32.const 512))
              (func $run (export "fermata:activity/run@0.1.0#run") (param i32) (result i32) {run})
              DATA)"#,
            len = descriptor.len()
        );
        wat::parse_str(interned(&template, descriptor)).unwrap()
    }
}

/// A guest whose `run` has this body.
pub(crate) fn guest(run: &str) -> Vec<u8> {
    Source {
        run,
        ..Source::default()
    }
    .module()
}

/// Texts begin here; everything below is scratch space.
const TEXTS_AT: usize = 8192;

fn interned(template: &str, descriptor: &str) -> String {
    let mut at = TEXTS_AT;
    let mut data = String::new();
    let mut place = |text: &str| {
        let escaped: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        data += &format!("(data (i32.const {at}) \"{escaped}\")\n");
        at += text.len();
        at - text.len()
    };
    let mut parts = template.split('«');
    let mut wat = parts.next().unwrap().to_owned();
    for part in parts {
        let (text, rest) = part.split_once('»').unwrap();
        wat += &format!(
            "(i32.const {}) (i32.const {}){rest}",
            place(text),
            text.len()
        );
    }
    let wat = wat.replace("DESCRIPTOR_AT", &place(descriptor).to_string());
    wat.replace("DATA", &data)
}

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
