//! What an expression sees of a release, and what becomes of it: exactly what it reads is built.

use serde_json::{Map, Value, json};

use crate::expression::{Condition, Facts, Read, Template, scope};
use crate::json::Json;
use crate::process::ActivityIx;
use crate::release::needs::Tally;
use crate::release::state::ActivityState;
use crate::release::{Release, bounds};

impl Release {
    /// The value of `template`, fit to be stored.
    pub(super) fn render(&self, template: &Template) -> Result<Json, String> {
        // A constant is part of the document and has its bounds.
        if let Some(constant) = template.constant() {
            return Ok(constant.clone());
        }
        let value = Json::of(&template.render(&self.scope(template.reads(), None))?);
        bounds::json("the result", &value)?;
        Ok(value)
    }

    /// Whether `condition` holds for what has `needs`; an absent one does.
    pub(super) fn holds(
        &self,
        condition: Option<&Condition>,
        needs: &Tally,
    ) -> Result<bool, String> {
        condition.map_or(Ok(true), |condition| {
            condition
                .holds(&self.scope(condition.reads(), Some(needs)))
                .map_err(|fault| format!("`if` could not be evaluated: {fault}"))
        })
    }

    /// The needs that status functions of an activity look at: its own, or if it has none, those of
    /// its phase.
    pub(super) fn needs_of(&self, ix: ActivityIx) -> &Tally {
        let activity = self.process.activity(ix);
        if activity.needs.is_empty() {
            &self.phases[activity.phase.0 as usize].needs
        } else {
            &self.activities[ix.0 as usize].needs
        }
    }

    fn scope(&self, reads: &[Read], needs: Option<&Tally>) -> Value {
        let facts = Facts {
            inputs: &|| self.inputs.value(),
            release: &|| self.about(),
            activity: &|ix| (self.outputs_of(ix), self.activity_state(ix).word()),
            phase: &|ix| self.phase_state(ix).word(),
            needs: &|| needs.map_or(Value::Null, how_they_ended),
        };
        scope(&self.process, reads, &facts)
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

    /// The outputs; empty for an activity without any, so that `has()` can ask for them.
    fn outputs_of(&self, ix: ActivityIx) -> Value {
        match self.activity_state(ix).forward() {
            ActivityState::Succeeded { outputs, .. } => outputs.value(),
            _ => Value::Object(Map::new()),
        }
    }
}

fn how_they_ended(needs: &Tally) -> Value {
    json!({ "failed": needs.failed(), "succeeded": needs.succeeded() })
}
