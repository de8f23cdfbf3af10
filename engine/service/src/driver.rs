//! The driver: wakes become turns, turns are committed together, and only then is anything done.
//!
//! Synchronous and deterministic: it waits for nothing, reads no clock and starts no thread, so the
//! simulation drives the very code that runs in production. The order within a batch is
//! [`Driver::handle`] for each wake, which decides and applies, and then [`Driver::flush`], which
//! commits all of it, answers, tells watchers, and says which runs to begin and to drop.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fermata_core::actor::Caller;
use fermata_core::attempt::AttemptKey;
use fermata_core::defect::Defect;
use fermata_core::id::ReleaseId;
use fermata_core::process::ActivityIx;
use fermata_core::release::{Holder, Release};
use fermata_core::time::Timestamp;
use fermata_store::Store;

use crate::config::Config;
use crate::directory::{Directory, Nobody};
use crate::dispatch::Dispatch;
use crate::error::{CreateError, Error};
use crate::ids::IdSource;
use crate::locks;
use crate::metrics::MetricsNow;
use crate::outbox::{self, Outbox};
use crate::recover;
use crate::request::NewRelease;
use crate::shared::{Condition, Health, Shared};
use crate::timers::Timers;
use crate::wake::{Create, Publish, Request, Wake};

use cross::Cross;
use pending::{Pending, Reply};
use policies::{Questions, must_ask};
use quarantine::is_quarantined;
pub(crate) use removal::{is_of, notifiers_of};
pub(crate) use turns::{guarded, violations};

mod cross;
mod effects;
mod notifiers;
mod once;
mod pending;
mod people;
mod policies;
mod publishing;
mod quarantine;
mod recordings;
mod removal;
mod requests;
mod runs;
mod script_grants;
mod settle;
mod turns;

#[cfg(test)]
mod tests;

/// Decides about all releases of one store.
#[derive(Debug)]
pub struct Driver {
    shared: Arc<Shared>,
    directory: Arc<dyn Directory>,
    config: Config,
    ids: IdSource,
    live: BTreeMap<ReleaseId, Live>,
    timers: Timers,
    dispatch: Dispatch,
    pending: Pending,
    cross: Cross,
    mode: Mode,
    now: Timestamp,
    /// Loaded releases with a question that has to know who is who.
    untold: Vec<ReleaseId>,
    /// Wanted runs of components that are in quarantine.
    barred: Vec<AttemptKey>,
    outbox: Outbox,
    /// Attempts that policies are asked about before they begin.
    questions: Questions,
}

/// A release that has not ended, or has something left to be reviewed.
#[derive(Debug)]
struct Live {
    /// Shared with readers: whoever holds it while the next turn comes keeps the state it has seen.
    release: Arc<Release>,
    /// The runs that are wanted, in line or going on.
    runs: BTreeMap<ActivityIx, AttemptKey>,
    /// Those of them that have begun, or may have before a start of the engine.
    begun: BTreeSet<AttemptKey>,
    /// Activities that wait for another release, with that release.
    awaits: BTreeMap<ActivityIx, ReleaseId>,
    /// Activities that wait for a child, with that child.
    children: BTreeMap<ActivityIx, ReleaseId>,
    /// What its parts want or hold.
    claims: BTreeMap<Holder, cross::Known>,
    /// Turns since it was loaded.
    turns: u64,
}

