//! A manual activity as people write it.

use super::required;
use crate::defect::Fault;
use crate::process::read::{self, Fields, Keys, quoted};
use crate::process::source::Findings;
use crate::process::tree::Node;
use crate::process::{ApprovalRule, Escalation, Exclusion, Expiry, Order, TaskRule};
use crate::time::Span;

mod approvals;
mod deadlines;
mod tasks;

const MANUAL: Keys = Keys {
    of: "`manual`",
    known: &[
        "instructions",
        "form",
        "approvals",
        "order",
        "same-person",
        "exclude",
        "delegation",
        "remind",
        "escalate",
        "expires",
        "tasks",
    ],
    later: &[],
};

/// A question to people.
pub(in crate::process) struct ManualPart<'n> {
    pub(in crate::process) instructions: Option<&'n Node>,
    pub(in crate::process) form: Option<&'n Node>,
    pub(in crate::process) approvals: Vec<ApprovalRule>,
    pub(in crate::process) order: Order,
    pub(in crate::process) same_person: bool,
    pub(in crate::process) exclude: Vec<Exclusion>,
    pub(in crate::process) delegation: bool,
    pub(in crate::process) remind: Vec<Span>,
    pub(in crate::process) escalate: Option<Escalation>,
    pub(in crate::process) expires: Option<Expiry>,
    pub(in crate::process) tasks: Vec<TaskRule>,
}

/// Reads what stands under `manual`; what is wrong is noted.
pub(super) fn read<'n>(node: &'n Node, findings: &mut Findings<'_, '_>) -> Option<ManualPart<'n>> {
    let fields = read::fields(node, &MANUAL, findings)?;
    let instructions = required(fields, "instructions", node.place, findings);
    let order = word(fields, "order", &["parallel", "sequential"], findings);
    let same_person = word(fields, "same-person", &["deny", "allow"], findings);
    let delegation = word(fields, "delegation", &["deny", "allow"], findings);
    let (escalate, expires) = deadlines::read(fields, findings);
    Some(ManualPart {
        instructions,
        form: fields.get("form"),
        approvals: approvals::rules(fields, findings),
        order: match order {
            Some("sequential") => Order::Sequential,
            _ => Order::Parallel,
        },
        same_person: same_person == Some("allow"),
        exclude: approvals::exclusions(fields, findings),
        delegation: delegation != Some("deny"),
        remind: deadlines::reminders(fields, findings),
        escalate,
        expires,
        tasks: tasks::read(fields, findings),
    })
}

/// A question that is made of approval rules alone.
pub(super) fn rules<'n>(node: &'n Node, findings: &mut Findings<'_, '_>) -> ManualPart<'n> {
    ManualPart {
        instructions: None,
        form: None,
        approvals: approvals::alone(node, findings),
        order: Order::Parallel,
        same_person: false,
        exclude: Vec::new(),
        delegation: true,
        remind: Vec::new(),
        escalate: None,
        expires: None,
        tasks: Vec::new(),
    }
}

/// The value of `key`, which is one of `words`.
fn word<'n>(
    fields: Fields<'n>,
    key: &str,
    words: &[&str],
    findings: &mut Findings<'_, '_>,
) -> Option<&'n str> {
    let node = fields.get(key)?;
    let text = read::text(node, &format!("`{key}`"), findings)?;
    if words.contains(&text) {
        return Some(text);
    }
    let message = format!("`{key}` cannot be {}", quoted(text));
    let listed: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    let hint = format!("it is {}", listed.join(" or "));
    findings.add(Fault::new("bad-value", node.place, message).hint(hint));
    None
}
