//! The scope of an evaluation, built from what the expressions read.

use serde_json::{Map, Value, json};

use super::Read;
use crate::process::{ActivityIx, PhaseIx, Process};

/// Where a scope takes its values from. Each is asked only for what is read.
#[expect(
    missing_debug_implementations,
    reason = "closures have nothing to show"
)]
pub struct Facts<'f> {
    /// The inputs of the release.
    pub inputs: &'f dyn Fn() -> Value,
    /// `{id, title, process, version, initiator}`.
    pub release: &'f dyn Fn() -> Value,
    /// The outputs of an activity, an empty object if it has none, and the code of its state.
    pub activity: &'f dyn Fn(ActivityIx) -> (Value, &'static str),
    /// The outputs of a phase and the code of its state.
    pub phase: &'f dyn Fn(PhaseIx) -> (Value, &'static str),
    /// What `each` stands for; null where it stands for nothing.
    pub each: &'f dyn Fn() -> Value,
    /// `{failed, succeeded}`: how the needs of the reader ended.
    pub needs: &'f dyn Fn() -> Value,
}

/// The scope for `reads`, laid out as the module documentation says.
pub fn scope(process: &Process, reads: &[Read], facts: &Facts<'_>) -> Value {
    let (mut scope, mut phases) = (Map::new(), Map::new());
    for read in reads {
        match *read {
            Read::Inputs => drop(scope.insert("inputs".into(), (facts.inputs)())),
            Read::Release => drop(scope.insert("release".into(), (facts.release)())),
            Read::Needs => drop(scope.insert("needs".into(), (facts.needs)())),
            Read::Activity(ix) => {
                let activity = process.activity(ix);
                let (outputs, status) = (facts.activity)(ix);
                let phase = part(&mut phases, process.phase(activity.phase).name.as_str());
                let activities = part(phase, "activities");
                let value = json!({ "outputs": outputs, "status": status });
                activities.insert(activity.name.as_str().to_owned(), value);
            }
            Read::Phase(ix) => {
                let (outputs, status) = (facts.phase)(ix);
                let part = part(&mut phases, process.phase(ix).name.as_str());
                part.insert("outputs".into(), outputs);
                part.insert("status".into(), status.into());
            }
            Read::Each => drop(scope.insert("each".into(), (facts.each)())),
        }
    }
    if !phases.is_empty() {
        scope.insert("phases".into(), phases.into());
    }
    scope.into()
}

/// The object under `key`, made if it is not there.
fn part<'m>(map: &'m mut Map<String, Value>, key: &str) -> &'m mut Map<String, Value> {
    map.entry(key)
        .or_insert_with(|| Map::new().into())
        .as_object_mut()
        .expect("only objects are put here")
}
