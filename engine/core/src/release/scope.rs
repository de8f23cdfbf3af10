//! What an expression sees: an object with exactly what it reads.

use serde_json::{Map, Value, json};

use crate::expression::Read;
use crate::process::{ActivityIx, PhaseIx};
use crate::release::Release;
use crate::release::state::ActivityState;

impl Release {
    /// The scope for an expression that reads `reads` and stands in phase `reader`, or outside of
    /// all phases.
    ///
    /// Each thing read is put wherever the language lets it be spelt: under `phases.PHASE` always,
    /// under `needs.PHASE` too, and an activity of the reader's own phase under `needs.ACTIVITY`.
    pub(super) fn scope(&self, reads: &[Read], reader: Option<PhaseIx>) -> Value {
        let mut scope = Map::new();
        for read in reads {
            match read {
                Read::Inputs => {
                    scope.insert("inputs".to_owned(), self.inputs.value());
                }
                Read::Release => {
                    scope.insert("release".to_owned(), self.about());
                }
                Read::Activity(ix) => self.put_activity(&mut scope, *ix, reader),
                Read::Phase(ix) => self.put_phase(&mut scope, *ix),
            }
        }
        Value::Object(scope)
    }

    fn about(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "title": self.title(),
            "process": self.process_ref.name.as_str(),
            "version": self.process_ref.version,
            "initiator": self.initiator().to_string(),
        })
    }

    fn put_activity(
        &self,
        scope: &mut Map<String, Value>,
        ix: ActivityIx,
        reader: Option<PhaseIx>,
    ) {
        let activity = self.process.activity(ix);
        let phase = self.process.phase(activity.phase).name.as_str();
        let seen = json!({
            "outputs": self.outputs_of(ix),
            "status": self.activity_state(ix).word(),
        });
        if reader == Some(activity.phase) {
            merge(
                object(scope, &["needs", activity.name.as_str()]),
                seen.clone(),
            );
        }
        for root in ["needs", "phases"] {
            let place = object(scope, &[root, phase, "activities", activity.name.as_str()]);
            merge(place, seen.clone());
        }
    }

    fn put_phase(&self, scope: &mut Map<String, Value>, ix: PhaseIx) {
        let phase = self.process.phase(ix);
        let outputs: Map<String, Value> = phase
            .activities
            .clone()
            .map(|ix| {
                let name = self.process.activity(ActivityIx(ix)).name.as_str();
                (name.to_owned(), self.outputs_of(ActivityIx(ix)))
            })
            .collect();
        let seen = json!({ "status": self.phase_state(ix).word(), "outputs": outputs });
        for root in ["needs", "phases"] {
            merge(object(scope, &[root, phase.name.as_str()]), seen.clone());
        }
    }

    /// The outputs; empty for an activity without any, so that `has()` can ask for them.
    fn outputs_of(&self, ix: ActivityIx) -> Value {
        match self.activity_state(ix) {
            ActivityState::Succeeded { outputs, .. } => outputs.value(),
            _ => Value::Object(Map::new()),
        }
    }
}

/// The object at `path`, made where it is missing.
fn object<'a>(scope: &'a mut Map<String, Value>, path: &[&str]) -> &'a mut Map<String, Value> {
    path.iter().fold(scope, |place, name| {
        let next = place
            .entry(*name)
            .or_insert_with(|| Value::Object(Map::new()));
        next.as_object_mut()
            .expect("paths through the scope end in objects of this module")
    })
}

fn merge(place: &mut Map<String, Value>, seen: Value) {
    if let Value::Object(seen) = seen {
        place.extend(seen);
    }
}
