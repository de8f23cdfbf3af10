//! A write may require that there is no record yet.

use fermata_store::{Error, Table};

use crate::subject::{Subject, delete, if_absent, put, writes};

const META: Table = Table::Meta;

fn exists(error: &Error) -> &[u8] {
    match error {
        Error::Exists { table: META, key } => key,
        other => panic!("not the expected refusal: {other}"),
    }
}

fn only_the_first_write_wins(subject: &mut Subject) {
    subject.commit(writes([if_absent(put(META, b"k", b"1"))]));
    let error = subject.refused(writes([if_absent(put(META, b"k", b"2"))]));
    assert_eq!(exists(&error), b"k");
    assert_eq!(subject.get(META, b"k"), Some(b"1".to_vec()));
    subject.commit(writes([if_absent(put(Table::Logs, b"k", b"3"))]));
}

fn it_counts_after_reopening_and_deleting(subject: &mut Subject) {
    subject.commit(writes([put(META, b"k", b"")]));
    subject.reopen();
    let error = subject.refused(writes([if_absent(put(META, b"k", b"2"))]));
    assert_eq!(exists(&error), b"k");
    subject.commit(writes([delete(META, b"k")]));
    subject.commit(writes([if_absent(put(META, b"k", b"2"))]));
    assert_eq!(subject.get(META, b"k"), Some(b"2".to_vec()));
}

fn earlier_writes_of_the_batch_count(subject: &mut Subject) {
    let twice = [put(META, b"k", b"1"), if_absent(put(META, b"k", b"2"))];
    assert_eq!(exists(&subject.refused(writes(twice))), b"k");
    assert_eq!(subject.get(META, b"k"), None);
    subject.commit(writes([put(META, b"k", b"1")]));
    let replaced = [delete(META, b"k"), if_absent(put(META, b"k", b"2"))];
    subject.commit(writes(replaced));
    assert_eq!(subject.get(META, b"k"), Some(b"2".to_vec()));
}

fn a_refusal_leaves_nothing_of_its_batch(subject: &mut Subject) {
    subject.commit(writes([put(META, b"there", b"1")]));
    let batch = writes([
        put(META, b"other", b"1"),
        delete(META, b"there"),
        put(META, b"there", b"2"),
        if_absent(put(META, b"there", b"3")),
    ]);
    assert_eq!(exists(&subject.refused(batch)), b"there");
    assert_eq!(subject.get(META, b"other"), None);
    assert_eq!(subject.get(META, b"there"), Some(b"1".to_vec()));
}

fn deleting_what_is_absent_is_nothing(subject: &mut Subject) {
    subject.commit(writes([delete(META, b"k"), if_absent(delete(META, b"j"))]));
    assert_eq!(subject.get(META, b"k"), None);
    subject.commit(writes([put(META, b"j", b"1")]));
    let error = subject.refused(writes([if_absent(delete(META, b"j"))]));
    assert_eq!(exists(&error), b"j");
}

conformance!(
    only_the_first_write_wins,
    it_counts_after_reopening_and_deleting,
    earlier_writes_of_the_batch_count,
    a_refusal_leaves_nothing_of_its_batch,
    deleting_what_is_absent_is_nothing,
);
