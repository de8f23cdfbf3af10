//! `needs` as people write it: names, and joins of names of which not all must be satisfied.

use std::collections::BTreeSet;

use super::{Fields, Written, required};
use crate::defect::{Fault, Place};
use crate::limits::{ACTIVITIES_MAX, JOINS_MAX};
use crate::process::read::{self, Keys, quoted};
use crate::process::source::Findings;
use crate::process::tree::{Node, Tree};

const JOIN: Keys = Keys {
    of: "a join of needs",
    known: &["any", "at-least", "of"],
    later: &[],
};

/// What something needs.
#[derive(Default)]
pub(in crate::process) struct NeedsPart<'n> {
    /// Every need, each once.
    pub(in crate::process) all: Vec<NeedPart<'n>>,
    /// How many needs of each join must be satisfied.
    pub(in crate::process) joins: Vec<u32>,
}

/// One need.
#[derive(Clone, Copy)]
pub(in crate::process) struct NeedPart<'n> {
    pub(in crate::process) written: Written<'n>,
    /// The position of its join; a need without one must be satisfied.
    pub(in crate::process) join: Option<usize>,
}

/// Reads `needs`: one name, one join, or a list of them.
pub(super) fn read<'n>(fields: Fields<'n>, findings: &mut Findings<'_, '_>) -> NeedsPart<'n> {
    let nodes = fields.get("needs").map(read::list).unwrap_or_default();
    let mut reading = Reading::default();
    for node in nodes {
        if let Tree::Map(_) = node.tree {
            reading.join(node, findings);
        } else {
            reading.need(node, None, findings);
        }
    }
    reading.part
}

#[derive(Default)]
struct Reading<'n> {
    part: NeedsPart<'n>,
    seen: BTreeSet<&'n str>,
}

impl<'n> Reading<'n> {
    fn need(&mut self, node: &'n Node, join: Option<usize>, findings: &mut Findings<'_, '_>) {
        let Some(text) = read::text(node, "a need", findings) else {
            return;
        };
        let place = node.place;
        if self.seen.insert(text) {
            let written = Written { text, place };
            self.part.all.push(NeedPart { written, join });
        } else {
            let message = format!("{} is needed twice", quoted(text));
            findings.add(Fault::new("duplicate-need", place, message));
        }
    }

    /// `{ any: […] }` or `{ at-least: n, of: […] }`.
    fn join(&mut self, node: &'n Node, findings: &mut Findings<'_, '_>) {
        if self.part.joins.len() == JOINS_MAX {
            let message = format!("there are at most {JOINS_MAX} joins of needs in one place");
            findings.add(Fault::new("too-many", node.place, message));
            return;
        }
        let Some(fields) = read::fields(node, &JOIN, findings) else {
            return;
        };
        let (of, at_least) = match fields.entry("any") {
            Some(any) => {
                for entry in ["at-least", "of"]
                    .iter()
                    .filter_map(|key| fields.entry(key))
                {
                    let message = format!("`{}` cannot stand beside `any`", entry.key);
                    findings.add(Fault::new("misplaced-key", entry.place, message));
                }
                (Some(&any.node), Some(1))
            }
            None => at_least(fields, node.place, findings),
        };
        let (Some(of), Some(at_least)) = (of, at_least) else {
            return;
        };
        let members = read::list(of);
        if members.is_empty() {
            if !matches!(of.tree, Tree::Broken) {
                let message = "a join of needs joins at least one";
                findings.add(Fault::new("empty", of.place, message));
            }
            return;
        }
        if at_least as usize > members.len() {
            let message = format!(
                "{at_least} of {} needs can never be satisfied",
                members.len()
            );
            findings.add(Fault::new("bad-value", node.place, message));
        }
        let join = self.part.joins.len();
        self.part.joins.push(at_least);
        for member in members {
            self.need(member, Some(join), findings);
        }
    }
}

fn at_least<'n>(
    fields: Fields<'n>,
    place: Place,
    findings: &mut Findings<'_, '_>,
) -> (Option<&'n Node>, Option<u32>) {
    if fields
        .0
        .iter()
        .all(|entry| !JOIN.known.contains(&entry.key.as_str()))
    {
        if fields.0.is_empty() {
            let fault = Fault::new("missing-key", place, "this join of needs joins nothing");
            findings.add(fault.hint("write `{ any: [a, b] }` or `{ at-least: 2, of: [a, b, c] }`"));
        }
        return (None, None);
    }
    let most = u32::try_from(ACTIVITIES_MAX).unwrap_or(u32::MAX);
    let count = required(fields, "at-least", place, findings)
        .and_then(|node| read::count(node, "`at-least`", (1, most), findings));
    (required(fields, "of", place, findings), count)
}
