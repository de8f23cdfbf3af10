//! Where attacks take place: the sandbox as the server has it, with a compiling process, a lying resolver, a hostile
//! server, one secret, and limits that end what is endless sooner.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use fermata_core::attempt::{Outcome, Progress, Ran};
use fermata_core::component::{Grants, Pin};
use fermata_core::failure::FailureClass;
use fermata_core::id::Digest;
use fermata_core::time::Span;
use fermata_host::{
    AdmitError, Admitted, Blobs, Compiler, Limits, NoSecret, Rejection, Sandbox, SandboxConfig,
    Secrets,
};
use zeroize::Zeroizing;

use crate::bench::sandbox::{invocation, now};
use crate::hostile::attack::Step;
use crate::hostile::evil::{Evil, Liar};
use crate::server::{guest, program};

/// The value that nobody may ever see. Upper and lower case, and a letter that JSON escapes.
pub(crate) const SECRET: &str = "Xyzzy-Plugh-90210";
/// Its name.
pub(crate) const SECRET_NAME: &str = "token";
/// Runs at a time, as the server has them.
const RUNS: u64 = 64;

#[derive(Debug, Default)]
struct Shelf(Mutex<BTreeMap<Digest, Vec<u8>>>);

impl Shelf {
    fn put(&self, digest: Digest, component: Vec<u8>) {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.insert(digest, component);
    }
}

impl Blobs for Shelf {
    fn component(&self, digest: &Digest) -> Option<Vec<u8>> {
        let shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.get(digest).cloned()
    }
}

/// The sandbox and those around it.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) evil: Evil,
    /// What does nothing.
    pub(crate) neighbour: Pin,
    shelf: Arc<Shelf>,
    /// What was admitted, by where its upload is.
    known: Mutex<BTreeMap<usize, Pin>>,
    _folder: tempfile::TempDir,
}

/// What came of one guest.
#[derive(Debug)]
pub(crate) struct Came {
    /// In the words of [`Step::expected`].
    pub(crate) answer: String,
    /// All that anybody could read of it.
    pub(crate) text: String,
}

impl Stage {
    pub(crate) async fn set() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let compiler = Compiler::Child {
            program: program("fermata", "FERMATA_BIN")?,
            args: vec!["compile-component".into()],
        };
        let mut config = SandboxConfig::new(
            folder.path().join("cache"),
            folder.path().join("key"),
            compiler,
            Arc::new(now),
        );
        config.limits = limits();
        config.resolver = Arc::new(Liar::default());
        config.secrets = Arc::new(OneSecret);
        let shelf = Arc::new(Shelf::default());
        let sandbox = Sandbox::new(config, Arc::<Shelf>::clone(&shelf))?;
        let admitted = sandbox.admit(guest("noop")?).await?;
        let neighbour = pin(&admitted);
        Ok(Self {
            sandbox,
            evil: Evil::start()?,
            neighbour,
            shelf,
            known: Mutex::default(),
            _folder: folder,
        })
    }

    /// Uploads the guest unless that was done before and, if it is admitted, runs it. What it left is only read if
    /// somebody wants to: that takes time from the neighbour which the attack did not take.
    pub(crate) async fn play(&self, step: &Step, read: bool) -> Result<Came> {
        let place = Arc::as_ptr(&step.upload).addr();
        let pin = match self.known(place) {
            Some(pin) => pin,
            None => match self.upload(step).await? {
                Ok(pin) => pin,
                Err(came) => return Ok(came),
            },
        };
        self.know(place, pin.clone());
        self.run(step, &pin, read).await
    }

    fn known(&self, place: usize) -> Option<Pin> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&place).cloned()
    }

    fn know(&self, place: usize, pin: Pin) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(place, pin);
    }

    async fn upload(&self, step: &Step) -> Result<Result<Pin, Came>> {
        let original = Arc::clone(&step.upload);
        let upload = tokio::task::spawn_blocking(move || original.to_vec()).await?;
        let (answer, text) = match self.sandbox.admit(upload).await {
            Ok(admitted) => {
                let pin = pin(&admitted);
                self.shelf.put(admitted.digest, admitted.component);
                return Ok(Ok(pin));
            }
            Err(AdmitError::Rejected(rejection)) => (rejected(&rejection), rejection.to_string()),
            Err(AdmitError::Failed(error)) => ("machine failed".into(), error.to_string()),
        };
        Ok(Err(Came { answer, text }))
    }

    async fn run(&self, step: &Step, pin: &Pin, read: bool) -> Result<Came> {
        let grants: Grants = serde_json::from_value(step.grants.clone())?;
        let progress: Arc<Mutex<Vec<Progress>>> = Arc::default();
        let noted = Arc::clone(&progress);
        let sink = Arc::new(move |report| {
            noted
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(report);
        });
        let mut run = invocation(pin)?;
        run.wall = Span(step.wall_ms);
        let ran = self.sandbox.run(run, Arc::new(grants), sink).await;
        let progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Came {
            answer: answer(&ran),
            text: if read {
                format!("{ran:?} {progress:?}")
            } else {
                String::new()
            },
        })
    }
}

fn pin(admitted: &Admitted) -> Pin {
    Pin {
        name: admitted.descriptor.name.clone(),
        version: admitted.descriptor.version,
        digest: admitted.digest,
    }
}

/// The limits of the server, with less time for what never ends.
fn limits() -> Limits {
    Limits {
        cpu: Span(500),
        http_time: Span(500),
        describe_cpu: Span(200),
        describe_wall: Span(1_000),
        compile_cpu: Span(2_000),
        compile_wall: Span(30_000),
        concurrent_runs: RUNS,
        ..Limits::default()
    }
}

/// An installation with one secret.
#[derive(Debug)]
struct OneSecret;

impl Secrets for OneSecret {
    fn open(&self, name: &str) -> Result<Zeroizing<String>, NoSecret> {
        if name == SECRET_NAME {
            Ok(Zeroizing::new(SECRET.to_owned()))
        } else {
            Err(NoSecret::Unknown)
        }
    }
}

fn rejected(rejection: &Rejection) -> String {
    match rejection {
        Rejection::CompileLimit { limit, .. } => format!("{} {limit}", rejection.code()),
        _ => rejection.code().into(),
    }
}

fn answer(ran: &Ran) -> String {
    match &ran.report.outcome {
        Outcome::Succeeded(_) => "succeeded".into(),
        Outcome::Pending { .. } => "pending".into(),
        Outcome::Failed { failure, .. } => match &failure.class {
            FailureClass::Limit(name) => format!("limit {name}"),
            class => class.code().into(),
        },
    }
}