impl Live {
    /// A release that wants nothing yet.
    fn new(release: Release) -> Self {
        Self {
            release: Arc::new(release),
            runs: BTreeMap::new(),
            begun: BTreeSet::new(),
            awaits: BTreeMap::new(),
            children: BTreeMap::new(),
            claims: BTreeMap::new(),
            turns: 0,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Accepting,
    Stopping,
    Halted,
    Failed,
}

impl Driver {
    /// Loads every open release. What should be going on begins with the first [`Self::flush`].
    pub fn open(
        store: Arc<dyn Store>,
        ids: IdSource,
        config: Config,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let shared = Arc::new(Shared::load(store, &config)?);
        let mut driver = Self {
            outbox: outbox::load(&*shared.store)?,
            live: BTreeMap::new(),
            timers: Timers::default(),
            dispatch: Dispatch::new(config.runs_max),
            pending: Pending::default(),
            cross: Cross::new(locks::capacities(&*shared.store)?),
            mode: Mode::Accepting,
            shared,
            directory: Arc::new(Nobody),
            config,
            ids,
            now,
            untold: Vec::new(),
            barred: Vec::new(),
            questions: Questions::default(),
        };
        for id in recover::open_releases(&*driver.shared.store)? {
            match recover::load_checked(&driver.shared, id)? {
                Ok(release) => driver.adopt(release),
                Err(reason) => driver.quarantine(id, reason),
            }
        }
        // What releases have to do with each other shows once all of them are there.
        let loaded: Vec<ReleaseId> = driver.live.keys().copied().collect();
        for id in loaded {
            driver.adopt_others(id);
        }
        driver.follow_up();
        driver.show_notifiers();
        driver.gauge();
        Ok(driver)
    }

    /// Says who knows the people. Until then, nobody is in any group.
    pub fn know(&mut self, directory: Arc<dyn Directory>) {
        self.directory = directory;
    }

    /// Takes a loaded release in, with all the work it wants.
    fn adopt(&mut self, release: Release) {
        let id = release.id();
        let work = fermata_core::release::work(&release);
        self.timers.arm(id, work.wake_at);
        if !work.people.is_empty() {
            self.untold.push(id);
        }
        self.shared.inbox.adopt(&release);
        let mut runs = BTreeMap::new();
        for key in work.runs {
            runs.insert(key.activity, key);
            if is_quarantined(&self.shared, &release, key.activity) {
                self.barred.push(key);
            } else if !must_ask(&self.shared, &mut self.questions, &release, key) {
                self.dispatch.want(key);
            }
        }
        let live = Live {
            begun: runs.values().copied().collect(),
            runs,
            ..Live::new(release)
        };
        self.live.insert(id, live);
    }

    /// Decides what the wake makes true. Nobody outside learns of it before [`Self::flush`].
    pub fn handle(&mut self, wake: Wake, now: Timestamp) {
        self.now = now;
        match wake {
            Wake::Request(request) => self.request(request),
            Wake::Finished { key, ran } => self.finished(key, *ran),
            Wake::Dropped { key } => self.dropped(key),
            Wake::Tried { number, notified } => self.tried(number, *notified),
            Wake::Judged { key, answers } => self.judged(key, &answers),
            Wake::TimePassed => self.time_passed(),
            Wake::Stop => self.stop(Mode::Stopping),
            Wake::Halt => self.stop(Mode::Halted),
        }
        self.follow_up();
    }

    /// Works off everything that follows from what was decided, before it is committed.
    fn follow_up(&mut self) {
        loop {
            self.cross();
            if let Some(key) = self.barred.pop() {
                self.turn_away(key);
            } else if !self.ask_next() {
                return;
            }
        }
    }

    fn stop(&mut self, mode: Mode) {
        if self.mode != Mode::Failed {
            self.mode = mode;
            self.shared.turn_to(Condition::Stopping);
        }
        // What waits in line is wanted by the state of its release: the next start finds it again.
        self.dispatch.clear_waiting();
        self.questions.clear_waiting();
        self.pending.cancels.extend(self.questions.running());
        if mode == Mode::Halted {
            self.pending.cancels.extend(self.dispatch.running());
        }
    }

    fn request(&mut self, request: Request) {
        let closed = match (self.mode, &request) {
            (Mode::Accepting, _) | (Mode::Stopping, Request::Read(..) | Request::Locks(_)) => None,
            (Mode::Stopping | Mode::Halted | Mode::Failed, _) => Some(self.shared.closed()),
        };
        if let Some(error) = closed {
            return Reply::refuse_request(request, error);
        }
        let reply = match request {
            Request::Create(create, answer) => Reply::Made(answer, self.create(*create)),
            Request::Input(order, answer) => Reply::Changed(answer, self.input(*order)),
            Request::Read(release, answer) => Reply::Seen(answer, release),
            Request::Publish(publish, answer) => Reply::Published(answer, self.publish(*publish)),
            Request::Register(register, answer) => {
                Reply::Registered(answer, self.register(*register))
            }
            Request::Grant(grant, answer) => Reply::Granted(answer, self.grant(*grant)),
            Request::Deprecate(deprecate, answer) => {
                Reply::Deprecated(answer, self.deprecate(*deprecate))
            }
            Request::Quarantine(quarantine, answer) => {
                Reply::Quarantined(answer, self.quarantine_component(*quarantine))
            }
            Request::GrantScripts(grant, answer) => {
                Reply::ScriptsGranted(answer, self.grant_scripts(*grant))
            }
            Request::Locks(answer) => Reply::Locks(answer),
            Request::SetCapacity(set, answer) => {
                let name = set.lock.clone();
                Reply::CapacitySet(answer, self.capacity_set(*set).map(|()| name))
            }
            Request::Write(writes, answer) => Reply::Written(answer, self.write(writes)),
            Request::Pinning(name, version, answer) => {
                Reply::Pinning(answer, self.pinning(&name, version))
            }
            Request::Define(define, answer) => Reply::Defined(answer, self.define(*define)),
            Request::Remove(remove, answer) => Reply::Removed(answer, self.remove(&remove)),
            Request::SetNotifier(set, answer) => {
                Reply::NotifierSet(answer, self.set_notifier(*set))
            }
            Request::RemoveNotifier(name, expected, answer) => {
                Reply::NotifierRemoved(answer, self.remove_notifier(&name, expected))
            }
            Request::SetPolicy(set, answer) => Reply::PolicySet(answer, self.set_policy(*set)),
            Request::RemovePolicy(name, expected, answer) => {
                Reply::PolicyRemoved(answer, self.remove_policy(&name, expected))
            }
        };
        self.pending.replies.push(reply);
    }

    /// When [`Wake::TimePassed`] will next find something to do.
    pub fn next_wake(&self) -> Option<Timestamp> {
        match self.mode {
            Mode::Accepting => {
                let dues = [self.timers.next(), self.outbox.next()];
                dues.into_iter().flatten().min()
            }
            Mode::Stopping | Mode::Halted | Mode::Failed => None,
        }
    }

    /// Whether it was told to end, and nothing is left to wait for.
    pub fn is_done(&self) -> bool {
        match self.mode {
            Mode::Accepting | Mode::Failed => false,
            Mode::Stopping => self.dispatch.running_count() == 0 && self.outbox.going_count() == 0,
            Mode::Halted => true,
        }
    }

    /// An open release as of the last wake: after a flush, as it is on disk.
    pub fn release(&self, id: ReleaseId) -> Option<&Arc<Release>> {
        self.live.get(&id).map(|live| &live.release)
    }

    /// Every open release.
    pub fn releases(&self) -> impl Iterator<Item = &Arc<Release>> {
        self.live.values().map(|live| &live.release)
    }

    /// Runs that have a slot, and how many wait for one.
    pub fn runs(&self) -> (Vec<AttemptKey>, usize) {
        (
            self.dispatch.running().collect(),
            self.dispatch.waiting_count(),
        )
    }

    /// How it is.
    pub fn health(&self) -> Health {
        self.shared.health()
    }

    /// What it has done.
    pub fn metrics(&self) -> MetricsNow {
        self.shared.metrics.now()
    }

    /// Finds the process version of a new release, so that the release can be made.
    pub fn prepare(&self, by: Caller, new: NewRelease) -> Result<Create, CreateError> {
        let record = self.shared.catalog.record(&new.process, new.version)?;
        let record = record.ok_or(CreateError::UnknownProcess)?;
        let process = self.shared.catalog.process(&record)?;
        Ok(Create {
            by,
            new,
            record,
            process,
            warnings: Vec::new(),
        })
    }

    /// Checks a document, so that it can be published.
    pub fn check_document(&self, by: Caller, document: Vec<u8>) -> Result<Publish, Vec<Defect>> {
        let (process, checked_with) = self.shared.catalog.validate(&document)?;
        Ok(Publish {
            by,
            process: Arc::new(process),
            checked_with,
            document,
        })
    }

    /// What is wrong with the list of what waits on people, compared with what the releases say.
    pub fn check_inbox(&self) -> Option<String> {
        self.shared.inbox.check(self.releases().map(AsRef::as_ref))
    }

    /// What is wrong with the list of what is to be told to people outside, compared with what is stored,
    /// if nothing waits for a flush.
    pub fn check_outbox(&self) -> Result<Option<String>, Error> {
        self.outbox.check(&*self.shared.store)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}
