//! Random inputs on random graphs: nothing panics, every invariant holds after every turn, the
//! history tells the same story again, and everything can be brought to an end.

use std::collections::BTreeSet;

use fermata_core::actor::Caller;
use fermata_core::attempt::{AttemptKey, Evidence, Outcome, Report, Resume};
use fermata_core::expression::Condition;
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::id::Digest;
use fermata_core::json::Json;
use fermata_core::process::{ActivityIx, Group, PhaseIx};
use fermata_core::release::event::{Membership, SkipReason};
use fermata_core::release::input::{TaskWork, What};
use fermata_core::release::state::{ActivityState, ReleaseState, Settled};
use fermata_core::release::task::{Content, File, TaskState};
use fermata_core::release::wave::Wave;
use fermata_core::release::{Release, RootCause, why, why_activity};
use fermata_core::time::Span;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::graphs::documents;
use crate::world::{ID, World, person, pins};

/// The number of the action that starts a release, and how many come before it.
const START: u8 = 27;
/// How many kinds of action there are.
const ACTIONS: u8 = 50;
const DRAFT_ACTIONS: usize = 3;

/// Something to do: which, to what, and how.
pub(crate) type Action = (u8, u8, u8);

fn stories() -> impl Strategy<Value = (String, Vec<Action>)> {
    let actions = vec((0..ACTIONS, any::<u8>(), any::<u8>()), 0..120);
    (documents(), actions)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_inputs_keep_every_invariant_and_every_release_can_end((document, actions) in stories()) {
        let mut world = World::draft(&document, serde_json::json!({}));
        for (number, action) in actions.into_iter().enumerate() {
            act(&mut world, number, action);
        }
        finish_everything(&mut world);
        prop_assert!(world.release.has_ended());
        prop_assert_eq!(&world.replayed(), &world.release);
        // What is left to do at the end of a rollback is to say why it was needed.
        let asked = world.release.rollback().and_then(|back| back.root_cause.clone());
        let open = matches!(asked, Some(RootCause::Open { .. }));
        prop_assert_eq!(why(&world.release).len(), usize::from(open));
        review_everything(&mut world);
        prop_assert!(world.release.is_settled());
        reasons_hold(&world.release, &world);
    }
}

/// Every state that stories lead to.
const STATES: [&str; 17] = [
    "aborted",
    "expired",
    "failed",
    "needs-people",
    "on-hold",
    "ready",
    "rejected",
    "retrying",
    "running",
    "skipped",
    "succeeded",
    "suspended",
    "undo-failed",
    "undoing",
    "undone",
    "waiting",
    "withdrawn",
];

/// Every refusal that they meet.
const REFUSALS: [&str; 47] = [
    "already-approved",
    "already-halted",
    "already-paused",
    "already-reviewed",
    "already-rolling-back",
    "already-started",
    "batch-going",
    "content-changed",
    "excluded",
    "fanned-out",
    "form-required",
    "invalid-values",
    "no-delegation",
    "no-review",
    "no-root-cause",
    "not-a-reviewer",
    "not-an-approver",
    "not-assigned",
    "not-author",
    "not-component",
    "not-fanned-out",
    "not-halted",
    "not-initiator",
    "not-manual",
    "not-paused",
    "not-permitted",
    "not-reversible",
    "not-started",
    "not-your-turn",
    "nothing-to-amend",
    "nothing-to-undo",
    "nothing-to-withdraw",
    "paused",
    "people-unknown",
    "point-of-no-return",
    "reason-required",
    "release-ended",
    "stale-attempt",
    "task-required",
    "tasks-open",
    "unknown-activity",
    "unknown-comment",
    "unknown-phase",
    "unknown-task",
    "wave-over",
    "wrong-pins",
    "wrong-state",
];

/// The test above is worth something only while its stories lead everywhere.
#[test]
fn random_stories_reach_every_state_and_every_refusal() {
    let mut runner = TestRunner::deterministic();
    let (mut states, mut refusals) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..4_000 {
        let story = stories().new_tree(&mut runner).expect("a story");
        let (document, actions) = story.current();
        let mut world = World::draft(&document, serde_json::json!({}));
        for (number, action) in actions.into_iter().enumerate() {
            act(&mut world, number, action);
            let words = world
                .activities()
                .map(|ix| world.release.activity_state(ix).word());
            states.extend(words);
        }
        refusals.extend(world.refused);
    }
    assert_eq!(states.into_iter().collect::<Vec<_>>(), STATES);
    assert_eq!(refusals.into_iter().collect::<Vec<_>>(), REFUSALS);
}

