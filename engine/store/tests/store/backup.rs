//! Backups: made while commits go on, checked, and brought back.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use fermata_core::time::Timestamp;
use fermata_store::{DataDirectory, Error, Memory, Rocks, Store, Table, restore, verify_backup};
use tempfile::TempDir;

use crate::subject::{appends, open, put, records, release, temporary, turn, writes};

const AT: Timestamp = Timestamp(1_700_000_000_123);

fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Directory(text)) => text,
        other => panic!("not the expected refusal: {other:?}"),
    }
}

/// Commits number `number`: an event and a record that must always agree.
fn commit(store: &Rocks, number: u64) {
    let mut batch = appends([(release(1), turn(number, 1))]);
    batch
        .writes
        .push(put(Table::Meta, b"count", &(number + 1).to_be_bytes()));
    batch
        .writes
        .push(put(Table::Blobs, &number.to_be_bytes(), &vec![7; 20_000]));
    store.commit(batch).expect("the batch is valid");
}

/// Number of commits in a store, after checking that it holds each of them whole.
fn whole_commits(store: &Rocks) -> u64 {
    let turns = store
        .turns(release(1), 0, usize::MAX)
        .expect("turns can be read");
    let count = turns.len() as u64;
    assert_eq!(
        turns,
        (0..count).map(|number| turn(number, 1)).collect::<Vec<_>>()
    );
    let record = store.get(Table::Meta, b"count").expect("it can be read");
    assert_eq!(record, Some(count.to_be_bytes().to_vec()));
    for number in 0..count {
        let blob = store
            .get(Table::Blobs, &number.to_be_bytes())
            .expect("it can be read");
        assert_eq!(blob, Some(vec![7; 20_000]));
    }
    count
}

/// A small backup, where it is, and where the data would go.
fn backup() -> (TempDir, PathBuf, PathBuf) {
    let home = temporary();
    let store = open(&home.path().join("db"));
    for number in 0..5 {
        commit(&store, number);
    }
    let (backup, data) = (home.path().join("backup"), home.path().join("data"));
    store.backup(&backup, AT).expect("the directory is new");
    (home, backup, data)
}

#[test]
fn backups_made_while_commits_go_on_are_whole() {
    let home = temporary();
    let store = open(&home.path().join("db"));
    let (done, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0;
            while !done.load(Ordering::Acquire) {
                commit(&store, number);
                number += 1;
                acknowledged.store(number, Ordering::Release);
            }
        });
        let mut before = 0;
        for round in 0..3 {
            while acknowledged.load(Ordering::Acquire) < before + 20 {
                std::thread::yield_now();
            }
            before = acknowledged.load(Ordering::Acquire);
            let backup = home.path().join(format!("backup-{round}"));
            store.backup(&backup, AT).expect("the directory is new");
            let data = home.path().join(format!("data-{round}"));
            let (list, found) = restore(&backup, &data).expect("the backup is whole");
            assert_eq!(list.created_at, AT);
            let data = DataDirectory::open(&data).expect("it is a data directory now");
            let copy = open(&data.db());
            let commits = whole_commits(&copy);
            assert!(commits >= before, "{commits} of {before} acknowledged");
            assert_eq!(
                (found.releases, found.turns, found.events),
                (1, commits, commits)
            );
            assert_eq!(found.records["blobs"], commits);
        }
        done.store(true, Ordering::Release);
    });
}

#[test]
fn a_restored_store_holds_the_same_and_goes_on() {
    let (home, backup, data) = backup();
    let list = verify_backup(&backup).expect("nobody touched it");
    let size: u64 = list.files.iter().map(|file| file.size).sum();
    assert_eq!((list.size(), list.created_at), (size, AT));
    restore(&backup, &data).expect("the backup is whole");
    let (original, copy) = (open(&home.path().join("db")), open(&data.join("db")));
    assert_eq!(records(&copy), records(&original));
    assert_eq!(whole_commits(&copy), 5);
    commit(&copy, 5);
    verify_backup(&backup).expect("using the copy does not touch the backup");
    assert_eq!(whole_commits(&original), 5);
}

