//! The handle to a running engine: what the API and the CLI are built on. Cheap to clone.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot, watch};

use fermata_core::actor::Caller;
use fermata_core::id::ReleaseId;
use fermata_core::release::Release;
use fermata_store::{Batch, Expect, Store, Table, Write};

use crate::clock::Clock;
use crate::config::{
    Config, NOTIFIER_TESTS_MAX, ONCE_KEY_BYTES_MAX, POLICY_TRIALS_MAX, REHEARSALS_MAX,
    REQUESTS_JUDGED_MAX, SCRIPT_CHECKS_MAX,
};
use crate::directory::Directory;
use crate::driver::Driver;
use crate::engine::{Engine, Mailbox};
use crate::error::{CreateError, Error, InputError};
use crate::ids::IdSource;
use crate::inbox::{InboxItem, OnBehalf};
use crate::metrics::MetricsNow;
use crate::records_access::Records;
use crate::request::{Ask, Created, NewRelease, Once, Page, Paged};
use crate::runner::Runner;
use crate::shared::{Health, Shared};
use crate::wake::{Answer, Create, Order, Request, Wake};
use crate::watch::blocking;

mod definitions;
mod input_sets;
pub(crate) mod lists;
mod notifiers;
mod policies;
mod publishing;
mod rehearsals;
mod releases;
mod scripts;
mod standing;
mod usage;

/// What an engine is made of.
#[derive(Debug)]
pub struct Parts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// What runs attempts.
    pub runner: Arc<dyn Runner>,
    /// What tells the time.
    pub clock: Arc<dyn Clock>,
    /// Who is in which group.
    pub directory: Arc<dyn Directory>,
    /// What draws ids.
    pub ids: IdSource,
    /// Where runs are spawned.
    pub runtime: Handle,
}

/// A running engine.
#[derive(Clone, Debug)]
pub struct Service {
    shared: Arc<Shared>,
    mailbox: Mailbox,
    done: watch::Receiver<bool>,
    clock: Arc<dyn Clock>,
    runner: Arc<dyn Runner>,
    /// Rehearsals that may go on at a time.
    rehearsals: Arc<Semaphore>,
    /// Processes whose scripts may be read at a time.
    script_checks: Arc<Semaphore>,
    /// Notifiers that may be tried out at a time.
    notifier_tests: Arc<Semaphore>,
    /// Requests that policies may be asked about at a time.
    judgements: Arc<Semaphore>,
    /// Previews and trials that policies may be asked about at a time.
    policy_trials: Arc<Semaphore>,
}

impl Service {
    /// Loads every open release and goes on with what was going on. Blocks while it reads.
    pub fn open(parts: Parts, config: Config) -> Result<Self, Error> {
        let now = parts.clock.now();
        let mut driver = Driver::open(parts.store, parts.ids, config, now)?;
        driver.know(parts.directory);
        let shared = Arc::clone(driver.shared());
        let (wakes, waiting) = mpsc::channel();
        let mailbox = Mailbox::new(wakes, config.requests_max, Arc::clone(&shared));
        let (done, ended) = watch::channel(false);
        let engine = Engine {
            driver,
            clock: Arc::clone(&parts.clock),
            runner: Arc::clone(&parts.runner),
            runtime: parts.runtime,
            mailbox: mailbox.clone(),
            batch_max: config.batch_max,
            runs: BTreeMap::new(),
            tries: BTreeMap::new(),
        };
        engine.start(waiting, done)?;
        Ok(Self {
            shared,
            mailbox,
            done: ended,
            clock: parts.clock,
            runner: parts.runner,
            rehearsals: Arc::new(Semaphore::new(REHEARSALS_MAX)),
            script_checks: Arc::new(Semaphore::new(SCRIPT_CHECKS_MAX)),
            notifier_tests: Arc::new(Semaphore::new(NOTIFIER_TESTS_MAX)),
            judgements: Arc::new(Semaphore::new(REQUESTS_JUDGED_MAX)),
            policy_trials: Arc::new(Semaphore::new(POLICY_TRIALS_MAX)),
        })
    }

    /// Makes a release, and starts it if that is asked. Answered when it is on disk.
    pub async fn create_release(
        &self,
        caller: Caller,
        new: NewRelease,
    ) -> Result<Created, CreateError> {
        check_key(new.once.as_ref())?;
        let record = self.shared.catalog.record(&new.process, new.version)?;
        let record = record.ok_or(CreateError::UnknownProcess)?;
        let process = if let Some(process) = self.shared.catalog.cached(&record) {
            process
        } else {
            let (shared, record) = (Arc::clone(&self.shared), Arc::clone(&record));
            blocking(move || shared.catalog.process(&record)).await??
        };
        let warnings = self.judge_new(&caller, &new, (&record, &process)).await?;
        let create = Create {
            by: caller,
            new,
            record,
            process,
            warnings,
        };
        let made = self
            .ask(|answer| Request::Create(Box::new(create), answer))
            .await??;
        let release = match made.release {
            Some(release) => release,
            None => self.stored(made.id).await?,
        };
        Ok(Created {
            release,
            repeated: made.repeated,
        })
    }

