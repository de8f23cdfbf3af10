//! The driver without a runtime: what is decided, what is committed, and what is done afterwards.

use std::sync::Arc;

use fermata_core::actor::{Actor, Caller};
use fermata_core::attempt::{AttemptKey, LogLevel, LogLine, Outcome, Ran, Report};
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::id::{Digest, ReleaseId};
use fermata_core::json::Json;
use fermata_core::release::Release;
use fermata_core::time::{Span, Timestamp};
use fermata_store::{Expect, Fault, Faulty, Memory, Scan, Store, Table, Write};
use serde_json::json;
use tokio::sync::oneshot::{self, Receiver};

use crate::config::Config;
use crate::driver::Driver;
use crate::error::{CreateError, Error, InputError, RecordError, RegisterError};
use crate::ids::IdSource;
use crate::request::{Ask, Command, NewRelease, Once};
use crate::shared::Condition;
use crate::wake::{Action, Grant, Made, Order, Register, Request, Wake};

mod awaits;
mod catalog;
mod children;
mod held;
mod locks;
mod notifiers;
mod once;
mod people;
mod policies;
mod quarantine;
mod recall;
mod recordings;
mod recovery;
mod rollback;
mod runs;

const PROCESS: &str = "
process: ship
inputs:
  size: { type: integer, default: 1 }
phases:
  build:
    activities:
      a: { uses: noop@1, retry: { attempts: 2, backoff: 10s, jitter: false }, timeout: 1m }
      b: { uses: noop@1 }
      c: { needs: [a, b], uses: noop@1 }
";

type Changed = Receiver<Result<Option<Arc<Release>>, InputError>>;

/// A driver over a store that can fail, and what it asked of the world.
struct World {
    store: Arc<Faulty<Memory>>,
    driver: Driver,
    now: Timestamp,
    actions: Vec<Action>,
    /// Each start draws other ids, as it does in life.
    starts: u64,
}

impl World {
    fn new(config: Config) -> Self {
        let store = Arc::new(Faulty::new(Memory::default()));
        let mut world = Self::over(store, config, 1);
        world.register("noop", "1.0.0").expect("new");
        world.publish(PROCESS);
        world
    }

    fn over(store: Arc<Faulty<Memory>>, config: Config, starts: u64) -> Self {
        let now = Timestamp(1_000);
        let shared: Arc<dyn Store> = Arc::<Faulty<Memory>>::clone(&store);
        let driver = Driver::open(shared, IdSource::seeded(starts), config, now).expect("readable");
        Self {
            store,
            driver,
            now,
            actions: Vec::new(),
            starts,
        }
    }

    /// The engine is killed and started again: only the store is left.
    fn restart(self) -> Self {
        self.store.reopen();
        let mut world = Self::over(self.store, Config::default(), self.starts + 1);
        world.flush();
        world
    }

    fn handle(&mut self, wake: Wake) {
        self.driver.handle(wake, self.now);
    }

    fn flush(&mut self) {
        self.actions.extend(self.driver.flush());
    }

    fn publish(&mut self, document: &str) -> u32 {
        let publish = self
            .driver
            .check_document(ana(), document.into())
            .expect("no defects");
        let (answer, mut answered) = oneshot::channel();
        self.handle(Wake::Request(Request::Publish(Box::new(publish), answer)));
        self.flush();
        answered
            .try_recv()
            .expect("answered")
            .expect("published")
            .record
            .version
    }

    fn register(&mut self, name: &str, version: &str) -> Result<bool, RegisterError> {
        let descriptor = serde_json::from_value(json!({ "name": name, "version": version }));
        let (answer, mut answered) = oneshot::channel();
        let register = Register {
            by: ana(),
            descriptor: descriptor.expect("a descriptor"),
            digest: Digest::of(version.as_bytes()),
            size: 1,
        };
        self.handle(Wake::Request(Request::Register(Box::new(register), answer)));
        self.flush();
        answered
            .try_recv()
            .expect("answered")
            .map(|registered| registered.repeated)
    }

    fn ask_create(&mut self, new: NewRelease) -> Receiver<Result<Made, CreateError>> {
        let create = self.driver.prepare(ana(), new).expect("known");
        let (answer, answered) = oneshot::channel();
        self.handle(Wake::Request(Request::Create(Box::new(create), answer)));
        answered
    }

