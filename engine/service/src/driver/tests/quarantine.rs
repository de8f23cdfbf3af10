//! Components that must not run: nothing of them begins, and what wanted them holds.

use super::*;
use crate::error::{DeprecateError, QuarantineError};
use crate::records::QuarantineRecord;
use crate::request::UndoDecision;
use crate::wake::{Deprecate, Quarantine};

fn ask(world: &mut World, begins: bool) -> Receiver<Result<QuarantineRecord, QuarantineError>> {
    let quarantine = Quarantine {
        by: ana(),
        // What `World::register` gives to noop@1.0.0.
        digest: Digest::of(b"1.0.0"),
        begins,
        reason: "compromised".to_owned(),
    };
    let (answer, answered) = oneshot::channel();
    let quarantine = Box::new(quarantine);
    world.handle(Wake::Request(Request::Quarantine(quarantine, answer)));
    answered
}

fn quarantine(world: &mut World) -> QuarantineRecord {
    let mut answered = ask(world, true);
    world.flush();
    answered.try_recv().expect("answered").expect("begun")
}

fn lift(world: &mut World) {
    let mut answered = ask(world, false);
    world.flush();
    answered.try_recv().expect("answered").expect("lifted");
}

fn retry(activity: &str) -> Command {
    Command::Retry {
        activity: activity.to_owned(),
        with: None,
    }
}

#[test]
fn what_runs_is_stopped_and_what_waits_never_begins() {
    let mut world = World::new(Config {
        runs_max: 1,
        ..Config::default()
    });
    let id = world.create();
    assert_eq!(world.done(), ["+0.1.1"]);
    quarantine(&mut world);
    assert_eq!(world.done(), ["-0.1.1"]);
    assert_eq!(world.state(id), "on-hold on-hold waiting");
    world.handle(Wake::Dropped { key: key(id, 0, 1) });
    world.flush();
    assert_eq!(world.done(), [""; 0]);
    // It may retry twice by itself, and does not.
    assert_eq!(world.driver.next_wake(), None);
}

#[test]
fn a_quarantine_outlives_a_restart_and_ends_with_a_retry_by_a_person() {
    let mut world = World::new(Config::default());
    let id = world.create();
    let record = quarantine(&mut world);
    let mut world = world.restart();
    assert_eq!(world.driver.runs(), (vec![], 0));
    world.input(id, retry("a")).unwrap();
    assert_eq!(world.state(id), "on-hold on-hold waiting");
    assert_eq!(world.done(), [""; 0]);
    let mut again = ask(&mut world, true);
    world.flush();
    let again = again.try_recv().expect("answered");
    assert!(
        matches!(&again, Err(QuarantineError::Already(known)) if **known == record),
        "{again:?}"
    );
    lift(&mut world);
    let mut world = world.restart();
    assert_eq!(world.state(id), "on-hold on-hold waiting");
    world.input(id, retry("a")).unwrap();
    assert_eq!(world.state(id), "running on-hold waiting");
    assert_eq!(world.done(), ["+0.3.1"]);
    let all = world.driver.shared.catalog.quarantines();
    assert_eq!(all.len(), 1);
    assert_eq!(
        all[0].lifted.as_ref().map(|lift| &lift.by),
        Some(&ana().actor)
    );
}

#[test]
fn nothing_starts_with_it_in_the_same_commit() {
    let mut world = World::new(Config::default());
    let mut made = world.ask_create(ship());
    let _begun = ask(&mut world, true);
    let mut refused = world.ask_create(ship());
    world.flush();
    let id = made.try_recv().expect("answered").expect("created").id;
    assert_eq!(world.state(id), "on-hold on-hold waiting");
    assert_eq!(world.done(), [""; 0]);
    let refused = refused.try_recv().expect("answered");
    assert!(
        matches!(&refused, Err(CreateError::ComponentQuarantined(told)) if told.contains("noop@1.0.0")),
        "{refused:?}"
    );
    let mut lifted = ask(&mut world, false);
    let _made = world.ask_create(ship());
    world.flush();
    assert!(lifted.try_recv().expect("answered").is_ok());
    assert_eq!(world.driver.runs().0.len(), 2);
}

