//! Values at their bounds and one beyond: from guests, from people and from expressions.

use fermata_core::actor::Caller;
use fermata_core::attempt::{Evidence, Outcome, Report, Resume};
use fermata_core::json::Json;
use fermata_core::limits::{
    CHECKPOINT_BYTES_MAX, EVIDENCE_PER_RUN_MAX, TEXT_BYTES_MAX, VALUE_BYTES_MAX,
};
use fermata_core::process::ActivityIx;
use fermata_core::release::create;
use fermata_core::release::event::Event;
use fermata_core::release::input::What;
use fermata_core::release::refusal::Refusal;
use fermata_core::release::state::ActivityState;
use fermata_core::time::Span;
use serde_json::json;

use crate::world::{World, person};

const DOCUMENT: &str = "
process: bounds
inputs:
  text: { type: string, default: '' }
phases:
  one:
    activities:
      a: { uses: work@1 }
      doubled: { needs: [a], uses: work@1, with: { x: '${{ needs.a.outputs.x }}', y: '${{ needs.a.outputs.x }}' } }
      ask: { manual: { instructions: '${{ inputs.text }}' } }
outputs:
  x: ${{ phases.one.activities.a.outputs.x }}
  y: ${{ phases.one.activities.a.outputs.x }}
";

const A: ActivityIx = ActivityIx(0);
const DOUBLED: ActivityIx = ActivityIx(1);
const ASK: ActivityIx = ActivityIx(2);

fn start(text_bytes: usize) -> World {
    World::start(DOCUMENT, json!({ "text": "x".repeat(text_bytes) }))
}

/// A JSON string of `bytes` bytes, its quotes included.
fn text(bytes: usize) -> Json {
    Json::of(&json!("x".repeat(bytes - 2)))
}

fn state_after(outcome: Outcome, facts: usize) -> &'static str {
    let mut world = start(0);
    let key = world.release.current_run(A).expect("it runs");
    let fact = Evidence {
        kind: "note".to_owned(),
        fact: Json::empty_object(),
    };
    let report = Report {
        outcome,
        evidence: vec![fact; facts],
    };
    let finished = What::AttemptFinished { key, report };
    world
        .input(Caller::engine(), finished)
        .expect("the current run counts");
    world.release.activity_state(A).word()
}

#[test]
fn what_a_guest_returns_has_bounds() {
    let pending = |bytes| Outcome::Pending {
        checkpoint: vec![0; bytes],
        resume: Resume::After(Span(1_000)),
        status: Some("é".repeat(TEXT_BYTES_MAX)),
    };
    let ok = || Outcome::Succeeded(Json::empty_object());
    for (outcome, facts, state) in [
        (Outcome::Succeeded(text(VALUE_BYTES_MAX)), 0, "succeeded"),
        (Outcome::Succeeded(text(VALUE_BYTES_MAX + 1)), 0, "on-hold"),
        (pending(CHECKPOINT_BYTES_MAX), 0, "suspended"),
        (pending(CHECKPOINT_BYTES_MAX + 1), 0, "on-hold"),
        (ok(), EVIDENCE_PER_RUN_MAX, "succeeded"),
        (ok(), EVIDENCE_PER_RUN_MAX + 1, "on-hold"),
    ] {
        assert_eq!(state_after(outcome, facts), state, "{facts}");
    }
}

#[test]
fn what_expressions_give_has_bounds() {
    let mut world = start(TEXT_BYTES_MAX + 1);
    let held = |world: &World, ix| match world.release.activity_state(ix) {
        ActivityState::OnHold { failure, .. } => failure.message.clone(),
        other => panic!("{other:?}"),
    };
    assert!(held(&world, ASK).contains("8192"), "{}", held(&world, ASK));
    let key = world.release.current_run(A).expect("it runs");
    let outputs = Json::of(&json!({ "x": "x".repeat(VALUE_BYTES_MAX / 2) }));
    world
        .finish(key, Outcome::Succeeded(outputs))
        .expect("the current run counts");
    let told = held(&world, DOUBLED);
    assert!(told.contains("1048576"), "{told}");
    for activity in [DOUBLED, ASK] {
        let reason = "too much".to_owned();
        let skip = What::Skip { activity, reason };
        world.input(person("ben", &[]), skip).expect("it is held");
    }
    // Outputs that do not fit fail nothing: there are none.
    let last = world.turns.last().and_then(|turn| turn.events.last());
    assert!(
        matches!(last, Some(Event::Ended { outputs: None, .. })),
        "{last:?}"
    );
}

#[test]
fn what_people_say_has_bounds() {
    let mut world = start(TEXT_BYTES_MAX);
    let long = || "x".repeat(TEXT_BYTES_MAX + 1);
    let key = world.release.current_run(A).expect("it runs");
    let failure =
        fermata_core::failure::Failure::new(fermata_core::failure::FailureClass::Permanent, long());
    let failed = Outcome::Failed {
        failure,
        retry_after: None,
    };
    world.finish(key, failed).expect("the current run counts");
    for what in [
        What::Approve {
            activity: ASK,
            comment: Some(long()),
            form: None,
            content: None,
            backup_of: None,
        },
        What::Reject {
            activity: ASK,
            comment: long(),
            backup_of: None,
        },
        What::Retry {
            activity: A,
            with: Some(text(VALUE_BYTES_MAX + 1)),
        },
        What::SupplyOutputs {
            activity: A,
            outputs: text(VALUE_BYTES_MAX + 1),
        },
        What::Skip {
            activity: A,
            reason: long(),
        },
        What::Fail {
            activity: A,
            reason: long(),
        },
        What::Pause {
            reason: Some(long()),
        },
        What::Abort { reason: long() },
    ] {
        let refusal = world.input(person("ben", &[]), what);
        assert!(matches!(refusal, Err(Refusal::Invalid(_))), "{refusal:?}");
    }
    // The longest reason with the longest failure still fits into one message.
    let reason = "x".repeat(TEXT_BYTES_MAX);
    let fail = What::Fail {
        activity: A,
        reason,
    };
    world
        .input(person("ben", &[]), fail)
        .expect("it is on hold");
    let ActivityState::Failed { failure, .. } = world.release.activity_state(A) else {
        panic!("{:?}", world.release.activity_state(A));
    };
    assert_eq!(failure.message.len(), TEXT_BYTES_MAX);
}

#[test]
fn inputs_of_a_release_have_bounds() {
    let world = start(0);
    let draft = |inputs| fermata_core::release::Draft {
        process: world.release.process_ref().clone(),
        title: None,
        inputs,
        emergency: None,
        parent: None,
    };
    let ana = || person("ana", &[]).actor;
    let deep = (0..100).fold(json!(null), |inner, _| json!([inner]));
    for inputs in [
        json!({ "text": deep }),
        json!({ "text": "x".repeat(VALUE_BYTES_MAX) }),
    ] {
        let faults = create(&world.process, draft(inputs), ana(), world.now).expect_err("too much");
        assert!(faults[0].starts_with("inputs: "), "{faults:?}");
    }
}
