//! Any sequence of operations has the same answers from `Rocks` as from `Memory`.

use fermata_store::{Append, Batch, Expect, Scan, Table, Write};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::subject::{Subject, records, release, turn};

/// Releases that take part; few, so that they meet.
const RELEASES: u8 = 3;

#[derive(Clone, Debug)]
enum Operation {
    /// Appends by release, distance from the right version and number of events; and writes.
    Commit(Vec<(u8, u64, u64)>, Vec<Write>),
    Turns(u8, u64, usize),
    Get(Table, Vec<u8>),
    Scan(Table, Scan),
    Reopen,
}

fn table() -> impl Strategy<Value = Table> {
    prop_oneof![Just(Table::Meta), Just(Table::Blobs), Just(Table::Logs)]
}

/// Keys that are often equal, prefixes of each other, at the end of what there is, or empty.
fn key() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![Just(0), Just(7), Just(u8::MAX)], 0..4)
}

fn write() -> impl Strategy<Value = Write> {
    let value = option::weighted(0.7, vec(any::<u8>(), 0..4));
    let expect = prop_oneof![4 => Just(Expect::Anything), 1 => Just(Expect::Absent)];
    let parts = (table(), key(), value, expect);
    parts.prop_map(|(table, key, value, expect)| Write {
        table,
        key,
        value,
        expect,
    })
}

fn scan() -> impl Strategy<Value = Scan> {
    let parts = (key(), option::of(key()), any::<bool>(), 0..6_usize);
    parts.prop_map(|(prefix, after, reverse, limit)| Scan {
        prefix,
        after,
        reverse,
        limit,
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    let distance = prop_oneof![9 => Just(0), 1 => 1..3_u64];
    let events = prop_oneof![20 => 1..4_u64, 1 => Just(0)];
    let append = (0..RELEASES, distance, events);
    prop_oneof![
        6 => (vec(append, 0..4), vec(write(), 0..4)).prop_map(|(a, w)| Operation::Commit(a, w)),
        2 => (0..RELEASES, 0..12_u64, 0..5_usize).prop_map(|(r, f, l)| Operation::Turns(r, f, l)),
        2 => (table(), key()).prop_map(|(table, key)| Operation::Get(table, key)),
        3 => (table(), scan()).prop_map(|(table, scan)| Operation::Scan(table, scan)),
        1 => Just(Operation::Reopen),
    ]
}

/// The batch that an operation means, given what the specification holds.
fn batch(memory: &Subject, planned: &[(u8, u64, u64)], writes: &[Write]) -> Batch {
    let mut versions = [0; RELEASES as usize];
    for (number, version) in (0..).zip(&mut versions) {
        let turns = memory.turns(release(number), 0, usize::MAX);
        *version = turns
            .last()
            .map_or(0, fermata_core::release::event::Turn::next);
    }
    let mut appends = Vec::new();
    for (number, distance, events) in planned {
        let version = &mut versions[usize::from(*number)];
        appends.push(Append {
            release: release(u128::from(*number)),
            turn: turn(*version + distance, *events),
        });
        *version += events;
    }
    Batch {
        appends,
        writes: writes.to_vec(),
    }
}

/// What a store answers, as text, errors included.
fn answer(subject: &mut Subject, operation: &Operation, batch: Option<Batch>) -> String {
    let store = subject.store();
    match operation {
        Operation::Commit(..) => format!("{:?}", store.commit(batch.expect("it is a commit"))),
        Operation::Turns(number, from, limit) => {
            format!(
                "{:?}",
                store.turns(release(u128::from(*number)), *from, *limit)
            )
        }
        Operation::Get(table, key) => format!("{:?}", store.get(*table, key)),
        Operation::Scan(table, scan) => format!("{:?}", store.scan(*table, scan)),
        Operation::Reopen => {
            subject.reopen();
            String::new()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rocks_answers_as_memory_does(operations in vec(operation(), 1..40)) {
        let (mut memory, mut rocks) = (Subject::memory(), Subject::rocks());
        for operation in &operations {
            let batch = match operation {
                Operation::Commit(appends, writes) => Some(batch(&memory, appends, writes)),
                _ => None,
            };
            let expected = answer(&mut memory, operation, batch.clone());
            let found = answer(&mut rocks, operation, batch);
            prop_assert_eq!(found, expected, "{:?}", operation);
        }
        rocks.reopen();
        prop_assert_eq!(records(rocks.store()), records(memory.store()));
        for number in 0..u128::from(RELEASES) {
            let all = |subject: &Subject| subject.turns(release(number), 0, usize::MAX);
            prop_assert_eq!(all(&rocks), all(&memory));
        }
    }
}
