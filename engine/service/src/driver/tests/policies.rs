//! Policies in the driver: who is asked before an attempt or a child begins, and what follows.

use fermata_core::component::{Pin, Uses};
use fermata_core::extension::{Point, Verdict};

use super::*;
use crate::error::{PolicyError, RemoveError};
use crate::policies::Answer;
use crate::records::{OnFailure, PolicyRecord};
use crate::request::PolicyOrder;
use crate::wake::{Quarantine, Remove, SetPolicy};

const PARENT: &str = "
process: parent
phases:
  only:
    activities:
      child: { process: { name: ship } }
";

fn register_gate(world: &mut World) {
    let gate = json!({
        "name": "gate", "version": "1.0.0", "world": "policy",
        "inputs": { "type": "object", "properties": { "hours": { "type": "integer" } } },
    });
    let (answer, mut answered) = oneshot::channel();
    let register = Register {
        by: ana(),
        descriptor: serde_json::from_value(gate).unwrap(),
        digest: Digest::of(b"gate"),
        size: 1,
    };
    world.handle(Wake::Request(Request::Register(Box::new(register), answer)));
    world.flush();
    answered.try_recv().unwrap().unwrap();
}

fn order(name: &str, at: &[Point]) -> PolicyOrder {
    PolicyOrder {
        name: name.parse().unwrap(),
        component: "gate@1".parse().unwrap(),
        settings: Json::of(&json!({ "hours": 8 })),
        at: at.to_vec(),
        processes: vec!["ship".parse().unwrap()],
        on_failure: OnFailure::Deny,
        timeout: Span(1_000),
        enabled: true,
    }
}

fn set(world: &mut World, order: PolicyOrder) -> Result<Arc<PolicyRecord>, PolicyError> {
    let (answer, mut answered) = oneshot::channel();
    let Uses { name, .. } = &order.component;
    let found = world.driver.shared().catalog.resolve(&order.component);
    let gone = || Pin {
        name: name.clone(),
        version: "2.0.0".parse().unwrap(),
        digest: Digest::of(b"gone"),
    };
    let checked = found.map_or_else(gone, |entry| entry.pin());
    let set = SetPolicy {
        by: ana(),
        order,
        checked,
        expected: None,
    };
    world.handle(Wake::Request(Request::SetPolicy(Box::new(set), answer)));
    world.flush();
    answered.try_recv().unwrap()
}

/// A world in which the policy `gate` is asked.
fn guarded(at: &[Point]) -> World {
    let mut world = World::new(Config::default());
    register_gate(&mut world);
    set(&mut world, order("gate", at)).unwrap();
    world.done();
    world
}

/// All policies say the same.
fn judge(world: &mut World, key: AttemptKey, verdict: &Verdict) {
    let policies = world.driver.shared().catalog.policies();
    let answer = |policy| Answer {
        policy,
        verdict: Ok(verdict.clone()),
        log: Vec::new(),
    };
    let answers = policies.into_iter().map(answer).collect();
    world.handle(Wake::Judged { key, answers });
    world.flush();
}

fn warn(text: &str) -> Verdict {
    Verdict::Warn(text.into())
}

fn deny(text: &str) -> Verdict {
    Verdict::Deny(text.into())
}

#[test]
fn a_run_begins_once_policies_allow_it() {
    let mut world = guarded(&[Point::Activity]);
    let id = world.create();
    assert_eq!(world.done(), ["?0.1.1", "?1.1.1"]);
    let waiting = world.driver.shared().policies.of(id);
    assert_eq!(waiting.len(), 2);
    assert_eq!(waiting[0].1[0].as_str(), "gate");
    judge(&mut world, key(id, 0, 1), &Verdict::Allow);
    judge(&mut world, key(id, 1, 1), &warn("soon"));
    assert_eq!(world.done(), ["+0.1.1", "+1.1.1"]);
    assert!(world.driver.shared().policies.of(id).is_empty());
    let warned = world.driver.release(id).unwrap().warnings().to_vec();
    assert_eq!(warned.len(), 1);
    assert_eq!(warned[0].warning.message, "soon");
    assert_eq!(warned[0].warning.digest, Digest::of(b"gate"));
    assert_eq!(world.driver.metrics().policies_asked["warn"], 1);
}

#[test]
fn what_a_policy_denies_is_on_hold_until_a_person_tries_again() {
    let mut world = guarded(&[Point::Activity]);
    let id = world.create();
    judge(&mut world, key(id, 0, 1), &deny("closed"));
    assert_eq!(world.state(id), "on-hold running waiting");
    let told = fermata_core::release::why(world.driver.release(id).unwrap())[0].to_string();
    assert!(told.contains("the policy `gate`: closed"), "{told}");
    world.done();
    world
        .input(
            id,
            Command::Retry {
                activity: "build/a".into(),
                with: None,
            },
        )
        .unwrap();
    assert_eq!(world.done(), ["?0.2.1"], "asked again");
    judge(&mut world, key(id, 0, 2), &Verdict::Allow);
    assert_eq!(world.done(), ["+0.2.1"]);
}

