//! Starting again.

use super::*;

#[test]
fn what_was_going_on_goes_on() {
    let mut world = World::new(Config::default());
    let id = world.create();
    world.finish(key(id, 0, 1), failed(FailureClass::Retryable));
    world.flush();
    let before = Arc::clone(world.driver.release(id).unwrap());
    let mut world = world.restart();
    assert_eq!(**world.driver.release(id).unwrap(), *before);
    assert_eq!(
        world.done(),
        ["+1.1.1"],
        "the run that was lost begins again, under its key"
    );
    assert_eq!(world.driver.next_wake(), Some(Timestamp(11_000)));
}

#[test]
fn an_acknowledged_draft_is_still_a_draft() {
    let mut world = World::new(Config::default());
    let mut answered = world.ask_create(NewRelease {
        start: false,
        ..ship()
    });
    world.flush();
    let id = answered.try_recv().unwrap().unwrap().id;
    let mut world = world.restart();
    assert_eq!(world.driver.release(id).unwrap().state().word(), "draft");
    world.input(id, Command::Start).unwrap();
    assert_eq!(world.done(), ["+0.1.1", "+1.1.1"]);
}

#[test]
fn one_broken_release_keeps_no_other_from_starting() {
    let mut world = World::new(Config::default());
    let good = world.create();
    let broken = ReleaseId(99);
    let open = Write {
        table: Table::Open,
        key: crate::keys::release(broken),
        value: Some(vec![1]),
        expect: Expect::Anything,
    };
    let batch = fermata_store::Batch {
        writes: vec![open],
        ..Default::default()
    };
    world.store.commit(batch).unwrap();
    let mut world = world.restart();
    assert_eq!(world.state(good), "running running waiting");
    assert!(world.driver.health().quarantined.contains_key(&broken));
    let refused = world.input(broken, abort());
    assert!(
        matches!(refused, Err(InputError::Quarantined(_))),
        "{refused:?}"
    );
}
