//! What can happen in a story: one move at a time.

use fermata_core::attempt::{AttemptKey, Outcome, Resume};
use fermata_core::extension::Verdict;
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::id::{Digest, ReleaseId};
use fermata_core::json::Json;
use fermata_core::release::input::TaskWork;
use fermata_core::release::task::TaskState;
use fermata_core::time::Span;
use fermata_service::request::{Command, NewRelease, PeopleCommand, UndoDecision};
use fermata_service::wake::Wake;
use fermata_store::Fault;
use serde_json::json;

use crate::simulation::world::{World, person};

/// The activities of the story's process, and one that it does not have.
const ACTIVITIES: [&str; 35] = [
    "build/a",
    "build/b",
    "build/c",
    "agree/people",
    "agree/board",
    "ship/left",
    "ship/right",
    "ship/last",
    "choose/first",
    "choose/second",
    "choose/third",
    "choose/either",
    "choose/two",
    "choose/mend",
    "tidy/sweep",
    "clean-up/remove",
    "wave/deploy",
    "wave[a]/deploy",
    "wave[1]/check",
    "wave/gate[2]",
    "wave[c]",
    "shops/open[3]",
    "shops/look[2]",
    "free/alone",
    "below/sub",
    "below/beside",
    "only/work",
    "only/deeper",
    "outside/nap",
    "outside/called",
    "outside/other",
    "risky/base",
    "risky/top",
    "risky/look",
    "no/where",
];
/// What has batches, and something that has none.
const WAVES: [&str; 3] = ["wave", "shops/open", "ship"];
const PEOPLE: [&str; 3] = ["ana", "ben", "sam"];
/// Longest step of the clock, in milliseconds: past every deadline of the process.
const STEP_MS_MAX: u64 = 3 * 60 * 60 * 1_000;
/// Most releases at a time: more would only make stories slower.
const OPEN_MAX: usize = 8;

/// Plays one move; an error if it breaks a promise.
pub(super) fn one(world: &mut World) -> Result<(), String> {
    match world.random.below(100) {
        0..12 => make(world),
        12..46 => finish(world),
        46..52 => judge(world),
        52..58 => finish_late(world),
        58..62 => signal(world),
        62..84 => decide(world),
        84..94 => pass_time(world),
        94..97 => fail_commit(world),
        // What was decided and not committed is lost, and nobody had an answer to it.
        _ => return world.restart(),
    }
    Ok(())
}

fn make(world: &mut World) {
    if world.driver.releases().count() >= OPEN_MAX {
        return;
    }
    let start = !world.random.one_in(4);
    let ship = !world.random.one_in(4);
    let urgent = world.random.one_in(6);
    let emergency = urgent.then(|| "the story wants it".to_owned());
    world.note(|| format!("a release is made, started: {start}, ship: {ship}"));
    world.make(NewRelease {
        process: "story".parse().expect("a name"),
        version: None,
        title: None,
        inputs: json!({ "ship": ship }),
        start,
        once: None,
        emergency,
    });
}

fn finish(world: &mut World) {
    let running: Vec<AttemptKey> = world.running.iter().copied().collect();
    let Some(key) = world.random.pick(&running).copied() else {
        return;
    };
    let outcome = outcome(world);
    world.note(|| format!("{key:?} ends: {outcome:?}"));
    world.running.remove(&key);
    world.gone.push(key);
    world.finish(key, outcome);
}

/// Policies answer what they are asked, or fail to.
fn judge(world: &mut World) {
    for _ in 0..3 {
        let asked: Vec<AttemptKey> = world.asked.keys().copied().collect();
        let Some(key) = world.random.pick(&asked).copied() else {
            // Where no policy is in force, runs end instead.
            return finish(world);
        };
        world.note(|| format!("policies answer about {key:?}"));
        world.judge(key, |random| match random.below(12) {
            0..8 => Ok(Verdict::Allow),
            8..10 => Ok(Verdict::Warn("the window closes soon".to_owned())),
            10 => Ok(Verdict::Deny("the window is closed".to_owned())),
            _ => Err(Box::new(Failure::new(
                FailureClass::Trap,
                "the policy crashed",
            ))),
        });
    }
}

