//! The second part of a story: nothing disturbs any more, and every release has to end.

use fermata_core::attempt::{AttemptKey, Outcome};
use fermata_core::extension::Verdict;
use fermata_core::failure::FailureClass;
use fermata_core::id::{Digest, ReleaseId};
use fermata_core::json::Json;
use fermata_core::process::ActivityIx;
use fermata_core::release::event::Awaits;
use fermata_core::release::input::TaskWork;
use fermata_core::release::state::{ActivityState, ReleaseState, Resumes};
use fermata_core::release::task::TaskState;
use fermata_core::release::{Release, RootCause};
use fermata_service::request::{Command, PeopleCommand, UndoDecision};
use fermata_service::wake::Wake;
use serde_json::json;

use crate::simulation::world::World;

/// Rounds in which everybody does what is asked: far more than the process has activities.
const ROUNDS: u32 = 200;

/// Lets every release end; an error if one does not.
pub(super) fn settle(world: &mut World) -> Result<(), String> {
    for _ in 0..ROUNDS {
        if world.driver.releases().next().is_none() {
            break;
        }
        world.note(|| "everybody does what is asked".to_owned());
        round(world);
        // A fault that was planned in the first part may still happen here, once.
        world.flush()?;
    }
    let stuck: Vec<String> = world
        .driver
        .releases()
        .map(|release| told(release))
        .collect();
    if !stuck.is_empty() {
        return Err(format!("releases that never end: {}", stuck.join("; ")));
    }
    world.promises.kept(&*world.disk)?;
    world.effects.kept(&*world.disk)
}

fn round(world: &mut World) {
    let wishes: Vec<(ReleaseId, Command)> = world
        .driver
        .releases()
        .flat_map(|release| {
            wishes(release)
                .into_iter()
                .map(|command| (release.id(), command))
        })
        .collect();
    let asked: Vec<AttemptKey> = world.asked.keys().copied().collect();
    let still = wishes.is_empty() && world.running.is_empty() && asked.is_empty();
    for key in asked {
        world.judge(key, |_| Ok(Verdict::Allow));
    }
    for (release, command) in wishes {
        // Two different people: the question wants both.
        world.ask("ben", release, command.clone());
        world.ask("sam", release, command);
    }
    let running: Vec<AttemptKey> = std::mem::take(&mut world.running).into_iter().collect();
    for key in running {
        world.gone.push(key);
        world.finish(key, Outcome::Succeeded(Json::of(&json!({ "number": 7 }))));
    }
    // What is due comes of itself; the clock goes on only where it alone can move something.
    let due = world.driver.next_wake();
    if let Some(due) = due.filter(|due| still || *due <= world.now) {
        world.now = world.now.max(due);
        world.handle(Wake::TimePassed);
    }
}

/// What has to be done for a release to go on.
fn wishes(release: &Release) -> Vec<Command> {
    match release.state() {
        ReleaseState::Draft => return vec![Command::Start],
        ReleaseState::Paused { .. } => return vec![Command::Resume],
        ReleaseState::Running | ReleaseState::RollingBack => {}
        ReleaseState::Ended { .. } => return reviews(release),
    }
    let count = u32::try_from(release.process().activities.len()).expect("a small process");
    let activities = (0..count).map(ActivityIx);
    let halted = release.waves().filter(|(_, wave)| wave.halt.is_some());
    let resumed = halted.map(|(group, _)| Command::ResumeWave {
        wave: release.process().group_path(group),
        reason: None,
    });
    activities
        .flat_map(|ix| {
            let path = || release.process().path(ix);
            let open = release.tasks_open(ix).into_iter();
            let asked = matches!(release.activity_state(ix), ActivityState::NeedsPeople(_));
            let tasks = open.filter(|_| asked).map(|task| done(path(), task));
            let tasks: Vec<Command> = tasks.collect();
            tasks.into_iter().chain(wish(release, ix))
        })
        .chain(resumed)
        .collect()
}

/// A task is done.
fn done(activity: String, task: String) -> Command {
    let what = PeopleCommand::Work {
        task: Some(task),
        what: TaskWork::Move {
            state: TaskState::Done,
            comment: None,
        },
    };
    Command::People { activity, what }
}

/// What is left to be looked at after the end.
fn reviews(release: &Release) -> Vec<Command> {
    let cause = release.rollback().and_then(|back| back.root_cause.as_ref());
    let cause = cause.filter(|cause| matches!(cause, RootCause::Open { .. }));
    let cause = cause.map(|_| Command::CloseRootCause {
        text: "it did not fit".to_owned(),
    });
    let open = release.open_reviews();
    let reviews = open.map(|ix| Command::People {
        activity: release.process().path(ix),
        what: PeopleCommand::CloseReview {
            comment: "it was right".to_owned(),
        },
    });
    reviews.chain(cause).collect()
}

fn wish(release: &Release, ix: ActivityIx) -> Option<Command> {
    let activity = release.process().path(ix);
    if let ActivityState::Suspended {
        attempt,
        resumes: Resumes::Signal(_),
        ..
    } = release.activity_state(ix).going()
    {
        // Each suspension gets a delivery of its own.
        let delivery = format!("calm {} {}", attempt.number, attempt.run);
        return Some(Command::Signal {
            activity,
            delivery: Digest::of(delivery.as_bytes()),
            payload: Json::of(&json!({ "calm": true })),
        });
    }
    match release.activity_state(ix) {
        // A release that is to wait for itself is told so, and goes on without.
        ActivityState::Awaiting(wait) if wait.on == Awaits::Signal => Some(Command::Signal {
            activity,
            delivery: Digest::of(b"calm"),
            payload: Json::of(&json!({ "id": release.id().to_string() })),
        }),
        ActivityState::OnHold { failure, .. } if failure.code.is_some() => Some(Command::Skip {
            activity,
            reason: "it will never be there".to_owned(),
        }),
        ActivityState::NeedsPeople(_) => Some(Command::People {
            activity,
            what: PeopleCommand::Approve {
                comment: None,
                form: None,
                content: None,
                backup_of: None,
            },
        }),
        // What it reads was skipped: another attempt would find the same.
        ActivityState::OnHold { failure, .. } if failure.class == FailureClass::Expression => {
            Some(Command::Skip {
                activity,
                reason: "there is nothing to read".to_owned(),
            })
        }
        ActivityState::OnHold { .. } => Some(Command::Retry {
            activity,
            with: None,
        }),
        ActivityState::UndoFailed(failed) if failed.accepted.is_none() => {
            // A failure of the engine's own would come again: only a person can take this back.
            let decision = match failed.failure.code {
                Some(_) => UndoDecision::MarkUndone {
                    reason: "it is gone".to_owned(),
                },
                None => UndoDecision::Retry,
            };
            Some(Command::DecideUndo { activity, decision })
        }
        _ => None,
    }
}

fn told(release: &Release) -> String {
    let count = u32::try_from(release.process().activities.len()).expect("a small process");
    let words = (0..count).map(|ix| release.activity_state(ActivityIx(ix)).word());
    format!(
        "{} {} [{}]",
        release.id(),
        release.state().word(),
        words.collect::<Vec<_>>().join(" ")
    )
}
