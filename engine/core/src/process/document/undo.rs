//! The way back of an activity as people write it: `undo`, `validate` and `point-of-no-return`.

use super::activity::{ComponentPart, component};
use super::{required, script};
use crate::defect::Fault;
use crate::process::read::{self, Fields, Keys, quoted};
use crate::process::source::Findings;
use crate::process::tree::{Node, Tree};

const CALL: Keys = Keys {
    of: "a call on the way back",
    known: &["uses", "script", "with", "retry", "timeout"],
    later: &[],
};

/// How the effect of an activity is taken back.
pub(in crate::process) enum UndoPart<'n> {
    /// Nothing is said.
    Exported,
    /// `none`.
    None,
    /// By another component.
    Uses(ComponentPart<'n>),
}

/// What an activity says of the way back.
pub(super) struct Back<'n> {
    pub(super) undo: UndoPart<'n>,
    pub(super) validate: Option<ComponentPart<'n>>,
    pub(super) point_of_no_return: bool,
}

/// Reads the way back; what contradicts itself is noted.
pub(super) fn read<'n>(fields: Fields<'n>, findings: &mut Findings<'_, '_>) -> Back<'n> {
    let back = Back {
        undo: undo(fields.get("undo"), findings),
        validate: fields.get("validate").and_then(|node| call(node, findings)),
        point_of_no_return: fields
            .get("point-of-no-return")
            .and_then(|node| read::flag(node, "`point-of-no-return`", findings))
            .unwrap_or(false),
    };
    misplaced(&back, fields, findings);
    back
}

fn undo<'n>(node: Option<&'n Node>, findings: &mut Findings<'_, '_>) -> UndoPart<'n> {
    let Some(node) = node else {
        return UndoPart::Exported;
    };
    match &node.tree {
        Tree::Text(text) if text == "none" => return UndoPart::None,
        Tree::Map(_) => return call(node, findings).map_or(UndoPart::Exported, UndoPart::Uses),
        Tree::Text(text) => {
            let message = format!("`undo` cannot be {}", quoted(text));
            findings.add(
                Fault::new("bad-value", node.place, message)
                    .hint("it is `none`, or `{ uses: COMPONENT@VERSION, with: … }`, or `{ script: …, with: … }`"),
            );
        }
        Tree::Broken => {}
        _ => findings.add(read::wrong_type(node, "`undo`", "`none` or a mapping")),
    }
    UndoPart::Exported
}

fn call<'n>(node: &'n Node, findings: &mut Findings<'_, '_>) -> Option<ComponentPart<'n>> {
    let fields = read::fields(node, &CALL, findings)?;
    let Some(written) = fields.entry("script") else {
        let uses = required(fields, "uses", node.place, findings)?;
        return Some(component(uses, fields, findings));
    };
    if let Some(uses) = fields.entry("uses") {
        let message = "this has either `script` or `uses`, not both";
        findings.add(Fault::new("two-kinds", uses.place, message));
    }
    Some(script::read(written, fields, findings))
}

/// Notes what would never be obeyed: nothing in a document is ignored.
fn misplaced(back: &Back<'_>, fields: Fields<'_>, findings: &mut Findings<'_, '_>) {
    let why = if back.point_of_no_return {
        "a point of no return is never undone"
    } else if matches!(back.undo, UndoPart::None) {
        "with `undo: none` nothing is undone"
    } else if fields.get("manual").is_some() && matches!(back.undo, UndoPart::Exported) {
        "a manual activity without `undo` has nothing to undo"
    } else {
        return;
    };
    let keys: &[&str] = if back.point_of_no_return {
        &["undo", "validate"]
    } else {
        &["validate"]
    };
    for entry in keys.iter().filter_map(|key| fields.entry(key)) {
        let message = format!("`{}` is of no use here: {why}", entry.key);
        findings.add(Fault::new("misplaced-key", entry.place, message));
    }
}
