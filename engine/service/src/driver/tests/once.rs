//! Idempotency keys.

use super::*;

fn once(key: &str, request: &str) -> Once {
    Once {
        key: key.to_owned(),
        fingerprint: Digest::of(request.as_bytes()),
    }
}

fn create(world: &mut World, once: Once) -> Result<(ReleaseId, bool), CreateError> {
    let mut answered = world.ask_create(NewRelease {
        once: Some(once),
        ..ship()
    });
    world.flush();
    answered
        .try_recv()
        .unwrap()
        .map(|made| (made.id, made.repeated))
}

#[test]
fn a_repeated_request_makes_nothing_new() {
    let mut world = World::new(Config::default());
    let both = [once("k", "same"), once("k", "same")];
    let mut answers = both.map(|once| {
        world.ask_create(NewRelease {
            once: Some(once),
            ..ship()
        })
    });
    world.flush();
    let made = answers
        .each_mut()
        .map(|answer| answer.try_recv().unwrap().unwrap());
    assert_eq!(
        (made[0].id, made[0].repeated, made[1].repeated),
        (made[1].id, false, true)
    );
    let mut world = world.restart();
    assert_eq!(
        create(&mut world, once("k", "same")).unwrap(),
        (made[0].id, true)
    );
    assert!(matches!(
        create(&mut world, once("k", "other")),
        Err(CreateError::KeyReused)
    ));
    assert!(!create(&mut world, once("l", "same")).unwrap().1);
}

#[test]
fn an_input_with_a_key_counts_once() {
    let mut world = World::new(Config::default());
    let id = world.create();
    let pause = || Ask {
        release: id,
        command: Command::Pause { reason: None },
        expected: None,
        once: Some(once("k", "pause")),
    };
    let mut answers = [world.ask_with(pause()), world.ask_with(pause())];
    world.flush();
    assert!(
        answers
            .iter_mut()
            .all(|answer| answer.try_recv().unwrap().is_ok())
    );
}

#[test]
fn outdated_keys_go() {
    let mut world = World::new(Config::default());
    create(&mut world, once("old", "x")).unwrap();
    assert_eq!(world.count(Table::Idempotency), 2);
    world.now = world.now.after(Span(crate::config::ONCE_KEPT_MS + 1));
    create(&mut world, once("new", "x")).unwrap();
    assert_eq!(world.count(Table::Idempotency), 2);
    assert!(!create(&mut world, once("old", "x")).unwrap().1);
}
