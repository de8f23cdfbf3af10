//! What a turn costs and what a release weighs: counted, not timed.

use std::fmt::Write as _;
use std::mem::size_of;

use fermata_core::limits::{ACTIVITIES_MAX, INSTANCES_MAX, TIMERS_PER_TURN_MAX};
use fermata_core::process::ActivityIx;
use fermata_core::release::event::Event;
use fermata_core::release::input::What;
use fermata_core::release::state::ActivityState;
use fermata_core::release::{turn, work};
use fermata_core::time::Span;
use serde_json::json;

use crate::world::World;

fn wide(count: usize, activity: &str) -> String {
    let mut text = "process: wide\nphases:\n  one:\n    activities:\n".to_owned();
    for number in 0..count {
        writeln!(text, "      a{number}: {activity}").expect("text");
    }
    text
}

#[test]
fn a_chain_of_the_largest_process_is_walked_and_broken_without_recursion() {
    let mut text =
        "process: chain\non-failure: fail\nphases:\n  one:\n    activities:\n".to_owned();
    writeln!(text, "      a0: {{ uses: work@1 }}").expect("text");
    for number in 1..ACTIVITIES_MAX {
        let before = number - 1;
        writeln!(
            text,
            "      a{number}: {{ needs: [a{before}], uses: work@1 }}"
        )
        .expect("text");
    }
    let mut world = World::start(&text, json!({}));
    let first = world.succeed(ActivityIx(0));
    assert_eq!(first.events.len(), 2, "a success and the next attempt");
    world.pass(Span(u64::from(u32::MAX)));
    let last = world.turns.last().expect("the timeout");
    // The second activity fails, all behind it are skipped, phase and release end.
    assert_eq!(last.events.len(), 2 + (ACTIVITIES_MAX - 2) + 2);
    assert!(world.release.has_ended());
}

#[test]
fn many_timers_at_one_instant_are_answered_in_bounded_turns() {
    let count = TIMERS_PER_TURN_MAX * 2 + 1;
    let mut world = World::start(&wide(count, "{ uses: work@1, timeout: 1m }"), json!({}));
    assert_eq!(work(&world.release).runs.len(), count);
    let before = world.turns.len();
    world.pass(Span(60_000));
    let turns = &world.turns[before..];
    let failed = |event: &&Event| matches!(event, Event::AttemptFailed { .. });
    let counts = turns
        .iter()
        .map(|turn| turn.events.iter().filter(failed).count());
    assert_eq!(
        counts.collect::<Vec<_>>(),
        [TIMERS_PER_TURN_MAX, TIMERS_PER_TURN_MAX, 1]
    );
}

#[test]
fn events_of_a_completion_do_not_depend_on_the_size_of_the_graph() {
    for count in [10, 5_000] {
        let mut world = World::start(&wide(count, "{ uses: work@1 }"), json!({}));
        let key = world.release.current_run(ActivityIx(3)).expect("it runs");
        let input = fermata_core::release::input::Input {
            by: fermata_core::actor::Caller::engine(),
            what: What::AttemptFinished {
                key,
                report: fermata_core::attempt::Report {
                    outcome: fermata_core::attempt::Outcome::Succeeded(
                        fermata_core::json::Json::empty_object(),
                    ),
                    evidence: Vec::new(),
                },
            },
        };
        let turn = turn(&mut world.release, &input, world.now).expect("the current run counts");
        assert_eq!(turn.events.len(), 1, "{count}");
    }
}

#[test]
fn a_state_fits_into_two_cache_lines() {
    // Ten thousand waiting releases of ten activities each are to fit into 80 MB with all they
    // hold besides; a large variant belongs into a box.
    assert!(
        size_of::<ActivityState>() <= 128,
        "{}",
        size_of::<ActivityState>()
    );
}

/// A started release that runs `activities` once for each of so many items.
fn fanned(count: usize, more: &str) -> World {
    let text = format!(
        "process: wide\ninputs: {{ all: {{ type: array }} }}\nphases:\n  one:\n    each: ${{{{ inputs.all }}}}\n    {more}\n    activities:\n      first: {{ uses: work@1, with: {{ to: '${{{{ each.item }}}}' }} }}\n      last: {{ needs: [first], uses: work@1 }}\n"
    );
    let all: Vec<usize> = (0..count).collect();
    World::start(&text, json!({ "all": all }))
}

#[test]
fn events_of_a_completion_do_not_depend_on_the_number_of_instances() {
    for count in [10, 2_000] {
        let mut world = fanned(count, "batches: [5]");
        let first = world.release.process().find("one[3]/first").expect("there");
        let last = world.release.process().find("one[3]/last").expect("there");
        assert_eq!(world.succeed(first).events.len(), 2, "{count}");
        assert_eq!(world.succeed(last).events.len(), 2, "{count}");
    }
}

#[test]
fn the_largest_fan_out_is_held_and_a_larger_one_is_none() {
    let world = fanned(INSTANCES_MAX, "batches: [1]");
    let phases = world.release.process().phases.len();
    assert_eq!(phases, INSTANCES_MAX + 1);
    let world = fanned(INSTANCES_MAX + 1, "batches: [1]");
    assert_eq!(world.release.process().phases.len(), 1);
    let held = world.release.activity_state(ActivityIx(0));
    let ActivityState::OnHold { failure, .. } = held else {
        panic!("{held:?}");
    };
    let expected = format!(
        "`each` gave too much: {} items are more than {INSTANCES_MAX}",
        INSTANCES_MAX + 1
    );
    assert_eq!(failure.message, expected);
}

#[test]
fn fan_outs_that_are_ready_at_once_share_what_a_release_may_have() {
    let mut text = "process: wide\ninputs: { all: { type: array } }\nphases:\n".to_owned();
    for number in 0..3 {
        writeln!(
            text,
            "  p{number}: {{ each: '${{{{ inputs.all }}}}', batches: [1], activities: {{ a: {{ uses: work@1 }} }} }}"
        )
        .expect("text");
    }
    let all: Vec<usize> = (0..INSTANCES_MAX / 2).collect();
    let world = World::start(&text, json!({ "all": all }));
    assert_eq!(world.release.process().phases.len(), INSTANCES_MAX + 3);
    let third = world.release.activity_state(ActivityIx(2));
    assert_eq!(
        third.word(),
        "on-hold",
        "there is room for two of the three"
    );
}
