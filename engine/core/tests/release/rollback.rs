//! Rollback from wherever a release has come to: it ends with every effect taken back in reverse
//! order, or it needs a person and says why.

use std::collections::BTreeSet;

use fermata_core::actor::Caller;
use fermata_core::attempt::{Call, Outcome, Resume};
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::json::Json;
use fermata_core::process::ActivityIx;
use fermata_core::release::event::{Event, PlannedUndo, ReleaseOutcome, UndoWay};
use fermata_core::release::input::What;
use fermata_core::release::refusal::Refusal;
use fermata_core::release::state::{ActivityState, ReleaseState};
use fermata_core::release::{WaitsOn, rollback_plan, why};
use fermata_core::time::Span;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::graphs::documents;
use crate::random::{Action, act};
use crate::world::{World, person};

fn stories() -> impl Strategy<Value = (String, Vec<Action>, Vec<u8>)> {
    let actions = vec((0..28_u8, any::<u8>(), any::<u8>()), 0..80);
    (documents(), actions, vec(any::<u8>(), 1..40))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_effect_is_undone_or_a_person_is_needed((document, actions, guests) in stories()) {
        let mut world = World::draft(&document, serde_json::json!({}));
        for (number, action) in actions.into_iter().enumerate() {
            act(&mut world, number, action);
        }
        let plan: Vec<_> = rollback_plan(&world.release).concat();
        let ana = || person("ana", &[]);
        let reason = "to see whether it goes back".to_owned();
        match world.input(ana(), What::Rollback { reason }) {
            Ok(_) | Err(Refusal::AlreadyRollingBack) => {}
            Err(Refusal::NothingToUndo) => {
                let any = plan.iter().any(|planned| is_target(planned.way));
                prop_assert!(!any);
                return Ok(());
            }
            Err(Refusal::PointOfNoReturn(_)) => {
                let kept = plan.iter().any(|planned| matches!(planned.way, UndoWay::Kept { .. }));
                prop_assert!(kept);
                return Ok(());
            }
            // It had not begun, or had been rolled back before.
            Err(Refusal::NotStarted | Refusal::Ended("rolled-back")) => return Ok(()),
            Err(other) => panic!("{other}"),
        }
        go_back(&mut world, &guests);
        prop_assert_eq!(&world.replayed(), &world.release);
        in_reverse(&world);
    }
}

/// A guest that succeeds.
const SUCCEEDS: u8 = 7;

fn is_target(way: UndoWay) -> bool {
    matches!(
        way,
        UndoWay::Component | UndoWay::Uses | UndoWay::Person | UndoWay::Children
    )
}

/// Lets guests do what they like on the way back, until the release has ended or nothing moves but
/// by a person; then each person does something, and so on.
fn go_back(world: &mut World, guests: &[u8]) {
    let mut guests = guests.iter().cycle();
    let mut rounds = 0;
    while !world.release.has_ended() {
        rounds += 1;
        // Guests that always fail and people who always try again would go on for ever.
        let calm = rounds > 300;
        assert!(rounds < 2_000, "no end: {:?}", why(&world.release));
        if matches!(world.release.state(), ReleaseState::Paused { .. }) {
            let resumed = world.input(person("ana", &[]), What::Resume);
            resumed.expect("it is paused");
            continue;
        }
        let runs: Vec<_> = world
            .activities()
            .filter_map(|ix| world.release.current_run(ix))
            .collect();
        if let Some(key) = runs.first() {
            let guest = *guests.next().expect("for ever");
            let outcome = outcome(if calm { SUCCEEDS } else { guest });
            let call = world
                .release
                .invocation(*key, world.now)
                .expect("it runs")
                .call;
            if let Call::Undo { outputs: Some(_) } = call {
                let state = world.release.activity_state(key.activity).forward();
                assert!(matches!(state, ActivityState::Succeeded { .. }));
            }
            world.finish(*key, outcome).expect("the current run counts");
        } else if let Some(at) = world.release.wake_at() {
            world.pass(at.since(world.now));
        } else {
            let choice = *guests.next().expect("for ever");
            decide(world, if calm { SUCCEEDS } else { choice });
        }
    }
    ended_honestly(world);
}

fn outcome(guest: u8) -> Outcome {
    let failed = |class| Outcome::Failed {
        failure: Failure::new(class, "no"),
        retry_after: None,
    };
    match guest % 8 {
        0 => failed(FailureClass::Retryable),
        1 => failed(FailureClass::Permanent),
        2 => Outcome::Pending {
            checkpoint: vec![guest],
            resume: Resume::After(Span(600_000)),
            status: None,
        },
        _ => Outcome::Succeeded(Json::empty_object()),
    }
}

/// Nothing moves: then somebody is asked about an effect, with a reason, and can act.
fn decide(world: &mut World, choice: u8) {
    let waiting = why(&world.release);
    let asked = waiting
        .iter()
        .find(|waiting| matches!(waiting.on, WaitsOn::Decision { .. }));
    let asked = asked.unwrap_or_else(|| panic!("nothing moves and nobody is asked: {waiting:?}"));
    let activity = asked.activity.expect("an effect");
    let action = asked.actions[usize::from(choice) % asked.actions.len()];
    let reason = "because".to_owned();
    let what = match action {
        "retry-undo" => What::RetryUndo { activity },
        "mark-undone" => What::MarkUndone { activity, reason },
        "accept-not-undone" => What::AcceptNotUndone { activity, reason },
        other => panic!("{other} is no way on"),
    };
    let done: Result<_, Refusal> = world.input(person("ben", &[]), what);
    done.expect("what is offered is not refused");
}