pub(crate) fn act(world: &mut World, number: usize, (verb, target, variant): Action) {
    // A draft is soon told: most of the story is about what comes after.
    let verb = if number == DRAFT_ACTIONS { START } else { verb };
    let count = world.release.process().activities.len();
    // One beyond the end now and then.
    let number = usize::from(target) % (count + 1);
    let mut activity = ActivityIx(u32::try_from(number).expect("few"));
    if !target.is_multiple_of(3) {
        activity = aimed_at(world, verb).unwrap_or(activity);
    }
    if verb < 10 {
        let key = world.release.current_run(activity).unwrap_or(AttemptKey {
            release: ID,
            activity,
            attempt: u32::from(variant % 3),
            run: 1,
        });
        let what = match variant % 32 {
            30 => What::AttemptLetIn { key },
            31 => What::AttemptTurnedAway {
                key,
                failure: Failure::new(FailureClass::PolicyDenied, "closed"),
            },
            _ => What::AttemptFinished {
                key,
                report: report(verb, variant),
            },
        };
        let _refused = world.input(Caller::engine(), what);
    } else if verb < 13 {
        world.pass(Span(u64::from(variant) * 2_000));
    } else {
        let by = caller(variant ^ target);
        let what = what(world, verb, activity, variant);
        let _refused = world.input(by, what);
    }
    assert_eq!(world.replayed(), world.release);
    for waiting in why(&world.release) {
        assert!(!waiting.to_string().is_empty());
    }
    let _waiting = why_activity(&world.release, activity);
}

/// Where an action has something to say: among many instances few would be met twice by chance.
fn aimed_at(world: &World, verb: u8) -> Option<ActivityIx> {
    let broken = |ix: &ActivityIx| {
        let record = world.release.record(*ix);
        record.is_some_and(|record| record.glass.is_some())
    };
    let fits = |ix: &ActivityIx| match (verb, world.release.activity_state(*ix)) {
        (13..=17 | 41..=46, state) => matches!(state, ActivityState::NeedsPeople(_)),
        (36..=38, state) => matches!(state, ActivityState::UndoFailed(_)),
        (47 | 49, _) => broken(ix),
        _ => false,
    };
    world.activities().find(fits)
}

fn report(verb: u8, variant: u8) -> Report {
    let failed = |class, after| Outcome::Failed {
        failure: Failure::new(class, "no"),
        retry_after: after,
    };
    let outcome = match verb {
        0 => failed(FailureClass::Retryable, None),
        1 => failed(FailureClass::Permanent, None),
        2 => failed(
            FailureClass::Limit("cpu".to_owned()),
            Some(Span(u64::from(variant) * 1_000)),
        ),
        3 | 4 => Outcome::Pending {
            checkpoint: vec![variant],
            resume: Resume::After(Span(u64::from(variant) * 1_000)),
            status: (variant > 99).then(|| "waits".to_owned()),
        },
        _ => Outcome::Succeeded(outputs(variant)),
    };
    let fact = Evidence {
        kind: "note".to_owned(),
        fact: outputs(variant),
    };
    Report {
        outcome,
        evidence: vec![fact; usize::from(variant % 3)],
    }
}

fn outputs(variant: u8) -> Json {
    let text = ["{}", "{\"go\":true}", "{\"go\":false}", "[1]"][usize::from(variant % 4)];
    Json::parse(text).expect("valid")
}

fn caller(variant: u8) -> Caller {
    match variant % 6 {
        0 => person("ana", &["qa"]),
        1 => person("ben", &["qa"]),
        2 => person("cleo", &["qa", "security"]),
        3 => person("zoe", &["break-glass"]),
        4 => person("eve", &[]),
        _ => Caller::engine(),
    }
}

