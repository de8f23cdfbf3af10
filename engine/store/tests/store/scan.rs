//! Scans give ranges of keys in both directions.

use fermata_store::{Batch, Scan, Table};

use crate::subject::{Subject, put, writes};

/// In their order.
const KEYS: [&[u8]; 9] = [
    b"\x00",
    b"a",
    b"a\x00",
    b"ab",
    b"a\xff",
    b"a\xff\xff",
    b"b",
    b"\xff",
    b"\xff\xff",
];

/// Checks a scan against every key, filtered and ordered by the words of the contract.
fn check(subject: &Subject, scan: &Scan) {
    let mut expected: Vec<&[u8]> = KEYS
        .into_iter()
        .filter(|key| key.starts_with(&scan.prefix))
        .filter(|key| match &scan.after {
            Some(after) if scan.reverse => *key < after.as_slice(),
            Some(after) => *key > after.as_slice(),
            None => true,
        })
        .collect();
    expected.sort_unstable();
    if scan.reverse {
        expected.reverse();
    }
    expected.truncate(scan.limit);
    let found = subject.scan(Table::Logs, scan);
    let keys: Vec<&[u8]> = found.iter().map(|(key, _)| key.as_slice()).collect();
    assert_eq!(keys, expected, "{scan:?}");
    assert!(found.iter().all(|(key, value)| key == value), "{scan:?}");
}

fn every_scan_gives_what_the_contract_says(subject: &mut Subject) {
    subject.commit(Batch {
        appends: Vec::new(),
        writes: KEYS
            .iter()
            .rev()
            .map(|key| put(Table::Logs, key, key))
            .collect(),
    });
    subject.commit(writes([put(Table::Meta, b"aa", b"another table")]));
    let odd: [&[u8]; 5] = [b"", b"\x00\x00", b"aa", b"c", b"\xff\xff\xff"];
    let places: Vec<&[u8]> = KEYS.into_iter().chain(odd).collect();
    for prefix in &places {
        for after in [None].into_iter().chain(places.iter().map(Some)) {
            for (reverse, limit) in [(false, 99), (true, 99), (false, 2), (true, 2), (false, 0)] {
                let scan = Scan {
                    prefix: prefix.to_vec(),
                    after: after.map(|after| after.to_vec()),
                    reverse,
                    limit,
                };
                check(subject, &scan);
            }
        }
    }
}

fn pages_join_to_the_whole(subject: &mut Subject) {
    subject.commit(Batch {
        appends: Vec::new(),
        writes: KEYS.iter().map(|key| put(Table::Logs, key, key)).collect(),
    });
    for reverse in [false, true] {
        let mut page = Scan {
            reverse,
            limit: 2,
            ..Scan::default()
        };
        let mut keys = Vec::new();
        loop {
            let found = subject.scan(Table::Logs, &page);
            let Some((last, _)) = found.last() else { break };
            page.after = Some(last.clone());
            keys.extend(found.into_iter().map(|(key, _)| key));
        }
        if reverse {
            keys.reverse();
        }
        assert_eq!(keys, KEYS);
    }
}

fn an_empty_table_has_nothing(subject: &mut Subject) {
    for table in Table::ALL {
        let everything = Scan {
            limit: usize::MAX,
            ..Scan::default()
        };
        assert_eq!(subject.scan(table, &everything), []);
    }
}

conformance!(
    every_scan_gives_what_the_contract_says,
    pages_join_to_the_whole,
    an_empty_table_has_nothing,
);