/// A result that comes when its run is over, or comes twice.
fn finish_late(world: &mut World) {
    let gone = world.gone.clone();
    let Some(key) = world.random.pick(&gone).copied() else {
        return;
    };
    if world.running.contains(&key) {
        return;
    }
    let outcome = outcome(world);
    world.note(|| format!("{key:?} ends late: {outcome:?}"));
    world.finish(key, outcome);
}

fn outcome(world: &mut World) -> Outcome {
    let random = &mut world.random;
    match random.below(10) {
        0..6 => Outcome::Succeeded(Json::of(&json!({ "number": random.below(100) }))),
        6 => Outcome::Pending {
            checkpoint: vec![1],
            resume: if random.one_in(3) {
                Resume::Signal("go".parse().expect("a good name"))
            } else {
                Resume::After(Span(random.below(90_000)))
            },
            status: None,
        },
        7 => failed(FailureClass::Retryable),
        8 => failed(FailureClass::Permanent),
        _ => failed(FailureClass::Limit("memory".to_owned())),
    }
}

fn failed(class: FailureClass) -> Outcome {
    Outcome::Failed {
        failure: Failure::new(class, "as the story wants it"),
        retry_after: None,
    }
}

/// A signal comes, for the first time or again, and names a release to wait for.
fn signal(world: &mut World) {
    let releases: Vec<ReleaseId> = world.promises.releases().collect();
    let Some(release) = world.random.pick(&releases).copied() else {
        return;
    };
    let other = world.random.pick(&releases).copied().unwrap_or(release);
    let delivery = Digest::of(&[u8::try_from(world.random.below(4)).expect("small")]);
    world.note(|| format!("a signal for {release} names {other}"));
    let activity = match world.random.below(3) {
        0 => *world.random.pick(&ACTIVITIES).expect("some"),
        _ => "outside/called",
    };
    let command = Command::Signal {
        activity: activity.to_owned(),
        delivery,
        payload: Json::of(&json!({ "id": other.to_string() })),
    };
    world.ask("ana", release, command);
}

/// Somebody asks for something, sensible or not.
fn decide(world: &mut World) {
    let releases: Vec<ReleaseId> = world.promises.releases().collect();
    let Some(release) = world.random.pick(&releases).copied() else {
        return;
    };
    let activity = (*world.random.pick(&ACTIVITIES).expect("some")).to_owned();
    let by = *world.random.pick(&PEOPLE).expect("some");
    let reason = || "the story wants it".to_owned();
    let command = match world.random.below(37) {
        0..3 => Command::Start,
        3..10 => people(world, activity),
        10..13 => Command::Retry {
            activity,
            with: None,
        },
        13 => Command::SupplyOutputs {
            activity,
            outputs: Json::of(&json!({ "number": 1 })),
        },
        14 => Command::Skip {
            activity,
            reason: reason(),
        },
        15 => Command::Fail {
            activity,
            reason: reason(),
        },
        16 if world.random.one_in(2) => launch(activity),
        16 => Command::Pause { reason: None },
        17 | 18 => Command::Resume,
        19 => Command::AmendInputs {
            inputs: Json::of(&json!({ "note": world.random.below(9) })),
            reason: reason(),
        },
        20 => Command::AmendOutputs {
            activity,
            outputs: Json::of(&json!({ "number": 7 })),
            reason: reason(),
        },
        21 => Command::AmendRetry {
            activity,
            attempts: 1,
            reason: reason(),
        },
        23..29 => about_wave(world),
        29..35 => way_back(world, activity),
        _ if world.random.one_in(3) => Command::Abort { reason: reason() },
        _ => Command::Resume,
    };
    world.note(|| format!("{by} asks of {release}: {command:?}"));
    world.ask(by, release, command);
}

