//! `script:` as people write it.

use super::activity::{ComponentPart, call};
use crate::defect::Fault;
use crate::limits::SCRIPT_BYTES_MAX;
use crate::process::Script;
use crate::process::read::{Fields, wrong_type};
use crate::process::script::interpreter;
use crate::process::source::Findings;
use crate::process::tree::{Entry, Node, Tree};

/// Reads a script and how it is called; what is wrong is noted.
pub(super) fn read<'n>(
    written: &'n Entry,
    fields: Fields<'n>,
    findings: &mut Findings<'_, '_>,
) -> ComponentPart<'n> {
    let script = script(&written.node, findings);
    ComponentPart {
        // Without its text there is nothing to call.
        uses: script.is_some().then(interpreter),
        uses_place: written.place,
        script,
        ..call(fields, findings)
    }
}

fn script(node: &Node, findings: &mut Findings<'_, '_>) -> Option<Script> {
    let fault = match &node.tree {
        Tree::Text(text) if text.trim().is_empty() => {
            Fault::new("missing-value", node.place, "the script is empty")
        }
        Tree::Text(text) if text.len() > SCRIPT_BYTES_MAX => {
            let message = format!("the script is longer than {SCRIPT_BYTES_MAX} bytes");
            Fault::new("too-long", node.place, message).hint("make a component of it")
        }
        Tree::Text(text) if text.contains("${{") => {
            let message = "a script holds no expressions";
            let hint = "give it the value by `with`, and read it from `inputs`";
            Fault::new("expression-in-script", node.place, message).hint(hint)
        }
        Tree::Text(text) => match stand(node, text, findings) {
            Ok((line, indent)) => {
                return Some(Script {
                    source: text.clone(),
                    line,
                    indent,
                });
            }
            Err(fault) => fault,
        },
        Tree::Broken => return None,
        _ => wrong_type(node, "`script`", "text"),
    };
    findings.add(fault);
    None
}

/// The line of the document at which the script begins, and how far its lines are indented.
fn stand(node: &Node, text: &str, findings: &Findings<'_, '_>) -> Result<(u32, u32), Fault> {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let source = findings.source;
    let begins = source.line_number(node.place.start);
    let empty = text.lines().take_while(|line| line.is_empty()).count();
    // Where a parser says that text begins with empty lines, it may mean the first of them or what follows.
    for first in [begins, begins.saturating_sub(empty)] {
        if let Some(indent) = source.indent_of(first, text) {
            return Ok((number(first), number(indent)));
        }
    }
    if text.trim_end().lines().count() > 1 {
        // Folded lines would be reported in the wrong place.
        let message = "a script of several lines begins with `|`";
        let fault = Fault::new("bad-value", node.place, message);
        return Err(fault.hint("write `script: |` and the script below, indented"));
    }
    let written = source.text.get(node.place.start..).unwrap_or_default();
    let quote = usize::from(written.starts_with(['"', '\'']));
    Ok((
        number(begins),
        number(source.column(node.place.start) + quote),
    ))
}
