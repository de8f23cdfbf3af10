//! `each`: what its gates are, and that nothing relies on what they stand for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::expressions::{Expressions, Reader};
use super::needs::Needs;
use super::{Parts, Written, manual};
use crate::defect::Fault;
use crate::expression::PhaseNames;
use crate::nearest::nearest;
use crate::process::document::fan_out::{FanOutPart, GatePart};
use crate::process::read::quoted;
use crate::process::source::Findings;
use crate::process::{
    ActivityDefinition, ActivityIx, FanOut, Kind, OnFailure, PhaseIx, Process, Role, Undo,
};
use crate::time::Span;

/// Activities that are gates.
pub(super) type Gates = BTreeMap<ActivityIx, PhaseIx>;

/// Finds the activities that gates name, and notes what a gate may not be.
pub(super) fn gates(
    parts: &Parts<'_, '_>,
    names: &BTreeMap<&str, PhaseNames<'_>>,
    findings: &mut Findings<'_, '_>,
) -> Gates {
    let mut gates = Gates::new();
    for (phase, gate) in named(parts) {
        let names = &names[parts.phase_name(phase).text];
        let Some(ix) = names.activities.get(gate.text) else {
            let message = format!("there is no activity {} in this phase", quoted(gate.text));
            let fault = Fault::new("unknown-gate", gate.place, message);
            let near = nearest(gate.text, names.activities.keys().copied());
            findings.add(fault.near(near));
            continue;
        };
        if gates.insert(*ix, phase).is_some() {
            let message = format!(
                "{} is the gate of something else already",
                quoted(gate.text)
            );
            findings.add(Fault::new("bad-gate", gate.place, message));
        }
        let (_, part) = parts.activities[ix.0 as usize];
        let first = part.needs.all.first().map(|need| need.written.place);
        if let Some(place) = first.or_else(|| Some(part.each.as_ref()?.items.place)) {
            let message = "a gate runs between two batches: it has no `needs` and no `each`";
            findings.add(Fault::new("bad-gate", place, message));
        }
    }
    for (ix, phase) in (0..).map(PhaseIx).zip(parts.phases) {
        let of_gates = gates.values().filter(|of| **of == ix).count();
        if of_gates > 0 && of_gates == phase.activities.len() {
            let message = "a phase needs an activity besides its gate";
            findings.add(Fault::new("empty", phase.name.place, message));
        }
    }
    gates
}

/// Every gate that is an activity, with its phase.
fn named<'d>(parts: &'d Parts<'_, '_>) -> impl Iterator<Item = (PhaseIx, Written<'d>)> {
    let of_phases = (0..).map(PhaseIx).zip(parts.phases);
    let of_phases = of_phases.map(|(ix, phase)| (ix, phase.each.as_ref()));
    let of_activities = parts.activities.iter();
    let of_activities = of_activities.map(|(ix, activity)| (*ix, activity.each.as_ref()));
    of_phases
        .chain(of_activities)
        .filter_map(|(ix, each)| match each?.gate.as_ref()? {
            GatePart::Named(gate) => Some((ix, *gate)),
            GatePart::Manual(_) => None,
        })
}

/// Whose fan-out is built.
pub(super) struct Owner<'o> {
    /// As what its items are read.
    pub(super) items: Reader,
    /// As what its gate is read.
    pub(super) gate: Reader,
    /// Its phase.
    pub(super) phase: &'o str,
    /// The name that its gate gets if people are the gate.
    pub(super) gate_name: String,
    /// For people.
    pub(super) title: &'o str,
    /// Who answers for it.
    pub(super) owners: &'o [crate::actor::Party],
}

/// The fan-out that a document describes. A gate that is an activity is put in by [`link`].
pub(super) fn build(
    part: &FanOutPart<'_>,
    owner: &Owner<'_>,
    needs: &Needs<'_, '_>,
    (expressions, findings): (&mut Expressions<'_, '_>, &mut Findings<'_, '_>),
) -> Option<FanOut> {
    let items = expressions.template(part.items, owner.items, findings);
    let mut fan_out = FanOut {
        items,
        batches: part.batches.clone(),
        bake: part.bake.unwrap_or(Span(0)),
        gate: None,
        gate_activity: None,
        failures_max: part.failures_max,
    };
    match &part.gate {
        None => {}
        Some(GatePart::Named(gate)) => {
            let names = needs.names.get(owner.phase)?;
            fan_out.gate_activity = names.activities.get(gate.text).copied();
        }
        Some(GatePart::Manual(part)) => {
            let manual = manual(part, owner.gate, expressions, findings);
            let fallback = || "gate".parse().expect("a name");
            fan_out.gate = Some(Arc::new(ActivityDefinition {
                name: owner.gate_name.parse().unwrap_or_else(|_| fallback()),
                title: format!("Gate of {}", owner.title),
                owners: owner.owners.to_vec(),
                condition: None,
                kind: Kind::Manual(manual),
                locks: Vec::new(),
                on_failure: OnFailure::Hold,
                each: None,
                undo: Undo::Exported,
                validate: None,
                point_of_no_return: false,
            }));
        }
    }
    Some(fan_out)
}

/// Puts the activities that are gates into their fan-outs, and takes them out of their phases' work.
pub(super) fn link(gates: &Gates, process: &mut Process) {
    for gate in gates.keys() {
        process.activities[gate.0 as usize].role = Role::Template;
    }
    let definition = |process: &Process, gate: Option<ActivityIx>| {
        gate.map(|gate| Arc::clone(&process.activity(gate).definition))
    };
    for at in 0..process.phases.len() {
        let gate = process.phases[at].each.as_ref();
        if let Some(gate) = definition(process, gate.and_then(|each| each.gate_activity))
            && let Some(each) = &mut Arc::make_mut(&mut process.phases[at].definition).each
        {
            each.gate = Some(gate);
        }
    }
    for at in 0..process.activities.len() {
        let gate = process.activities[at].each.as_ref();
        if let Some(gate) = definition(process, gate.and_then(|each| each.gate_activity))
            && let Some(each) = &mut Arc::make_mut(&mut process.activities[at].definition).each
        {
            each.gate = Some(gate);
        }
    }
}
