//! A batch is seen whole or not at all, and its last write of a key wins.

use std::sync::atomic::{AtomicBool, Ordering};

use fermata_store::{Batch, Scan, Table};

use crate::subject::{Subject, appends, delete, put, release, turn, writes};

fn everything_of_a_batch_is_there(subject: &mut Subject) {
    let mut batch = appends([(release(1), turn(0, 1)), (release(2), turn(0, 2))]);
    for table in Table::ALL {
        batch
            .writes
            .push(put(table, b"key", table.name().as_bytes()));
    }
    subject.commit(batch);
    subject.reopen();
    assert_eq!(subject.turns(release(1), 0, 9), [turn(0, 1)]);
    assert_eq!(subject.turns(release(2), 0, 9), [turn(0, 2)]);
    for table in Table::ALL {
        assert_eq!(
            subject.get(table, b"key"),
            Some(table.name().as_bytes().to_vec())
        );
    }
}

fn the_last_write_of_a_key_wins(subject: &mut Subject) {
    let meta = Table::Meta;
    subject.commit(writes([
        put(meta, b"a", b"1"),
        put(meta, b"a", b"2"),
        put(meta, b"b", b"1"),
        delete(meta, b"b"),
    ]));
    assert_eq!(subject.get(meta, b"a"), Some(b"2".to_vec()));
    assert_eq!(subject.get(meta, b"b"), None);
}

fn an_empty_batch_changes_nothing(subject: &mut Subject) {
    subject.commit(Batch::default());
    assert_eq!(crate::subject::records(subject.store()), []);
}

fn a_reader_never_sees_half_a_batch(subject: &mut Subject) {
    const BATCHES: u8 = 30;
    const KEYS: u8 = 20;
    let (store, done) = (subject.store(), AtomicBool::new(false));
    let all = Scan {
        limit: usize::MAX,
        ..Scan::default()
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for batch in 0..BATCHES {
                let writes = (0..KEYS)
                    .map(|key| put(Table::Logs, &[key], &[batch]))
                    .collect();
                let appends = Vec::new();
                store
                    .commit(Batch { appends, writes })
                    .expect("the batch is valid");
            }
            done.store(true, Ordering::Release);
        });
        loop {
            let last = done.load(Ordering::Acquire);
            let found = store.scan(Table::Logs, &all).expect("records can be read");
            let same = found.windows(2).all(|pair| pair[0].1 == pair[1].1);
            assert!(
                same && [0, usize::from(KEYS)].contains(&found.len()),
                "{found:?}"
            );
            if last {
                break;
            }
        }
    });
    assert_eq!(subject.get(Table::Logs, &[0]), Some(vec![BATCHES - 1]));
}

conformance!(
    everything_of_a_batch_is_there,
    the_last_write_of_a_key_wins,
    an_empty_batch_changes_nothing,
    a_reader_never_sees_half_a_batch,
);