/// Something about a fan-out.
fn about_wave(world: &mut World) -> Command {
    let wave = (*world.random.pick(&WAVES).expect("some")).to_owned();
    let reason = "the story wants it".to_owned();
    match world.random.below(9) {
        0 | 1 => Command::HaltWave { wave, reason },
        2..5 => Command::ResumeWave { wave, reason: None },
        5 if world.random.one_in(2) => Command::EndWave { wave, reason },
        5 => Command::RollbackWave { wave, reason },
        gate => Command::People {
            activity: format!("wave/gate[{}]", 2 + gate % 2),
            what: PeopleCommand::Approve {
                comment: None,
                form: None,
                content: None,
                backup_of: None,
            },
        },
    }
}

fn launch(activity: String) -> Command {
    Command::Launch {
        activity,
        process: "below".parse().expect("a name"),
        version: None,
        inputs: Json::of(&json!({ "more": 0 })),
    }
}

/// Somebody sends a release back, or decides about the way back.
fn way_back(world: &mut World, activity: String) -> Command {
    let reason = || "the story wants it".to_owned();
    let decision = match world.random.below(10) {
        0..2 if world.random.one_in(3) => return Command::Rollback { reason: reason() },
        2 => return Command::CloseRootCause { text: reason() },
        3..5 => UndoDecision::MarkUndone { reason: reason() },
        5 => UndoDecision::Accept { reason: reason() },
        _ => UndoDecision::Retry,
    };
    Command::DecideUndo { activity, decision }
}

/// Somebody decides about a manual activity, or tries to.
fn people(world: &mut World, activity: String) -> Command {
    let agrees = ["agree/people", "agree/board"];
    let agree = (*world.random.pick(&agrees).expect("some")).to_owned();
    let reason = || "the story wants it".to_owned();
    let (activity, what) = match world.random.below(30) {
        24..27 => (agree, work(world)),
        27 => {
            let (reason, form) = (reason(), None);
            (agree, PeopleCommand::BreakGlass { reason, form })
        }
        28 | 29 => (agree, PeopleCommand::CloseReview { comment: reason() }),
        0 => (
            activity,
            PeopleCommand::Reject {
                comment: reason(),
                backup_of: world.random.one_in(3).then(|| person("ana")),
            },
        ),
        1..4 => (agree, PeopleCommand::Withdraw { comment: None }),
        4 if world.random.one_in(3) => {
            let reason = reason();
            (activity, PeopleCommand::WithdrawQuestion { reason })
        }
        _ => (
            agree,
            PeopleCommand::Approve {
                comment: None,
                form: None,
                content: world.random.one_in(8).then(|| Digest::of(b"another")),
                backup_of: world.random.one_in(4).then(|| person("ana")),
            },
        ),
    };
    Command::People { activity, what }
}

/// Somebody works on a task, or on one that there is none of.
fn work(world: &mut World) -> PeopleCommand {
    let tasks = [None, Some("look"), Some("look"), Some("nothing")];
    let task = *world.random.pick(&tasks).expect("some");
    let what = match world.random.below(4) {
        0 | 1 => TaskWork::Move {
            state: *world.random.pick(&TaskState::ALL).expect("some"),
            comment: None,
        },
        2 => TaskWork::Comment {
            text: "the story wants it".to_owned(),
        },
        _ => TaskWork::Edit {
            comment: 0,
            text: "the story wants it otherwise".to_owned(),
        },
    };
    PeopleCommand::Work {
        task: task.map(ToOwned::to_owned),
        what,
    }
}

/// The clock goes on, to just where something is due or anywhere.
fn pass_time(world: &mut World) {
    let step = match world.driver.next_wake() {
        Some(due) if !world.random.one_in(3) => due.since(world.now),
        _ => Span(world.random.below(STEP_MS_MAX)),
    };
    world.now = world.now.after(step);
    world.note(|| "time has passed".to_owned());
    world.handle(Wake::TimePassed);
}

fn fail_commit(world: &mut World) {
    let fault = if world.random.one_in(2) {
        Fault::Before
    } else {
        Fault::After
    };
    let commit = world.disk.commits();
    world.note(|| format!("commit {commit} is going to fail: {fault:?}"));
    world.disk.fail(commit, fault);
}
