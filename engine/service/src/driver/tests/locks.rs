//! Releases that want the same locks.

use super::*;
use crate::request::PeopleCommand;

const TRAIN: &str = "
process: train
phases:
  live:
    locks: [live]
    activities:
      go: { manual: { instructions: Go. } }
";

/// A phase with one lock, and in it an activity with the other.
const CROSS: &str = "
process: cross
inputs: { outer: { type: string }, inner: { type: string } }
phases:
  outer:
    locks: ['${{ inputs.outer }}']
    activities:
      first: { manual: { instructions: Go. } }
      second: { needs: [first], manual: { instructions: Go. }, locks: ['${{ inputs.inner }}'] }
";

fn start(world: &mut World, process: &str, inputs: serde_json::Value, urgent: bool) -> ReleaseId {
    let new = NewRelease {
        process: process.parse().expect("a name"),
        inputs,
        emergency: urgent.then(|| "it burns".to_owned()),
        ..ship()
    };
    let mut answered = world.ask_create(new);
    world.flush();
    answered.try_recv().expect("answered").expect("created").id
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

fn world() -> World {
    let mut world = World::new(Config::default());
    world.publish(TRAIN);
    world.publish(CROSS);
    world
}

/// Who holds `name`, and who waits for it.
fn line(world: &World, name: &str) -> (Vec<ReleaseId>, Vec<ReleaseId>) {
    let locks = world.driver.locks();
    let lock = locks.into_iter().find(|lock| lock.name == name);
    let of = |claims: Vec<crate::locks::LockClaim>| claims.iter().map(|c| c.release).collect();
    lock.map_or_else(Default::default, |lock| {
        (of(lock.holders), of(lock.waiting))
    })
}

#[test]
fn who_waits_longest_is_next_and_emergencies_go_ahead() {
    let mut world = world();
    let ids: Vec<ReleaseId> = (0..3)
        .map(|at| {
            world.now = Timestamp(2_000 + at);
            start(&mut world, "train", json!({}), at == 2)
        })
        .collect();
    assert_eq!(line(&world, "live"), (vec![ids[0]], vec![ids[2], ids[1]]));
    let before = world.store.commits();
    approve(&mut world, ids[0], "live/go");
    assert_eq!(
        world.store.commits(),
        before + 1,
        "let go and granted in one"
    );
    assert_eq!(line(&world, "live"), (vec![ids[2]], vec![ids[1]]));
    let mut world = world.restart();
    assert_eq!(line(&world, "live"), (vec![ids[2]], vec![ids[1]]));
    world.input(ids[2], abort()).expect("aborted");
    assert_eq!(line(&world, "live"), (vec![ids[1]], Vec::new()));
    approve(&mut world, ids[1], "live/go");
    assert!(world.driver.locks().is_empty());
}

#[test]
fn a_paused_release_keeps_nobody_waiting() {
    let mut world = world();
    let ids: Vec<ReleaseId> = (0..3)
        .map(|_| start(&mut world, "train", json!({}), false))
        .collect();
    let next = line(&world, "live").1[0];
    let last = line(&world, "live").1[1];
    world
        .input(next, Command::Pause { reason: None })
        .expect("paused");
    approve(&mut world, ids[0], "live/go");
    assert_eq!(line(&world, "live"), (vec![last], vec![next]));
    world.input(next, Command::Resume).expect("resumed");
    approve(&mut world, last, "live/go");
    assert_eq!(line(&world, "live"), (vec![next], Vec::new()));
}

#[test]
fn more_may_hold_a_lock_whose_capacity_was_set() {
    let mut world = world();
    let ids: Vec<ReleaseId> = (0..3)
        .map(|_| start(&mut world, "train", json!({}), false))
        .collect();
    let set = |world: &mut World, lock: &str, capacity| {
        let (answer, mut answered) = oneshot::channel();
        let set = crate::wake::SetCapacity {
            lock: lock.to_owned(),
            capacity,
        };
        world.handle(Wake::Request(Request::SetCapacity(Box::new(set), answer)));
        world.flush();
        answered
            .try_recv()
            .expect("answered")
            .map(|lock| lock.holders.len())
    };
    assert!(matches!(set(&mut world, "live", 2), Ok(2)));
    let mut world = world.restart();
    assert_eq!(line(&world, "live").0.len(), 2, "{ids:?}");
    assert!(set(&mut world, "live", 0).is_err());
    assert!(set(&mut world, "process/train", 2).is_err());
    assert!(
        matches!(set(&mut world, "live", 1), Ok(2)),
        "who holds it keeps it"
    );
}

#[test]
fn nobody_waits_for_who_waits_for_it() {
    let mut world = world();
    let one = start(
        &mut world,
        "cross",
        json!({ "outer": "a", "inner": "b" }),
        false,
    );
    let two = start(
        &mut world,
        "cross",
        json!({ "outer": "b", "inner": "a" }),
        false,
    );
    approve(&mut world, one, "outer/first");
    assert_eq!(world.state(one), "succeeded blocked");
    approve(&mut world, two, "outer/first");
    assert_eq!(world.state(two), "succeeded on-hold");
    let same = start(
        &mut world,
        "cross",
        json!({ "outer": "c", "inner": "c" }),
        false,
    );
    approve(&mut world, same, "outer/first");
    assert_eq!(
        world.state(same),
        "succeeded needs-people",
        "it holds it already"
    );
}

#[test]
fn a_process_bounds_its_running_releases() {
    let mut world = world();
    world.publish(
        &TRAIN
            .replace("phases:", "concurrency: 2\nphases:")
            .replace("locks: [live]", ""),
    );
    let ids: Vec<ReleaseId> = (0..3)
        .map(|_| start(&mut world, "train", json!({}), false))
        .collect();
    let (holders, waiting) = line(&world, "process/train");
    assert_eq!((holders.len(), waiting.len()), (2, 1), "{ids:?}");
    approve(&mut world, holders[0], "live/go");
    assert_eq!(line(&world, "process/train").0.len(), 2);
    assert_eq!(world.state(waiting[0]), "needs-people");
}
