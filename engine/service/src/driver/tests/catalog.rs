//! Processes, components, grants and small records.

use super::*;

#[test]
fn a_process_gets_a_version_only_when_it_changes() {
    let mut world = World::new(Config::default());
    assert_eq!(world.publish(PROCESS), 1);
    let changed = PROCESS.replace("1m", "2m");
    assert_eq!((world.publish(&changed), world.publish(PROCESS)), (2, 3));
    let mut world = world.restart();
    assert_eq!(world.publish(PROCESS), 3);
    let old = NewRelease {
        version: Some(1),
        ..ship()
    };
    let mut answered = world.ask_create(old);
    world.flush();
    let made = answered.try_recv().unwrap().unwrap().release.unwrap();
    assert_eq!(made.process_ref().version, 1);
    let none = NewRelease {
        version: Some(9),
        ..ship()
    };
    assert!(matches!(
        world.driver.prepare(ana(), none),
        Err(CreateError::UnknownProcess)
    ));
}

#[test]
fn a_component_version_never_changes() {
    let mut world = World::new(Config::default());
    assert!(
        world.register("noop", "1.0.0").unwrap(),
        "the same bytes again are no change"
    );
    let descriptor = serde_json::from_value(json!({ "name": "noop", "version": "1.0.0" }));
    let (answer, mut answered) = oneshot::channel();
    let register = Register {
        by: ana(),
        descriptor: descriptor.unwrap(),
        digest: Digest::of(b"other"),
        size: 1,
    };
    world.handle(Wake::Request(Request::Register(Box::new(register), answer)));
    world.flush();
    let refused = answered.try_recv().unwrap();
    assert!(
        matches!(refused, Err(RegisterError::VersionExists { .. })),
        "{refused:?}"
    );
}

#[test]
fn all_versions_of_a_component_are_of_one_world() {
    let mut world = World::new(Config::default());
    let policy = json!({ "name": "noop", "version": "1.1.0", "world": "policy" });
    let (answer, mut answered) = oneshot::channel();
    let register = Register {
        by: ana(),
        descriptor: serde_json::from_value(policy).unwrap(),
        digest: Digest::of(b"policy"),
        size: 1,
    };
    world.handle(Wake::Request(Request::Register(Box::new(register), answer)));
    world.flush();
    let refused = answered.try_recv().unwrap().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "this is a policy, and noop is an activity in version 1.0.0"
    );
}

#[test]
fn a_start_pins_the_newest_that_fits_and_keeps_it() {
    let mut world = World::new(Config::default());
    world.register("noop", "1.2.0").unwrap();
    world.register("noop", "2.0.0").unwrap();
    let id = world.create();
    world.register("noop", "1.3.0").unwrap();
    let world = world.restart();
    let pinned = world.driver.release(id).unwrap().pins()[0]
        .pin
        .version
        .to_string();
    assert_eq!(pinned, "1.2.0");
}

#[test]
fn what_is_not_registered_cannot_be_started() {
    let mut world = World::over(
        Arc::new(Faulty::new(Memory::default())),
        Config::default(),
        1,
    );
    world.register("noop", "1.0.0").unwrap();
    world.publish(PROCESS);
    // A store that has lost its registry, as a restore of parts of it would leave it.
    let key = crate::keys::component(&"noop".parse().unwrap(), "1.0.0".parse().unwrap());
    let gone = Write {
        table: Table::Components,
        key,
        value: None,
        expect: Expect::Anything,
    };
    let batch = fermata_store::Batch {
        writes: vec![gone],
        ..Default::default()
    };
    world.store.commit(batch).unwrap();
    let mut world = world.restart();
    // Without the component the document cannot be checked again: nothing of it starts.
    let refused = world.driver.prepare(ana(), ship()).map(drop);
    assert!(
        matches!(refused, Err(CreateError::Error(Error::Corrupt { .. }))),
        "{refused:?}"
    );
    world.flush();
}

#[test]
fn grants_reach_the_next_run() {
    let mut world = World::new(Config::default());
    let grant = |expected| Grant {
        by: ana(),
        name: "noop".parse().unwrap(),
        version: "1.0.0".parse().unwrap(),
        grants: serde_json::from_value(json!({ "http": [{ "host": "fleet" }] })).unwrap(),
        expected,
    };
    let mut ask = |expected| {
        let (answer, mut answered) = oneshot::channel();
        world.handle(Wake::Request(Request::Grant(
            Box::new(grant(expected)),
            answer,
        )));
        world.flush();
        answered.try_recv().unwrap()
    };
    assert_eq!(ask(Some(0)).unwrap().revision, 1);
    assert!(ask(Some(0)).is_err());
    assert_eq!(ask(None).unwrap().revision, 2);
    let mut world = world.restart();
    world.create();
    let Some(Action::Start(run)) = world.actions.first() else {
        panic!("nothing began");
    };
    assert_eq!(run.grants.http[0].host, "fleet");
}

#[test]
fn a_record_that_must_be_absent_costs_nobody_else_the_commit() {
    let mut world = World::new(Config::default());
    let write = |value: &str| Write {
        table: Table::Access,
        key: b"token".to_vec(),
        value: Some(value.into()),
        expect: Expect::Absent,
    };
    let ask = |world: &mut World, value: &str| {
        let (answer, answered) = oneshot::channel();
        world.handle(Wake::Request(Request::Write(vec![write(value)], answer)));
        answered
    };
    let mut answers = [ask(&mut world, "first"), ask(&mut world, "second")];
    world.flush();
    assert!(matches!(answers[0].try_recv().unwrap(), Ok(())));
    assert!(matches!(
        answers[1].try_recv().unwrap(),
        Err(RecordError::Exists)
    ));
    let mut late = ask(&mut world, "third");
    world.flush();
    assert!(matches!(late.try_recv().unwrap(), Err(RecordError::Exists)));
    assert_eq!(
        world.store.get(Table::Access, b"token").unwrap(),
        Some(b"first".to_vec())
    );
}
