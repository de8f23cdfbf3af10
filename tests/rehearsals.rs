//! The example processes, rehearsed: what `fermata rehearse` tells of each.
//!
//! Each file in `rehearsals/` is named after an example and holds commands: `> ` and the inputs as
//! JSON, then assumptions such as `fail uat/sign-off`, `approve-after 2h`, `duration verify=5m` or
//! `outputs uat/sign-off={"verdict":"fail"}`. Below stands the plan. `UPDATE=1` writes what it is
//! now; read the difference before you commit it. `components.json` holds what the guests say of
//! themselves.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fermata_core::component::{Descriptor, Pin, Uses};
use fermata_core::id::Digest;
use fermata_core::process::validate::{Registered, validate};
use fermata_core::process::{Process, ProcessRef};
use fermata_core::rehearsal::{Assumptions, Described, Rehearsal, rehearse};
use fermata_core::time::{Span, Timestamp};
use serde_json::{Deserializer, Value};

/// Midnight of a Monday, so that the times of day in a plan are easy to read.
const STARTS_AT: Timestamp = Timestamp(1_798_416_000_000);

#[test]
fn every_example_checks_and_is_rehearsed() {
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let mut different = Vec::new();
    let examples = examples();
    assert!(!examples.is_empty());
    for (name, document) in examples {
        let path = folder().join(format!("{name}.txt"));
        let expected = fs::read_to_string(&path).unwrap_or_else(|_| "> {}\n".to_owned());
        let told = tell(&process(&name, &document), &expected);
        if told == expected {
            continue;
        }
        if update {
            fs::write(&path, &told).expect("plans can be rewritten where they are checked out");
        } else {
            different.push(format!("{name}.txt is not what is rehearsed now:\n{told}"));
        }
    }
    assert!(
        different.is_empty(),
        "{}\nUPDATE=1 rewrites what is expected.",
        different.join("\n")
    );
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rehearsals")
}

/// Every example with its document.
fn examples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-examples/processes");
    let entries = fs::read_dir(folder).expect("the examples are there");
    let mut examples: Vec<(String, String)> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .map(|path| {
            let name = path.file_stem().expect("a file").to_string_lossy();
            let document = fs::read_to_string(&path).expect("a readable document");
            (name.into_owned(), document)
        })
        .collect();
    examples.sort();
    examples
}

/// What the guests say of themselves.
fn descriptors() -> Vec<Descriptor> {
    let text = fs::read_to_string(folder().join("components.json")).expect("readable");
    serde_json::from_str(&text).expect("descriptors")
}

fn described(uses: &Uses) -> Option<Descriptor> {
    let fits = |found: &Descriptor| found.name == uses.name && uses.accepts(found.version);
    descriptors().into_iter().find(fits)
}

fn registered(uses: &Uses) -> Option<Registered> {
    described(uses).map(Registered::Component)
}

fn process(name: &str, document: &str) -> Arc<Process> {
    match validate(document.as_bytes(), Some(&registered)) {
        Ok(process) => Arc::new(process),
        Err(defects) => panic!("{name} has defects: {defects:#?}"),
    }
}

/// The commands with what they give now.
fn tell(process: &Arc<Process>, script: &str) -> String {
    let mut told = String::new();
    for line in script.lines().filter(|line| line.starts_with(['>', '#'])) {
        told.push_str(line);
        told.push('\n');
        if let Some(command) = line.strip_prefix("> ") {
            let shown = plan(process, &assumptions(process, command));
            let shown = shown.unwrap_or_else(|error| format!("error: {error}\n"));
            told.push_str(&shown);
            told.push('\n');
        }
    }
    told
}

/// The plan as people read it; it is the same when it is made again, and at another time.
fn plan(process: &Arc<Process>, assumptions: &Assumptions) -> Result<String, String> {
    let make = |assumptions: &Assumptions| -> Result<Rehearsal, String> {
        let reference = ProcessRef {
            name: process.name.clone(),
            version: 1,
            digest: process.digest,
        };
        rehearse(process, reference, assumptions).map_err(|error| error.to_string())
    };
    let plan = make(assumptions)?;
    assert!(plan == make(assumptions)?, "the same plan twice");
    let mut later = assumptions.clone();
    later.starts_at = STARTS_AT.after(Span(86_400_000 * 3 + 12_345));
    assert_eq!(plan.plan_hash, make(&later)?.plan_hash, "at any time");
    let text = serde_json::to_string(&plan).expect("a plan is JSON");
    let read: Rehearsal = serde_json::from_str(&text).expect("and reads back");
    assert!(plan == read, "{} is not what was written", plan.process);
    Ok(plan.tree())
}

fn assumptions(process: &Process, command: &str) -> Assumptions {
    let (inputs, rest) = json(command);
    let mut assumptions = Assumptions {
        inputs,
        starts_at: STARTS_AT,
        components: components(process),
        ..Assumptions::default()
    };
    let mut rest = rest.trim();
    while let Some((word, more)) = rest.split_once(' ') {
        let (argument, left) = more.split_once(' ').unwrap_or((more, ""));
        rest = left.trim();
        let pair = || argument.split_once('=').expect("NAME=VALUE");
        match word {
            "fail" => assumptions.fail.push(argument.to_owned()),
            "approve-after" => assumptions.approve_after = Some(span(argument)),
            "duration" => {
                let (name, text) = pair();
                assumptions.durations.insert(name.to_owned(), span(text));
            }
            "outputs" => {
                let (name, _) = pair();
                let (value, left) = json(&more[name.len() + 1..]);
                assumptions.outputs.insert(name.to_owned(), value);
                rest = left.trim();
            }
            _ => panic!("not understood: {word}"),
        }
    }
    assumptions
}

fn span(text: &str) -> Span {
    text.parse().expect("a span")
}

/// The JSON value at the beginning of `text`, and the rest.
fn json(text: &str) -> (Value, &str) {
    let mut values = Deserializer::from_str(text).into_iter::<Value>();
    let value = values.next().expect("JSON").expect("JSON");
    (value, &text[values.byte_offset()..])
}

fn components(process: &Process) -> BTreeMap<Uses, Described> {
    let known = |uses: &&Uses| {
        let found = described(uses)?;
        let pin = Pin {
            name: found.name,
            version: found.version,
            digest: Digest::of(b"component"),
        };
        let described = Described {
            pin,
            outputs: found.outputs,
            is_reversible: found.reversible != Some(false),
        };
        Some(((*uses).clone(), described))
    };
    process.uses().iter().filter_map(known).collect()
}
