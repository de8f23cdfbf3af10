//! Releases that wait for each other.

use super::*;

const FOLLOW: &str = "
process: follow
phases:
  before:
    activities:
      named: { wait: { signal: named } }
  wait:
    needs: [before]
    activities:
      other:
        wait: { release: '${{ phases.before.activities.named.outputs.id }}', reaches: before, process: follow }
";

fn follow() -> NewRelease {
    NewRelease {
        process: "follow".parse().expect("a name"),
        ..ship()
    }
}

fn start(world: &mut World) -> ReleaseId {
    let mut answered = world.ask_create(follow());
    world.flush();
    answered.try_recv().expect("answered").expect("created").id
}

/// Tells `release` to wait for `other`.
fn name(world: &mut World, release: ReleaseId, other: ReleaseId) {
    let signal = Command::Signal {
        activity: "before/named".to_owned(),
        delivery: Digest::of(b"d"),
        payload: Json::of(&json!({ "id": other.to_string() })),
    };
    world.input(release, signal).expect("taken");
}

fn code(world: &World, release: ReleaseId) -> Option<String> {
    use fermata_core::release::state::ActivityState;
    let release = world.driver.release(release)?;
    match release.activity_state(fermata_core::process::ActivityIx(1)) {
        ActivityState::OnHold { failure, .. } => failure.code.clone(),
        _ => None,
    }
}

fn world() -> World {
    let mut world = World::new(Config::default());
    world.publish(FOLLOW);
    world
}

#[test]
fn a_release_goes_on_when_the_other_is_there_in_the_same_commit() {
    let mut world = world();
    let (first, second) = (start(&mut world), start(&mut world));
    let third = start(&mut world);
    name(&mut world, second, first);
    assert_eq!(world.state(second), "succeeded suspended");
    let before = world.store.commits();
    name(&mut world, first, third);
    assert_eq!(world.store.commits(), before + 1);
    assert_eq!(world.state(second), "gone", "it has succeeded");
}

#[test]
fn an_ended_release_is_found_on_disk() {
    let mut world = world();
    let (first, second) = (start(&mut world), start(&mut world));
    world.input(first, abort()).expect("aborted");
    let mut world = world.restart();
    name(&mut world, second, first);
    assert_eq!(code(&world, second).as_deref(), Some("never-reached"));
    let other = world.create();
    let third = start(&mut world);
    name(&mut world, third, other);
    assert_eq!(code(&world, third).as_deref(), Some("other-process"));
    let fourth = start(&mut world);
    name(&mut world, fourth, ReleaseId(7));
    assert_eq!(code(&world, fourth).as_deref(), Some("unknown-release"));
}

#[test]
fn a_circle_of_waits_is_told() {
    let mut world = World::new(Config::default());
    // What it waits for lies behind its own wait.
    world.publish(&FOLLOW.replace("reaches: before", "reaches: ended"));
    let releases = [start(&mut world), start(&mut world), start(&mut world)];
    name(&mut world, releases[0], releases[1]);
    name(&mut world, releases[1], releases[2]);
    assert_eq!(code(&world, releases[1]), None);
    name(&mut world, releases[2], releases[0]);
    assert_eq!(code(&world, releases[2]).as_deref(), Some("release-cycle"));
    let own = start(&mut world);
    name(&mut world, own, own);
    assert_eq!(code(&world, own).as_deref(), Some("release-cycle"));
}

#[test]
fn a_wait_goes_on_after_a_restart() {
    let mut world = world();
    let (first, second) = (start(&mut world), start(&mut world));
    name(&mut world, second, first);
    let mut world = world.restart();
    assert_eq!(world.state(second), "succeeded suspended");
    let third = start(&mut world);
    name(&mut world, first, third);
    assert_eq!(world.state(second), "gone");
}
