//! What follows from the answers of policies.

use fermata_core::actor::Actor;
use fermata_core::component::Version;
use fermata_core::id::Digest;

use super::*;

fn answer(name: &str, on_failure: OnFailure, verdict: Result<Verdict, Box<Failure>>) -> Answer {
    let version = Version {
        major: 1,
        minor: 0,
        patch: 0,
    };
    let policy = PolicyRecord {
        name: name.parse().expect("a name"),
        component: Pin {
            name: "gate".parse().expect("a name"),
            version,
            digest: Digest::of(name.as_bytes()),
        },
        settings: Json::empty_object(),
        at: vec![Point::Start],
        processes: vec!["bank-*".parse().expect("a pattern")],
        on_failure,
        timeout: Span(1_000),
        enabled: true,
        revision: 1,
        set_at: Timestamp(0),
        set_by: Actor::Engine,
    };
    Answer {
        policy: Arc::new(policy),
        verdict,
        log: Vec::new(),
    }
}

#[test]
fn the_first_denial_wins_and_all_warnings_are_kept() {
    let (deny, warn) = (OnFailure::Deny, |text: &str| Ok(Verdict::Warn(text.into())));
    let ruling = Ruling::of(&[
        answer("a", deny, Ok(Verdict::Allow)),
        answer("b", deny, warn("soon")),
        answer("c", deny, Ok(Verdict::Deny("closed".into()))),
        answer("d", deny, Ok(Verdict::Deny("no".into()))),
        answer("e", deny, warn("later")),
    ]);
    let denial = ruling.denial.expect("one denies");
    assert_eq!(denial.to_string(), "the policy `c`: closed");
    assert_eq!(denial.component.digest, Digest::of(b"c"));
    let warnings: Vec<_> = ruling
        .warnings
        .iter()
        .map(|it| it.message.as_str())
        .collect();
    assert_eq!(warnings, ["soon", "later"]);
    let failure = denial.failure();
    assert_eq!(failure.class, FailureClass::PolicyDenied);
    assert!(!failure.class.may_retry() && failure.class.holds());
    assert_eq!(failure.details.expect("details").value()["policy"], "c");
}

#[test]
fn a_policy_that_fails_means_what_was_set() {
    let crashed = || Err(Box::new(Failure::new(FailureClass::Trap, "it crashed")));
    for (on_failure, verdict) in [
        (
            OnFailure::Deny,
            Verdict::Deny("it failed: trap: it crashed".into()),
        ),
        (
            OnFailure::Warn,
            Verdict::Warn("it failed: trap: it crashed".into()),
        ),
        (OnFailure::Allow, Verdict::Allow),
    ] {
        let answer = answer("a", on_failure, crashed());
        assert_eq!(answer.counts(), verdict);
        assert_eq!(answer.word(), "failed");
    }
}

#[test]
fn a_policy_is_in_force_where_it_is_set() {
    let policy = answer("a", OnFailure::Deny, Ok(Verdict::Allow)).policy;
    let name = |text: &str| text.parse::<Name>().expect("a name");
    assert!(policy.is_in_force(Point::Start, &name("bank-release")));
    assert!(!policy.is_in_force(Point::Activity, &name("bank-release")));
    assert!(!policy.is_in_force(Point::Start, &name("shop")));
    let off = PolicyRecord {
        enabled: false,
        ..PolicyRecord::clone(&policy)
    };
    assert!(!off.is_in_force(Point::Start, &name("bank-release")));
}