fn what(world: &World, verb: u8, activity: ActivityIx, variant: u8) -> What {
    let text = if variant.is_multiple_of(8) {
        ""
    } else {
        "because"
    }
    .to_owned();
    let some = |json: Json| variant.is_multiple_of(2).then_some(json);
    match verb {
        13..=18 | 41..=47 | 49 => of_people(verb, activity, variant, text),
        19 | 20 => What::Retry {
            activity,
            with: some(outputs(variant / 2)),
        },
        21 => What::SupplyOutputs {
            activity,
            outputs: outputs(variant),
        },
        22 => What::Skip {
            activity,
            reason: text,
        },
        23 => What::Fail {
            activity,
            reason: text,
        },
        24 => What::Pause { reason: Some(text) },
        25 => What::Resume,
        35..=40 => way_back(verb, activity, variant, text),
        26 if variant < 20 => What::Abort { reason: text },
        26 => What::TimePassed,
        28..=30 => amendment(verb, activity, variant, text),
        START => What::Start {
            components: if variant < 10 {
                Vec::new()
            } else {
                pins(&world.process)
            },
            irreversible: (0..4).filter(|at| variant & (1 << at) != 0).collect(),
        },
        _ => wave(world, verb, (activity, variant), text),
    }
}

/// Something about a phase or a fan-out.
fn wave(world: &World, verb: u8, (target, variant): (ActivityIx, u8), reason: String) -> What {
    let phases = u32::try_from(world.release.process().phases.len()).expect("few");
    let phase = PhaseIx(target.0 % (phases + 1));
    let groups: Vec<Group> = world.release.waves().map(|(group, _)| group).collect();
    let group = match groups.get(usize::from(variant) % (groups.len() + 1)) {
        Some(group) => *group,
        None => Group::Phase(phase),
    };
    match verb {
        31 => What::SkipPhase { phase, reason },
        32 => What::HaltWave { group, reason },
        33 => What::ResumeWave {
            group,
            reason: Some(reason),
        },
        48 => What::RollbackWave { group, reason },
        _ => What::EndWave { group, reason },
    }
}

fn amendment(verb: u8, activity: ActivityIx, variant: u8, reason: String) -> What {
    match verb {
        28 => What::AmendInputs {
            inputs: Json::of(&serde_json::json!({ "yes": variant.is_multiple_of(3) })),
            reason,
        },
        29 => What::AmendOutputs {
            activity,
            outputs: outputs(variant),
            reason,
        },
        _ => What::AmendRetry {
            activity,
            attempts: u32::from(variant % 5),
            reason,
        },
    }
}

fn way_back(verb: u8, activity: ActivityIx, variant: u8, reason: String) -> What {
    match verb {
        35 if variant < 40 => What::Rollback { reason },
        36 => What::RetryUndo { activity },
        37 => What::MarkUndone { activity, reason },
        38 => What::AcceptNotUndone { activity, reason },
        39 => What::CloseRootCause { text: reason },
        _ => What::TimePassed,
    }
}

fn task_work(variant: u8, text: String) -> TaskWork {
    match variant % 8 {
        choice @ 0..5 => TaskWork::Move {
            state: TaskState::ALL[usize::from(choice)],
            comment: Some(text),
        },
        5 => TaskWork::Comment { text },
        6 => TaskWork::Edit {
            comment: u32::from(variant / 8) % 2,
            text,
        },
        _ => TaskWork::Attach {
            file: File {
                name: text,
                content: Content::Url("https://example.com/report".to_owned()),
            },
        },
    }
}

/// What people decide and do about manual activities.
fn of_people(verb: u8, activity: ActivityIx, variant: u8, text: String) -> What {
    match verb {
        13..=17 => What::Approve {
            activity,
            comment: Some(text),
            form: variant.is_multiple_of(2).then(|| outputs(variant / 2)),
            content: variant
                .is_multiple_of(16)
                .then(|| Digest::of(b"something else")),
            backup_of: variant
                .is_multiple_of(5)
                .then(|| caller(variant.wrapping_add(1))),
        },
        18 if variant.is_multiple_of(3) => What::WithdrawQuestion {
            activity,
            reason: text,
        },
        18 => What::Reject {
            activity,
            comment: text,
            backup_of: None,
        },
        41 => What::Withdraw {
            activity,
            comment: None,
        },
        42 => found(activity),
        43..=45 => What::Work {
            activity,
            task: [None, Some("look"), Some("look"), Some("read"), Some("lost")]
                [usize::from(variant % 5)]
            .map(ToOwned::to_owned),
            what: task_work(variant / 5, text),
        },
        46 => What::BreakGlass {
            activity,
            reason: text,
            form: variant.is_multiple_of(2).then(|| outputs(variant / 2)),
        },
        _ => What::CloseReview {
            activity,
            comment: text,
        },
    }
}

