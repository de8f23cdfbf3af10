//! Who must approve, and who may not.

use super::super::required;
use crate::actor::Party;
use crate::defect::Fault;
use crate::limits::{PARTIES_MAX, RULES_MAX};
use crate::process::read::{self, Fields, Keys};
use crate::process::source::Findings;
use crate::process::tree::Node;
use crate::process::{ApprovalRule, Count, Exclusion};

const RULE: Keys = Keys {
    of: "an approval rule",
    known: &["from", "count"],
    later: &[],
};

/// Most people that one rule may ask for.
const APPROVALS_MAX: u32 = 100;

/// `approvals`: every rule must be met.
pub(super) fn rules(fields: Fields<'_>, findings: &mut Findings<'_, '_>) -> Vec<ApprovalRule> {
    let nodes = listed(fields, "approvals", RULES_MAX, findings);
    nodes
        .iter()
        .filter_map(|node| rule(node, findings))
        .collect()
}

/// Rules that stand alone.
pub(super) fn alone(node: &Node, findings: &mut Findings<'_, '_>) -> Vec<ApprovalRule> {
    let nodes = bounded(read::list(node), "a gate", RULES_MAX, findings);
    nodes
        .iter()
        .filter_map(|node| rule(node, findings))
        .collect()
}

fn rule(node: &Node, findings: &mut Findings<'_, '_>) -> Option<ApprovalRule> {
    let fields = read::fields(node, &RULE, findings)?;
    let from = required(fields, "from", node.place, findings)
        .and_then(|node| parties(node, "approver", findings));
    let count = match fields.get("count") {
        None => Some(Count::Of(1)),
        Some(node) => match node.text() {
            Some("majority") => Some(Count::Majority),
            Some("all") => Some(Count::All),
            _ => read::count(node, "`count`", (1, APPROVALS_MAX), findings).map(Count::Of),
        },
    };
    Some(ApprovalRule {
        from: from?,
        count: count?,
    })
}

/// People and groups: at least one.
pub(super) fn parties(
    node: &Node,
    what: &str,
    findings: &mut Findings<'_, '_>,
) -> Option<Vec<Party>> {
    let nodes = read::list(node);
    if nodes.is_empty() {
        let message = format!("this names no {what}");
        findings.add(
            Fault::new("missing-value", node.place, message).hint("name a `user:` or a `group:`"),
        );
        return None;
    }
    if let Some(first) = nodes.get(PARTIES_MAX) {
        let message = format!("at most {PARTIES_MAX} people and groups may stand here");
        findings.add(Fault::new("too-many", first.place, message));
        return None;
    }
    nodes
        .iter()
        .map(|node| read::parsed(node, what, findings))
        .collect()
}

/// `exclude`: `initiator`, `authors`, people and groups.
pub(super) fn exclusions(fields: Fields<'_>, findings: &mut Findings<'_, '_>) -> Vec<Exclusion> {
    let nodes = listed(fields, "exclude", PARTIES_MAX, findings);
    nodes
        .iter()
        .filter_map(|node| exclusion(node, findings))
        .collect()
}

fn exclusion(node: &Node, findings: &mut Findings<'_, '_>) -> Option<Exclusion> {
    match read::text(node, "`exclude`", findings)? {
        "initiator" => Some(Exclusion::Initiator),
        "authors" => Some(Exclusion::Authors),
        text => match text.parse() {
            Ok(party) => Some(Exclusion::Party(party)),
            Err(error) => {
                let message = format!("`exclude` cannot be {}: {error}", read::quoted(text));
                findings.add(
                    Fault::new("bad-value", node.place, message)
                        .hint("it is `initiator`, `authors`, `user:NAME` or `group:NAME`"),
                );
                None
            }
        },
    }
}

/// The entries under `key`, at most `count_max` of them.
pub(super) fn listed<'n>(
    fields: Fields<'n>,
    key: &str,
    count_max: usize,
    findings: &mut Findings<'_, '_>,
) -> &'n [Node] {
    let nodes = fields.get(key).map(read::list).unwrap_or_default();
    bounded(nodes, &format!("`{key}`"), count_max, findings)
}

/// The first `count_max` of the entries of `what`; that there are more is noted.
fn bounded<'n>(
    nodes: &'n [Node],
    what: &str,
    count_max: usize,
    findings: &mut Findings<'_, '_>,
) -> &'n [Node] {
    if let Some(first) = nodes.get(count_max) {
        let message = format!("{what} has at most {count_max} entries");
        findings.add(Fault::new("too-many", first.place, message));
    }
    &nodes[..nodes.len().min(count_max)]
}