#[test]
fn a_denied_attempt_counts_as_begun_only_if_it_may_have_begun_before_a_crash() {
    let mut world = guarded(&[Point::Activity]);
    let id = world.create();
    let effects = |world: &World| {
        let plan = fermata_core::release::rollback_plan(world.driver.release(id).unwrap());
        let effects = plan.concat().into_iter().map(|it| it.activity.0);
        effects.collect::<std::collections::BTreeSet<_>>()
    };
    judge(&mut world, key(id, 0, 1), &deny("closed"));
    judge(&mut world, key(id, 1, 1), &Verdict::Allow);
    assert_eq!(effects(&world), [1].into());
    let mut world = world.restart();
    assert_eq!(effects(&world), [1].into());
    judge(&mut world, key(id, 1, 1), &deny("closed"));
    assert_eq!(world.state(id), "on-hold on-hold waiting");
    assert_eq!(effects(&world), [1].into(), "it had begun");
}

#[test]
fn what_could_not_be_asked_is_asked_again() {
    let mut world = guarded(&[Point::Activity]);
    let id = world.create();
    world.done();
    world.handle(Wake::Dropped { key: key(id, 0, 1) });
    world.flush();
    assert_eq!(world.done(), ["?0.1.1"], "no verdict");
    assert_eq!(world.state(id), "running running waiting");
    assert_eq!(world.driver.shared().policies.of(id).len(), 2);
    judge(&mut world, key(id, 0, 1), &Verdict::Allow);
    assert_eq!(world.done(), ["+0.1.1"]);
}

#[test]
fn the_time_that_policies_take_is_not_the_time_of_the_attempt() {
    let mut world = guarded(&[Point::Activity]);
    let id = world.create();
    let pass = |world: &mut World, ms| {
        world.now = world.now.after(Span(ms));
        world.handle(Wake::TimePassed);
        world.flush();
    };
    pass(&mut world, 90_000);
    assert_eq!(
        world.state(id),
        "running running waiting",
        "it is asked about"
    );
    judge(&mut world, key(id, 0, 1), &Verdict::Allow);
    world.done();
    pass(&mut world, 59_000);
    assert_eq!(world.state(id), "running running waiting");
    pass(&mut world, 1_000);
    assert_eq!(world.state(id), "retrying running waiting");
    let world = world.restart();
    assert_eq!(world.state(id), "retrying running waiting");
}

#[test]
fn an_attempt_that_follows_by_itself_is_asked_about_as_well() {
    let mut world = guarded(&[Point::Activity]);
    let id = world.create();
    judge(&mut world, key(id, 0, 1), &Verdict::Allow);
    world.finish(key(id, 0, 1), failed(FailureClass::Retryable));
    world.flush();
    world.done();
    world.now = world.now.after(Span(10_000));
    world.handle(Wake::TimePassed);
    world.flush();
    assert_eq!(world.done(), ["?0.2.1"]);
}

#[test]
fn a_start_asks_again() {
    let mut world = guarded(&[Point::Activity]);
    let id = world.create();
    judge(&mut world, key(id, 1, 1), &Verdict::Allow);
    let mut world = world.restart();
    assert_eq!(world.done(), ["?0.1.1", "?1.1.1"]);
    judge(&mut world, key(id, 0, 1), &Verdict::Allow);
    assert_eq!(world.done(), ["+0.1.1"]);
}

#[test]
fn answers_that_nobody_waits_for_change_nothing() {
    let mut world = guarded(&[Point::Activity]);
    let id = world.create();
    world.done();
    world.input(id, abort()).unwrap();
    assert_eq!(
        world.done(),
        ["-0.1.1", "-1.1.1"],
        "the questions are dropped"
    );
    judge(&mut world, key(id, 0, 1), &deny("late"));
    world.handle(Wake::Dropped { key: key(id, 1, 1) });
    world.flush();
    assert!(world.done().is_empty());
}

#[test]
fn what_goes_on_and_what_goes_back_is_not_asked_about() {
    let mut world = guarded(&[Point::Activity]);
    let id = world.create();
    judge(&mut world, key(id, 0, 1), &Verdict::Allow);
    judge(&mut world, key(id, 1, 1), &Verdict::Allow);
    world.done();
    let pending = Outcome::Pending {
        checkpoint: vec![1],
        resume: fermata_core::attempt::Resume::After(Span(1_000)),
        status: None,
    };
    world.finish(key(id, 0, 1), pending);
    world.finish(key(id, 1, 1), ok());
    world.flush();
    world.now = world.now.after(Span(1_000));
    world.handle(Wake::TimePassed);
    world.flush();
    assert_eq!(world.done(), ["+0.1.2"]);
    let reason = "wrong".to_owned();
    world.input(id, Command::Rollback { reason }).unwrap();
    world.finish(
        AttemptKey {
            run: 2,
            ..key(id, 0, 1)
        },
        ok(),
    );
    world.flush();
    let done = world.done();
    assert!(done.iter().any(|it| it.starts_with('+')), "{done:?}");
    assert!(!done.iter().any(|it| it.starts_with('?')), "{done:?}");
}