#[test]
fn a_backup_never_overwrites() {
    let (home, backup, _) = backup();
    let store = open(&home.path().join("db"));
    let text = refused(store.backup(&backup, AT));
    assert!(text.contains(&backup.display().to_string()), "{text}");
    verify_backup(&backup).expect("the earlier backup is as it was");
    store
        .backup(&home.path().join("deep/below"), AT)
        .expect("directories above are made");
    refused(Memory::default().backup(&home.path().join("memory"), AT));
}

#[test]
fn a_failed_backup_leaves_the_store_at_work() {
    let (home, backup, _) = backup();
    let store = open(&home.path().join("db"));
    refused(store.backup(&backup, AT));
    refused(store.backup(Path::new("/proc/backup"), AT));
    store
        .commit(writes([put(Table::Meta, b"k", b"v")]))
        .expect("it takes commits");
}

#[test]
fn a_changed_file_is_named_and_nothing_is_restored() {
    let (_home, backup, data) = backup();
    let list = verify_backup(&backup).expect("nobody touched it");
    assert!(list.files.len() > 3, "{list}");
    for file in list.files.iter().filter(|file| file.size > 0) {
        let path = backup.join("db").join(&file.name);
        let good = fs::read(&path).expect("it is listed");
        let mut flipped = good.clone();
        flipped[good.len() / 2] ^= 1;
        for bad in [
            Some(flipped),
            Some(good[1..].to_vec()),
            Some(Vec::new()),
            None,
        ] {
            // A file of a checkpoint may be the very file of the store, so it is replaced, not written.
            fs::remove_file(&path).expect("it is there");
            if let Some(bad) = bad {
                fs::write(&path, bad).expect("it can be written");
            }
            for text in [
                refused(verify_backup(&backup)),
                refused(restore(&backup, &data)),
            ] {
                assert!(text.contains(&format!("db/{}", file.name)), "{text}");
            }
            assert!(!data.exists(), "nothing may be left of a refused restore");
            fs::write(&path, "").expect("it can be written");
        }
        fs::write(&path, good).expect("it can be written");
    }
    restore(&backup, &data).expect("every file is as it was");
}

#[test]
fn a_list_that_is_absent_or_changed_or_incomplete_is_refused() {
    let (_home, backup, data) = backup();
    let path = backup.join("BACKUP");
    let good = fs::read_to_string(&path).expect("it was written last");
    let shorter = good.replacen("\nfile ", "\nfile 0", 1);
    for (text, expected) in [
        (shorter.as_str(), "BACKUP file is damaged"),
        ("", "not a list of a backup"),
        ("fermata-backup 2\n", "not a list of a backup"),
    ] {
        fs::write(&path, text).expect("it can be written");
        let text = refused(restore(&backup, &data));
        assert!(text.contains(expected), "{text}");
    }
    fs::remove_file(&path).expect("it is there");
    let text = refused(restore(&backup, &data));
    assert!(
        text.contains("no BACKUP file, so it is unfinished"),
        "{text}"
    );
    fs::write(&path, good).expect("it can be written");
    fs::write(backup.join("db/999999.log"), "").expect("it can be written");
    let text = refused(restore(&backup, &data));
    assert!(text.contains("db/999999.log does not belong"), "{text}");
}

#[test]
fn restore_takes_only_a_new_or_empty_directory() {
    let (_home, backup, data) = backup();
    let held = DataDirectory::open(&data).expect("it is new");
    assert!(refused(restore(&backup, &data)).contains("in use by process"));
    drop(held);
    assert!(refused(restore(&backup, &data)).contains("is not empty"));
    let foreign = temporary();
    fs::write(foreign.path().join("letter.txt"), "dear").expect("it can be written");
    assert!(refused(restore(&backup, foreign.path())).contains("letter.txt"));
    let empty = temporary();
    restore(&backup, empty.path()).expect("it is empty");
    let data = DataDirectory::open(empty.path()).expect("it is a data directory now");
    assert_eq!(whole_commits(&open(&data.db())), 5);
}
