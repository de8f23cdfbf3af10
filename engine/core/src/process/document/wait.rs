//! An activity that waits, as people write it.

use super::activity::positive_span;
use super::required;
use crate::defect::Fault;
use crate::id::Name;
use crate::process::read::{self, Fields, Keys, quoted};
use crate::process::source::Findings;
use crate::process::tree::Node;
use crate::process::wait::Reaches;
use crate::time::Span;

const WAIT: Keys = Keys {
    of: "`wait`",
    known: &[
        "for", "until", "signal", "schema", "release", "reaches", "process", "timeout",
    ],
    later: &[],
};

/// The keys of which a wait has exactly one.
const KINDS: [&str; 4] = ["for", "until", "signal", "release"];

/// A wait.
pub(in crate::process) enum WaitPart<'n> {
    For(Span),
    Until(&'n Node),
    Signal {
        name: Name,
        schema: Option<&'n Node>,
        timeout: Option<Span>,
    },
    Release {
        release: &'n Node,
        process: Option<Name>,
        reaches: Reaches,
        timeout: Option<Span>,
    },
}

/// Reads what stands under `wait`; what is wrong is noted.
pub(super) fn read<'n>(node: &'n Node, findings: &mut Findings<'_, '_>) -> Option<WaitPart<'n>> {
    let fields = read::fields(node, &WAIT, findings)?;
    let mut kinds = KINDS.iter().filter_map(|key| fields.entry(key));
    let Some(kind) = kinds.next() else {
        let message = "this waits for nothing";
        let hint = "say `for`, `until`, `signal` or `release`";
        findings.add(Fault::new("missing-key", node.place, message).hint(hint));
        return None;
    };
    if let Some(other) = kinds.next() {
        let message = format!("a wait has either `{}` or `{}`", kind.key, other.key);
        findings.add(Fault::new("two-kinds", other.place, message));
        return None;
    }
    match kind.key.as_str() {
        "for" => {
            only(fields, &["for"], findings);
            positive_span(&kind.node, findings).map(WaitPart::For)
        }
        "until" => {
            only(fields, &["until"], findings);
            Some(WaitPart::Until(&kind.node))
        }
        "signal" => {
            only(fields, &["signal", "schema", "timeout"], findings);
            Some(WaitPart::Signal {
                name: read::parsed(&kind.node, "name", findings)?,
                schema: fields.get("schema"),
                timeout: timeout(fields, findings),
            })
        }
        _ => {
            only(
                fields,
                &["release", "reaches", "process", "timeout"],
                findings,
            );
            let reaches = required(fields, "reaches", node.place, findings)
                .and_then(|node| reaches(node, findings));
            let process = fields.get("process");
            Some(WaitPart::Release {
                release: &kind.node,
                process: process.and_then(|node| read::parsed(node, "name", findings)),
                reaches: reaches?,
                timeout: timeout(fields, findings),
            })
        }
    }
}

/// Notes keys that belong to another kind of wait.
fn only(fields: Fields<'_>, keys: &[&str], findings: &mut Findings<'_, '_>) {
    for entry in fields.0 {
        let key = entry.key.as_str();
        if WAIT.known.contains(&key) && !keys.contains(&key) {
            let message = format!("`{key}` does not belong to a wait with `{}`", keys[0]);
            findings.add(Fault::new("misplaced-key", entry.place, message));
        }
    }
}

fn timeout(fields: Fields<'_>, findings: &mut Findings<'_, '_>) -> Option<Span> {
    let node = fields.get("timeout")?;
    positive_span(node, findings)
}

fn reaches(node: &Node, findings: &mut Findings<'_, '_>) -> Option<Reaches> {
    let text = read::text(node, "`reaches`", findings)?;
    let reaches = Reaches::read(text);
    if reaches.is_none() {
        let message = format!("`reaches` cannot be {}", quoted(text));
        let hint = "it is `running`, `succeeded`, `failed`, `aborted`, `rolled-back`, `ended` or the name of a phase";
        findings.add(Fault::new("bad-value", node.place, message).hint(hint));
    }
    reaches
}