#[test]
fn policies_are_live() {
    let mut world = guarded(&[Point::Activity]);
    let off = PolicyOrder {
        enabled: false,
        ..order("gate", &[Point::Activity])
    };
    assert_eq!(set(&mut world, off).unwrap().revision, 2);
    let id = world.create();
    assert_eq!(world.done(), ["+0.1.1", "+1.1.1"]);
    set(&mut world, order("gate", &[Point::Activity])).unwrap();
    world.finish(key(id, 0, 1), ok());
    world.finish(key(id, 1, 1), ok());
    world.flush();
    assert_eq!(world.done(), ["?2.1.1"]);
    let mut world = world.restart();
    assert_eq!(world.done(), ["?2.1.1"], "it is on disk");
}

#[test]
fn a_child_is_made_once_policies_allow_it() {
    for (verdict, state) in [
        (Verdict::Allow, "child"),
        (warn("soon"), "child"),
        (deny("closed"), "on-hold"),
    ] {
        let mut world = guarded(&[Point::Start]);
        world.publish(PARENT);
        let mut answered = world.ask_create(NewRelease {
            process: "parent".parse().unwrap(),
            ..ship()
        });
        world.flush();
        let parent = answered.try_recv().unwrap().unwrap().id;
        assert_eq!(world.done(), ["?0.1.1"]);
        assert_eq!(world.driver.releases().count(), 1);
        let mut world = world.restart();
        assert_eq!(world.done(), ["?0.1.1"], "asked again");
        judge(&mut world, key(parent, 0, 1), &verdict);
        let children: Vec<_> = world
            .driver
            .releases()
            .filter(|it| it.id() != parent)
            .collect();
        assert_eq!(children.len(), usize::from(state == "child"));
        let warned = children.first().map_or(0, |child| child.warnings().len());
        assert_eq!(warned, usize::from(verdict == warn("soon")));
        if state == "on-hold" {
            assert_eq!(world.state(parent), "on-hold");
            let told = fermata_core::release::why(world.driver.release(parent).unwrap());
            assert!(told[0].to_string().contains("closed"), "{}", told[0]);
        }
    }
}

#[test]
fn what_cannot_be_a_policy_is_refused() {
    let mut world = guarded(&[Point::Start]);
    let uses: Uses = "noop@1".parse().unwrap();
    let start = || order("other", &[Point::Start]);
    let activity = PolicyOrder {
        component: uses,
        ..start()
    };
    let told = set(&mut world, activity).unwrap_err().to_string();
    assert_eq!(told, "noop@1 is an activity, not a policy");
    let unknown = PolicyOrder {
        component: "gate@2".parse().unwrap(),
        ..start()
    };
    assert!(matches!(
        set(&mut world, unknown),
        Err(PolicyError::UnknownComponent(_))
    ));
    for (faulty, part) in [
        (order("other", &[]), "at"),
        (
            PolicyOrder {
                timeout: Span(0),
                ..start()
            },
            "timeout",
        ),
        (
            PolicyOrder {
                timeout: Span(60_000),
                ..start()
            },
            "timeout",
        ),
    ] {
        let told = set(&mut world, faulty).unwrap_err();
        assert!(matches!(told, PolicyError::Invalid(_)), "{told:?}");
        assert!(told.to_string().contains(part), "{told}");
    }
}

#[test]
fn a_component_in_quarantine_is_not_set() {
    let mut world = guarded(&[Point::Start]);
    let (answer, mut answered) = oneshot::channel();
    let quarantine = Quarantine {
        by: ana(),
        digest: Digest::of(b"gate"),
        begins: true,
        reason: "compromised".to_owned(),
    };
    let quarantine = Box::new(quarantine);
    world.handle(Wake::Request(Request::Quarantine(quarantine, answer)));
    world.flush();
    answered.try_recv().unwrap().unwrap();
    let told = set(&mut world, order("other", &[Point::Start])).unwrap_err();
    assert!(
        matches!(&told, PolicyError::ComponentQuarantined(told) if told.contains("gate@1.0.0")),
        "{told:?}"
    );
}

#[test]
fn the_component_of_a_policy_stays_registered() {
    let mut world = guarded(&[Point::Start]);
    let remove = |world: &mut World| {
        let (answer, mut answered) = oneshot::channel();
        let remove = Remove {
            name: "gate".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
        };
        world.handle(Wake::Request(Request::Remove(remove, answer)));
        world.flush();
        answered.try_recv().unwrap()
    };
    let told = remove(&mut world).unwrap_err();
    assert!(matches!(told, RemoveError::InUse(_)));
    assert_eq!(told.to_string(), "it is used by the policy `gate`");
    let (answer, mut answered) = oneshot::channel();
    let name = "gate".parse().unwrap();
    world.handle(Wake::Request(Request::RemovePolicy(name, None, answer)));
    world.flush();
    answered.try_recv().unwrap().unwrap();
    remove(&mut world).unwrap();
}
