//! Histories that do not fit: the fold is total, and replay says what is wrong.

use std::sync::Arc;

use fermata_core::actor::Actor;
use fermata_core::attempt::Evidence;
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::json::Json;
use fermata_core::process::validate::validate;
use fermata_core::process::{ActivityIx, PhaseIx};
use fermata_core::release::event::{
    Event, OutputSource, PhaseOutcome, ReleaseOutcome, SkipReason, Turn,
};
use fermata_core::release::{Release, ReplayError};
use fermata_core::time::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::world::{ID, World};

const DOCUMENT: &str = "
process: small
phases:
  one:
    activities:
      a: { uses: work@1 }
      b: { needs: [a], manual: { instructions: Look. } }
  two: { needs: [one], activities: { c: { uses: work@1 } } }
";

#[test]
fn a_history_with_a_hole_is_refused() {
    let mut world = World::start(DOCUMENT, json!({}));
    world.succeed(ActivityIx(0));
    let replay = |turns: &[Turn]| Release::replay(ID, Arc::clone(&world.process), turns);
    let turns = &world.turns;
    assert_eq!(replay(&[]).err(), Some(ReplayError::NotCreated));
    assert_eq!(replay(&turns[1..]).err(), Some(ReplayError::NotCreated));
    let holes = [turns[0].clone(), turns[2].clone()];
    let gap = ReplayError::Gap {
        expected: 1,
        found: turns[2].first,
    };
    assert_eq!(replay(&holes).err(), Some(gap));
    let twice = [turns[0].clone(), turns[0].clone()];
    let gap = ReplayError::Gap {
        expected: 1,
        found: 0,
    };
    assert_eq!(replay(&twice).err(), Some(gap));
}

#[test]
fn a_history_of_another_process_is_refused() {
    let world = World::start(DOCUMENT, json!({}));
    let other = DOCUMENT.replace("small", "other");
    let other = validate(other.as_bytes(), None).expect("valid");
    let error = Release::replay(ID, Arc::new(other), &world.turns).expect_err("not its own");
    assert!(error.to_string().contains("version 1 of small"), "{error}");
}

/// Any event but the first, about nodes that may not exist.
fn any_event() -> impl Strategy<Value = Event> {
    let of_graph = (0..9_u8, 0..4_u32, 0..3_u32)
        .prop_map(|(kind, at, number)| event_of_graph(kind, (PhaseIx(at), ActivityIx(at)), number));
    let of_attempt =
        (0..5_u8, 0..4_u32, 0..3_u32, 0..3_i64).prop_map(|(kind, at, number, time)| {
            event_of_attempt(kind, ActivityIx(at), number, Timestamp(time))
        });
    let of_people = (0..4_u8, 0..4_u32, 0..3_u32)
        .prop_map(|(kind, at, number)| event_of_people(kind, ActivityIx(at), number));
    let of_end = (0..7_u8, 0..4_u32, 0..3_u32)
        .prop_map(|(kind, at, number)| event_of_end(kind, ActivityIx(at), number));
    prop_oneof![of_graph, of_attempt, of_people, of_end]
}

fn event_of_graph(kind: u8, (phase, activity): (PhaseIx, ActivityIx), number: u32) -> Event {
    match kind {
        0 => Event::Started {
            components: Vec::new(),
        },
        1 => Event::PhaseOpened {
            phase,
            fault: (number > 1).then(|| "no".to_owned()),
        },
        2 => Event::PhaseSkipped {
            phase,
            why: SkipReason::Condition,
        },
        3 => Event::PhaseEnded {
            phase,
            outcome: PhaseOutcome::Succeeded,
        },
        4 => Event::ActivityReadied { activity },
        5 => Event::Paused { reason: None },
        6 => Event::Resumed,
        7 => Event::Aborted {
            reason: "no".to_owned(),
        },
        _ => Event::Ended {
            outcome: ReleaseOutcome::Failed,
            outputs: None,
        },
    }
}

fn event_of_attempt(kind: u8, activity: ActivityIx, number: u32, time: Timestamp) -> Event {
    match kind {
        0 => Event::AttemptStarted {
            activity,
            attempt: number,
            with: (number > 1).then(Json::empty_object),
            deadline: time,
        },
        1 => Event::AttemptSuspended {
            activity,
            checkpoint: Vec::new(),
            resume_at: time,
            status: None,
        },
        2 => Event::AttemptResumed {
            activity,
            run: number,
        },
        3 => Event::AttemptFailed {
            activity,
            failure: Failure::new(FailureClass::Trap, "no"),
            retry_at: (number > 0).then_some(time),
        },
        _ => Event::EvidenceRecorded {
            activity,
            evidence: Evidence {
                kind: "note".to_owned(),
                fact: Json::empty_object(),
            },
        },
    }
}

fn event_of_people(kind: u8, activity: ActivityIx, number: u32) -> Event {
    match kind {
        0 => Event::PeopleAsked {
            activity,
            instructions: "Look.".to_owned(),
            expires_at: (number > 0).then_some(Timestamp(0)),
        },
        1 => Event::Approved {
            activity,
            rules: vec![number],
            comment: None,
            form: None,
        },
        2 => Event::Rejected {
            activity,
            comment: "no".to_owned(),
        },
        _ => Event::Expired { activity },
    }
}

fn event_of_end(kind: u8, activity: ActivityIx, number: u32) -> Event {
    let failure = (number > 0).then(|| Failure::new(FailureClass::Trap, "no"));
    match kind {
        0 => Event::ActivitySucceeded {
            activity,
            outputs: Json::empty_object(),
            source: OutputSource::Supplied,
        },
        1 => Event::ActivityHeld { activity, failure },
        2 => Event::ActivityFailed {
            activity,
            failure,
            continued: number > 1,
        },
        3 => Event::ActivitySkipped {
            activity,
            why: SkipReason::Upstream,
        },
        4 => Event::InputsAmended {
            inputs: Json::empty_object(),
            changed: Vec::new(),
            reason: "so".to_owned(),
        },
        5 => Event::OutputsAmended {
            activity,
            outputs: Json::empty_object(),
            reason: "so".to_owned(),
        },
        _ => Event::RetryAmended {
            activity,
            attempts_max: number,
            reason: "so".to_owned(),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_events_stops_the_fold(events in vec(any_event(), 0..60)) {
        let mut world = World::draft(DOCUMENT, json!({}));
        let release = &mut world.release;
        for (number, event) in (1..).zip(&events) {
            release.apply(Timestamp(0), &Actor::Engine, event);
            prop_assert_eq!(release.version(), number + 1);
            let _next = fermata_core::release::advance(release, Timestamp(1));
            let _work = fermata_core::release::work(release);
            let _why = fermata_core::release::why(release);
        }
    }
}
