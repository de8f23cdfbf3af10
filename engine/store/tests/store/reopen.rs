//! What was committed is there after any number of openings.

use fermata_store::Table;

use crate::subject::{Subject, appends, delete, put, records, release, turn, writes};

fn everything_is_kept(subject: &mut Subject) {
    for round in 0..4 {
        subject.commit(appends([(release(1), turn(round * 2, 2))]));
        let key = [u8::try_from(round).expect("few rounds")];
        subject.commit(writes([
            put(Table::Releases, &key, b"value"),
            delete(Table::Releases, &[0]),
        ]));
        let before = records(subject.store());
        subject.reopen();
        assert_eq!(records(subject.store()), before);
        let turns: Vec<_> = (0..=round).map(|at| turn(at * 2, 2)).collect();
        assert_eq!(subject.turns(release(1), 0, 99), turns);
    }
    assert_eq!(records(subject.store()).len(), 3);
}

conformance!(everything_is_kept);
