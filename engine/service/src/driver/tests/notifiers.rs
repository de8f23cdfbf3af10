//! What people outside are told: written with the turn that makes it true, and delivered afterwards.

use fermata_core::component::{Pin, Version};
use fermata_core::extension::{Notification, Notified, Untold};
use fermata_core::id::Name;
use fermata_core::notification::{TRIES_MAX, rest};

use super::*;
use crate::config::{DELIVERIES_PENDING_MAX, NOTIFIERS_MAX};
use crate::error::{NotifierError, RemoveError};
use crate::keys;
use crate::records::{DeliveryRecord, NotifierRecord, Standing};
use crate::wake::{Notify, Quarantine, Remove, SetNotifier};

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn record(notifier: &str, on: &[&str]) -> NotifierRecord {
    NotifierRecord {
        name: name(notifier),
        component: Pin {
            name: name("chat"),
            version: Version {
                major: 2,
                minor: 0,
                patch: 0,
            },
            digest: Digest::of(b"2.0.0"),
        },
        settings: Json::of(&json!({ "url": "x" })),
        on: on.iter().map(ToString::to_string).collect(),
        processes: Vec::new(),
        enabled: true,
        revision: 0,
        set_at: Timestamp(0),
        set_by: ana().actor,
    }
}

type Set = Result<Arc<NotifierRecord>, NotifierError>;

fn set_with(world: &mut World, record: NotifierRecord, expected: Option<u64>) -> Set {
    let (answer, mut answered) = oneshot::channel();
    let set = Box::new(SetNotifier { record, expected });
    world.handle(Wake::Request(Request::SetNotifier(set, answer)));
    world.flush();
    answered.try_recv().expect("answered")
}

fn set(world: &mut World, notifier: &str, on: &[&str]) {
    set_with(world, record(notifier, on), None).expect("set");
}

fn remove(world: &mut World, notifier: &str) -> Result<(), NotifierError> {
    let (answer, mut answered) = oneshot::channel();
    let request = Request::RemoveNotifier(name(notifier), None, answer);
    world.handle(Wake::Request(request));
    world.flush();
    answered.try_recv().expect("answered")
}

/// With the component that notifiers here deliver with.
fn world() -> World {
    let mut world = World::new(Config::default());
    world.register("chat", "2.0.0").expect("new");
    world
}

/// The tries that began since the last look.
fn begun(world: &mut World) -> Vec<(u64, Result<Notification, Box<Failure>>)> {
    let (begun, rest) = std::mem::take(&mut world.actions)
        .into_iter()
        .partition(|action| matches!(action, Action::Notify(_)));
    world.actions = rest;
    let tries = begun.into_iter().map(|action| match action {
        Action::Notify(notify) => {
            let Notify { number, what } = *notify;
            (number, what.map(|(what, _)| what))
        }
        _ => unreachable!(),
    });
    tries.collect()
}

/// The one try that began since the last look.
fn one(world: &mut World) -> (u64, Notification) {
    let mut begun = begun(world);
    assert_eq!(begun.len(), 1, "{begun:?}");
    let (number, what) = begun.remove(0);
    (number, what.expect("it can begin"))
}

fn tried(world: &mut World, number: u64, failure: Option<FailureClass>) {
    let told = match failure {
        None => Ok(()),
        Some(class) => Err(Untold {
            failure: Failure::new(class, "down"),
            retry_after: None,
        }),
    };
    let log = Vec::new();
    let notified = Box::new(Notified { told, log });
    world.handle(Wake::Tried { number, notified });
    world.flush();
}

fn deliveries(world: &World, notifier: &str) -> Vec<DeliveryRecord> {
    let scan = Scan {
        prefix: keys::deliveries(&name(notifier)),
        limit: 10_000,
        ..Scan::default()
    };
    let found = world.store.scan(Table::Meta, &scan).expect("readable");
    let read = |(_, value): (Vec<u8>, Vec<u8>)| fermata_store::codec::decode(&value).expect("read");
    found.into_iter().map(read).collect()
}

fn standings(world: &World, notifier: &str) -> Vec<String> {
    let deliveries = deliveries(world, notifier);
    let shown = |delivery: &DeliveryRecord| {
        let word = delivery.standing.word();
        format!("{} {word} {}", delivery.kind, delivery.tries())
    };
    deliveries.iter().map(shown).collect()
}

#[test]
fn without_a_notifier_nothing_is_written() {
    let mut world = world();
    world.create();
    assert_eq!(standings(&world, "a"), [""; 0]);
    set(&mut world, "a", &["wave-*"]);
    world.create();
    assert_eq!(standings(&world, "a"), [""; 0], "nobody wants to know");
    assert_eq!(
        world.driver.next_wake(),
        Some(Timestamp(61_000)),
        "a timeout"
    );
}

