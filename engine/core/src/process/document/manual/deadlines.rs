//! What happens to a question as time goes by: reminders, escalation, expiry.

use super::super::activity::positive_span;
use super::super::required;
use super::{approvals, word};
use crate::defect::Fault;
use crate::limits::REMIND_WAITS_MAX;
use crate::process::read::{self, Fields, Keys};
use crate::process::source::Findings;
use crate::process::tree::{Node, Tree};
use crate::process::{Escalation, Expiry, Then};
use crate::time::Span;

const ESCALATE: Keys = Keys {
    of: "`escalate`",
    known: &["after", "to"],
    later: &[],
};

const EXPIRES: Keys = Keys {
    of: "`expires`",
    known: &["after", "then"],
    later: &[],
};

/// `remind`: the waits between reminders.
pub(super) fn reminders(fields: Fields<'_>, findings: &mut Findings<'_, '_>) -> Vec<Span> {
    let nodes = fields.get("remind").map(read::list).unwrap_or_default();
    if let Some(first) = nodes.get(REMIND_WAITS_MAX) {
        let message = format!("`remind` has at most {REMIND_WAITS_MAX} waits; the last repeats");
        findings.add(Fault::new("too-many", first.place, message));
    }
    let nodes = nodes.iter().take(REMIND_WAITS_MAX);
    nodes
        .filter_map(|node| positive_span(node, findings))
        .collect()
}

/// `escalate` and `expires`, which must fit together.
pub(super) fn read(
    fields: Fields<'_>,
    findings: &mut Findings<'_, '_>,
) -> (Option<Escalation>, Option<Expiry>) {
    let escalate = fields.get("escalate");
    let escalation = escalate.and_then(|node| escalation(node, findings));
    let expiry = fields
        .get("expires")
        .and_then(|node| expiry(node, findings));
    let at_end = expiry.is_some_and(|expiry| expiry.then == Then::Escalate);
    match (escalate, &escalation) {
        (Some(node), Some(escalation)) => {
            if let Some(fault) = misfit(node, fields, escalation, expiry) {
                findings.add(fault);
            }
        }
        (None, _) if at_end => {
            let place = fields.entry("expires").map(|entry| entry.place);
            let message = "`then: escalate` needs `escalate`, which says to whom";
            findings.add(
                Fault::new("missing-key", place.unwrap_or_default(), message)
                    .hint("add `escalate: { to: group:NAME }`"),
            );
        }
        _ => {}
    }
    (escalation, expiry)
}

/// What does not fit between an escalation and what stands around it.
fn misfit(
    node: &Node,
    fields: Fields<'_>,
    escalation: &Escalation,
    expiry: Option<Expiry>,
) -> Option<Fault> {
    let fault = |code, message: &str| Some(Fault::new(code, node.place, message));
    if fields.get("approvals").is_none() {
        let message = "`escalate` needs `approvals`: without rules anybody may decide already";
        return fault("misplaced-key", message);
    }
    match (escalation.after, expiry) {
        (None, Some(expiry)) if expiry.then == Then::Escalate => None,
        (None, _) => fault(
            "missing-key",
            "`after` is missing here, unless `expires` says `then: escalate`",
        ),
        (Some(_), Some(expiry)) if expiry.then == Then::Escalate => fault(
            "misplaced-key",
            "`after` has no use here: `expires` says when to escalate",
        ),
        (Some(after), Some(expiry)) if after >= expiry.after => fault(
            "bad-value",
            "this never happens: the question expires before",
        ),
        (Some(_), _) => None,
    }
}

fn escalation(node: &Node, findings: &mut Findings<'_, '_>) -> Option<Escalation> {
    let fields = read::fields(node, &ESCALATE, findings)?;
    let to = required(fields, "to", node.place, findings)
        .and_then(|node| approvals::parties(node, "party", findings));
    let after = match fields.get("after") {
        None => None,
        Some(node) => Some(positive_span(node, findings)?),
    };
    Some(Escalation { after, to: to? })
}

fn expiry(node: &Node, findings: &mut Findings<'_, '_>) -> Option<Expiry> {
    let Tree::Map(_) = node.tree else {
        let after = positive_span(node, findings)?;
        let then = Then::default();
        return Some(Expiry { after, then });
    };
    let fields = read::fields(node, &EXPIRES, findings)?;
    let after = required(fields, "after", node.place, findings)
        .and_then(|node| positive_span(node, findings));
    let words = ["expire", "reject", "hold", "escalate"];
    let then = match word(fields, "then", &words, findings) {
        Some("reject") => Then::Reject,
        Some("hold") => Then::Hold,
        Some("escalate") => Then::Escalate,
        _ => Then::Expire,
    };
    Some(Expiry {
        after: after?,
        then,
    })
}
