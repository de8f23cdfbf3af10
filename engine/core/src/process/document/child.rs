//! An activity that is a release of another process, as people write it.

use super::required;
use crate::id::Name;
use crate::process::read::{self, Keys};
use crate::process::source::Findings;
use crate::process::tree::{Node, Tree};

const CHILD: Keys = Keys {
    of: "`process` of an activity",
    known: &["name", "version", "inputs"],
    later: &[],
};

/// A child release.
pub(in crate::process) struct ChildPart<'n> {
    pub(in crate::process) name: Name,
    pub(in crate::process) version: Option<u32>,
    pub(in crate::process) inputs: Option<&'n Node>,
}

/// Reads what stands under `process`; what is wrong is noted.
pub(super) fn read<'n>(node: &'n Node, findings: &mut Findings<'_, '_>) -> Option<ChildPart<'n>> {
    let fields = read::fields(node, &CHILD, findings)?;
    let name = required(fields, "name", node.place, findings)
        .and_then(|node| read::parsed(node, "name", findings));
    let version = fields
        .get("version")
        .map(|node| read::count(node, "`version`", (1, u32::MAX), findings));
    let inputs = fields
        .get("inputs")
        .filter(|node| !matches!(node.tree, Tree::Null));
    if let Some(inputs) = inputs {
        read::entries(inputs, "`inputs`", findings)?;
    }
    Some(ChildPart {
        name: name?,
        version: version.unwrap_or_default(),
        inputs,
    })
}
