//! The loop on its own thread, and the runs it begins: the only file that starts either.
//!
//! The thread waits for the next wake or the next timer, whichever is first, takes what else is
//! there, and flushes. While the disk syncs, further wakes gather: they are the next batch.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{AbortHandle, Aborted, abortable};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::error;

use fermata_core::attempt::{AttemptKey, Outcome, Progress, Ran, Report};
use fermata_core::extension::Notified;
use fermata_core::failure::{Failure, FailureClass};

use crate::clock::Clock;
use crate::config::TRY_MAX_MS;
use crate::driver::Driver;
use crate::error::Error;
use crate::policies::{self, NoPlace};
use crate::runner::{ProgressSink, Runner};
use crate::shared::{Condition, Shared};
use crate::wake::{Action, Consult, Notify, Request, Run, Wake};

/// The way to the loop. Requests are bounded by count, and results by the slots of runs.
#[derive(Clone, Debug)]
pub(crate) struct Mailbox {
    wakes: Sender<Wake>,
    requests: Arc<AtomicUsize>,
    requests_max: usize,
    shared: Arc<Shared>,
}

impl Mailbox {
    pub(crate) fn new(wakes: Sender<Wake>, requests_max: usize, shared: Arc<Shared>) -> Self {
        Self {
            wakes,
            requests: Arc::default(),
            requests_max,
            shared,
        }
    }

    /// Puts a request in line, if the line is not full.
    pub(crate) fn request(&self, request: Request) -> Result<(), Error> {
        if self.requests.fetch_add(1, Ordering::Relaxed) >= self.requests_max {
            self.requests.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::Busy("requests"));
        }
        if self.wake(Wake::Request(request)) {
            return Ok(());
        }
        self.requests.fetch_sub(1, Ordering::Relaxed);
        Err(self.shared.closed())
    }

    /// Wakes the loop, if it has not ended.
    pub(crate) fn wake(&self, wake: Wake) -> bool {
        self.wakes.send(wake).is_ok()
    }

    /// How many requests are in line.
    pub(crate) fn requests_waiting(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

/// Everything around the driver.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) driver: Driver,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) runner: Arc<dyn Runner>,
    pub(crate) runtime: Handle,
    pub(crate) mailbox: Mailbox,
    pub(crate) batch_max: usize,
    pub(crate) runs: BTreeMap<AttemptKey, AbortHandle>,
    pub(crate) tries: BTreeMap<u64, AbortHandle>,
}

impl Engine {
    /// Starts the thread; `done` turns true when it has ended.
    pub(crate) fn start(
        mut self,
        wakes: Receiver<Wake>,
        done: watch::Sender<bool>,
    ) -> Result<(), Error> {
        let shared = Arc::clone(self.driver.shared());
        let thread = move || {
            if catch_unwind(AssertUnwindSafe(|| self.go(&wakes))).is_err() {
                error!(
                    "the loop broke: this is a bug; the engine takes nothing more until it is started again"
                );
                shared.turn_to(Condition::Failed("the loop broke".to_owned()));
            }
            self.abort_all();
            done.send_replace(true);
        };
        let builder = std::thread::Builder::new().name("fermata-loop".to_owned());
        builder.spawn(thread).map(drop).map_err(Error::Thread)
    }

    fn go(&mut self, wakes: &Receiver<Wake>) {
        let actions = self.driver.flush();
        self.act(actions);
        while !self.driver.is_done() {
            let Some(first) = self.wait(wakes) else {
                return;
            };
            self.take(first);
            for wake in wakes.try_iter().take(self.batch_max) {
                self.take(wake);
            }
            let now = self.clock.now();
            if self.driver.next_wake().is_some_and(|at| at <= now) {
                self.driver.handle(Wake::TimePassed, now);
            }
            let actions = self.driver.flush();
            self.act(actions);
        }
    }

    /// The next wake, or that a timer is due; `None` when nobody can wake the loop any more.
    fn wait(&self, wakes: &Receiver<Wake>) -> Option<Wake> {
        let Some(at) = self.driver.next_wake() else {
            return wakes.recv().ok();
        };
        let left = Duration::from_millis(at.since(self.clock.now()).0);
        match wakes.recv_timeout(left) {
            Ok(wake) => Some(wake),
            Err(RecvTimeoutError::Timeout) => Some(Wake::TimePassed),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    fn take(&mut self, wake: Wake) {
        match &wake {
            Wake::Request(_) => {
                self.mailbox.requests.fetch_sub(1, Ordering::Relaxed);
            }
            Wake::Finished { key, .. } | Wake::Dropped { key } | Wake::Judged { key, .. } => {
                self.runs.remove(key);
            }
            Wake::Tried { number, .. } => {
                self.tries.remove(number);
            }
            Wake::TimePassed | Wake::Stop | Wake::Halt => {}
        }
        self.driver.handle(wake, self.clock.now());
    }

    fn act(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Start(run) => self.begin(*run),
                Action::Notify(notify) => self.begin_try(*notify),
                Action::Consult(consult) => self.consult(*consult),
                Action::Cancel(key) => {
                    if let Some(run) = self.runs.get(&key) {
                        run.abort();
                    }
                }
            }
        }
    }

