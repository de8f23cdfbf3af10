//! Samples of what comes from outside of a release.

use fermata_core::id::{Digest, ReleaseId};
use fermata_core::json::Json;
use fermata_core::process::PhaseIx;
use fermata_core::release::Holder;
use fermata_core::release::event::{
    Awaits, Event, LetIn, PolicyWarning, PolicyWarnings, TurnedAway,
};
use fermata_core::time::Timestamp;

use super::{ACTIVITY, json, name};

pub(super) fn of_waits() -> Vec<(&'static str, Event)> {
    let activity = ACTIVITY;
    let began = |on, until| Event::WaitBegan {
        activity,
        on,
        until,
    };
    let received = |payload| Event::SignalReceived {
        activity,
        delivery: Digest::of(b"delivery"),
        payload,
    };
    let until = Some(Timestamp(1_764_086_400_000));
    vec![
        ("time", began(Awaits::Time, until)),
        ("signal", began(Awaits::Signal, None)),
        ("release", began(Awaits::Release(ReleaseId(7)), until)),
        ("bare", received(None)),
        ("payload", received(Some(json(r#"{"ticket":"OPS-7"}"#)))),
    ]
}

pub(super) fn of_locks() -> Vec<(&'static str, Event)> {
    let wanted = |holder, with| Event::LocksWanted {
        holder,
        locks: vec!["db/orders".to_owned(), "env/production".to_owned()],
        with,
    };
    let granted = |holder| Event::LocksGranted { holder };
    let activity = Holder::Activity(ACTIVITY);
    vec![
        ("release", wanted(Holder::Release, None)),
        ("phase", wanted(Holder::Phase(PhaseIx(3)), None)),
        ("activity", wanted(activity, None)),
        ("with", wanted(activity, Some(json(r#"{"version":"2"}"#)))),
        ("release", granted(Holder::Release)),
        ("activity", granted(activity)),
        (
            "",
            Event::EmergencyDeclared {
                reason: "payments are down".to_owned(),
            },
        ),
    ]
}

pub(super) fn of_policies() -> Vec<(&'static str, Event)> {
    let warnings = vec![PolicyWarning {
        policy: name("change-window"),
        digest: Digest::of(b"policy"),
        message: "the window closes in 10 minutes".to_owned(),
    }];
    let warned = |activity| {
        let warnings = warnings.clone();
        Event::PoliciesWarned(PolicyWarnings { activity, warnings })
    };
    let (activity, deadline) = (ACTIVITY, Timestamp(1_764_000_900_000));
    vec![
        ("start", warned(None)),
        ("", warned(Some(activity))),
        ("", Event::AttemptTurnedAway(TurnedAway { activity })),
        ("", Event::AttemptLetIn(LetIn { activity, deadline })),
    ]
}

pub(super) fn of_children() -> Vec<(&'static str, Event)> {
    let activity = ACTIVITY;
    vec![
        (
            "",
            Event::ChildOf {
                parent: ReleaseId(7),
                activity,
                path: "one/base".to_owned(),
                depth: 1,
            },
        ),
        (
            "",
            Event::ChildStarted {
                activity,
                attempt: 1,
                child: ReleaseId(8),
                process: name("provision"),
                version: Some(3),
                inputs: json(r#"{"region":"eu"}"#),
            },
        ),
        (
            "",
            Event::ChildLaunched {
                activity,
                child: ReleaseId(9),
                process: name("repair"),
                version: None,
                inputs: Json::empty_object(),
            },
        ),
    ]
}
