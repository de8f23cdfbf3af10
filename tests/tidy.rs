//! The rules of the house that neither the compiler nor clippy can keep.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Longest source file: what does not fit has two subjects.
const FILE_LINES_MAX: usize = 600;

/// Which of our crates each may use. Absence here is the architecture.
const EDGES: [(&str, &[&str]); 8] = [
    ("engine/core", &[]),
    ("engine/store", &["fermata-core"]),
    ("engine/host", &["fermata-core"]),
    ("engine/service", &["fermata-core", "fermata-store"]),
    (
        "engine/app",
        &[
            "fermata-core",
            "fermata-host",
            "fermata-service",
            "fermata-store",
        ],
    ),
    ("sdk/rust", &[]),
    (
        "tests",
        &[
            "fermata-core",
            "fermata-host",
            "fermata-service",
            "fermata-store",
        ],
    ),
    ("xtask", &[]),
];

/// Crates that would undo the purity of a layer: (layer, dependency).
const NEVER: [(&str, &str); 10] = [
    ("engine/core", "tokio"),
    ("engine/core", "tracing"),
    ("engine/core", "postcard"),
    ("engine/store", "tokio"),
    ("engine/host", "rocksdb"),
    ("engine/service", "axum"),
    ("engine/service", "wasmtime"),
    ("engine/service", "rocksdb"),
    ("xtask", "wasmtime"),
    ("xtask", "rocksdb"),
];

