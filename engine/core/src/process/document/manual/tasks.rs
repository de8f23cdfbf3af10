//! What there is to do within a manual activity.

use std::collections::BTreeSet;

use super::super::activity::positive_span;
use super::super::required;
use super::approvals;
use crate::defect::Fault;
use crate::limits::{LABEL_BYTES_MAX, TASKS_MAX};
use crate::process::TaskRule;
use crate::process::read::{self, Fields, Keys, quoted};
use crate::process::source::Findings;
use crate::process::tree::Node;

const TASK: Keys = Keys {
    of: "a task",
    known: &["name", "title", "assign", "required", "expected"],
    later: &[],
};

/// `tasks`: each with a name of its own.
pub(super) fn read(fields: Fields<'_>, findings: &mut Findings<'_, '_>) -> Vec<TaskRule> {
    let nodes = approvals::listed(fields, "tasks", TASKS_MAX, findings);
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut tasks = Vec::new();
    for node in nodes {
        let Some(task) = task(node, findings) else {
            continue;
        };
        if names.insert(task.name.clone()) {
            tasks.push(task);
        } else {
            let message = format!("two tasks are called {}", quoted(&task.name));
            findings.add(Fault::new("duplicate-task", node.place, message));
        }
    }
    tasks
}

fn task(node: &Node, findings: &mut Findings<'_, '_>) -> Option<TaskRule> {
    let fields = read::fields(node, &TASK, findings)?;
    let name = required(fields, "name", node.place, findings).and_then(|node| name(node, findings));
    let title = fields
        .get("title")
        .map(|node| read::text(node, "`title`", findings));
    let assign = fields
        .get("assign")
        .map(|node| approvals::parties(node, "assignee", findings));
    let required = fields
        .get("required")
        .map(|node| read::flag(node, "`required`", findings));
    let expected = fields
        .get("expected")
        .map(|node| positive_span(node, findings));
    let name = name?;
    Some(TaskRule {
        title: title.unwrap_or(Some(name))?.to_owned(),
        name: name.to_owned(),
        assign: assign.unwrap_or(Some(Vec::new()))?,
        required: required.unwrap_or(Some(false))?,
        expected: match expected {
            None => None,
            Some(expected) => Some(expected?),
        },
    })
}

/// A short text in one line, which people can type to say which task they mean.
fn name<'n>(node: &'n Node, findings: &mut Findings<'_, '_>) -> Option<&'n str> {
    let text = read::text(node, "the name of a task", findings)?;
    let fits = text.trim() == text && !text.is_empty() && text.len() <= LABEL_BYTES_MAX;
    if fits && !text.contains(char::is_control) {
        return Some(text);
    }
    let message = format!("{} is no name for a task", quoted(text));
    let hint = format!("one line of 1 to {LABEL_BYTES_MAX} bytes, without blanks around it");
    findings.add(Fault::new("bad-name", node.place, message).hint(hint));
    None
}
