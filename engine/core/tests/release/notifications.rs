//! What people outside are told of a release, word for word.

use fermata_core::actor::Actor;
use fermata_core::attempt::Outcome;
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::id::Digest;
use fermata_core::notification::{Kind, Told, of_quarantine, of_turn, test};
use fermata_core::process::ActivityIx;
use fermata_core::release::event::Turn;
use fermata_core::release::input::What;
use fermata_core::time::{Span, Timestamp};
use serde_json::{Value, json};

use crate::world::{World, person};

const DOCUMENT: &str = "
process: bank
title: Bank platform
phases:
  build:
    owners: [group:platform]
    activities:
      work: { uses: work@1, retry: { attempts: 1 } }
  uat:
    activities:
      agree:
        manual:
          instructions: Look.
          approvals: [ { from: group:qa, count: 1 } ]
          remind: [1h]
          expires: 4h
      look: { manual: { instructions: Look. } }
      signal: { wait: { signal: go } }
";

fn told(world: &World, turn: &Turn) -> Vec<Told> {
    of_turn(&world.release, turn, |_| true)
}

fn texts(told: &[Told]) -> Vec<String> {
    told.iter()
        .map(|told| format!("{}: {}", told.kind, told.text))
        .collect()
}

fn data(told: &Told) -> Value {
    told.data.value()
}

#[test]
fn a_release_tells_what_people_must_know() {
    let mut world = World::start(DOCUMENT, json!({}));
    let started = told(&world, &world.turns[1]);
    assert_eq!(
        texts(&started),
        [
            "release-started: Bank platform (bank@1): started by ana",
            "approval-asked: Bank platform (bank@1): uat/agree waits for approval (group:qa), until 1970-01-01T04:16:40.000Z",
            "people-needed: Bank platform (bank@1): uat/look waits for people",
            "signal-awaited: Bank platform (bank@1): uat/signal waits for a signal",
        ]
    );
    assert_eq!(started[0].about, format!("{}/1", world.release.id()));
    let asked = data(&started[1]);
    assert_eq!(asked["asked"], json!(["group:qa"]));
    assert_eq!(
        (&asked["phase"], &asked["activity"]),
        (&json!("uat"), &json!("uat/agree"))
    );
    assert_eq!(
        asked["link"],
        json!(format!("/api/v1/releases/{}", world.release.id()))
    );

    let key = world.release.current_run(ActivityIx(0)).expect("it runs");
    let failure = Failure::new(FailureClass::Permanent, "no\nroom").remedy("make some");
    let outcome = Outcome::Failed {
        failure,
        retry_after: None,
    };
    let turn = world.finish(key, outcome).expect("it counts");
    let held = told(&world, &turn);
    assert_eq!(
        texts(&held),
        [
            "activity-on-hold: Bank platform (bank@1): build/work is on hold, a person must decide (group:platform): no room"
        ]
    );
    assert_eq!(data(&held[0])["failure"]["remedy"], "make some");

    world.pass(Span(3_600_000));
    let reminded = told(&world, world.turns.last().expect("a reminder"));
    assert_eq!(reminded[0].kind, Kind::ApprovalReminded);
    assert_eq!(data(&reminded[0])["asked"], json!(["group:qa"]));

    let abort = What::Abort {
        reason: "enough".into(),
    };
    let turn = world.input(person("ben", &[]), abort).expect("it runs");
    assert_eq!(
        texts(&told(&world, &turn)),
        ["release-aborted: Bank platform (bank@1): aborted: enough"]
    );
}

#[test]
fn only_what_is_wanted_is_told() {
    let world = World::start(DOCUMENT, json!({}));
    let told = of_turn(&world.release, &world.turns[1], |kind| {
        kind == Kind::SignalAwaited
    });
    assert_eq!(told.len(), 1);
    assert!(of_turn(&world.release, &world.turns[0], |_| true).is_empty());
}

#[test]
fn what_people_say_is_quoted_on_one_short_line() {
    let mut world = World::start(DOCUMENT, json!({}));
    let reason = format!("a\n{}", "b".repeat(5_000));
    let abort = What::Abort {
        reason: reason.clone(),
    };
    let turn = world.input(person("ben", &[]), abort).expect("it runs");
    let told = told(&world, &turn);
    assert!(told[0].text.chars().count() < 400, "{}", told[0].text);
    assert!(!told[0].text.contains('\n'));
    assert_eq!(data(&told[0])["reason"], json!(reason));
}

#[test]
fn what_is_not_of_a_release_is_told_too() {
    let ana = Actor::User("ana".parse().expect("a name"));
    let name = "deploy".parse().expect("a name");
    let digest = Digest::of(b"x");
    let at = (&ana, Timestamp(7));
    let told = of_quarantine(&digest, Some((&name, "1.0.0")), at, "stolen");
    assert_eq!(told.text, "ana put deploy@1.0.0 into quarantine: stolen");
    let told = of_quarantine(&digest, None, at, "stolen");
    assert!(told.text.contains("sha256:"), "{}", told.text);
    assert_eq!(test(&name, &ana, Timestamp(7)).about, "test/7");
}
