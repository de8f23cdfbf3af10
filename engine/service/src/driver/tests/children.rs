//! Releases that start releases.

use super::*;
use crate::request::PeopleCommand;
use fermata_core::process::ActivityIx;

const PARENT: &str = "
process: parent
inputs: { n: { type: integer, default: 7 } }
phases:
  only:
    activities:
      sub: { process: { name: child, inputs: { n: '${{ inputs.n }}' } } }
      ask: { manual: { instructions: Look. } }
outputs:
  given: '${{ phases.only.activities.sub.outputs.n }}'
";

const CHILD: &str = "
process: child
inputs: { n: { type: integer, maximum: 9 } }
phases:
  only:
    activities:
      ask: { manual: { instructions: Look. } }
outputs: { n: '${{ inputs.n }}' }
";

/// A process that is its own child, for ever.
const SELF: &str = "
process: self
phases:
  only:
    activities:
      sub: { process: { name: self } }
";

fn start(world: &mut World, process: &str, inputs: serde_json::Value) -> ReleaseId {
    let new = NewRelease {
        process: process.parse().expect("a name"),
        inputs,
        ..ship()
    };
    let mut answered = world.ask_create(new);
    world.flush();
    answered.try_recv().expect("answered").expect("created").id
}

fn world() -> World {
    let mut world = World::new(Config::default());
    for document in [PARENT, CHILD, SELF] {
        world.publish(document);
    }
    world
}

fn approve(world: &mut World, release: ReleaseId, activity: &str) {
    let approve = Command::People {
        activity: activity.to_owned(),
        what: PeopleCommand::Approve {
            comment: None,
            form: None,
            content: None,
            backup_of: None,
        },
    };
    world.input(release, approve).expect("approved");
}

fn child(world: &World, parent: ReleaseId) -> ReleaseId {
    let release = world.driver.release(parent).expect("open");
    release
        .child(ActivityIx(0))
        .expect("it has a child")
        .release
}

fn code(world: &World, release: ReleaseId) -> Option<String> {
    use fermata_core::release::state::ActivityState;
    match world.driver.release(release)?.activity_state(ActivityIx(0)) {
        ActivityState::OnHold { failure, .. } => failure.code.clone(),
        _ => None,
    }
}

#[test]
fn a_child_gives_its_outputs_and_comes_with_its_parent() {
    let mut world = world();
    let before = world.store.commits();
    let parent = start(&mut world, "parent", json!({}));
    assert_eq!(world.store.commits(), before + 1, "both in one commit");
    let sub = child(&world, parent);
    assert_eq!(world.state(sub), "needs-people");
    let above = world
        .driver
        .release(sub)
        .unwrap()
        .parent()
        .cloned()
        .unwrap();
    assert_eq!(
        (above.release, above.path.as_str(), above.depth),
        (parent, "only/sub", 1)
    );
    let mut world = world.restart();
    assert_eq!(world.driver.releases().count(), 2);
    approve(&mut world, sub, "only/ask");
    assert_eq!(world.state(parent), "succeeded needs-people");
    approve(&mut world, parent, "only/ask");
    let ended = world
        .driver
        .shared()
        .recent
        .get(parent)
        .expect("ended lately");
    assert_eq!(
        ended.outputs().map(ToString::to_string),
        Some(r#"{"given":7}"#.to_owned())
    );
}

#[test]
fn a_child_that_fails_or_cannot_be_made_says_so() {
    let mut world = world();
    let parent = start(&mut world, "parent", json!({}));
    let first = child(&world, parent);
    world.input(first, abort()).expect("aborted");
    assert_eq!(code(&world, parent).as_deref(), Some("child-failed"));
    let retry = Command::Retry {
        activity: "only/sub".to_owned(),
        with: Some(Json::of(&json!({ "n": 99 }))),
    };
    world.input(parent, retry).expect("taken");
    assert_eq!(code(&world, parent).as_deref(), Some("invalid-inputs"));
    let launch = |process: &str| Command::Launch {
        activity: "only/sub".to_owned(),
        process: process.parse().expect("a name"),
        version: None,
        inputs: Json::of(&json!({ "n": 3 })),
    };
    let refused = world.input(parent, launch("nowhere"));
    assert!(
        matches!(refused, Err(InputError::Refused(_))),
        "{refused:?}"
    );
    world.input(parent, launch("child")).expect("launched");
    let last = child(&world, parent);
    assert_ne!(first, last);
    approve(&mut world, last, "only/ask");
    assert_eq!(world.state(parent), "succeeded needs-people");
}

#[test]
fn what_is_given_up_gives_its_children_up() {
    let mut world = world();
    let parent = start(&mut world, "parent", json!({}));
    let launch = Command::Launch {
        activity: "only/ask".to_owned(),
        process: "child".parse().expect("a name"),
        version: Some(1),
        inputs: Json::of(&json!({ "n": 1 })),
    };
    world
        .input(parent, launch)
        .expect("launched beside the question");
    assert_eq!(world.driver.releases().count(), 3);
    let mut world = world.restart();
    world.input(parent, abort()).expect("aborted");
    assert_eq!(world.driver.releases().count(), 0);
    let skipped = start(&mut world, "parent", json!({}));
    let skip = Command::Skip {
        activity: "only/sub".to_owned(),
        reason: "no need".to_owned(),
    };
    world.input(skipped, skip).expect("skipped");
    assert_eq!(world.driver.releases().count(), 1);
}

#[test]
fn children_of_children_have_an_end() {
    let mut world = world();
    start(&mut world, "self", json!({}));
    assert_eq!(world.driver.releases().count(), 6);
    let deepest = world
        .driver
        .releases()
        .find(|release| release.child(ActivityIx(0)).is_none());
    let deepest = deepest.expect("one has no child").id();
    assert_eq!(code(&world, deepest).as_deref(), Some("too-deep"));
}
