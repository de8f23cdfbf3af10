//! Scenarios: scripted releases with what is expected of them, run over the core alone.
//!
//! Each file in `scenarios/` holds a process document, a line `---`, and commands that begin with
//! `> `. Below a command stands what it is expected to print. `UPDATE=1` writes what it does print
//! there instead; read the difference before you commit it. After every turn all invariants are
//! checked, and the turns so far are replayed and must give the same release.

#[path = "scenarios/outcomes.rs"]
mod outcomes;
#[path = "scenarios/people.rs"]
mod people;
#[path = "scenarios/script.rs"]
mod script;
#[path = "scenarios/show.rs"]
mod show;
#[path = "scenarios/show_people.rs"]
mod show_people;
#[path = "scenarios/story.rs"]
mod story;
#[path = "scenarios/way_back.rs"]
mod way_back;

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_scenario_tells_what_happens() {
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut different = Vec::new();
    let paths = scenarios(&directory);
    assert!(!paths.is_empty(), "no scenario in {}", directory.display());
    for path in paths {
        let expected = fs::read_to_string(&path).expect("a scenario is readable text");
        let name = path.file_name().expect("a file").to_string_lossy();
        let told = tell(&name, &expected);
        if told == expected {
            continue;
        }
        if update {
            fs::write(&path, &told).expect("scenarios can be rewritten where they are checked out");
        } else {
            different.push(format!("{name}:\n{}", difference(&expected, &told)));
        }
    }
    assert!(
        different.is_empty(),
        "{}\nUPDATE=1 rewrites what is expected.",
        different.join("\n")
    );
}

/// The processes that people are shown first have no defects.
#[test]
fn every_example_is_a_process() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-examples/processes");
    let entries = fs::read_dir(&directory).expect("the examples are part of the project");
    let mut count = 0;
    for entry in entries {
        let path = entry.expect("a readable directory").path();
        let document = fs::read(&path).expect("an example is readable");
        let checked = fermata_core::process::validate::validate(&document, None);
        assert!(checked.is_ok(), "{}: {:#?}", path.display(), checked.err());
        count += 1;
    }
    assert!(count > 0, "no example in {}", directory.display());
}

fn scenarios(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("the scenarios are beside this file");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable directory").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    paths
}

/// The scenario with what its commands print now.
fn tell(name: &str, scenario: &str) -> String {
    let Some((document, script)) = scenario.split_once("\n---\n") else {
        return format!("{scenario}\nerror: no line `---` after the document\n");
    };
    let mut story = match story::Story::begin(name, document) {
        Ok(story) => story,
        Err(defects) => return format!("{document}\n---\nerror: {defects}\n{script}"),
    };
    let mut told = format!("{document}\n---\n");
    for line in script.lines() {
        if line.is_empty() || line.starts_with('#') {
            told.push_str(line);
            told.push('\n');
        } else if let Some(command) = line.strip_prefix("> ") {
            told.push_str(line);
            told.push('\n');
            for line in story.tell(command) {
                told.push_str(&line);
                told.push('\n');
            }
        }
    }
    told
}

/// The first lines that differ, with a little around them.
fn difference(expected: &str, told: &str) -> String {
    let same = expected
        .lines()
        .zip(told.lines())
        .take_while(|(expected, told)| expected == told)
        .count();
    let mut shown = format!("line {}\n", same + 1);
    let around = same.saturating_sub(3);
    let mut show = |mark: char, text: &str, from: usize, count: usize| {
        for line in text.lines().skip(from).take(count) {
            shown.extend([mark, ' ']);
            shown.push_str(line);
            shown.push('\n');
        }
    };
    show(' ', expected, around, same - around);
    show('-', expected, same, 6);
    show('+', told, same, 6);
    shown
}
