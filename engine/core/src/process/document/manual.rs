//! A manual activity as people write it.

use super::activity::positive_span;
use super::required;
use crate::process::ApprovalRule;
use crate::process::read::{self, Keys, quoted};
use crate::process::source::Findings;
use crate::process::tree::{Node, Tree};
use crate::time::Span;

const MANUAL: Keys = Keys {
    of: "`manual`",
    known: &["instructions", "form", "approvals", "exclude", "expires"],
    later: &[
        "tasks",
        "remind",
        "escalate",
        "order",
        "same-person",
        "title",
        "assign",
    ],
};

const RULE: Keys = Keys {
    of: "an approval rule",
    known: &["from", "count"],
    later: &[
        "order",
        "same-person",
        "exclude",
        "remind",
        "escalate",
        "expires",
    ],
};

/// Most people that one rule may ask for.
const APPROVALS_MAX: u32 = 100;

/// A question to people.
pub(in crate::process) struct ManualPart<'n> {
    pub(in crate::process) instructions: Option<&'n Node>,
    pub(in crate::process) form: Option<&'n Node>,
    pub(in crate::process) approvals: Vec<ApprovalRule>,
    pub(in crate::process) exclude_initiator: bool,
    pub(in crate::process) expires: Option<Span>,
}

/// Reads what stands under `manual`; what is wrong is noted.
pub(super) fn read<'n>(node: &'n Node, findings: &mut Findings<'_, '_>) -> Option<ManualPart<'n>> {
    let fields = read::fields(node, &MANUAL, findings)?;
    let instructions = required(fields, "instructions", node.place, findings);
    let rules = fields.get("approvals").map(read::list).unwrap_or_default();
    let expires = fields
        .get("expires")
        .and_then(|node| expires(node, findings));
    Some(ManualPart {
        instructions,
        form: fields.get("form"),
        approvals: rules
            .iter()
            .filter_map(|rule| approval(rule, findings))
            .collect(),
        exclude_initiator: fields
            .get("exclude")
            .is_some_and(|node| exclude(node, findings)),
        expires,
    })
}

/// A question that is made of approval rules alone.
pub(super) fn rules<'n>(node: &'n Node, findings: &mut Findings<'_, '_>) -> ManualPart<'n> {
    ManualPart {
        instructions: None,
        form: None,
        approvals: read::list(node)
            .iter()
            .filter_map(|rule| approval(rule, findings))
            .collect(),
        exclude_initiator: false,
        expires: None,
    }
}

fn expires(node: &Node, findings: &mut Findings<'_, '_>) -> Option<Span> {
    if let Tree::Map(_) = node.tree {
        findings.add(read::not_supported(node.place, "what `expires` leads to"));
        return None;
    }
    positive_span(node, findings)
}

fn approval(node: &Node, findings: &mut Findings<'_, '_>) -> Option<ApprovalRule> {
    let fields = read::fields(node, &RULE, findings)?;
    let from = required(fields, "from", node.place, findings)
        .and_then(|node| read::parsed(node, "approver", findings));
    let count = match fields.get("count") {
        None => Some(1),
        Some(node) if matches!(node.text(), Some("majority" | "all")) => {
            findings.add(read::not_supported(
                node.place,
                "`count: majority` and `count: all`",
            ));
            None
        }
        Some(node) => read::count(node, "`count`", (1, APPROVALS_MAX), findings),
    };
    Some(ApprovalRule {
        from: from?,
        count: count?,
    })
}

/// Whether the initiator is excluded; other exclusions are noted.
fn exclude(node: &Node, findings: &mut Findings<'_, '_>) -> bool {
    let mut initiator = false;
    for node in read::list(node) {
        match read::text(node, "`exclude`", findings) {
            Some("initiator") => initiator = true,
            Some(other) => {
                let what = format!(
                    "`exclude` with anything but `initiator`, such as {},",
                    quoted(other)
                );
                findings.add(read::not_supported(node.place, what));
            }
            None => {}
        }
    }
    initiator
}
