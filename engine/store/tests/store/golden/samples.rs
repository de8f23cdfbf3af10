//! One sample at least of each variant of everything that a stored turn can hold.

use fermata_core::actor::Actor;
use fermata_core::attempt::Evidence;
use fermata_core::component::{Pin, Version};
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::id::{Digest, Name};
use fermata_core::json::Json;
use fermata_core::process::{ActivityIx, Group, PhaseIx, ProcessRef};
use fermata_core::release::event::{
    Event, HaltReason, OutputSource, PhaseOutcome, Pinned, ReleaseOutcome, SkipReason, Turn,
};
use fermata_core::time::Timestamp;

mod decisions;
mod others;
mod undo;

use others::{of_children, of_locks, of_waits};
use undo::of_the_way_back;
pub(super) use undo::{undo_parts, undo_ways};
mod work;

/// Label of the variant, what is special about the sample, and the sample.
type Sample = (String, &'static str, Event);

/// Position of the activity in all samples.
const ACTIVITY: ActivityIx = ActivityIx(300);

/// The name of a variant in the file.
fn label(event: &Event) -> String {
    match serde_json::to_value(event).expect("an event is plain data") {
        serde_json::Value::Object(fields) => fields.keys().next().expect("one variant").clone(),
        word => word.as_str().expect("a variant without fields").to_owned(),
    }
}

/// Every sample of an event, in the order of the format, as a turn; then turns that are special.
pub(super) fn turns() -> Vec<(String, Turn)> {
    let turn = |first, by, events| Turn {
        first,
        at: Timestamp(1_764_000_000_123),
        by,
        events,
    };
    let mut turns: Vec<(String, Turn)> = events()
        .into_iter()
        .map(|(label, detail, event)| {
            let name = format!("{label} {detail}");
            (
                name.trim_end().to_owned(),
                turn(1, Actor::Engine, vec![event]),
            )
        })
        .collect();
    for (number, by) in (0..).zip(actors()) {
        turns.push((
            format!("turn by actor {number}"),
            turn(7, by, vec![Event::Resumed]),
        ));
    }
    let many = (0..200).map(|_| Event::Resumed).collect();
    turns.push((
        "turn of many events".to_owned(),
        turn(u64::MAX >> 1, Actor::Engine, many),
    ));
    let early = Turn {
        at: Timestamp(-1),
        ..turn(0, Actor::Engine, vec![Event::Resumed])
    };
    turns.push(("turn before the epoch".to_owned(), early));
    turns
}

pub(super) fn events() -> Vec<Sample> {
    let all = [
        of_the_plan(),
        of_attempts(),
        of_people(),
        of_ends(),
        of_amendments(),
        of_waves(),
        of_waits(),
        of_locks(),
        of_children(),
        of_the_way_back(),
        decisions::of_questions(),
        work::of_work(),
        undo::of_wave_rollbacks_and_signals(),
        others::of_policies(),
    ]
    .concat();
    all.into_iter()
        .map(|(detail, event)| (label(&event), detail, event))
        .collect()
}

fn of_the_plan() -> Vec<(&'static str, Event)> {
    let phase = PhaseIx(2);
    let mut events = vec![
        ("", created()),
        ("", started()),
        ("", Event::PhaseOpened { phase, fault: None }),
        (
            "fault",
            Event::PhaseOpened {
                phase,
                fault: Some("no such key: stage".to_owned()),
            },
        ),
    ];
    for (detail, why) in ["condition", "upstream", "person"]
        .into_iter()
        .zip(skip_reasons())
    {
        events.push((detail, Event::PhaseSkipped { phase, why }));
    }
    let details = ["succeeded", "failed", "aborted"];
    for (detail, outcome) in details.into_iter().zip(phase_outcomes()) {
        events.push((detail, Event::PhaseEnded { phase, outcome }));
    }
    events.push(("", Event::ActivityReadied { activity: ACTIVITY }));
    events
}

fn created() -> Event {
    Event::Created {
        process: ProcessRef {
            name: name("bank-release"),
            version: 3,
            digest: Digest([0xab; 32]),
        },
        title: "Bank platform 1.2.3 – „größer“".to_owned(),
        inputs: json(r#"{"version":"1.2.3","regions":["eu-north"]}"#),
    }
}

fn started() -> Event {
    let pinned = |uses: &str, patch| Pinned {
        uses: uses.parse().expect("a valid use"),
        pin: Pin {
            name: name("deploy"),
            version: Version {
                major: 1,
                minor: 4,
                patch,
            },
            digest: Digest([0x12; 32]),
        },
    };
    Event::Started {
        components: vec![pinned("deploy@1", 9), pinned("deploy@1.4.2", 2)],
    }
}

fn of_attempts() -> Vec<(&'static str, Event)> {
    let activity = ACTIVITY;
    let started = |with| Event::AttemptStarted {
        activity,
        attempt: 2,
        with,
        deadline: Timestamp(1_764_000_900_000),
    };
    let suspended = |checkpoint: &[u8], status: Option<&str>| Event::AttemptSuspended {
        activity,
        checkpoint: checkpoint.to_vec(),
        resume_at: Timestamp(1_764_000_060_000),
        status: status.map(str::to_owned),
    };
    let failed = |failure, retry_at| Event::AttemptFailed {
        activity,
        failure,
        retry_at,
    };
    let mut events = vec![
        ("with", started(Some(json(r#"{"service":"payment"}"#)))),
        ("without", started(None)),
        ("status", suspended(&[0, 1, 0xff], Some("3 of 5 pods"))),
        ("bare", suspended(&[], None)),
        ("", Event::AttemptResumed { activity, run: 2 }),
        (
            "full",
            failed(full_failure(), Some(Timestamp(1_764_000_010_000))),
        ),
    ];
    let details = [
        "retryable",
        "permanent",
        "trap",
        "limit",
        "denied",
        "contract",
        "expression",
        "engine",
        "quarantined",
        "policy-denied",
    ];
    for (detail, class) in details.into_iter().zip(failure_classes()) {
        events.push((detail, failed(Failure::new(class, "it failed"), None)));
    }
    let evidence = Evidence {
        kind: "deployment".to_owned(),
        fact: json(r#"{"service":"payment","environment":"staging","version":"1.2.3"}"#),
    };
    events.push(("", Event::EvidenceRecorded { activity, evidence }));
    events
}

fn full_failure() -> Failure {
    Failure {
        class: FailureClass::Retryable,
        message: "the platform answered 503".to_owned(),
        code: Some("platform-busy".to_owned()),
        details: Some(json(r#"{"status":503}"#)),
        remedy: Some("try again later".to_owned()),
        backtrace: vec!["deploy::run".to_owned(), "activity#run".to_owned()],
        last_log: vec!["asking the platform".to_owned()],
        last_call: Some("PUT http://127.0.0.1:7790/x 503 12 ms".to_owned()),
    }
}

fn of_people() -> Vec<(&'static str, Event)> {
    let activity = ACTIVITY;
    let asked = |expires_at| Event::PeopleAsked {
        activity,
        instructions: "Check the payment journey.".to_owned(),
        expires_at,
    };
    let approved = |rules, comment, form| Event::Approved {
        activity,
        rules,
        comment,
        form,
    };
    vec![
        ("expires", asked(Some(Timestamp(1_764_086_400_000)))),
        ("for ever", asked(None)),
        (
            "form",
            approved(
                vec![0, 300],
                Some("looks good".to_owned()),
                Some(json(r#"{"verdict":"pass"}"#)),
            ),
        ),
        ("bare", approved(Vec::new(), None, None)),
        (
            "",
            Event::Rejected {
                activity,
                comment: "the journey is broken".to_owned(),
            },
        ),
        ("", Event::Expired { activity }),
    ]
}

fn of_ends() -> Vec<(&'static str, Event)> {
    let activity = ACTIVITY;
    let mut events = Vec::new();
    let sources = [
        "component",
        "form",
        "supplied",
        "amended",
        "wait",
        "signal",
        "child",
        "broken glass",
    ];
    for (detail, source) in sources.into_iter().zip(output_sources()) {
        let outputs = json(r#"{"url":"http://payment"}"#);
        let succeeded = Event::ActivitySucceeded {
            activity,
            outputs,
            source,
        };
        events.push((detail, succeeded));
    }
    let why = || Some(Failure::new(FailureClass::Expression, "no such key"));
    let failed = |failure, continued| Event::ActivityFailed {
        activity,
        failure,
        continued,
    };
    let held = |failure| Event::ActivityHeld { activity, failure };
    events.extend([
        ("failure", held(why())),
        ("bare", held(None)),
        ("failure", failed(why(), false)),
        ("continued", failed(None, true)),
    ]);
    for (detail, why) in ["condition", "upstream", "person"]
        .into_iter()
        .zip(skip_reasons())
    {
        events.push((detail, Event::ActivitySkipped { activity, why }));
    }
    let reason = || "the incident comes first".to_owned();
    events.extend([
        (
            "reason",
            Event::Paused {
                reason: Some(reason()),
            },
        ),
        ("bare", Event::Paused { reason: None }),
        ("", Event::Resumed),
        ("", Event::Aborted { reason: reason() }),
    ]);
    for (detail, outcome) in ["succeeded", "failed", "aborted", "rolled-back"]
        .into_iter()
        .zip(release_outcomes())
    {
        let outputs = (outcome == ReleaseOutcome::Succeeded).then(|| json(r#"{"deployed":[]}"#));
        events.push((detail, Event::Ended { outcome, outputs }));
    }
    events
}

fn of_amendments() -> Vec<(&'static str, Event)> {
    let activity = ACTIVITY;
    let reason = || "the ticket changed".to_owned();
    vec![
        (
            "",
            Event::InputsAmended {
                inputs: json(r#"{"version":"1.2.4","regions":["eu-north"]}"#),
                changed: vec!["version".to_owned()],
                reason: reason(),
            },
        ),
        (
            "",
            Event::OutputsAmended {
                activity,
                outputs: json(r#"{"url":"http://payment"}"#),
                reason: reason(),
            },
        ),
        (
            "",
            Event::RetryAmended {
                activity,
                attempts_max: 5,
                reason: reason(),
            },
        ),
    ]
}

fn of_waves() -> Vec<(&'static str, Event)> {
    let group = Group::Phase(PhaseIx(2));
    let mut events = vec![
        (
            "phase",
            Event::Expanded {
                group,
                items: vec![json(r#""eu-north""#), json(r#"{"name":"us","size":3}"#)],
                batches: vec![1, 2],
            },
        ),
        (
            "activity",
            Event::Expanded {
                group: Group::Activity(ACTIVITY),
                items: Vec::new(),
                batches: Vec::new(),
            },
        ),
        ("", Event::BatchOpened { group, batch: 2 }),
        (
            "",
            Event::BatchBaking {
                group,
                until: Timestamp(1_764_000_900_000),
            },
        ),
        ("", Event::BatchBaked { group }),
        (
            "",
            Event::GateOpened {
                group,
                gate: ACTIVITY,
            },
        ),
    ];
    events.extend(of_halts(group));
    events.push((
        "not needed",
        Event::ActivitySkipped {
            activity: ACTIVITY,
            why: SkipReason::NotNeeded,
        },
    ));
    events
}

fn of_halts(group: Group) -> Vec<(&'static str, Event)> {
    let reason = || "the third shop is dark".to_owned();
    let mut events: Vec<(&'static str, Event)> = ["failures", "gate", "person"]
        .into_iter()
        .zip(halt_reasons())
        .map(|(detail, reason)| (detail, Event::WaveHalted { group, reason }))
        .collect();
    let resumed = |reason| Event::WaveResumed { group, reason };
    events.extend([
        ("reason", resumed(Some(reason()))),
        ("bare", resumed(None)),
        (
            "",
            Event::WaveEnded {
                group,
                reason: reason(),
            },
        ),
    ]);
    for (detail, outcome) in ["succeeded", "failed", "aborted"]
        .into_iter()
        .zip(phase_outcomes())
    {
        let activity = ACTIVITY;
        events.push((detail, Event::InstancesEnded { activity, outcome }));
    }
    events
}

pub(super) fn halt_reasons() -> Vec<HaltReason> {
    vec![
        HaltReason::Failures(3),
        HaltReason::Gate,
        HaltReason::Person("the pager rings".to_owned()),
    ]
}

pub(super) fn skip_reasons() -> Vec<SkipReason> {
    vec![
        SkipReason::Condition,
        SkipReason::Upstream,
        SkipReason::Person("not this time".to_owned()),
        SkipReason::NotNeeded,
    ]
}

pub(super) fn output_sources() -> Vec<OutputSource> {
    vec![
        OutputSource::Component,
        OutputSource::Form,
        OutputSource::Supplied,
        OutputSource::Amended,
        OutputSource::Wait,
        OutputSource::Signal,
        OutputSource::Child,
        OutputSource::BrokenGlass,
    ]
}

pub(super) fn phase_outcomes() -> Vec<PhaseOutcome> {
    vec![
        PhaseOutcome::Succeeded,
        PhaseOutcome::Failed,
        PhaseOutcome::Aborted,
    ]
}

pub(super) fn release_outcomes() -> Vec<ReleaseOutcome> {
    vec![
        ReleaseOutcome::Succeeded,
        ReleaseOutcome::Failed,
        ReleaseOutcome::Aborted,
        ReleaseOutcome::RolledBack,
    ]
}

pub(super) fn failure_classes() -> Vec<FailureClass> {
    vec![
        FailureClass::Retryable,
        FailureClass::Permanent,
        FailureClass::Trap,
        FailureClass::Limit("memory".to_owned()),
        FailureClass::Denied("http".to_owned()),
        FailureClass::Contract,
        FailureClass::Expression,
        FailureClass::Engine,
        FailureClass::Quarantined,
        FailureClass::PolicyDenied,
    ]
}

pub(super) fn actors() -> Vec<Actor> {
    vec![Actor::Engine, Actor::User(name("ana"))]
}

fn name(text: &str) -> Name {
    text.parse().expect("a valid name")
}

fn json(text: &str) -> Json {
    Json::parse(text).expect("valid JSON")
}