    /// Begins a run. It always says how it ended: by a result, by a panic, or that it was dropped.
    fn begin(&mut self, run: Run) {
        let key = run.invocation.key;
        let runner = Arc::clone(&self.runner);
        let progress = self.progress_of(key);
        let work = async move { runner.run(run.invocation, run.grants, progress).await };
        let (work, handle) = abortable(AssertUnwindSafe(work).catch_unwind());
        self.runs.insert(key, handle);
        let mailbox = self.mailbox.clone();
        self.runtime.spawn(async move {
            let wake = match work.await {
                Ok(ran) => Wake::Finished {
                    key,
                    ran: Box::new(ran.unwrap_or_else(|_| broken())),
                },
                Err(Aborted) => Wake::Dropped { key },
            };
            // If the loop has ended, the next start runs this again.
            mailbox.wake(wake);
        });
    }

    /// Begins a try to deliver a notification. It always says how it ended, unless the loop ends first:
    /// then the next start tries again.
    fn begin_try(&mut self, notify: Notify) {
        let Notify { number, what } = notify;
        let mailbox = self.mailbox.clone();
        let told = move |notified: Notified| {
            let notified = Box::new(notified);
            mailbox.wake(Wake::Tried { number, notified });
        };
        let (what, grants) = match what {
            Ok(begins) => begins,
            Err(failure) => return told((*failure).into()),
        };
        let runner = Arc::clone(&self.runner);
        let longest = Duration::from_millis(TRY_MAX_MS);
        let work = async move { tokio::time::timeout(longest, runner.notify(what, grants)).await };
        let (work, handle) = abortable(AssertUnwindSafe(work).catch_unwind());
        self.tries.insert(number, handle);
        self.runtime.spawn(async move {
            match work.await {
                Ok(Ok(Ok(notified))) => told(notified),
                Ok(Ok(Err(_))) => told(no_place().into()),
                Ok(Err(_)) => told(broken_runner().into()),
                Err(Aborted) => {}
            }
        });
    }

    /// Asks policies. Somebody always says what came of it: they, or whoever dropped the question.
    fn consult(&mut self, consult: Consult) {
        let Consult { key, asked } = consult;
        let runner = Arc::clone(&self.runner);
        let shared = Arc::clone(self.driver.shared());
        let work = async move { policies::ask(&shared.places, &*runner, asked).await };
        let (work, handle) = abortable(work);
        self.runs.insert(key, handle);
        let mailbox = self.mailbox.clone();
        self.runtime.spawn(async move {
            let wake = match work.await {
                Ok(Ok(answers)) => Wake::Judged { key, answers },
                Ok(Err(NoPlace)) | Err(Aborted) => Wake::Dropped { key },
            };
            // If the loop has ended, the next start asks again.
            mailbox.wake(wake);
        });
    }

    fn progress_of(&self, key: AttemptKey) -> ProgressSink {
        let shared = Arc::clone(self.driver.shared());
        Arc::new(move |progress: Progress| {
            if shared.running.said(key, progress) {
                shared.feed.beat(key.release);
            }
        })
    }

    fn abort_all(&mut self) {
        for run in self.runs.values().chain(self.tries.values()) {
            run.abort();
        }
    }
}

/// What is reported of a runner that panicked.
fn broken() -> Ran {
    Ran::from(Report {
        outcome: Outcome::Failed {
            failure: broken_runner(),
            retry_after: None,
        },
        evidence: Vec::new(),
    })
}

fn broken_runner() -> Failure {
    let failure = Failure::new(
        FailureClass::Engine,
        "the runner broke: this is a bug of the engine",
    );
    failure.remedy("see the server's log, and retry")
}

fn no_place() -> Failure {
    let failure = Failure::new(FailureClass::Engine, "no place to run in came free in time");
    failure.remedy("it is tried again; if it happens often, let the server run more at a time")
}
