//! The data directory: made, locked, recognised.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use fermata_store::{DataDirectory, Error, FORMAT, Rocks};

use crate::subject::temporary;

fn refused(path: &Path) -> String {
    match DataDirectory::open(path) {
        Err(Error::Directory(text)) => text,
        other => panic!("not the expected refusal: {other:?}"),
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path)
        .expect("it is there")
        .permissions()
        .mode()
        & 0o777
}

#[test]
fn a_new_directory_is_private_and_opens_again() {
    let home = temporary();
    let path = home.path().join("a/b");
    for _ in 0..2 {
        let data = DataDirectory::open(&path).expect("it can be made and opened");
        assert_eq!(data.path(), path);
        for directory in [data.path(), &data.db(), &data.cache()] {
            assert_eq!(mode(directory), 0o700, "{}", directory.display());
        }
        assert!(data.bootstrap_token().starts_with(&path));
        let store = Rocks::open(&data.db()).expect("the database opens");
        drop(store);
    }
    let format = fs::read_to_string(path.join("FORMAT")).expect("it was written");
    assert_eq!(format, format!("fermata-data {FORMAT}\n"));
}

#[test]
fn a_directory_has_one_holder_and_names_it() {
    let home = temporary();
    let held = DataDirectory::open(home.path()).expect("it is empty");
    let text = refused(home.path());
    let holder = format!("in use by process {};", std::process::id());
    assert!(text.contains(&holder), "{text}");
    assert!(text.contains(&home.path().display().to_string()), "{text}");
    drop(held);
    DataDirectory::open(home.path()).expect("nobody holds it any more");
}

#[test]
fn other_formats_are_told_apart() {
    let home = temporary();
    drop(DataDirectory::open(home.path()).expect("it is empty"));
    for (format, expected) in [
        (
            "fermata-data 2\n",
            "written by a newer Fermata: it has format 2",
        ),
        ("fermata-data 4000000000\n", "newer Fermata"),
        (
            "fermata-data 0\n",
            "written by an older Fermata: it has format 0",
        ),
        ("fermata-data one\n", "FORMAT does not name a format"),
        ("", "FORMAT does not name a format"),
        ("nonsense", "FORMAT does not name a format"),
    ] {
        fs::write(home.path().join("FORMAT"), format).expect("it can be written");
        let text = refused(home.path());
        assert!(text.contains(expected), "{format:?}: {text}");
    }
}

#[test]
fn somebody_elses_directory_is_left_alone() {
    let home = temporary();
    fs::write(home.path().join("letter.txt"), "dear").expect("it can be written");
    let text = refused(home.path());
    assert!(
        text.contains("not empty and not a data directory"),
        "{text}"
    );
    assert!(text.contains("letter.txt"), "{text}");
    let names = fs::read_dir(home.path()).expect("it is there").count();
    assert_eq!(names, 1, "nothing was put beside the letter");
}

#[test]
fn what_an_interrupted_start_or_the_file_system_left_is_no_hindrance() {
    let home = temporary();
    for name in ["LOCK", "FORMAT.new"] {
        fs::write(home.path().join(name), "").expect("it can be written");
    }
    fs::create_dir(home.path().join("lost+found")).expect("it can be made");
    drop(DataDirectory::open(home.path()).expect("it counts as empty"));
    DataDirectory::open(home.path()).expect("it is a data directory now");
}

#[test]
fn an_interrupted_restore_is_no_data_directory() {
    let home = temporary();
    fs::create_dir(home.path().join("db.restoring")).expect("it can be made");
    let text = refused(home.path());
    assert!(text.contains("interrupted restore"), "{text}");
}

#[test]
fn a_path_that_cannot_be_a_directory_is_explained() {
    let home = temporary();
    let file = home.path().join("file");
    fs::write(&file, "").expect("it can be written");
    for path in [
        file.clone(),
        file.join("below"),
        "/proc/fermata-data".into(),
    ] {
        let text = refused(&path);
        assert!(text.contains("cannot be used"), "{text}");
        assert!(text.contains(&path.display().to_string()), "{text}");
    }
}
