//! Stored bytes are read for ever: each kind of stored value has its bytes in `golden/turns.txt`.
//!
//! A line that is there is never rewritten. `UPDATE=1` appends lines for samples that have none; a
//! line whose bytes no longer fit means that existing stores could not be read.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::{Debug, Write as _};
use std::fs;
use std::path::PathBuf;

use fermata_core::process::ActivityIx;
use fermata_core::release::event::{Event, Turn};
use fermata_store::codec::{self, CodecError};
use serde::Serialize;
use serde::de::DeserializeOwned;

mod recordings;
mod samples;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/store/golden/turns.txt")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("two digits");
    (0..text.len()).step_by(2).map(digit).collect()
}

/// The lines of the file: name of a sample, and its bytes.
fn lines() -> BTreeMap<String, Vec<u8>> {
    let text = fs::read_to_string(path()).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pair = |line: &str| {
        let (name, bytes) = line.split_once(" = ").expect("a line is `name = hex`");
        (name.to_owned(), unhex(bytes))
    };
    let pairs: Vec<_> = lines.map(pair).collect();
    let count = pairs.len();
    let map: BTreeMap<_, _> = pairs.into_iter().collect();
    assert_eq!(map.len(), count, "a name occurs twice");
    map
}

/// Appends what is missing, if that was asked for.
fn update<T: Serialize>(samples: &[(String, T)]) -> BTreeMap<String, Vec<u8>> {
    let lines = lines();
    if env::var_os("UPDATE").is_none() {
        return lines;
    }
    let mut text = fs::read_to_string(path()).unwrap_or_default();
    for (name, sample) in samples.iter().filter(|(name, _)| !lines.contains_key(name)) {
        writeln!(text, "{name} = {}", hex(&codec::encode(sample))).expect("a string takes all");
    }
    fs::write(path(), text).expect("the file can be written");
    self::lines()
}

#[test]
fn every_sample_has_its_bytes_and_reads_back_from_them() {
    let samples = samples::turns();
    let lines = update(&samples);
    for (name, sample) in &samples {
        let Some(bytes) = lines.get(name) else {
            panic!("`{name}` has no bytes in golden/turns.txt; UPDATE=1 appends them");
        };
        let read: Turn = codec::decode(bytes)
            .unwrap_or_else(|error| panic!("old bytes of `{name}` cannot be read: {error}"));
        assert_eq!(
            read, *sample,
            "old bytes of `{name}` are read as something else"
        );
        assert_eq!(
            hex(&codec::encode(sample)),
            hex(bytes),
            "`{name}` is written otherwise now"
        );
    }
    let names: BTreeSet<&String> = samples.iter().map(|(name, _)| name).collect();
    assert_eq!(
        lines.keys().collect::<BTreeSet<_>>(),
        names,
        "a line has lost its sample"
    );
}

/// Checks that `samples` hold each variant of their enum once, in the order of the format.
fn assert_complete<T: Serialize + DeserializeOwned + Debug>(samples: &[T]) {
    let positions: Vec<usize> = samples
        .iter()
        .map(|sample| usize::from(codec::encode(sample)[1]))
        .collect();
    assert_eq!(positions, (0..samples.len()).collect::<Vec<_>>());
    let behind = u8::try_from(samples.len()).expect("an enum is small");
    let read = codec::decode::<T>(&[codec::SCHEMA_VERSION, behind]);
    // A variant that exists would either be read or miss the bytes of its fields.
    let none = Err(CodecError::Form(postcard_error()));
    assert_eq!(
        read.map(|value| format!("{value:?}")),
        none,
        "a variant has no sample"
    );
}

/// What postcard says of a variant that there is none of.
fn postcard_error() -> postcard::Error {
    postcard::Error::SerdeDeCustom
}

#[test]
fn every_variant_has_a_sample() {
    let mut seen = BTreeSet::new();
    let firsts: Vec<Event> = samples::events()
        .into_iter()
        .filter(|(label, _, _)| seen.insert(label.clone()))
        .map(|(_, _, event)| event)
        .collect();
    assert_complete(&firsts);
    assert_complete(&samples::skip_reasons());
    assert_complete(&samples::halt_reasons());
    assert_complete(&samples::output_sources());
    assert_complete(&samples::phase_outcomes());
    assert_complete(&samples::release_outcomes());
    assert_complete(&samples::failure_classes());
    assert_complete(&samples::actors());
    assert_complete(&samples::undo_parts());
    assert_complete(&samples::undo_ways(ActivityIx(7)));
}

#[test]
fn no_cut_or_longer_bytes_are_read_as_a_turn() {
    for (name, turn) in samples::turns() {
        let bytes = codec::encode(&turn);
        for end in 0..bytes.len() {
            assert!(
                codec::decode::<Turn>(&bytes[..end]).is_err(),
                "{name} cut at {end}"
            );
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(
            codec::decode::<Turn>(&longer),
            Err(CodecError::Trailing(1)),
            "{name}"
        );
    }
}