    /// Does what a person asks of a release. Answered, with the release as it is then, when it is on disk.
    pub async fn input(&self, caller: Caller, mut ask: Ask) -> Result<Arc<Release>, InputError> {
        check_key(ask.once.as_ref())?;
        let id = ask.release;
        let (warnings, judged) = self.judge_input(&caller, &ask).await?;
        // What was judged is what starts.
        ask.expected = ask.expected.or(judged);
        let order = Order {
            by: caller,
            ask,
            warnings,
        };
        let changed = self
            .ask(|answer| Request::Input(Box::new(order), answer))
            .await??;
        match changed {
            Some(release) => Ok(release),
            None => Ok(self.stored(id).await?),
        }
    }

    /// A release that is known to exist.
    async fn stored(&self, id: ReleaseId) -> Result<Arc<Release>, Error> {
        self.release(id).await?.ok_or_else(|| Error::Corrupt {
            what: id.to_string(),
            reason: "it was committed and is not there".to_owned(),
        })
    }

    /// What waits on `people`: one person, and those in whose place they may act. Nearest deadline
    /// first.
    pub fn inbox(&self, people: &[OnBehalf], page: &Page) -> Result<Paged<InboxItem>, Error> {
        self.shared.inbox.of(people, page)
    }

    /// Keeps the bytes of a file that is about to be attached.
    pub async fn keep_file(&self, bytes: Vec<u8>) -> Result<fermata_core::id::Digest, Error> {
        let shared = Arc::clone(&self.shared);
        let keep = move || {
            let digest = fermata_core::id::Digest::of(&bytes);
            let write = Write {
                table: Table::Blobs,
                key: crate::keys::blob(&digest),
                value: Some(bytes),
                expect: Expect::Anything,
            };
            shared.store.commit(Batch {
                writes: vec![write],
                ..Batch::default()
            })?;
            Ok(digest)
        };
        blocking(keep).await?
    }

    /// Puts a request to the loop and waits for its answer.
    async fn ask<T, E>(
        &self,
        request: impl FnOnce(Answer<T, E>) -> Request,
    ) -> Result<Result<T, E>, Error> {
        let (answer, answered) = oneshot::channel();
        self.mailbox.request(request(answer))?;
        answered.await.map_err(|_| self.shared.closed())
    }

    /// Small records of the application, committed together with everything else.
    pub fn records(&self) -> Records {
        Records::new(Arc::clone(&self.shared), self.mailbox.clone())
    }

    /// How the engine is.
    pub fn health(&self) -> Health {
        self.shared.health()
    }

    /// What it has done, and what it is at.
    pub fn metrics(&self) -> MetricsNow {
        MetricsNow {
            requests_waiting: self.mailbox.requests_waiting() as u64,
            ..self.shared.metrics.now()
        }
    }

    /// Writes a consistent copy of everything into `directory`, which must not exist.
    pub async fn backup(&self, directory: PathBuf) -> Result<(), Error> {
        let (shared, now) = (Arc::clone(&self.shared), self.clock.now());
        Ok(blocking(move || shared.store.backup(&directory, now)).await??)
    }

    /// The bytes of a component or document.
    pub async fn blob(&self, digest: fermata_core::id::Digest) -> Result<Option<Vec<u8>>, Error> {
        let shared = Arc::clone(&self.shared);
        Ok(blocking(move || blob(&*shared.store, &digest)).await??)
    }

    /// Ends: requests are refused and nothing begins from now on. Runs may end by themselves within
    /// `grace`; then they are cancelled, and the next start runs them again.
    pub async fn stop(&self, grace: Duration) {
        let mut done = self.done.clone();
        let told = self.mailbox.wake(Wake::Stop);
        if told
            && tokio::time::timeout(grace, done.wait_for(|done| *done))
                .await
                .is_err()
        {
            self.mailbox.wake(Wake::Halt);
        }
        drop(done.wait_for(|done| *done).await);
    }
}

/// The bytes of a component or document, for whoever has only the store.
pub fn blob(
    store: &dyn Store,
    digest: &fermata_core::id::Digest,
) -> Result<Option<Vec<u8>>, fermata_store::Error> {
    store.get(Table::Blobs, &crate::keys::blob(digest))
}

fn check_key(once: Option<&Once>) -> Result<(), Error> {
    match once {
        Some(once) if once.key.len() > ONCE_KEY_BYTES_MAX => Err(Error::TooLong("idempotency key")),
        _ => Ok(()),
    }
}
