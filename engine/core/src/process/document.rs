//! The authored form: a document as people write it, each part with its place.
//!
//! What is read here is right in itself; whether the parts fit together is the business of
//! `validate`. A part that is wrong is noted and left out, so that the rest is still checked.

use super::OnFailure;
use super::read::{self, Fields, Keys, quoted};
use super::source::Findings;
use super::tree::{Node, Tree};
use crate::actor::Party;
use crate::defect::{Fault, Place};
use crate::id::Name;
use crate::limits::{ACTIVITIES_MAX, LOCK_CAPACITY_MAX, LOCKS_MAX, PHASES_MAX};

pub(super) mod activity;
pub(super) mod child;
pub(super) mod fan_out;
pub(super) mod inputs;
pub(super) mod manual;
pub(super) mod needs;
pub(super) mod script;
pub(super) mod undo;
pub(super) mod wait;

use activity::{ActivityPart, KindPart};
use fan_out::{FanOutPart, GatePart};
use needs::NeedsPart;
use wait::WaitPart;

const PROCESS: Keys = Keys {
    of: "a process",
    known: &[
        "process",
        "title",
        "inputs",
        "phases",
        "outputs",
        "on-failure",
        "locks",
        "concurrency",
    ],
    later: &["freeze", "group"],
};

const PHASE: Keys = Keys {
    of: "a phase",
    known: &[
        "title",
        "owners",
        "needs",
        "if",
        "each",
        "batches",
        "bake",
        "gate",
        "max-failures",
        "on-failure",
        "activities",
        "locks",
    ],
    later: &["timeout"],
};

/// A name as it is written, with its place. It need not be a good name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written<'n> {
    pub(super) text: &'n str,
    pub(super) place: Place,
}

/// A process document.
pub(super) struct Document<'n> {
    pub(super) name: Option<Name>,
    pub(super) title: Option<&'n str>,
    pub(super) inputs: Option<&'n Node>,
    pub(super) outputs: Option<&'n Node>,
    pub(super) locks: &'n [Node],
    pub(super) concurrency: Option<u32>,
    pub(super) phases: Vec<PhasePart<'n>>,
}

impl<'n> Document<'n> {
    /// Everything in it that holds JSON Schemas.
    pub(super) fn schemas(&self) -> impl Iterator<Item = &'n Node> {
        let activities = self.phases.iter().flat_map(|phase| &phase.activities);
        let forms = activities
            .clone()
            .filter_map(|activity| match &activity.kind {
                KindPart::Manual(manual) => manual.form,
                KindPart::Wait(WaitPart::Signal { schema, .. }) => *schema,
                KindPart::Component(_)
                | KindPart::Wait(_)
                | KindPart::Process(_)
                | KindPart::Broken => None,
            });
        let phases = self.phases.iter().map(|phase| &phase.each);
        let each = phases.chain(activities.map(|activity| &activity.each));
        let gates = each.filter_map(|each| match each.as_ref()?.gate.as_ref()? {
            GatePart::Manual(manual) => manual.form,
            GatePart::Named(_) => None,
        });
        self.inputs.into_iter().chain(forms).chain(gates)
    }
}

/// A phase.
pub(super) struct PhasePart<'n> {
    pub(super) name: Written<'n>,
    pub(super) title: Option<&'n str>,
    pub(super) owners: Vec<Party>,
    pub(super) needs: NeedsPart<'n>,
    pub(super) condition: Option<&'n Node>,
    pub(super) each: Option<FanOutPart<'n>>,
    pub(super) locks: &'n [Node],
    pub(super) activities: Vec<ActivityPart<'n>>,
}

/// Reads a document.
pub(super) fn read<'n>(root: &'n Node, findings: &mut Findings<'_, '_>) -> Option<Document<'n>> {
    let fields = read::fields(root, &PROCESS, findings)?;
    let name = required(fields, "process", root.place, findings)
        .and_then(|node| read::parsed(node, "name", findings));
    let title = title(fields, findings);
    let on_failure = on_failure(fields, findings).unwrap_or_default();
    let phases = required(fields, "phases", root.place, findings)
        .map(|node| phases(node, on_failure, findings))
        .unwrap_or_default();
    Some(Document {
        name,
        title,
        inputs: fields.get("inputs"),
        outputs: fields.get("outputs"),
        locks: locks(fields, findings),
        concurrency: fields.get("concurrency").and_then(|node| {
            let bounds = (1, LOCK_CAPACITY_MAX);
            read::count(node, "`concurrency`", bounds, findings)
        }),
        phases,
    })
}

fn phases<'n>(
    node: &'n Node,
    on_failure: OnFailure,
    findings: &mut Findings<'_, '_>,
) -> Vec<PhasePart<'n>> {
    let entries = read::entries(node, "`phases`", findings).unwrap_or_default();
    if entries.is_empty() && matches!(node.tree, Tree::Map(_)) {
        findings.add(Fault::new("empty", node.place, "a process needs a phase"));
    }
    if let Some(first) = entries.get(PHASES_MAX) {
        let message = format!("a process has at most {PHASES_MAX} phases");
        findings.add(Fault::new("too-many", first.place, message));
    }
    let mut room = ACTIVITIES_MAX;
    let entries = entries.iter().take(PHASES_MAX);
    entries
        .filter_map(|entry| {
            let name = part_name(&entry.key, entry.place, "phase", findings);
            phase(name, &entry.node, (on_failure, &mut room), findings)
        })
        .collect()
}

