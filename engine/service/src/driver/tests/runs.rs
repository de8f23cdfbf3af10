//! Beginning and dropping runs.

use super::*;

fn slots(runs_max: usize) -> Config {
    Config {
        runs_max,
        ..Config::default()
    }
}

#[test]
fn no_more_runs_than_slots_and_every_release_gets_its_turn() {
    let mut world = World::new(slots(2));
    let mut answers = [world.ask_create(ship()), world.ask_create(ship())];
    world.flush();
    let [first, second] = answers
        .each_mut()
        .map(|answer| answer.try_recv().unwrap().unwrap().id);
    let (running, waiting) = world.driver.runs();
    assert_eq!(
        (running, waiting),
        (vec![key(first, 0, 1), key(second, 0, 1)], 2)
    );
    world.finish(key(first, 0, 1), ok());
    world.flush();
    assert_eq!(world.driver.runs().0, [key(first, 1, 1), key(second, 0, 1)]);
}

#[test]
fn an_abort_cancels_what_runs_and_forgets_what_waits() {
    let mut world = World::new(slots(1));
    let id = world.create();
    assert_eq!(world.done(), ["+0.1.1"]);
    world.input(id, abort()).unwrap();
    assert_eq!(world.done(), ["-0.1.1"]);
    let next = world.create();
    assert_eq!(
        world.done(),
        [""; 0],
        "the slot is free when the run is gone, not before"
    );
    world.handle(Wake::Dropped { key: key(id, 0, 1) });
    world.flush();
    assert_eq!(world.driver.runs().0, [key(next, 0, 1)]);
}

#[test]
fn a_skip_cancels_the_run_and_its_late_result_counts_for_nothing() {
    let mut world = World::new(Config::default());
    let id = world.create();
    world.done();
    let skip = Command::Skip {
        activity: "build/a".to_owned(),
        reason: "no need".to_owned(),
    };
    world.input(id, skip).unwrap();
    assert_eq!(world.done(), ["-0.1.1"]);
    let version = world.driver.release(id).unwrap().version();
    world.finish(key(id, 0, 1), ok());
    world.flush();
    assert_eq!(world.driver.release(id).unwrap().version(), version);
    assert_eq!(world.driver.metrics().results_stale, 1);
}

#[test]
fn a_result_counts_once_and_only_for_the_current_run() {
    let mut world = World::new(Config::default());
    let id = world.create();
    world.finish(key(id, 0, 1), failed(FailureClass::Retryable));
    world.finish(key(id, 0, 1), ok());
    world.finish(key(id, 1, 2), ok());
    world.finish(key(ReleaseId(5), 0, 1), ok());
    world.flush();
    assert_eq!(world.state(id), "retrying running waiting");
    assert_eq!(world.driver.metrics().results_stale, 3);
}

#[test]
fn a_run_ends_by_itself_before_its_time_is_over() {
    let mut world = World::new(Config::default());
    world.create();
    let Some(Action::Start(run)) = world.actions.first() else {
        panic!("nothing began");
    };
    assert_eq!(run.invocation.wall, Span(60_000 - 100));
}
