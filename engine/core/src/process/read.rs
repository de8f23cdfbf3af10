//! Reading parts of a tree as what they should be, noting what they are not.

use std::fmt::Display;
use std::str::FromStr;

use super::source::Findings;
use super::tree::{Entry, Node, QUOTED_CHARS_MAX, Tree};
use crate::defect::{Fault, Place};
use crate::json::shown;
use crate::limits::TEXT_BYTES_MAX;
use crate::nearest::nearest;
use crate::time::Span;

/// The keys that one kind of mapping may have.
pub(super) struct Keys {
    /// What the mapping is, for messages: `a phase`.
    pub(super) of: &'static str,
    /// Keys that are obeyed.
    pub(super) known: &'static [&'static str],
    /// Keys of the language that this version does not run yet.
    pub(super) later: &'static [&'static str],
}

/// A mapping whose keys were checked.
#[derive(Clone, Copy)]
pub(super) struct Fields<'n>(pub(super) &'n [Entry]);

impl<'n> Fields<'n> {
    /// The value under `key`.
    pub(super) fn get(self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The key and its value.
    pub(super) fn entry(self, key: &str) -> Option<&'n Entry> {
        self.0.iter().find(|entry| entry.key == key)
    }
}

/// Text from a document as a message may quote it.
pub(super) fn quoted(text: &str) -> String {
    format!("`{}`", shown(text, QUOTED_CHARS_MAX))
}

/// Notes that something is not supported yet.
pub(super) fn not_supported(place: Place, what: impl Display) -> Fault {
    Fault::new(
        "not-supported",
        place,
        format!("{what} is not supported by this version"),
    )
    .hint("leave it out; nothing in a document is ignored")
}

/// Notes that `node` is not what it should be.
pub(super) fn wrong_type(node: &Node, what: &str, expected: &str) -> Fault {
    Fault::new(
        "wrong-type",
        node.place,
        format!("{what} must be {expected}, but this is {}", node.describe()),
    )
}

/// The entries of a mapping with any keys.
pub(super) fn entries<'n>(
    node: &'n Node,
    what: &str,
    findings: &mut Findings<'_, '_>,
) -> Option<&'n [Entry]> {
    match &node.tree {
        Tree::Map(entries) => Some(entries),
        Tree::Broken => None,
        _ => {
            findings.add(wrong_type(node, what, "a mapping"));
            None
        }
    }
}

/// A mapping with known keys. Other keys are noted, each with the nearest known one.
pub(super) fn fields<'n>(
    node: &'n Node,
    keys: &Keys,
    findings: &mut Findings<'_, '_>,
) -> Option<Fields<'n>> {
    let entries = entries(node, keys.of, findings)?;
    for entry in entries {
        let key = entry.key.as_str();
        if keys.later.contains(&key) {
            findings.add(not_supported(
                entry.place,
                format!("`{key}` in {}", keys.of),
            ));
        } else if !keys.known.contains(&key) {
            let message = format!("{} has no key {}", keys.of, quoted(key));
            let fault = Fault::new("unknown-key", entry.place, message);
            if findings.is_full() {
                findings.add(fault);
                continue;
            }
            let near = nearest(key, keys.known.iter().chain(keys.later).copied());
            findings.add(match near {
                Some(_) => fault.near(near),
                None => fault.hint(format!("it may have {}", keys.known.join(", "))),
            });
        }
    }
    Some(Fields(entries))
}

/// Text in one piece, of bounded length and without expressions.
pub(super) fn text<'n>(
    node: &'n Node,
    what: &str,
    findings: &mut Findings<'_, '_>,
) -> Option<&'n str> {
    let fault = match &node.tree {
        Tree::Text(text) if text.contains("${{") => Fault::new(
            "not-supported",
            node.place,
            format!("{what} cannot hold an expression"),
        ),
        Tree::Text(text) if text.len() > TEXT_BYTES_MAX => Fault::new(
            "too-long",
            node.place,
            format!("{what} is longer than {TEXT_BYTES_MAX} bytes"),
        ),
        Tree::Text(text) => return Some(text),
        Tree::Broken => return None,
        Tree::Number(_) | Tree::Bool(_) => {
            let written = findings.source.text.get(node.place.start..node.place.end);
            wrong_type(node, what, "text").hint(format!(
                "put it in quotes: '{}'",
                shown(written.unwrap_or_default(), QUOTED_CHARS_MAX)
            ))
        }
        Tree::Null | Tree::List(_) | Tree::Map(_) => wrong_type(node, what, "text"),
    };
    findings.add(fault);
    None
}

/// Text that spells a `T`.
pub(super) fn parsed<T>(node: &Node, what: &str, findings: &mut Findings<'_, '_>) -> Option<T>
where
    T: FromStr,
    T::Err: Display,
{
    let text = text(node, &format!("the {what}"), findings)?;
    text.parse()
        .map_err(|error: T::Err| {
            let message = format!("{} is no {what}: {error}", quoted(text));
            findings.add(Fault::new("bad-value", node.place, message));
        })
        .ok()
}

/// A length of time.
pub(super) fn span(node: &Node, findings: &mut Findings<'_, '_>) -> Option<Span> {
    if let Tree::Number(number) = &node.tree {
        findings.add(
            wrong_type(node, "a length of time", "a number and its unit")
                .hint(format!("add the unit, such as `{number}s` or `{number}m`")),
        );
        return None;
    }
    parsed(node, "length of time", findings)
}

/// A whole number within bounds.
pub(super) fn count(
    node: &Node,
    what: &str,
    (least, most): (u32, u32),
    findings: &mut Findings<'_, '_>,
) -> Option<u32> {
    let Tree::Number(number) = &node.tree else {
        if !matches!(node.tree, Tree::Broken) {
            findings.add(wrong_type(node, what, "a whole number"));
        }
        return None;
    };
    let count = number
        .as_u64()
        .and_then(|number| u32::try_from(number).ok());
    let count = count.filter(|count| (least..=most).contains(count));
    if count.is_none() {
        findings.add(Fault::new(
            "bad-value",
            node.place,
            format!("{what} must be a whole number from {least} to {most}, but this is {number}"),
        ));
    }
    count
}

/// True or false.
pub(super) fn flag(node: &Node, what: &str, findings: &mut Findings<'_, '_>) -> Option<bool> {
    match &node.tree {
        Tree::Bool(bool) => Some(*bool),
        Tree::Broken => None,
        _ => {
            findings.add(wrong_type(node, what, "true or false"));
            None
        }
    }
}

/// A list; one value alone counts as a list of one.
pub(super) fn list(node: &Node) -> &[Node] {
    match &node.tree {
        Tree::List(items) => items,
        Tree::Null | Tree::Broken => &[],
        _ => std::slice::from_ref(node),
    }
}