/// Rolled back means that nothing is left; what is left makes it failed, and is told.
fn ended_honestly(world: &World) {
    let rollback = world.release.rollback().expect("it went back");
    let mut results = rollback
        .plan
        .iter()
        .map(|planned| world.release.undo_result(planned));
    let gone = results.all(fermata_core::release::UndoResult::is_gone);
    let ReleaseState::Ended { outcome, .. } = world.release.state() else {
        panic!("it has ended");
    };
    let expected = if gone {
        ReleaseOutcome::RolledBack
    } else {
        ReleaseOutcome::Failed
    };
    assert_eq!(*outcome, expected);
    assert!(rollback.root_cause.is_some());
}

/// In the last rollback, an undo begins only after everything that depends on it was dealt with.
fn in_reverse(world: &World) {
    let events = world.turns.iter().flat_map(|turn| &turn.events);
    let events: Vec<&Event> = events.collect();
    let start = events
        .iter()
        .rposition(|event| matches!(event, Event::RollbackStarted { .. }));
    let events = &events[start.expect("it went back")..];
    let Event::RollbackStarted { plan, .. } = events[0] else {
        panic!("it is one");
    };
    let targets: BTreeSet<ActivityIx> = plan
        .iter()
        .filter(|planned| is_target(planned.way))
        .map(|planned| planned.activity)
        .collect();
    let mut dealt_with = BTreeSet::new();
    for event in events {
        match event {
            Event::UndoStarted { activity, .. } | Event::UndoHeld { activity, .. } => {
                assert!(!dealt_with.contains(activity), "undone twice");
                for after in downstream(world, *activity) {
                    let open = targets.contains(&after) && !dealt_with.contains(&after);
                    assert!(
                        !open,
                        "{} before {}",
                        world.release.process().path(*activity),
                        world.release.process().path(after)
                    );
                }
            }
            Event::Undone { activity, .. } | Event::UndoAccepted { activity, .. } => {
                assert!(dealt_with.insert(*activity), "dealt with twice");
            }
            _ => {}
        }
    }
    assert_eq!(dealt_with, targets);
}

/// Everything that depends on an activity, however indirectly: looked up anew, as a reference.
fn downstream(world: &World, ix: ActivityIx) -> BTreeSet<ActivityIx> {
    let process = world.release.process();
    let mut found = BTreeSet::new();
    let mut open = vec![ix];
    while let Some(ix) = open.pop() {
        let of = process.activity(ix);
        for other in world.activities() {
            let activity = process.activity(other);
            let phase_needs = &process.phase(activity.phase).needs;
            let depends = activity.needs.contains(&ix) || phase_needs.contains(&of.phase);
            if depends && found.insert(other) {
                open.push(other);
            }
        }
    }
    found
}

#[test]
fn the_engine_asks_for_a_rollback_by_itself() {
    let document = "process: x\non-failure: rollback\nphases:\n  one:\n    activities:\n      a: { uses: work@1 }\n      b: { needs: [a], uses: work@1 }\n";
    let mut world = World::start(document, serde_json::json!({}));
    world.succeed(ActivityIx(0));
    let key = world.release.current_run(ActivityIx(1)).expect("it runs");
    let turn = world.finish(key, outcome(1)).expect("it counts");
    let asked = turn.events.iter().any(|event| {
        matches!(
            event,
            Event::RollbackStarted {
                trigger: Some(ActivityIx(1)),
                ..
            }
        )
    });
    assert!(asked, "{turn:?}");
    assert_eq!(turn.by, Caller::engine().actor);
    go_back(&mut world, &[7]);
    assert_eq!(world.release.state().word(), "rolled-back");
}

#[test]
fn what_was_turned_away_had_no_effect_and_is_no_point_that_was_passed() {
    let document = "process: x\nphases:\n  one:\n    activities:\n      a: { uses: work@1 }\n      b: { needs: [a], uses: work@1, point-of-no-return: true }\n";
    let mut world = World::start(document, serde_json::json!({}));
    world.succeed(ActivityIx(0));
    let key = world.release.current_run(ActivityIx(1)).expect("it runs");
    let failure = Failure::new(FailureClass::PolicyDenied, "closed");
    let denied = What::AttemptTurnedAway { key, failure };
    world.input(Caller::engine(), denied).expect("it counts");
    assert_eq!(world.replayed(), world.release);
    let plan: Vec<_> = rollback_plan(&world.release).concat();
    let ways: Vec<_> = plan.iter().map(|it| (it.activity.0, it.way)).collect();
    assert_eq!(ways, [(0, UndoWay::Component)]);
    // Another attempt does begin.
    let retry = What::Retry {
        activity: ActivityIx(1),
        with: None,
    };
    world
        .input(person("ana", &[]), retry)
        .expect("it is on hold");
    let plan: Vec<_> = rollback_plan(&world.release).concat();
    let kept = |it: &PlannedUndo| matches!(it.way, UndoWay::Kept { .. });
    assert_eq!((plan.len(), plan.iter().all(kept)), (2, true));
}