#[test]
fn what_a_turn_tells_is_in_its_commit_and_tried_after_it() {
    let mut world = world();
    set(&mut world, "a", &["release-*"]);
    let commits = world.store.commits();
    drop(world.ask_create(ship()));
    assert_eq!(begun(&mut world).len(), 0, "nothing before the commit");
    world.flush();
    assert_eq!(world.store.commits(), commits + 1);
    assert_eq!(standings(&world, "a"), ["release-started pending 0"]);
    let (number, what) = one(&mut world);
    assert_eq!((what.number, what.settings.as_str()), (1, r#"{"url":"x"}"#));
    assert!(what.id.starts_with("a/rel-"), "{}", what.id);
    tried(&mut world, number, None);
    assert_eq!(standings(&world, "a"), ["release-started delivered 1"]);
    assert_eq!(begun(&mut world).len(), 0);
}

#[test]
fn a_failed_commit_tells_nobody() {
    let mut world = world();
    set(&mut world, "a", &["*"]);
    world.store.fail(world.store.commits(), Fault::Before);
    drop(world.ask_create(ship()));
    world.flush();
    assert_eq!(begun(&mut world).len(), 0);
    let mut world = world.restart();
    assert_eq!(
        (standings(&world, "a").len(), begun(&mut world).len()),
        (0, 0)
    );
}

#[test]
fn a_try_that_was_going_on_is_made_again_after_a_crash_under_the_same_id() {
    let mut world = world();
    set(&mut world, "a", &["release-started"]);
    world.create();
    let (_, first) = one(&mut world);
    let mut world = world.restart();
    let (number, again) = one(&mut world);
    assert_eq!((first.id, 1), (again.id, again.number));
    tried(&mut world, number, None);
    let mut world = world.restart();
    assert_eq!(begun(&mut world).len(), 0);
    // A further one has a number of its own.
    world.create();
    assert_eq!(one(&mut world).0, number + 1);
}

#[test]
fn what_fails_is_tried_again_later_and_given_up_in_the_end() {
    let mut world = world();
    set(&mut world, "a", &["release-started"]);
    world.create();
    let mut id = None;
    for expected in 1..=TRIES_MAX {
        let (number, what) = one(&mut world);
        assert_eq!(what.number, expected);
        assert_eq!(*id.get_or_insert(what.id.clone()), what.id);
        tried(&mut world, number, Some(FailureClass::Trap));
        assert_eq!(begun(&mut world).len(), 0, "it waits");
        let mut restarted = world.restart();
        while let Some(at) = restarted.driver.next_wake() {
            restarted.now = restarted.now.max(at);
            restarted.handle(Wake::TimePassed);
            restarted.flush();
            if restarted
                .actions
                .iter()
                .any(|it| matches!(it, Action::Notify(_)))
            {
                break;
            }
        }
        world = restarted;
    }
    assert_eq!(standings(&world, "a"), ["release-started given-up 8"]);
    assert_eq!(begun(&mut world).len(), 0);
}

#[test]
fn a_permanent_failure_is_given_up_at_once_and_the_next_goes_after_a_rest() {
    let mut world = world();
    set(&mut world, "a", &["release-started"]);
    world.create();
    let (number, _) = one(&mut world);
    world.create();
    tried(&mut world, number, Some(FailureClass::Permanent));
    assert_eq!(begun(&mut world).len(), 0, "the notifier rests");
    world.now = world.now.after(rest(1, None));
    world.handle(Wake::TimePassed);
    world.flush();
    let (next, _) = one(&mut world);
    tried(&mut world, next, None);
    assert_eq!(
        standings(&world, "a"),
        ["release-started given-up 1", "release-started delivered 1"]
    );
    let first = deliveries(&world, "a").remove(0);
    assert!(
        matches!(first.standing, Standing::GivenUp { failure, .. } if failure.message == "down")
    );
}

#[test]
fn one_that_never_answers_holds_up_neither_others_nor_releases() {
    let mut world = world();
    set(&mut world, "hangs", &["*"]);
    set(&mut world, "works", &["*"]);
    let id = world.create();
    let tries = begun(&mut world);
    assert_eq!(tries.len(), 2);
    for activity in 0..3 {
        world.finish(key(id, activity, 1), ok());
        world.flush();
    }
    assert_eq!(world.state(id), "gone");
    tried(&mut world, tries[1].0, None);
    let (number, _) = one(&mut world);
    tried(&mut world, number, None);
    assert_eq!(
        standings(&world, "works"),
        [
            "release-started delivered 1",
            "release-succeeded delivered 1"
        ]
    );
    assert_eq!(
        standings(&world, "hangs"),
        ["release-started pending 0", "release-succeeded pending 0"]
    );
}

#[test]
fn a_component_in_quarantine_or_gone_fails_without_running() {
    let mut world = world();
    set(&mut world, "a", &["release-started"]);
    let (answer, mut answered) = oneshot::channel();
    let quarantine = Quarantine {
        by: ana(),
        digest: Digest::of(b"2.0.0"),
        begins: true,
        reason: "stolen".to_owned(),
    };
    world.handle(Wake::Request(Request::Quarantine(
        Box::new(quarantine),
        answer,
    )));
    world.flush();
    answered.try_recv().expect("answered").expect("begun");
    world.create();
    let mut begun = begun(&mut world);
    let (number, what) = begun.remove(0);
    let failure = what.expect_err("it does not run");
    assert_eq!(failure.class, FailureClass::Quarantined);
    tried(&mut world, number, Some(failure.class));
    assert_eq!(standings(&world, "a"), ["release-started pending 1"]);
}

#[test]
fn a_quarantine_is_told() {
    let mut world = world();
    set(&mut world, "a", &["component-quarantined"]);
    let (answer, _answered) = oneshot::channel();
    let quarantine = Quarantine {
        by: ana(),
        digest: Digest::of(b"1.0.0"),
        begins: true,
        reason: "stolen".to_owned(),
    };
    world.handle(Wake::Request(Request::Quarantine(
        Box::new(quarantine),
        answer,
    )));
    world.flush();
    let (_, what) = one(&mut world);
    assert_eq!(what.text, "ana put noop@1.0.0 into quarantine: stolen");
}

#[test]
fn a_component_is_not_removed_while_a_notifier_delivers_with_it() {
    let mut world = world();
    set(&mut world, "a", &["*"]);
    let ask = |world: &mut World| {
        let (answer, mut answered) = oneshot::channel();
        let remove = Remove {
            name: name("chat"),
            version: record("a", &[]).component.version,
        };
        world.handle(Wake::Request(Request::Remove(remove, answer)));
        world.flush();
        answered.try_recv().expect("answered")
    };
    match ask(&mut world) {
        Err(RemoveError::InUse(usage)) => assert_eq!(usage.summary(), "notifier a"),
        other => panic!("{other:?}"),
    }
    remove(&mut world, "a").expect("there");
    ask(&mut world).expect("nothing uses it");
    let gone = set_with(&mut world, record("a", &["*"]), None);
    assert!(
        matches!(gone, Err(NotifierError::ComponentGone)),
        "{gone:?}"
    );
}

#[test]
fn a_notifier_that_is_removed_takes_everything_with_it() {
    let mut world = world();
    set(&mut world, "a", &["release-started"]);
    world.create();
    let (number, _) = one(&mut world);
    remove(&mut world, "a").expect("there");
    assert!(matches!(
        remove(&mut world, "a"),
        Err(NotifierError::Unknown)
    ));
    tried(&mut world, number, None);
    assert_eq!(deliveries(&world, "a"), []);
    let mut world = world.restart();
    assert_eq!(begun(&mut world).len(), 0);
}

#[test]
fn setting_it_anew_counts_and_can_be_refused() {
    let mut world = world();
    let first = set_with(&mut world, record("a", &["*"]), Some(0)).expect("new");
    let second = set_with(&mut world, record("a", &["test"]), Some(1)).expect("known");
    assert_eq!((first.revision, second.revision), (1, 2));
    let stale = set_with(&mut world, record("a", &["*"]), Some(1));
    assert!(
        matches!(
            stale,
            Err(NotifierError::Stale {
                expected: 1,
                found: 2
            })
        ),
        "{stale:?}"
    );
    for number in 1..NOTIFIERS_MAX {
        set(&mut world, &format!("n{number}"), &["*"]);
    }
    let many = set_with(&mut world, record("one-more", &["*"]), None);
    assert!(
        matches!(many, Err(NotifierError::Error(Error::Busy(_)))),
        "{many:?}"
    );
}

#[test]
fn too_many_that_wait_make_room_and_say_so() {
    let mut world = world();
    set(&mut world, "a", &["release-started"]);
    world.create();
    assert_eq!(begun(&mut world).len(), 1, "it hangs");
    for _ in 0..DELIVERIES_PENDING_MAX {
        world.create();
    }
    let all = deliveries(&world, "a");
    let given_up: Vec<_> = all.iter().filter(|it| !it.standing.is_pending()).collect();
    assert_eq!((all.len(), given_up.len()), (DELIVERIES_PENDING_MAX + 1, 1));
    assert_eq!(
        given_up[0].number, all[1].number,
        "the oldest that was not being tried"
    );
    assert!(matches!(
        &given_up[0].standing,
        Standing::GivenUp { failure, .. } if failure.class == FailureClass::Limit("deliveries".into())
    ));
}

#[test]
fn a_stop_waits_for_what_is_being_tried() {
    let mut world = world();
    set(&mut world, "a", &["release-started"]);
    let id = world.create();
    let (number, _) = one(&mut world);
    world.handle(Wake::Stop);
    for activity in 0..2 {
        world.finish(key(id, activity, 1), ok());
    }
    world.flush();
    assert!(!world.driver.is_done());
    tried(&mut world, number, None);
    assert!(world.driver.is_done());
    assert_eq!(standings(&world, "a"), ["release-started delivered 1"]);
}
