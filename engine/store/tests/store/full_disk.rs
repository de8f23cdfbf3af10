//! What happens when the disk takes no more bytes.
//!
//! The largest file that a process may write stands in for the disk: the shell sets it and lets the
//! signal be ignored that would end the process, which is then this very test again.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use fermata_store::{Error, Store, Table};

use crate::subject::{open, put, temporary, writes};

const VARIABLE: &str = "FERMATA_TEST_FULL_DISK";
const NAME: &str = "full_disk::a_full_disk_stops_all_commits_and_loses_none";
static VALUE: [u8; 64 * 1024] = [7; 64 * 1024];
/// In blocks of 512 or 1024 bytes, depending on the shell; either is less than what is written.
const LIMIT: &str = "trap '' XFSZ; ulimit -f 2048; exec \"$@\"";

#[test]
fn a_full_disk_stops_all_commits_and_loses_none() {
    if let Some(home) = env::var_os(VARIABLE) {
        fill(Path::new(&home));
        return;
    }
    let home = temporary();
    let this = env::current_exe().expect("the test runs from a file");
    let child = Command::new("sh")
        .args(["-c", LIMIT, "sh"])
        .arg(this)
        .args(["--exact", NAME, "--nocapture"])
        .env(VARIABLE, home.path())
        .output()
        .expect("there is a shell");
    let said = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(
        child.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&child.stderr)
    );
    let acknowledged = fs::read(home.path().join("acknowledged")).expect("the child wrote it");
    let acknowledged = u32::from_be_bytes(acknowledged.try_into().expect("it is a number"));
    assert!(acknowledged > 5, "{acknowledged}: {said}");

    let store = open(&home.path().join("db"));
    for number in 0..acknowledged {
        let kept = store
            .get(Table::Logs, &number.to_be_bytes())
            .expect("it can be read");
        assert_eq!(kept.as_deref(), Some(VALUE.as_slice()), "{number}");
    }
    let next = put(Table::Logs, b"next", b"value");
    store
        .commit(writes([next]))
        .expect("the disk has space again");
}

/// Commits until the disk is full, and notes how many commits were acknowledged.
fn fill(home: &Path) {
    let store = open(&home.join("db"));
    let commit = |number: u32| {
        let record = put(Table::Logs, &number.to_be_bytes(), &VALUE);
        store.commit(writes([record]))
    };
    let mut acknowledged = 0;
    let first = loop {
        match commit(acknowledged) {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 1_000, "the limit does not hold");
    };
    for error in [
        first,
        commit(acknowledged).expect_err("it takes no more commits"),
    ] {
        let Error::Unavailable { reason } = &error else {
            panic!("another error: {error}");
        };
        assert!(reason.contains("the disk is full"), "{reason}");
    }
    let small = put(Table::Meta, b"k", b"v");
    let error = store
        .commit(writes([small]))
        .expect_err("however small they are");
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    let kept = store
        .get(Table::Logs, &0_u32.to_be_bytes())
        .expect("reads go on");
    assert_eq!(kept.as_deref(), Some(VALUE.as_slice()));
    let noted = fs::write(home.join("acknowledged"), acknowledged.to_be_bytes());
    noted.expect("the limit is for each file");
}
