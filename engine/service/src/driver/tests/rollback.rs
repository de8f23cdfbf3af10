//! Releases that go back, also after they have ended.

use super::*;

fn rollback() -> Command {
    Command::Rollback {
        reason: "wrong version".to_owned(),
    }
}

fn ended() -> (World, ReleaseId) {
    let mut world = World::new(Config::default());
    let id = world.create();
    for activity in 0..3 {
        world.finish(key(id, activity, 1), ok());
        world.flush();
    }
    assert!(world.driver.release(id).is_none(), "it has ended");
    world.actions.clear();
    (world, id)
}

#[test]
fn an_ended_release_is_brought_back_and_goes_back_in_reverse() {
    let (mut world, id) = ended();
    world.input(id, rollback()).unwrap();
    assert_eq!(world.done(), ["+2.2.1"]);
    let mut world = world.restart();
    assert_eq!(
        world.driver.release(id).unwrap().state().word(),
        "rolling-back"
    );
    assert_eq!(
        world.done(),
        ["+2.2.1"],
        "an undo that was lost begins again"
    );
    let none: &[&str] = &[];
    for (activity, next) in [(2, ["+0.2.1", "+1.2.1"].as_slice()), (0, none), (1, none)] {
        world.finish(key(id, activity, 2), ok());
        world.flush();
        assert_eq!(world.done(), next);
    }
    let mut world = world.restart();
    assert_eq!(
        world.driver.release(id).unwrap().state().word(),
        "rolled-back",
        "it stays until somebody has said why"
    );
    let close = Command::CloseRootCause {
        text: "a typo".to_owned(),
    };
    world.input(id, close.clone()).unwrap();
    assert!(world.driver.release(id).is_none(), "nothing is left to do");
    let again = world.input(id, close);
    assert!(
        matches!(again, Err(InputError::Refused(ref refusal)) if refusal.code() == "no-root-cause"),
        "{again:?}"
    );
    let again = world.input(id, rollback());
    assert!(
        matches!(again, Err(InputError::Refused(ref refusal)) if refusal.code() == "release-ended"),
        "{again:?}"
    );
    assert!(world.driver.release(id).is_none());
    world.restart();
}

#[test]
fn nobody_is_brought_back_for_anything_else() {
    let (mut world, id) = ended();
    for command in [Command::Resume, abort()] {
        let refused = world.input(id, command);
        assert!(
            matches!(refused, Err(InputError::Refused(_))),
            "{refused:?}"
        );
    }
    let unknown = world.input(ReleaseId(7), rollback());
    assert!(
        matches!(unknown, Err(InputError::UnknownRelease)),
        "{unknown:?}"
    );
}

#[test]
fn components_without_undo_are_known_from_the_start() {
    let mut world = World::new(Config::default());
    let descriptor = json!({ "name": "mail", "version": "1.0.0", "reversible": false });
    let register = Register {
        by: ana(),
        descriptor: serde_json::from_value(descriptor).unwrap(),
        digest: Digest::of(b"mail"),
        size: 1,
    };
    let (answer, _) = oneshot::channel();
    world.handle(Wake::Request(Request::Register(Box::new(register), answer)));
    world.flush();
    world.publish("process: ship\nphases:\n  one:\n    activities:\n      a: { uses: mail@1 }\n      b: { uses: noop@1 }\n");
    let new = NewRelease {
        inputs: json!({}),
        ..ship()
    };
    let mut answered = world.ask_create(new);
    world.flush();
    let id = answered.try_recv().unwrap().unwrap().id;
    let plan = fermata_core::release::rollback_plan(world.driver.release(id).unwrap());
    let ways: Vec<&str> = plan
        .concat()
        .iter()
        .map(|planned| planned.way.word())
        .collect();
    assert_eq!(ways, ["person", "component"]);
}
