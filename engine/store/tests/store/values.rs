//! Values and keys of every size that may be.

use fermata_core::id::Digest;
use fermata_store::{Error, KEY_BYTES_MAX, Table, VALUE_BYTES_MAX};

use crate::subject::{Subject, delete, put, writes};

/// Bytes that do not compress and are the same in each run.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let step = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = std::iter::repeat_with(step)
        .take(size.div_ceil(8))
        .flatten()
        .collect();
    bytes.truncate(size);
    bytes
}

fn values_of_every_size_read_back(subject: &mut Subject) {
    for (at, size) in [0, 1, 100, 16 * 1024 - 1, 16 * 1024, 3_000_000]
        .into_iter()
        .enumerate()
    {
        let (key, value) = (at.to_be_bytes(), noise(size));
        subject.commit(writes([
            put(Table::Blobs, &key, &value),
            put(Table::Logs, &key, &value),
        ]));
        assert!(
            subject.get(Table::Blobs, &key) == Some(value.clone()),
            "{size}"
        );
        subject.reopen();
        assert!(
            subject.get(Table::Blobs, &key) == Some(value.clone()),
            "{size}"
        );
        assert!(subject.get(Table::Logs, &key) == Some(value), "{size}");
    }
}

fn the_largest_component_fits(subject: &mut Subject) {
    let value = noise(64 * 1024 * 1024);
    let digest = Digest::of(&value);
    subject.commit(writes([put(Table::Blobs, &digest.0, &value)]));
    drop(value);
    subject.reopen();
    let kept = subject
        .get(Table::Blobs, &digest.0)
        .expect("it was committed");
    assert_eq!(Digest::of(&kept), digest);
    subject.commit(writes([delete(Table::Blobs, &digest.0)]));
    assert_eq!(subject.get(Table::Blobs, &digest.0), None);
}

fn a_larger_value_is_refused(subject: &mut Subject) {
    let value = vec![0; VALUE_BYTES_MAX + 1];
    let error = subject.refused(writes([put(Table::Blobs, b"k", &value)]));
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains(&(VALUE_BYTES_MAX + 1).to_string()),
        "{error}"
    );
    subject.commit(writes([put(Table::Blobs, b"k", b"small")]));
}

fn odd_keys_are_keys(subject: &mut Subject) {
    let longest = vec![0xff; KEY_BYTES_MAX];
    let keys: [&[u8]; 6] = [b"\0", b"\0\0", b"\xff", b"/", "ü\n\t".as_bytes(), &longest];
    for key in keys {
        subject.commit(writes([put(Table::Meta, key, key)]));
    }
    subject.reopen();
    for key in keys {
        assert_eq!(subject.get(Table::Meta, key), Some(key.to_vec()));
    }
    assert_eq!(subject.get(Table::Meta, b""), None);
}

fn keys_that_are_none_are_refused(subject: &mut Subject) {
    for key in [Vec::new(), vec![0; KEY_BYTES_MAX + 1]] {
        for write in [put(Table::Meta, &key, b"v"), delete(Table::Meta, &key)] {
            let error = subject.refused(writes([put(Table::Meta, b"good", b"v"), write]));
            assert!(matches!(error, Error::Malformed { .. }), "{error}");
        }
    }
    assert_eq!(subject.get(Table::Meta, b"good"), None);
    subject.commit(writes([put(Table::Meta, b"good", b"v")]));
}

conformance!(
    values_of_every_size_read_back,
    the_largest_component_fits,
    a_larger_value_is_refused,
    odd_keys_are_keys,
    keys_that_are_none_are_refused,
);
