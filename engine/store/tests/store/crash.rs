//! What a crash may leave of the write-ahead log, and what no crash leaves.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use fermata_store::{Error, Rocks, Store};

use crate::subject::{Subject, appends, open, release, temporary, turn};

/// Commits whose log is then damaged. Sizes differ, and some are longer than a block of the log.
const COMMITS: u64 = 12;

fn size_of(commit: u64) -> u64 {
    if commit % 4 == 3 { 3_000 } else { commit + 1 }
}

/// First event of each commit, and of the one after the last.
fn firsts() -> Vec<u64> {
    let mut next = 0;
    let mut firsts = vec![0];
    for commit in 0..COMMITS {
        next += size_of(commit);
        firsts.push(next);
    }
    firsts
}

/// The newest write-ahead log.
fn log_of(database: &Path) -> PathBuf {
    let names = fs::read_dir(database).expect("the database is there");
    let mut logs: Vec<PathBuf> = names
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    logs.sort();
    logs.pop().expect("there is a log")
}

/// A closed database, its directory's guard, and the length of its log after each commit.
fn committed() -> (PathBuf, tempfile::TempDir, Vec<u64>) {
    let subject = Subject::rocks();
    let Subject::Rocks { home, .. } = &subject else {
        unreachable!("it was just made so");
    };
    let log = log_of(&home.path().join("db"));
    let mut ends = Vec::new();
    for (commit, first) in (0..COMMITS).zip(firsts()) {
        subject.commit(appends([(release(1), turn(first, size_of(commit)))]));
        ends.push(fs::metadata(&log).expect("the log is there").len());
    }
    let (database, home) = subject.close();
    (database, home, ends)
}

/// A copy of a closed database whose log `damage` has changed.
fn damaged(database: &Path, damage: impl FnOnce(&mut Vec<u8>)) -> (PathBuf, tempfile::TempDir) {
    let home = temporary();
    let copy = home.path().join("db");
    fs::create_dir(&copy).expect("it is new");
    for entry in fs::read_dir(database).expect("the database is there") {
        let path = entry.expect("it can be listed").path();
        let name = path.file_name().expect("an entry has a name");
        fs::copy(&path, copy.join(name)).expect("it can be copied");
    }
    let log = log_of(&copy);
    let mut bytes = fs::read(&log).expect("the log is there");
    damage(&mut bytes);
    fs::write(&log, bytes).expect("the log can be written");
    (copy, home)
}

/// Checks that exactly the first `whole` commits are there and that the store goes on.
fn check(database: &Path, whole: usize, case: &str) {
    let store = open(database);
    let turns = store.turns(release(1), 0, 99).expect("turns can be read");
    let firsts = firsts();
    let kept: Vec<u64> = turns.iter().map(|turn| turn.first).collect();
    assert_eq!(kept, firsts[..whole], "{case}");
    for (commit, found) in (0..).zip(&turns) {
        assert_eq!(
            *found,
            turn(firsts[commit], size_of(commit as u64)),
            "{case}"
        );
    }
    let next = appends([(release(1), turn(firsts[whole], 1))]);
    store.commit(next).expect("it takes commits again");
    drop(store);
    let turns = open(database)
        .turns(release(1), 0, 99)
        .expect("turns can be read");
    assert_eq!(turns.len(), whole + 1, "{case}");
}

#[test]
fn a_torn_commit_is_absent_and_all_before_it_are_there() {
    let (database, _home, ends) = committed();
    let end = *ends.last().expect("there are commits");
    let inner = ends.iter().rev().take(3);
    let cuts = inner.flat_map(|end| [*end, end - 1, end - 5, end + 3, end + 7, end + 2_000]);
    let mut cuts: Vec<u64> = cuts.filter(|cut| *cut <= end).collect();
    cuts.extend([0, 1, ends[0] - 1, ends[0], end - 20_000]);
    cuts.sort_unstable();
    cuts.dedup();
    assert!(cuts.len() > 12, "{cuts:?}");
    for cut in cuts {
        let whole = ends.iter().filter(|end| **end <= cut).count();
        let length = usize::try_from(cut).expect("the log is small");
        let (copy, _home) = damaged(&database, |bytes| bytes.truncate(length));
        check(&copy, whole, &format!("{cut} of {end} bytes"));
    }
}

#[test]
fn zeros_that_the_file_system_left_behind_the_log_are_nothing() {
    let (database, _home, ends) = committed();
    for zeros in [1, 6, 7, 4096, 100_000] {
        let (copy, _home) = damaged(&database, |bytes| bytes.resize(bytes.len() + zeros, 0));
        check(&copy, ends.len(), &format!("{zeros} zeros"));
    }
}

#[test]
fn damage_before_the_end_is_never_passed_over() {
    let (database, _home, ends) = committed();
    let places = [
        ends[0] / 2,
        ends[1] + 9,
        ends[4] + 30,
        ends[6] + 20_000,
        ends[9] - 1,
    ];
    for place in places {
        let at = usize::try_from(place).expect("the log is small");
        let (copy, _home) = damaged(&database, |bytes| bytes[at] ^= 0x10);
        let error = Rocks::open(&copy).expect_err("acknowledged commits are damaged");
        assert!(
            matches!(&error, Error::Corrupt { .. }),
            "at {place}: {error}"
        );
        let text = error.to_string();
        assert!(text.contains(&copy.display().to_string()), "{text}");
    }
}

#[test]
fn a_database_is_open_once() {
    let subject = Subject::rocks();
    let Subject::Rocks { home, .. } = &subject else {
        unreachable!("it was just made so");
    };
    let error = Rocks::open(&home.path().join("db")).expect_err("it is open");
    assert!(matches!(error, Error::Directory(_)), "{error}");
}

#[test]
fn what_is_no_database_is_refused() {
    let (database, _home, _) = committed();
    let mut current = OpenOptions::new()
        .append(true)
        .open(database.join("CURRENT"))
        .expect("every database has it");
    current.write_all(b"nonsense").expect("it can be written");
    let error = Rocks::open(&database).expect_err("it names no list of files");
    assert!(
        matches!(error, Error::Corrupt { .. } | Error::Directory(_)),
        "{error}"
    );
}