/// Words that say nothing or belong to other products; see the glossary in ARCHITECTURE.md.
const BANNED_IN_NAMES: [&str; 8] = [
    "Manager",
    "Helper",
    "Util",
    "Processor",
    "Workflow",
    "Execution",
    "JobQueue",
    "StepRunner",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests is a folder of the repository")
        .to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file of the tree with this extension, without what is built or installed.
fn files(extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)
            .expect("a folder of the repository")
            .flatten()
        {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() && !["target", "node_modules", ".git"].contains(&name.as_str()) {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

fn assert_none(faults: &[String], rule: &str) {
    assert!(faults.is_empty(), "{rule}:\n  {}", faults.join("\n  "));
}

/// The names before `=` or `.workspace` in the `[dependencies]` part of a manifest.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let part = manifest
        .split("\n[dependencies]\n")
        .nth(1)
        .unwrap_or_default();
    let part = part.split("\n[").next().unwrap_or_default();
    part.lines()
        .filter_map(|line| line.split(['.', '=', ' ']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn crates_use_only_the_layers_below_them() {
    let mut faults = Vec::new();
    for (layer, allowed) in EDGES {
        let used = dependencies(&read(&root().join(layer).join("Cargo.toml")));
        let ours = used.iter().filter(|name| name.starts_with("fermata"));
        faults.extend(
            ours.filter(|name| !allowed.contains(&name.as_str()))
                .map(|name| format!("{layer} uses {name}")),
        );
        let never = NEVER.iter().filter(|(of, _)| *of == layer);
        faults.extend(
            never
                .filter(|(_, name)| used.contains(*name))
                .map(|(_, name)| format!("{layer} uses {name}")),
        );
    }
    assert_none(&faults, "a crate uses what its layer may not");
}

#[test]
fn only_the_wiring_names_concrete_parts() {
    let mut faults = Vec::new();
    for path in files("rs")
        .iter()
        .filter(|path| shown(path).starts_with("engine/app/src/"))
    {
        let name = shown(path);
        if name.ends_with("/wire.rs") {
            continue;
        }
        for word in ["Rocks::", "Sandbox::", "SystemClock"] {
            if read(path).contains(word) {
                faults.push(format!("{name} names {word}"));
            }
        }
    }
    assert_none(
        &faults,
        "only engine/app/src/wire.rs may name concrete parts",
    );
}

#[test]
fn the_command_line_speaks_only_http() {
    let mut faults = Vec::new();
    for path in files("rs") {
        let name = shown(&path);
        let client =
            name.starts_with("engine/app/src/cli/") || name.starts_with("engine/app/src/client");
        if client
            && ["fermata_service", "fermata_host"]
                .iter()
                .any(|word| read(&path).contains(word))
        {
            faults.push(name);
        }
    }
    assert_none(
        &faults,
        "the command line must use the public API like everybody else",
    );
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut faults = Vec::new();
    for path in files("rs") {
        let text = read(&path);
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            faults.push(format!("{} has {lines} lines", shown(&path)));
        }
        if !text.starts_with("//!") {
            faults.push(format!("{} does not begin with what it is", shown(&path)));
        }
        if path.file_name().is_some_and(|name| name == "mod.rs") {
            faults.push(format!("{}: write foo.rs beside foo/", shown(&path)));
        }
    }
    assert_none(
        &faults,
        &format!("a file has at most {FILE_LINES_MAX} lines and begins with `//!`"),
    );
}

#[test]
fn names_come_from_the_glossary() {
    let mut faults = Vec::new();
    for path in files("rs") {
        let declared = ["struct ", "enum ", "trait ", "type "];
        for line in read(&path).lines().map(str::trim_start) {
            let line = line
                .strip_prefix("pub ")
                .or(line.strip_prefix("pub(crate) "))
                .unwrap_or(line);
            let Some(name) = declared.iter().find_map(|word| line.strip_prefix(word)) else {
                continue;
            };
            let name: String = name.chars().take_while(|c| c.is_alphanumeric()).collect();
            if BANNED_IN_NAMES.iter().any(|banned| name.contains(banned)) {
                faults.push(format!("{}: {name}", shown(&path)));
            }
        }
    }
    assert_none(&faults, "these names are not words of the glossary");
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["todo", "!("].concat(),
        ["#[ig", "nore"].concat(),
    ];
    let mut faults = Vec::new();
    for path in files("rs") {
        let text = read(&path);
        faults.extend(
            marks
                .iter()
                .filter(|mark| text.contains(*mark))
                .map(|mark| format!("{}: {mark}", shown(&path))),
        );
    }
    assert_none(&faults, "work is finished or it is not there");
}

#[test]
fn documents_name_only_what_exists() {
    let mut faults = Vec::new();
    for path in files("md") {
        let folder = path.parent().expect("a file has a folder");
        for link in links(&read(&path)) {
            if !folder.join(&link).exists() {
                faults.push(format!("{}: {link}", shown(&path)));
            }
        }
    }
    let map = read(&root().join("engine/ARCHITECTURE.md"));
    faults.extend(
        code_paths(&map)
            .filter(|path| !root().join(path).exists())
            .map(|path| format!("ARCHITECTURE.md: {path}")),
    );
    assert_none(&faults, "a document names what does not exist");
}

/// Targets of relative Markdown links.
fn links(text: &str) -> Vec<String> {
    let ends = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    ends.filter(|link| !link.contains("://") && !link.starts_with('#') && !link.contains(' '))
        .map(|link| link.split('#').next().unwrap_or_default().to_owned())
        .filter(|link| !link.is_empty())
        .collect()
}

/// Words in back-ticks that look like paths of this repository.
fn code_paths(text: &str) -> impl Iterator<Item = &str> {
    let top = [
        "engine/",
        "sdk/",
        "guest-examples/",
        "wit/",
        "tests/",
        "xtask/",
    ];
    text.split('`').skip(1).step_by(2).filter(move |word| {
        top.iter().any(|part| word.starts_with(part)) && !word.contains(['*', ' ', '{', '<'])
    })
}

#[test]
fn every_guest_is_used_by_a_test_or_the_demo() {
    let ours = files("rs").into_iter().filter(|path| {
        let name = shown(path);
        let runs_guests = ["tests/", "xtask/", "engine/host/tests/"];
        runs_guests.iter().any(|folder| name.starts_with(folder)) && !name.ends_with("tidy.rs")
    });
    let mut used: String = ours.map(|path| read(&path)).collect();
    used.extend(files("yaml").iter().map(|path| read(path)));
    let manifests = files("toml")
        .into_iter()
        .filter(|path| shown(path).starts_with("guest-examples/"));
    let guests = manifests
        .map(|path| (path.ends_with("component.toml"), read(&path)))
        .filter(|(project, manifest)| *project || manifest.contains("cdylib"))
        .map(|(_, manifest)| manifest);
    let names = guests.filter_map(|manifest| {
        Some(
            manifest
                .split("name = \"")
                .nth(1)?
                .split('"')
                .next()?
                .to_owned(),
        )
    });
    let forgotten: Vec<String> = names.filter(|name| !used.contains(name.as_str())).collect();
    assert_none(&forgotten, "a guest that nothing runs proves nothing");
}
