//! `each` and what belongs to it, as people write it.

use super::Written;
use super::activity::positive_span;
use super::manual::{self, ManualPart};
use crate::defect::Fault;
use crate::limits::{BATCHES_MAX, INSTANCES_MAX};
use crate::process::Batch;
use crate::process::read::{self, Fields, quoted};
use crate::process::source::Findings;
use crate::process::tree::{Node, Tree};
use crate::time::Span;

/// Keys that say how a fan-out goes on, and mean nothing without one.
const OF_EACH: [&str; 4] = ["batches", "bake", "gate", "max-failures"];

/// A fan-out.
pub(in crate::process) struct FanOutPart<'n> {
    pub(in crate::process) items: &'n Node,
    pub(in crate::process) batches: Vec<Batch>,
    pub(in crate::process) bake: Option<Span>,
    pub(in crate::process) gate: Option<GatePart<'n>>,
    pub(in crate::process) failures_max: u32,
}

/// What stands between two batches.
pub(in crate::process) enum GatePart<'n> {
    /// An activity of the same phase.
    Named(Written<'n>),
    /// A question to people.
    Manual(ManualPart<'n>),
}

/// Reads `each` and what belongs to it; what is wrong is noted.
pub(super) fn read<'n>(
    fields: Fields<'n>,
    findings: &mut Findings<'_, '_>,
) -> Option<FanOutPart<'n>> {
    let Some(items) = fields.get("each") else {
        for entry in OF_EACH.iter().filter_map(|key| fields.entry(key)) {
            let message = format!("`{}` belongs to `each`", entry.key);
            findings.add(
                Fault::new("misplaced-key", entry.place, message)
                    .hint("add `each: ${{ LIST }}`, which gives the items to go through"),
            );
        }
        return None;
    };
    check_items(items, findings);
    let batches = fields.get("batches");
    let failures = fields.get("max-failures");
    let failures_max = u32::try_from(INSTANCES_MAX).unwrap_or(u32::MAX);
    Some(FanOutPart {
        items,
        batches: batches.map_or_else(Vec::new, |node| self::batches(node, findings)),
        bake: fields
            .get("bake")
            .and_then(|node| positive_span(node, findings)),
        gate: fields.get("gate").and_then(|node| gate(node, findings)),
        failures_max: failures
            .and_then(|node| read::count(node, "`max-failures`", (0, failures_max), findings))
            .unwrap_or(0),
    })
}

/// What can be seen of the items before a release runs.
fn check_items(node: &Node, findings: &mut Findings<'_, '_>) {
    let is_expression = |text: &str| text.trim().starts_with("${{") && text.trim().ends_with("}}");
    match &node.tree {
        Tree::Broken => {}
        Tree::Text(text) if is_expression(text) => {}
        Tree::List(items) => {
            if let Some(first) = items.get(INSTANCES_MAX) {
                let message = format!("a fan-out has at most {INSTANCES_MAX} items");
                findings.add(Fault::new("too-many", first.place, message));
            }
        }
        _ => findings.add(
            read::wrong_type(node, "`each`", "a list, or an expression that gives one")
                .hint("write `each: ${{ inputs.regions }}` or `each: [eu, us]`"),
        ),
    }
}

/// Counts and percentages, each more than the one before as far as that can be seen.
fn batches(node: &Node, findings: &mut Findings<'_, '_>) -> Vec<Batch> {
    let nodes = read::list(node);
    if nodes.is_empty() && !matches!(node.tree, Tree::Broken) {
        findings.add(
            Fault::new("empty", node.place, "`batches` needs an entry")
                .hint("leave it out to release everything at once"),
        );
    }
    if let Some(first) = nodes.get(BATCHES_MAX) {
        let message = format!("a fan-out has at most {BATCHES_MAX} batches");
        findings.add(Fault::new("too-many", first.place, message));
    }
    let mut batches: Vec<Batch> = Vec::new();
    for node in nodes.iter().take(BATCHES_MAX) {
        let Some(batch) = batch(node, findings) else {
            continue;
        };
        let rises = |before: &Batch| match (before, batch) {
            (Batch::Count(before), Batch::Count(batch))
            | (Batch::Percent(before), Batch::Percent(batch)) => *before < batch,
            _ => true,
        };
        if !batches.iter().all(rises) {
            let message = "each batch must release more than the ones before it";
            findings.add(Fault::new("bad-batches", node.place, message).hint(
                "an entry says how many are released in all once its batch is open, as in `[1, 50%, 100%]`",
            ));
        }
        batches.push(batch);
    }
    batches
}

fn batch(node: &Node, findings: &mut Findings<'_, '_>) -> Option<Batch> {
    let percent = match &node.tree {
        Tree::Text(text) => text.trim().strip_suffix('%'),
        Tree::Number(_) => {
            let most = u32::try_from(INSTANCES_MAX).unwrap_or(u32::MAX);
            return read::count(node, "a batch", (1, most), findings).map(Batch::Count);
        }
        Tree::Broken => return None,
        _ => None,
    };
    let percent = percent.and_then(|text| text.trim().parse().ok());
    let percent = percent.filter(|percent| (1..=100).contains(percent));
    if percent.is_none() {
        let what = node
            .text()
            .map_or_else(|| node.describe().to_owned(), quoted);
        let message = format!("a batch must be a count or a whole percentage, but this is {what}");
        findings
            .add(Fault::new("bad-value", node.place, message).hint("write `3`, or `1%` to `100%`"));
    }
    percent.map(Batch::Percent)
}

fn gate<'n>(node: &'n Node, findings: &mut Findings<'_, '_>) -> Option<GatePart<'n>> {
    match &node.tree {
        Tree::Text(_) => {
            let text = read::text(node, "`gate`", findings)?;
            let place = node.place;
            Some(GatePart::Named(Written { text, place }))
        }
        Tree::List(_) => Some(GatePart::Manual(manual::rules(node, findings))),
        Tree::Map(entries) if entries.iter().any(|entry| entry.key == "from") => {
            Some(GatePart::Manual(manual::rules(node, findings)))
        }
        Tree::Map(_) => {
            let manual = manual::read(node, findings)?;
            Some(GatePart::Manual(manual))
        }
        Tree::Broken => None,
        _ => {
            let expected = "the name of an activity, or approval rules";
            findings.add(
                read::wrong_type(node, "`gate`", expected)
                    .hint("write `gate: [{ from: group:sre }]`, or name an activity of the phase"),
            );
            None
        }
    }
}
