//! The stable hash of a plan: the same plan has the same hash, whenever and by whomever it is made.
//!
//! What counts is what happens, in which order, with which inputs and for how long. What does not
//! is the time of day, ids, comments of the document, and how anything came to be assumed.

use serde_json::{Map, Value, json};

use crate::id::Digest;
use crate::json::Json;
use crate::rehearsal::plan::{Entry, Rehearsal};
use crate::rehearsal::rollback::Effect;

pub(super) fn of(plan: &Rehearsal) -> Digest {
    let canonical = json!({
        "process": plan.process,
        "inputs": sorted(plan.inputs.value()),
        "outcome": plan.outcome,
        "outputs": plan.outputs.as_ref().map(value),
        "entries": plan.entries.iter().map(entry).collect::<Vec<_>>(),
        "not_reached": plan.not_reached,
        "rollback": plan.rollback.iter().map(effect).collect::<Vec<_>>(),
    });
    Digest::of(sorted(canonical).to_string().as_bytes())
}

fn entry(entry: &Entry) -> Value {
    let approvals = entry.approvals.iter();
    json!({
        "activity": entry.activity,
        "kind": entry.kind,
        "uses": entry.uses,
        "state": entry.state,
        "attempts": entry.attempts,
        "with": entry.with.as_ref().map(value),
        "instructions": entry.instructions,
        "approvals": approvals.map(|rule| (rule.from.as_str(), rule.count)).collect::<Vec<_>>(),
        "takes_ms": entry.takes.map(|takes| takes.ms),
    })
}

fn effect(effect: &Effect) -> Value {
    json!([
        effect.stage,
        effect.activity,
        effect.way,
        effect.uses,
        effect.validate,
        effect.point
    ])
}

fn value(json: &Json) -> Value {
    sorted(json.value())
}

/// The value with the keys of every object in order: how they were written means nothing.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<(String, Value)> = object.into_iter().collect();
            entries.sort_unstable_by(|one, other| one.0.cmp(&other.0));
            let entries = entries.into_iter();
            Value::Object(
                entries
                    .map(|(key, value)| (key, sorted(value)))
                    .collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        scalar => scalar,
    }
}