/// What a question is told of the people around it.
fn found(activity: ActivityIx) -> What {
    let name = |text: &str| text.parse().expect("a good name");
    let groups = [
        ("qa", ["ana", "ben", "cleo"].as_slice()),
        ("security", &["cleo"]),
    ];
    let groups = groups.map(|(group, members)| Membership {
        group: name(group),
        members: members.iter().map(|member| name(member)).collect(),
    });
    What::PeopleFound {
        activity,
        authors: vec![person("ben", &[]).actor],
        groups: groups.to_vec(),
    }
}

/// Does what well-meaning guests and people would do until the release has ended.
fn finish_everything(world: &mut World) {
    let components = pins(&world.process);
    let _started_already = world.input(
        person("ana", &[]),
        What::Start {
            components,
            irreversible: Vec::new(),
        },
    );
    let mut rounds = 0;
    while !world.release.has_ended() {
        rounds += 1;
        assert!(rounds < 500, "no end: {:?}", why(&world.release));
        if matches!(world.release.state(), ReleaseState::Paused { .. }) {
            world
                .input(person("ana", &[]), What::Resume)
                .expect("it is paused");
        }
        if let Some(at) = world.release.wake_at() {
            world.pass(at.since(world.now));
        }
        for activity in world.activities() {
            settle(world, activity);
        }
        let halted = world
            .release
            .waves()
            .filter(|(_, wave)| wave.halt.is_some() && wave.goes_back().is_none());
        let halted: Vec<Group> = halted.map(|(group, _)| group).collect();
        for group in halted {
            let reason = None;
            let over = world.input(person("ben", &[]), What::ResumeWave { group, reason });
            assert!(over.is_ok() || world.release.wave(group).is_some_and(Wave::is_over));
        }
    }
}

/// Somebody looks at all that was skipped, and tells why the release had to go back, after its end.
fn review_everything(world: &mut World) {
    let open: Vec<ActivityIx> = world.release.open_reviews().collect();
    for activity in open {
        let comment = "it was right".to_owned();
        let what = What::CloseReview { activity, comment };
        let qa = person("gus", &["qa", "security"]);
        world.input(qa, what).expect("others may review it");
    }
    if !world.release.is_settled() {
        let text = "it did not fit".to_owned();
        let told = world.input(person("gus", &[]), What::CloseRootCause { text });
        told.expect("anybody may tell");
    }
}

/// Brings one activity on its way.
fn settle(world: &mut World, activity: ActivityIx) {
    if world.release.has_ended() {
        return;
    }
    let ben = || person("ben", &[]);
    let reason = || "enough".to_owned();
    match world.release.activity_state(activity).going() {
        ActivityState::Running(_) => {
            world.succeed(activity);
        }
        ActivityState::UndoFailed(failed) if failed.accepted.is_none() => {
            let what = What::MarkUndone {
                activity,
                reason: reason(),
            };
            world.input(ben(), what).expect("it could not be undone");
        }
        ActivityState::OnHold { .. } => {
            let what = What::Fail {
                activity,
                reason: reason(),
            };
            world.input(ben(), what).expect("it is on hold");
        }
        ActivityState::NeedsPeople(_) => {
            let what = What::Skip {
                activity,
                reason: reason(),
            };
            world.input(ben(), what).expect("it has not ended");
        }
        _ => {}
    }
}

/// Every activity that was skipped for a broken need has one, or stands in a phase that has; none
/// that needs everything to succeed ran in spite of one.
fn reasons_hold(release: &Release, world: &World) {
    for ix in world.activities() {
        let process = release.process();
        let activity = process.activity(ix);
        let skipped = match release.activity_state(ix) {
            ActivityState::Skipped {
                why: SkipReason::Upstream,
                ..
            } => true,
            ActivityState::Succeeded { .. } => false,
            _ => continue,
        };
        let phase = process.phase(activity.phase);
        let needs = activity
            .needs
            .iter()
            .map(|need| release.activity_state(*need).settled());
        let phases = phase
            .needs
            .iter()
            .map(|need| release.phase_state(*need).settled());
        let broken = needs.chain(phases).any(|how| how == Some(Settled::Broken));
        let conditions = [&activity.condition, &phase.condition];
        let lenient = conditions
            .into_iter()
            .flatten()
            .any(Condition::replaces_needs)
            || !activity.joins.is_empty()
            || !phase.joins.is_empty();
        let path = process.path(ix);
        assert!(if skipped { broken } else { !broken || lenient }, "{path}");
    }
}