    /// Makes and starts a release, and begins its first runs.
    fn create(&mut self) -> ReleaseId {
        let mut answered = self.ask_create(ship());
        self.flush();
        answered.try_recv().expect("answered").expect("created").id
    }

    fn ask(&mut self, release: ReleaseId, command: Command) -> Changed {
        let ask = Ask {
            release,
            command,
            expected: None,
            once: None,
        };
        self.ask_with(ask)
    }

    fn ask_with(&mut self, ask: Ask) -> Changed {
        self.ask_by(ana(), ask)
    }

    fn ask_by(&mut self, by: Caller, ask: Ask) -> Changed {
        let (answer, answered) = oneshot::channel();
        let warnings = Vec::new();
        let order = Box::new(Order { by, ask, warnings });
        self.handle(Wake::Request(Request::Input(order, answer)));
        answered
    }

    fn input_by(
        &mut self,
        by: Caller,
        release: ReleaseId,
        command: Command,
    ) -> Result<(), InputError> {
        let ask = Ask {
            release,
            command,
            expected: None,
            once: None,
        };
        let mut answered = self.ask_by(by, ask);
        self.flush();
        answered.try_recv().expect("answered").map(drop)
    }

    fn input(&mut self, release: ReleaseId, command: Command) -> Result<(), InputError> {
        let mut answered = self.ask(release, command);
        self.flush();
        answered.try_recv().expect("answered").map(drop)
    }

    fn finish(&mut self, key: AttemptKey, outcome: Outcome) {
        let report = Report {
            outcome,
            evidence: Vec::new(),
        };
        let ran = Box::new(Ran::from(report));
        self.handle(Wake::Finished { key, ran });
    }

    /// Runs begun and cancelled since the last look, as `+path` and `-path`.
    fn done(&mut self) -> Vec<String> {
        let actions = std::mem::take(&mut self.actions);
        let told = |action: &Action| match action {
            Action::Start(run) => format!("+{}", place(run.invocation.key)),
            Action::Cancel(key) => format!("-{}", place(*key)),
            Action::Notify(notify) => format!("!{}", notify.number),
            Action::Consult(consult) => format!("?{}", place(consult.key)),
        };
        actions.iter().map(told).collect()
    }

