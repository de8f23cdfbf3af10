//! Turns are kept in their order, and read from any event of theirs.

use fermata_core::id::ReleaseId;

use crate::subject::{Subject, appends, release, turn};

fn a_turn_reads_back(subject: &mut Subject) {
    subject.commit(appends([(release(1), turn(0, 3))]));
    assert_eq!(subject.turns(release(1), 0, 9), [turn(0, 3)]);
    assert_eq!(subject.turns(release(2), 0, 9), []);
}

fn reading_begins_at_the_turn_that_holds_the_event(subject: &mut Subject) {
    let turns = [turn(0, 2), turn(2, 1), turn(3, 4), turn(7, 1)];
    for turn in turns.clone() {
        subject.commit(appends([(release(1), turn)]));
    }
    for (from, skipped) in [
        (0, 0),
        (1, 0),
        (2, 1),
        (3, 2),
        (6, 2),
        (7, 3),
        (8, 4),
        (u64::MAX, 4),
    ] {
        assert_eq!(
            subject.turns(release(1), from, 9),
            turns[skipped..],
            "from {from}"
        );
    }
    assert_eq!(subject.turns(release(1), 1, 2), turns[..2]);
    assert_eq!(subject.turns(release(1), 1, 0), []);
    assert_eq!(subject.turns(release(1), 0, usize::MAX), turns);
}

fn one_batch_may_hold_many_releases_and_several_turns_of_one(subject: &mut Subject) {
    subject.commit(appends([
        (release(1), turn(0, 2)),
        (release(2), turn(0, 1)),
        (release(1), turn(2, 3)),
    ]));
    subject.commit(appends([
        (release(1), turn(5, 1)),
        (release(2), turn(1, 1)),
    ]));
    assert_eq!(
        subject.turns(release(1), 0, 9),
        [turn(0, 2), turn(2, 3), turn(5, 1)]
    );
    assert_eq!(subject.turns(release(2), 0, 9), [turn(0, 1), turn(1, 1)]);
}

fn neighbours_do_not_see_each_other(subject: &mut Subject) {
    let ids = [0, 1, 2, u128::MAX - 1, u128::MAX].map(ReleaseId);
    for (at, id) in (1..).zip(ids) {
        subject.commit(appends([(id, turn(0, at))]));
    }
    for (at, id) in (1..).zip(ids) {
        assert_eq!(subject.turns(id, 0, 9), [turn(0, at)]);
        assert_eq!(subject.turns(id, at, 9), []);
    }
}

fn more_releases_than_are_remembered_go_on(subject: &mut Subject) {
    // Versions of releases are remembered for a bounded number of them only.
    for hundred in 0..400_u128 {
        let mut batch = appends([]);
        for number in 0..100 {
            let [append] = appends([(release(hundred * 100 + number), turn(0, 2))])
                .appends
                .try_into()
                .expect("it is one");
            batch.appends.push(append);
        }
        subject.commit(batch);
    }
    for number in [0, 1, 20_000, 39_999] {
        let refused = subject.refused(appends([(release(number), turn(1, 1))]));
        assert!(
            refused
                .to_string()
                .contains("has 2 events where 1 were expected"),
            "{refused}"
        );
        subject.commit(appends([(release(number), turn(2, 1))]));
        assert_eq!(
            subject.turns(release(number), 0, 9),
            [turn(0, 2), turn(2, 1)]
        );
    }
}

conformance!(
    a_turn_reads_back,
    reading_begins_at_the_turn_that_holds_the_event,
    one_batch_may_hold_many_releases_and_several_turns_of_one,
    neighbours_do_not_see_each_other,
    more_releases_than_are_remembered_go_on,
);