#[test]
fn a_suspended_attempt_holds_when_it_would_go_on() {
    let mut world = World::new(Config::default());
    let id = world.create();
    let pending = Outcome::Pending {
        checkpoint: vec![1],
        resume: fermata_core::attempt::Resume::After(Span(10_000)),
        status: None,
    };
    world.finish(key(id, 0, 1), pending);
    world.flush();
    quarantine(&mut world);
    assert_eq!(world.state(id), "suspended on-hold waiting");
    let mut world = world.restart();
    world.now = world.now.after(Span(10_000));
    world.handle(Wake::TimePassed);
    world.flush();
    assert_eq!(world.state(id), "on-hold on-hold waiting");
}

#[test]
fn an_undo_holds_as_well() {
    let mut world = World::new(Config::default());
    let id = world.create();
    for activity in 0..3 {
        world.finish(key(id, activity, 1), ok());
        world.flush();
    }
    world.done();
    quarantine(&mut world);
    let reason = "wrong version".to_owned();
    world.input(id, Command::Rollback { reason }).unwrap();
    assert_eq!(world.done(), [""; 0]);
    assert_eq!(world.state(id), "succeeded succeeded undo-failed");
    lift(&mut world);
    let decide = Command::DecideUndo {
        activity: "c".to_owned(),
        decision: UndoDecision::Retry,
    };
    world.input(id, decide).unwrap();
    assert_eq!(world.done(), ["+2.3.1"]);
}

#[test]
fn a_reason_is_needed_and_other_digests_are_left_alone() {
    let mut world = World::new(Config::default());
    world.create();
    let mut send = |digest, reason: &str| {
        let quarantine = Quarantine {
            by: ana(),
            digest,
            begins: true,
            reason: reason.to_owned(),
        };
        let (answer, mut answered) = oneshot::channel();
        let quarantine = Box::new(quarantine);
        world.handle(Wake::Request(Request::Quarantine(quarantine, answer)));
        world.flush();
        answered.try_recv().expect("answered")
    };
    let empty = send(Digest::of(b"1.0.0"), "  ");
    assert!(matches!(empty, Err(QuarantineError::Invalid(_))));
    send(Digest::of(b"nobody has this"), "x").unwrap();
    assert_eq!(world.driver.runs().0.len(), 2);
}

#[test]
fn a_deprecation_is_kept_until_it_is_taken_back_or_the_version_goes() {
    let mut world = World::new(Config::default());
    let say = |world: &mut World, version: &str, notice: Option<&str>| {
        let deprecate = Deprecate {
            by: ana(),
            name: "noop".parse().unwrap(),
            version: version.parse().unwrap(),
            notice: notice.map(ToOwned::to_owned),
        };
        let (answer, mut answered) = oneshot::channel();
        let deprecate = Box::new(deprecate);
        world.handle(Wake::Request(Request::Deprecate(deprecate, answer)));
        world.flush();
        answered.try_recv().expect("answered")
    };
    let said = |world: &World| {
        let name = "noop".parse().unwrap();
        let entry = world
            .driver
            .shared
            .catalog
            .version(&name, "1.0.0".parse().unwrap());
        entry
            .unwrap()
            .deprecated
            .as_ref()
            .map(|it| it.notice.clone())
    };
    assert!(matches!(
        say(&mut world, "9.0.0", Some("x")),
        Err(DeprecateError::Unknown)
    ));
    assert!(matches!(
        say(&mut world, "1.0.0", Some("")),
        Err(DeprecateError::Invalid(_))
    ));
    say(&mut world, "1.0.0", Some("old")).unwrap();
    say(&mut world, "1.0.0", Some("older")).unwrap();
    let mut world = world.restart();
    assert_eq!(said(&world).as_deref(), Some("older"));
    // It runs as before.
    world.create();
    assert_eq!(world.driver.runs().0.len(), 2);
    say(&mut world, "1.0.0", None).unwrap();
    let world = world.restart();
    assert_eq!(said(&world), None);
    assert_eq!(world.count(Table::Meta), 0);
}
