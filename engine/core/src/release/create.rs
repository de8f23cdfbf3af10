//! The first turn: a draft with checked inputs.

use serde_json::Value;

use crate::actor::Actor;
use crate::json::Json;
use crate::limits::TEXT_BYTES_MAX;
use crate::process::{Process, ProcessRef};
use crate::release::event::{Event, Turn};
use crate::release::{Parent, bounds};
use crate::time::Timestamp;

/// What somebody asks for who wants a release.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The process version to run.
    pub process: ProcessRef,
    /// For people; the title of the process if it is left out.
    pub title: Option<String>,
    /// The inputs; an object. Defaults are filled in.
    pub inputs: Value,
    /// Why it shall go ahead of others; nothing if it need not.
    pub emergency: Option<String>,
    /// What starts it, if an activity of another release does.
    pub parent: Option<Parent>,
}

/// The first turn of a release of `process`, or one line for each fault of what was asked for.
pub fn create(
    process: &Process,
    draft: Draft,
    by: Actor,
    now: Timestamp,
) -> Result<Turn, Vec<String>> {
    let title = match draft.title {
        Some(title) if !title.trim().is_empty() => title,
        _ => process.title.clone(),
    };
    let mut faults = Vec::new();
    if title.len() > TEXT_BYTES_MAX {
        faults.push(format!("title: longer than {TEXT_BYTES_MAX} bytes"));
    }
    let inputs = match complete(process, draft.inputs) {
        Ok(inputs) => inputs,
        Err(fault) => {
            faults.push(fault);
            return Err(faults);
        }
    };
    // Size and nesting come first: checking a schema costs more than counting.
    let json = Json::of(&inputs);
    match bounds::json("inputs", &json) {
        Err(fault) => faults.push(fault),
        Ok(()) => faults.extend(process.inputs.schema.faults(&inputs)),
    }
    if let Some(reason) = &draft.emergency
        && let Err(refusal) = bounds::reason("reason", reason)
    {
        faults.push(format!("an emergency needs a reason: {refusal}"));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut events = vec![Event::Created {
        process: draft.process,
        title,
        inputs: json,
    }];
    events.extend(draft.parent.map(|parent| Event::ChildOf {
        parent: parent.release,
        activity: parent.activity,
        path: parent.path,
        depth: parent.depth,
    }));
    let declared = draft.emergency;
    events.extend(declared.map(|reason| Event::EmergencyDeclared { reason }));
    Ok(Turn {
        first: 0,
        at: now,
        by,
        events,
    })
}

fn complete(process: &Process, inputs: Value) -> Result<Value, String> {
    let Value::Object(mut inputs) = inputs else {
        return Err("inputs: must be an object".to_owned());
    };
    for (name, value) in &process.inputs.defaults {
        if !inputs.contains_key(name) {
            inputs.insert(name.clone(), value.clone());
        }
    }
    Ok(Value::Object(inputs))
}
