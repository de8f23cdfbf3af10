//! Recordings: kept with the turn, found again after a restart, gone when the attempt succeeds.

use fermata_core::attempt::{Call, Resume, Usage};
use fermata_core::component::{Grants, Pin};
use fermata_core::recording::{RecordedAttempt, RecordedRun, Recording};

use super::*;

/// The list, what all runs of the attempt have in common, and one run.
const FIRST_RUN: usize = 3;

fn recording(key: AttemptKey, outcome: Outcome) -> Recording {
    let name = |text: &str| text.parse().expect("a name");
    Recording {
        attempt: RecordedAttempt {
            component: Pin {
                name: name("noop"),
                version: "1.0.0".parse().expect("a version"),
                digest: Digest::of(b"1.0.0"),
            },
            release: key.release,
            process: name("ship"),
            phase: name("build"),
            activity: name("a"),
            attempt: key.attempt,
            number: key.attempt,
            idempotency_key: "k".into(),
            call: Call::Run,
            inputs: Json::empty_object(),
        },
        run: RecordedRun {
            run: key.run,
            now: Timestamp(1),
            began: Timestamp(1),
            wall: Span(1),
            grants: Grants::default(),
            checkpoint: None,
            signal: None,
            seed: None,
            wall_clock_ns: Vec::new(),
            monotonic_clock_ns: Vec::new(),
            exchanges: Vec::new(),
            missed: 0,
            redacted: false,
            outcome,
            evidence: Vec::new(),
            usage: Usage::default(),
        },
    }
}

fn finish(world: &mut World, key: AttemptKey, outcome: Outcome, recorded: bool) {
    let recording = recorded.then(|| Box::new(recording(key, outcome.clone())));
    let report = Report {
        outcome,
        evidence: Vec::new(),
    };
    let ran = Box::new(Ran {
        recording,
        ..Ran::from(report)
    });
    world.handle(Wake::Finished { key, ran });
    world.flush();
}

fn pending() -> Outcome {
    Outcome::Pending {
        checkpoint: vec![1],
        resume: Resume::After(Span(1_000)),
        status: None,
    }
}

#[test]
fn runs_of_an_attempt_are_kept_until_it_succeeds() {
    let mut world = World::new(Config::default());
    let id = world.create();
    finish(&mut world, key(id, 0, 1), pending(), true);
    assert_eq!(world.count(Table::Logs), FIRST_RUN);
    // A stale result leaves nothing.
    finish(&mut world, key(id, 0, 1), pending(), true);
    assert_eq!(world.count(Table::Logs), FIRST_RUN);
    let mut world = world.restart();
    world.now = world.now.after(Span(1_000));
    world.handle(Wake::TimePassed);
    world.flush();
    let second = AttemptKey {
        run: 2,
        ..key(id, 0, 1)
    };
    let failed = Outcome::Failed {
        failure: Failure::new(FailureClass::Retryable, "no"),
        retry_after: None,
    };
    finish(&mut world, second, failed, true);
    assert_eq!(world.count(Table::Logs), FIRST_RUN + 1);
    world.now = world.now.after(Span(10_000));
    world.handle(Wake::TimePassed);
    world.flush();
    finish(&mut world, key(id, 0, 2), pending(), true);
    assert_eq!(world.count(Table::Logs), FIRST_RUN + 3);
    world.now = world.now.after(Span(1_000));
    world.handle(Wake::TimePassed);
    world.flush();
    let last = AttemptKey {
        run: 2,
        ..key(id, 0, 2)
    };
    finish(&mut world, last, ok(), false);
    // What failed before stays.
    assert_eq!(world.count(Table::Logs), FIRST_RUN + 1);
}
