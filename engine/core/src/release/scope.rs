//! What an expression sees of a release, and what becomes of it: exactly what it reads is built.

use serde_json::{Map, Value, json};

use crate::expression::{Condition, Facts, Read, Template, scope};
use crate::json::Json;
use crate::process::ActivityIx;
use crate::release::state::ActivityState;
use crate::release::{Release, bounds};

impl Release {
    /// The value of `template`, fit to be stored.
    pub(super) fn render(&self, template: &Template) -> Result<Json, String> {
        // A constant is part of the document and has its bounds.
        if let Some(constant) = template.constant() {
            return Ok(constant.clone());
        }
        let value = Json::of(&template.render(&self.scope(template.reads()))?);
        bounds::json("the result", &value)?;
        Ok(value)
    }

    /// Whether `condition` holds; an absent one does.
    pub(super) fn holds(&self, condition: Option<&Condition>) -> Result<bool, String> {
        condition.map_or(Ok(true), |condition| {
            condition
                .holds(&self.scope(condition.reads()))
                .map_err(|fault| format!("`if` could not be evaluated: {fault}"))
        })
    }

    fn scope(&self, reads: &[Read]) -> Value {
        let facts = Facts {
            inputs: &|| self.inputs.value(),
            release: &|| self.about(),
            activity: &|ix| (self.outputs_of(ix), self.activity_state(ix).word()),
            phase: &|ix| self.phase_state(ix).word(),
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
        match self.activity_state(ix) {
            ActivityState::Succeeded { outputs, .. } => outputs.value(),
            _ => Value::Object(Map::new()),
        }
    }
}
