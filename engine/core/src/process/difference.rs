//! What differs between two documents of a process, by its parts rather than by its lines.

use serde::Serialize;
use serde_json::{Map, Value};

use super::source::{Findings, Source};
use super::tree;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What kind of part it is about.
    pub part: Part,
    /// The name of an input or a phase, `phase/activity`, or nothing for the process.
    pub path: String,
    /// The key in the part that differs; nothing if the whole part is new or gone.
    pub key: Option<String>,
    /// What was there; nothing if the part or the key is new.
    pub before: Option<Value>,
    /// What is there now; nothing if the part or the key is gone.
    pub after: Option<Value>,
}

/// A part of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The process itself.
    Process,
    /// An input.
    Input,
    /// A phase.
    Phase,
    /// An activity.
    Activity,
}

/// Everything in which the document `after` differs from `before`: by parts, in the order of the
/// documents, what is gone before what is new. Comments, order and notation differ in nothing. A
/// document that cannot be read is one without anything in it.
pub fn differences(before: &[u8], after: &[u8]) -> Vec<Change> {
    let (before, after) = (document(before), document(after));
    let mut changes = Vec::new();
    keys(
        &mut changes,
        (Part::Process, ""),
        (&before, &after),
        &["inputs", "phases"],
    );
    parts(
        &mut changes,
        Part::Input,
        "",
        (&of(&before, "inputs"), &of(&after, "inputs")),
    );
    parts(
        &mut changes,
        Part::Phase,
        "",
        (&of(&before, "phases"), &of(&after, "phases")),
    );
    changes
}

fn document(source: &[u8]) -> Map<String, Value> {
    let text = String::from_utf8_lossy(source);
    let source = Source::new(&text);
    let mut findings = Findings::new(&source);
    match tree::parse(&mut findings).map(|node| node.to_json()) {
        Some(Value::Object(document)) => document,
        _ => Map::new(),
    }
}

/// The mapping under `key`; an empty one if there is none.
fn of(map: &Map<String, Value>, key: &str) -> Map<String, Value> {
    match map.get(key) {
        Some(Value::Object(inner)) => inner.clone(),
        _ => Map::new(),
    }
}

/// Parts that are new, gone, or differ.
fn parts(
    changes: &mut Vec<Change>,
    part: Part,
    within: &str,
    (before, after): (&Map<String, Value>, &Map<String, Value>),
) {
    let whole = |name: &str, (before, after)| Change {
        part,
        path: format!("{within}{name}"),
        key: None,
        before,
        after,
    };
    for (name, value) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
        changes.push(whole(name, (Some(value.clone()), None)));
    }
    for (name, after) in after {
        let Some(before) = before.get(name) else {
            changes.push(whole(name, (None, Some(after.clone()))));
            continue;
        };
        match (before, after) {
            _ if before == after => {}
            (Value::Object(before), Value::Object(after)) => {
                let path = format!("{within}{name}");
                let skipped: &[&str] = if part == Part::Phase {
                    &["activities"]
                } else {
                    &[]
                };
                keys(changes, (part, &path), (before, after), skipped);
                if part == Part::Phase {
                    let inner = (&of(before, "activities"), &of(after, "activities"));
                    parts(changes, Part::Activity, &format!("{path}/"), inner);
                }
            }
            _ => changes.push(whole(name, (Some(before.clone()), Some(after.clone())))),
        }
    }
}

/// Keys of one part that are new, gone, or have another value.
fn keys(
    changes: &mut Vec<Change>,
    (part, path): (Part, &str),
    (before, after): (&Map<String, Value>, &Map<String, Value>),
    skipped: &[&str],
) {
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    for key in gone.chain(after.keys()) {
        let (before, after) = (before.get(key), after.get(key));
        if before != after && !skipped.contains(&key.as_str()) {
            changes.push(Change {
                part,
                path: path.to_owned(),
                key: Some(key.clone()),
                before: before.cloned(),
                after: after.cloned(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "
process: x
title: One
inputs: { version: { type: string }, old: { type: string } }
phases:
  one:
    activities:
      a: { uses: a@1, timeout: 5m }
      gone: { uses: a@1 }
  two: { needs: [one], activities: { b: { uses: b@1 } } }
";

    #[test]
    fn parts_and_keys_are_told_apart() {
        let after = BEFORE
            .replace("title: One", "title: Two")
            .replace("old: { type: string }", "new: { type: string }")
            .replace("timeout: 5m", "with: { v: 1 }")
            .replace("gone", "fresh")
            .replace("needs: [one], ", "");
        let told: Vec<String> = differences(BEFORE.as_bytes(), after.as_bytes())
            .iter()
            .map(|change| {
                let sign = match (&change.before, &change.after) {
                    (None, _) => "+",
                    (_, None) => "-",
                    _ => "~",
                };
                let key = change.key.as_deref().unwrap_or_default();
                format!("{sign} {:?} {} {key}", change.part, change.path)
            })
            .collect();
        assert_eq!(
            told,
            [
                "~ Process  title",
                "- Input old ",
                "+ Input new ",
                "- Activity one/gone ",
                "- Activity one/a timeout",
                "+ Activity one/a with",
                "+ Activity one/fresh ",
                "- Phase two needs",
            ]
        );
    }

    #[test]
    fn notation_and_comments_are_no_difference() {
        let other = BEFORE
            .replace("timeout: 5m }", "\"timeout\": '5m' } # as before")
            .replace("[one]", "[ \"one\" ]");
        assert_eq!(differences(BEFORE.as_bytes(), other.as_bytes()), []);
        assert_eq!(differences(b"", b"]["), []);
    }
}