fn phase<'n>(
    name: Written<'n>,
    node: &'n Node,
    (on_failure, room): (OnFailure, &mut usize),
    findings: &mut Findings<'_, '_>,
) -> Option<PhasePart<'n>> {
    let fields = read::fields(node, &PHASE, findings)?;
    let on_failure = self::on_failure(fields, findings).unwrap_or(on_failure);
    let activities = required(fields, "activities", name.place, findings);
    let entries = activities
        .and_then(|node| read::entries(node, "`activities`", findings))
        .unwrap_or_default();
    if let Some(node) =
        activities.filter(|node| matches!(&node.tree, Tree::Map(map) if map.is_empty()))
    {
        findings.add(Fault::new("empty", node.place, "a phase needs an activity"));
    }
    if let Some(first) = entries.get(*room) {
        let message = format!("a process has at most {ACTIVITIES_MAX} activities");
        findings.add(Fault::new("too-many", first.place, message));
    }
    let entries = &entries[..entries.len().min(*room)];
    *room -= entries.len();
    let activities = entries
        .iter()
        .map(|entry| {
            let name = part_name(&entry.key, entry.place, "activity", findings);
            activity::read(name, &entry.node, on_failure, findings)
        })
        .collect();
    Some(PhasePart {
        name,
        title: title(fields, findings),
        owners: owners(fields, findings),
        needs: needs::read(fields, findings),
        condition: fields.get("if"),
        each: fan_out::read(fields, findings),
        locks: locks(fields, findings),
        activities,
    })
}

/// The value under a key that must be there.
pub(super) fn required<'n>(
    fields: Fields<'n>,
    key: &str,
    place: Place,
    findings: &mut Findings<'_, '_>,
) -> Option<&'n Node> {
    let fault = match fields.entry(key) {
        Some(entry) if matches!(entry.node.tree, Tree::Null) => Fault::new(
            "missing-value",
            entry.place,
            format!("`{key}` has no value"),
        ),
        Some(entry) => return Some(&entry.node),
        None => Fault::new("missing-key", place, format!("`{key}` is missing here")),
    };
    findings.add(fault);
    None
}

fn part_name<'n>(
    text: &'n str,
    place: Place,
    what: &str,
    findings: &mut Findings<'_, '_>,
) -> Written<'n> {
    if let Err(error) = text.parse::<Name>() {
        let message = format!("{} is no name for this {what}: {error}", quoted(text));
        let suggestion = suggestion(text);
        let fault = Fault::new("bad-name", place, message);
        findings.add(match suggestion {
            Some(name) => fault.hint(format!("call it `{name}`, with its text as `title`")),
            None => fault,
        });
    }
    Written { text, place }
}

/// A good name made of a bad one.
fn suggestion(text: &str) -> Option<Name> {
    let hyphened: String = text
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let parts: Vec<&str> = hyphened
        .split('-')
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("-").parse().ok()
}

fn title<'n>(fields: Fields<'n>, findings: &mut Findings<'_, '_>) -> Option<&'n str> {
    let node = fields.get("title")?;
    read::text(node, "`title`", findings)
}

/// `locks`: names, which may hold expressions.
fn locks<'n>(fields: Fields<'n>, findings: &mut Findings<'_, '_>) -> &'n [Node] {
    let nodes = fields.get("locks").map(read::list).unwrap_or_default();
    if let Some(first) = nodes.get(LOCKS_MAX) {
        let message = format!("at most {LOCKS_MAX} locks stand in one place");
        findings.add(Fault::new("too-many", first.place, message));
    }
    &nodes[..nodes.len().min(LOCKS_MAX)]
}

/// `owners`: people and groups.
fn owners(fields: Fields<'_>, findings: &mut Findings<'_, '_>) -> Vec<Party> {
    let nodes = fields.get("owners").map(read::list).unwrap_or_default();
    nodes
        .iter()
        .filter_map(|node| read::parsed(node, "owner", findings))
        .collect()
}

/// `on-failure`, where it is given.
fn on_failure(fields: Fields<'_>, findings: &mut Findings<'_, '_>) -> Option<OnFailure> {
    let node = fields.get("on-failure")?;
    match read::text(node, "`on-failure`", findings)? {
        "hold" => Some(OnFailure::Hold),
        "fail" => Some(OnFailure::Fail),
        "continue" => Some(OnFailure::Continue),
        "rollback" => Some(OnFailure::Rollback),
        other => {
            let message = format!("`on-failure` cannot be {}", quoted(other));
            findings.add(
                Fault::new("bad-value", node.place, message)
                    .hint("it is `hold`, `fail`, `continue` or `rollback`"),
            );
            None
        }
    }
}
