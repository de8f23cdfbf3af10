//! Releases that go back together with the releases that started them.

use super::*;
use crate::request::UndoDecision;
use fermata_core::process::ActivityIx;
use fermata_core::release::state::ActivityState;

const PARENT: &str = "
process: parent
phases:
  only:
    activities:
      sub: { process: { name: child } }
      last: { needs: [sub], uses: noop@1, on-failure: rollback }
";

const CHILD: &str = "
process: child
phases:
  only:
    activities:
      a: { uses: noop@1 }
      b: { needs: [a], uses: noop@1 }
";

/// A parent, and the child that it started.
fn start() -> (World, ReleaseId, ReleaseId) {
    let mut world = World::new(Config::default());
    for document in [CHILD, PARENT] {
        world.publish(document);
    }
    let new = NewRelease {
        process: "parent".parse().expect("a name"),
        inputs: json!({}),
        ..ship()
    };
    let mut answered = world.ask_create(new);
    world.flush();
    let parent = answered.try_recv().unwrap().unwrap().id;
    let child = world.driver.release(parent).unwrap().child(ActivityIx(0));
    let child = child.expect("it has a child").release;
    (world, parent, child)
}

fn finish(world: &mut World, key: AttemptKey) {
    world.finish(key, ok());
    world.flush();
}

fn fail(world: &mut World, key: AttemptKey) {
    let failure = Failure::new(FailureClass::Permanent, "it does not work");
    let outcome = Outcome::Failed {
        failure,
        retry_after: None,
    };
    world.finish(key, outcome);
    world.flush();
}

/// How a release has ended; it may be open still, since nobody has said why it had to go back.
fn end(world: &World, id: ReleaseId) -> Option<&'static str> {
    let live = world.driver.release(id).cloned();
    let release = live.or_else(|| world.driver.shared().recent.get(id))?;
    release.has_ended().then(|| release.state().word())
}

#[test]
fn an_ended_child_goes_back_before_its_parent_has_gone_back() {
    let (mut world, parent, child) = start();
    finish(&mut world, key(child, 0, 1));
    finish(&mut world, key(child, 1, 1));
    assert_eq!(end(&world, child), Some("succeeded"));
    fail(&mut world, key(parent, 1, 1));
    assert_eq!(
        world.state(parent),
        "succeeded undoing",
        "what came last goes back first"
    );
    finish(&mut world, key(parent, 1, 2));
    assert_eq!(world.state(parent), "undoing undone");
    assert_eq!(world.state(child), "succeeded undoing");
    let mut world = world.restart();
    finish(&mut world, key(child, 1, 2));
    assert_eq!(world.state(child), "undoing undone");
    finish(&mut world, key(child, 0, 2));
    assert_eq!(end(&world, child), Some("rolled-back"));
    assert_eq!(end(&world, parent), Some("rolled-back"));
    world.restart();
}

#[test]
fn a_child_that_is_under_way_goes_back_from_where_it_is() {
    let (mut world, parent, child) = start();
    finish(&mut world, key(child, 0, 1));
    let rollback = Command::Rollback {
        reason: "wrong version".to_owned(),
    };
    world.input(parent, rollback).expect("taken");
    assert_eq!(world.state(parent), "undoing aborted");
    assert_eq!(
        world.state(child),
        "succeeded running",
        "a run is let end before its effect is taken back"
    );
    finish(&mut world, key(child, 1, 1));
    finish(&mut world, key(child, 1, 2));
    finish(&mut world, key(child, 0, 2));
    assert_eq!(end(&world, child), Some("rolled-back"));
    assert_eq!(end(&world, parent), Some("rolled-back"));
}

#[test]
fn a_child_that_cannot_go_back_needs_a_person() {
    let (mut world, parent, child) = start();
    finish(&mut world, key(child, 0, 1));
    finish(&mut world, key(child, 1, 1));
    fail(&mut world, key(parent, 1, 1));
    finish(&mut world, key(parent, 1, 2));
    fail(&mut world, key(child, 1, 2));
    let accept = Command::DecideUndo {
        activity: "only/b".to_owned(),
        decision: UndoDecision::Accept {
            reason: "it may stay".to_owned(),
        },
    };
    world.input(child, accept).expect("taken");
    finish(&mut world, key(child, 0, 2));
    assert_eq!(end(&world, child), Some("failed"));
    let release = world.driver.release(parent).expect("open");
    let ActivityState::UndoFailed(failed) = release.activity_state(ActivityIx(0)) else {
        panic!("{}", world.state(parent));
    };
    assert_eq!(
        failed.failure.code.as_deref(),
        Some("child-not-rolled-back")
    );
    let mark = Command::DecideUndo {
        activity: "only/sub".to_owned(),
        decision: UndoDecision::MarkUndone {
            reason: "taken out by hand".to_owned(),
        },
    };
    world.input(parent, mark).expect("taken");
    assert_eq!(end(&world, parent), Some("rolled-back"));
}

#[test]
fn the_abort_of_a_rollback_stops_the_rollback_of_the_children() {
    let (mut world, parent, child) = start();
    finish(&mut world, key(child, 0, 1));
    finish(&mut world, key(child, 1, 1));
    fail(&mut world, key(parent, 1, 1));
    finish(&mut world, key(parent, 1, 2));
    world.input(parent, abort()).expect("aborted");
    assert_eq!(end(&world, parent), Some("aborted"));
    assert_eq!(end(&world, child), Some("aborted"));
}
