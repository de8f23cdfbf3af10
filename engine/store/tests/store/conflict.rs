//! An append states the version it builds on, and loses to whoever came first.

use fermata_store::{Error, Table};

use crate::subject::{Subject, appends, put, release, turn};

fn conflict(error: &Error) -> (u128, u64, u64) {
    match error {
        Error::Conflict {
            release,
            expected,
            found,
        } => (release.0 >> 64, *expected, *found),
        other => panic!("not a conflict: {other}"),
    }
}

fn another_version_is_refused(subject: &mut Subject) {
    let error = subject.refused(appends([(release(1), turn(1, 1))]));
    assert_eq!(conflict(&error), (1, 1, 0));
    subject.commit(appends([(release(1), turn(0, 3))]));
    for first in [0, 1, 2, 4, 99] {
        let error = subject.refused(appends([(release(1), turn(first, 1))]));
        assert_eq!(conflict(&error), (1, first, 3));
    }
    assert_eq!(subject.turns(release(1), 0, 9), [turn(0, 3)]);
    subject.commit(appends([(release(1), turn(3, 1))]));
}

fn turns_of_one_batch_must_follow_each_other(subject: &mut Subject) {
    for first in [0, 1, 3] {
        let batch = appends([(release(1), turn(0, 2)), (release(1), turn(first, 1))]);
        assert_eq!(conflict(&subject.refused(batch)), (1, first, 2));
    }
    assert_eq!(subject.turns(release(1), 0, 9), []);
}

fn the_version_counts_after_reopening(subject: &mut Subject) {
    subject.commit(appends([
        (release(1), turn(0, 2)),
        (release(2), turn(0, 1)),
    ]));
    subject.reopen();
    let error = subject.refused(appends([(release(1), turn(0, 1))]));
    assert_eq!(conflict(&error), (1, 0, 2));
    subject.commit(appends([
        (release(1), turn(2, 1)),
        (release(2), turn(1, 1)),
    ]));
    assert_eq!(subject.turns(release(1), 0, 9), [turn(0, 2), turn(2, 1)]);
}

fn a_conflict_leaves_nothing_of_its_batch(subject: &mut Subject) {
    subject.commit(appends([(release(2), turn(0, 1))]));
    let mut batch = appends([(release(1), turn(0, 1)), (release(2), turn(0, 1))]);
    batch.writes.push(put(Table::Meta, b"key", b"value"));
    assert_eq!(conflict(&subject.refused(batch)), (2, 0, 1));
    assert_eq!(subject.turns(release(1), 0, 9), []);
    assert_eq!(subject.get(Table::Meta, b"key"), None);
    subject.commit(appends([(release(1), turn(0, 1))]));
}

fn of_many_writers_one_wins_each_version(subject: &mut Subject) {
    const WRITERS: usize = 4;
    const VERSIONS: u64 = 10;
    let store = subject.store();
    let write = || {
        let alone = |version| {
            store
                .commit(appends([(release(1), turn(version, 1))]))
                .is_ok()
        };
        (0..VERSIONS).filter(|version| alone(*version)).count()
    };
    let won: usize = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|_| scope.spawn(write)).collect();
        let counts = writers
            .into_iter()
            .map(|writer| writer.join().expect("no writer panics"));
        counts.sum()
    });
    let kept = subject.turns(release(1), 0, 99);
    assert_eq!(kept.len(), won);
    assert_eq!(
        kept,
        (0..won as u64)
            .map(|first| turn(first, 1))
            .collect::<Vec<_>>()
    );
}

fn malformed_turns_are_refused(subject: &mut Subject) {
    for bad in [
        turn(0, 0),
        fermata_core::release::event::Turn {
            first: u64::MAX,
            ..turn(0, 1)
        },
    ] {
        let error = subject.refused(appends([(release(1), bad)]));
        assert!(matches!(error, Error::Malformed { .. }), "{error}");
    }
    subject.commit(appends([(release(1), turn(0, 1))]));
}

conformance!(
    another_version_is_refused,
    turns_of_one_batch_must_follow_each_other,
    the_version_counts_after_reopening,
    a_conflict_leaves_nothing_of_its_batch,
    of_many_writers_one_wins_each_version,
    malformed_turns_are_refused,
);