    fn state(&self, release: ReleaseId) -> String {
        let Some(release) = self.driver.release(release) else {
            return "gone".to_owned();
        };
        let process = release.process();
        let words = (0..)
            .map(fermata_core::process::ActivityIx)
            .zip(&process.activities);
        words
            .map(|(ix, _)| release.activity_state(ix).word())
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn count(&self, table: Table) -> usize {
        let scan = Scan {
            limit: 1_000,
            ..Scan::default()
        };
        self.store.scan(table, &scan).expect("readable").len()
    }
}

fn ana() -> Caller {
    Caller {
        actor: Actor::User("ana".parse().expect("a name")),
        groups: Vec::new(),
    }
}

fn ship() -> NewRelease {
    NewRelease {
        process: "ship".parse().expect("a name"),
        version: None,
        title: None,
        inputs: json!({}),
        start: true,
        once: None,
        emergency: None,
    }
}

fn abort() -> Command {
    Command::Abort {
        reason: "enough".to_owned(),
    }
}

fn key(release: ReleaseId, activity: u32, attempt: u32) -> AttemptKey {
    AttemptKey {
        release,
        activity: fermata_core::process::ActivityIx(activity),
        attempt,
        run: 1,
    }
}

fn place(key: AttemptKey) -> String {
    format!("{}.{}.{}", key.activity.0, key.attempt, key.run)
}

fn ok() -> Outcome {
    Outcome::Succeeded(Json::empty_object())
}

fn failed(class: FailureClass) -> Outcome {
    Outcome::Failed {
        failure: Failure::new(class, "no"),
        retry_after: None,
    }
}

#[test]
fn turns_of_many_releases_share_one_commit() {
    let mut world = World::new(Config::default());
    let before = world.store.commits();
    let mut answers: Vec<_> = (0..50).map(|_| world.ask_create(ship())).collect();
    assert!(
        answers.iter_mut().all(|answer| answer.try_recv().is_err()),
        "nothing before the commit"
    );
    world.flush();
    assert_eq!(world.store.commits(), before + 1);
    let made = answers
        .iter_mut()
        .map(|answer| answer.try_recv().unwrap().unwrap().id);
    assert_eq!(made.collect::<std::collections::BTreeSet<_>>().len(), 50);
    assert_eq!(
        (world.count(Table::Open), world.count(Table::Releases)),
        (50, 50)
    );
}

#[test]
fn runs_begin_only_after_the_commit() {
    let mut world = World::new(Config::default());
    drop(world.ask_create(ship()));
    assert_eq!(world.driver.runs(), (vec![], 2), "in line, and not begun");
    world.flush();
    assert_eq!(world.done(), ["+0.1.1", "+1.1.1"]);
}

#[test]
fn a_release_ends_and_leaves_the_memory() {
    let mut world = World::new(Config::default());
    let id = world.create();
    for activity in 0..3 {
        world.finish(key(id, activity, 1), ok());
        world.flush();
    }
    assert_eq!(
        (world.state(id).as_str(), world.count(Table::Open)),
        ("gone", 0)
    );
    let refused = world.input(id, abort());
    assert!(
        matches!(refused, Err(InputError::Refused(_))),
        "{refused:?}"
    );
    let unknown = world.input(ReleaseId(7), abort());
    assert!(
        matches!(unknown, Err(InputError::UnknownRelease)),
        "{unknown:?}"
    );
    assert_eq!(world.driver.metrics().releases_ended["succeeded"], 1);
}

#[test]
fn a_failed_commit_stops_everything() {
    for fault in [Fault::Before, Fault::After] {
        let mut world = World::new(Config::default());
        let id = world.create();
        world.done();
        world.store.fail(world.store.commits(), fault);
        let mut paused = world.ask(id, Command::Pause { reason: None });
        let mut refused = world.ask(id, Command::Start);
        world.flush();
        for answered in [&mut paused, &mut refused] {
            let answer = answered.try_recv().unwrap();
            assert!(
                matches!(answer, Err(InputError::Error(Error::Unavailable(_)))),
                "{answer:?}"
            );
        }
        assert_eq!(world.done(), ["-0.1.1", "-1.1.1"], "what ran is cancelled");
        assert!(matches!(
            world.driver.health().condition,
            Condition::Failed(_)
        ));
        let later = world.input(id, Command::Resume);
        assert!(
            matches!(later, Err(InputError::Error(Error::Unavailable(_)))),
            "{later:?}"
        );
        assert_eq!(world.driver.releases().count(), 0);

        let world = world.restart();
        let paused = fault == Fault::After;
        assert_eq!(
            world.driver.release(id).unwrap().state().word() == "paused",
            paused
        );
    }
}

#[test]
fn an_expected_version_is_insisted_on() {
    let mut world = World::new(Config::default());
    let id = world.create();
    let version = world.driver.release(id).unwrap().version();
    let pause = |expected| Ask {
        release: id,
        command: Command::Pause { reason: None },
        expected: Some(expected),
        once: None,
    };
    let mut stale = world.ask_with(pause(version - 1));
    let mut good = world.ask_with(pause(version));
    let mut late = world.ask_with(pause(version));
    world.flush();
    let found = |answer: &mut Changed| match answer.try_recv().unwrap() {
        Err(InputError::Stale { expected, found }) => Some((expected, found)),
        _ => None,
    };
    assert_eq!(found(&mut stale), Some((version - 1, version)));
    assert_eq!(
        found(&mut late),
        Some((version, version + 1)),
        "the first of the batch counts"
    );
    assert_eq!(
        good.try_recv().unwrap().unwrap().unwrap().version(),
        version + 1
    );
}

#[test]
fn a_reader_keeps_what_it_saw() {
    let mut world = World::new(Config::default());
    let id = world.create();
    let (answer, mut answered) = oneshot::channel();
    world.handle(Wake::Request(Request::Read(id, answer)));
    world.flush();
    let seen = answered.try_recv().unwrap().unwrap().unwrap();
    world.input(id, abort()).unwrap();
    assert_eq!(seen.state().word(), "running");
}

#[test]
fn timers_are_served_in_their_order() {
    let mut world = World::new(Config::default());
    let id = world.create();
    world.finish(key(id, 0, 1), failed(FailureClass::Retryable));
    world.flush();
    world.done();
    assert_eq!(world.driver.next_wake(), Some(Timestamp(11_000)));
    world.now = Timestamp(10_999);
    world.handle(Wake::TimePassed);
    world.flush();
    assert_eq!(world.done(), [""; 0]);
    world.now = Timestamp(11_000);
    world.handle(Wake::TimePassed);
    world.flush();
    assert_eq!(world.done(), ["+0.2.1"]);
    assert_eq!(
        world.driver.next_wake(),
        Some(Timestamp(71_000)),
        "its timeout is next"
    );
    world.now = Timestamp(71_000);
    world.handle(Wake::TimePassed);
    world.flush();
    assert_eq!(world.done(), ["-0.2.1"]);
    assert_eq!(world.state(id), "on-hold running waiting");
}

#[test]
fn what_an_attempt_logged_is_kept_with_its_result() {
    let mut world = World::new(Config::default());
    let id = world.create();
    let line = LogLine {
        at: world.now,
        level: LogLevel::Info,
        message: "hello".to_owned(),
    };
    let report = Report {
        outcome: ok(),
        evidence: Vec::new(),
    };
    let ran = Box::new(Ran {
        log: vec![line],
        ..Ran::from(report)
    });
    world.handle(Wake::Finished {
        key: key(id, 0, 1),
        ran: ran.clone(),
    });
    world.handle(Wake::Finished {
        key: key(id, 0, 1),
        ran,
    });
    world.flush();
    assert_eq!(world.count(Table::Logs), 1);
    assert_eq!(world.driver.metrics().results_stale, 1);
}

#[test]
fn stopping_lets_runs_end_and_begins_none() {
    let mut world = World::new(Config::default());
    let id = world.create();
    world.finish(key(id, 0, 1), ok());
    world.handle(Wake::Stop);
    world.flush();
    let refused = world.input(id, abort());
    assert!(
        matches!(refused, Err(InputError::Error(Error::Stopping))),
        "{refused:?}"
    );
    assert!(!world.driver.is_done());
    world.done();
    world.finish(key(id, 1, 1), ok());
    world.flush();
    assert!(world.driver.is_done() && world.done().is_empty());
    let mut world = world.restart();
    assert_eq!(
        world.done(),
        ["+2.1.1"],
        "what was due begins with the next start"
    );
}

#[test]
fn halting_cancels_what_runs() {
    let mut world = World::new(Config::default());
    world.create();
    world.done();
    world.handle(Wake::Halt);
    world.flush();
    assert_eq!(world.done(), ["-0.1.1", "-1.1.1"]);
    assert!(world.driver.is_done());
}

#[test]
fn a_deployment_is_in_the_ledger_with_what_it_replaced() {
    let mut world = World::new(Config::default());
    for version in ["1.0.0", "1.1.0"] {
        let id = world.create();
        let fact = json!({ "environment": "staging", "service": "payment", "version": version });
        let evidence =
            [fact, json!({ "environment": 7 })].map(|fact| fermata_core::attempt::Evidence {
                kind: "deployment".to_owned(),
                fact: Json::of(&fact),
            });
        let report = Report {
            outcome: ok(),
            evidence: evidence.into(),
        };
        let ran = Box::new(Ran::from(report));
        world.handle(Wake::Finished {
            key: key(id, 0, 1),
            ran,
        });
        world.flush();
    }
    let stored = world.store.get(
        Table::Ledger,
        &crate::keys::ledger_entry("staging", "payment"),
    );
    let entry: crate::records::LedgerEntry =
        crate::records::read(&stored.unwrap().unwrap(), "an entry").unwrap();
    assert_eq!(
        (entry.version.as_str(), entry.replaced.as_deref()),
        ("1.1.0", Some("1.0.0"))
    );
    assert_eq!(entry.activity, "build/a");
    assert_eq!(
        world.count(Table::Ledger),
        3,
        "one that is there now, two that ever were"
    );
}
