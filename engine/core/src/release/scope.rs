//! What an expression sees of a release, and what becomes of it: exactly what it reads is built.

use serde_json::{Map, Value, json};

use crate::expression::{Condition, Facts, Read, Template, scope};
use crate::json::Json;
use crate::process::{ActivityIx, Group, PhaseIx, Role};
use crate::release::needs::Tally;
use crate::release::state::ActivityState;
use crate::release::{Release, bounds};

impl Release {
    /// The value of `template`, fit to be stored, as `reader` sees it: an activity, or else a phase or
    /// the process.
    pub(super) fn render(
        &self,
        template: &Template,
        reader: Option<ActivityIx>,
    ) -> Result<Json, String> {
        // A constant is part of the document and has its bounds.
        if let Some(constant) = template.constant() {
            return Ok(constant.clone());
        }
        let value = Json::of(&template.render(&self.scope(template.reads(), (reader, None)))?);
        bounds::json("the result", &value)?;
        Ok(value)
    }

    /// Whether `condition` holds for what has `needs`, as `reader` sees it; an absent one does.
    pub(super) fn holds(
        &self,
        condition: Option<&Condition>,
        (reader, needs): (Option<ActivityIx>, &Tally),
    ) -> Result<bool, String> {
        condition.map_or(Ok(true), |condition| {
            condition
                .holds(&self.scope(condition.reads(), (reader, Some(needs))))
                .map_err(|fault| format!("`if` could not be evaluated: {fault}"))
        })
    }

    /// The needs that status functions of an activity look at: its own, or if it has none, those of
    /// its phase.
    pub(super) fn needs_of(&self, ix: ActivityIx) -> &Tally {
        let activity = self.process.activity(ix);
        if !activity.needs.is_empty() {
            return &self.activities[ix.0 as usize].needs;
        }
        // The needs of an instance are those of all instances together.
        let instance = self.process.phase(activity.phase).instance.as_deref();
        let phase = match instance.map(|instance| instance.of) {
            Some(Group::Phase(group)) => group,
            Some(Group::Activity(_)) | None => activity.phase,
        };
        &self.phases[phase.0 as usize].needs
    }

    fn scope(
        &self,
        reads: &[Read],
        (reader, needs): (Option<ActivityIx>, Option<&Tally>),
    ) -> Value {
        let seen = |ix| reader.map_or(ix, |reader| self.process.seen_from(reader, ix));
        let facts = Facts {
            inputs: &|| self.inputs.value(),
            release: &|| self.about(),
            activity: &|ix| {
                let ix = seen(ix);
                (self.outputs_of(ix), self.activity_state(ix).word())
            },
            phase: &|ix| (self.outputs_of_phase(ix), self.phase_state(ix).word()),
            each: &|| reader.map_or(Value::Null, |reader| self.each(reader)),
            needs: &|| needs.map_or(Value::Null, how_they_ended),
        };
        scope(&self.process, reads, &facts)
    }

    /// What `each` stands for in what an activity evaluates.
    fn each(&self, reader: ActivityIx) -> Value {
        let activity = self.process.activity(reader);
        if let Role::Gate(_, batch) = activity.role {
            return json!({ "batch": batch });
        }
        let of_phase = self.process.phase(activity.phase).instance.as_deref();
        let Some(instance) = activity.instance().or(of_phase) else {
            return Value::Null;
        };
        let wave = self.wave(instance.of);
        json!({
            "item": instance.item.value(),
            "index": instance.index,
            "batch": wave.map(|wave| wave.batch_of(instance.index)),
        })
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

    /// The outputs of its activities by name; of a phase that is fanned out, those of each instance.
    fn outputs_of_phase(&self, ix: PhaseIx) -> Value {
        let group = Group::Phase(ix);
        if self.process.instances(group).is_some() {
            return self.list_of_outputs(group);
        }
        let activities = self.process.phase(ix).activities.clone().map(ActivityIx);
        let outputs: Map<String, Value> = activities
            .map(|ix| {
                let name = self.process.activity(ix).name.as_str();
                (name.to_owned(), self.outputs_of(ix))
            })
            .collect();
        outputs.into()
    }

    /// The outputs of the instances of a group, in order.
    pub(super) fn list_of_outputs(&self, group: Group) -> Value {
        let nodes = self.process.instances(group);
        let nodes = nodes.map_or(0..0, |instances| instances.nodes.clone());
        nodes
            .map(|ix| match group {
                Group::Phase(_) => self.outputs_of_phase(PhaseIx(ix)),
                Group::Activity(_) => self.outputs_of(ActivityIx(ix)),
            })
            .collect()
    }
}

fn how_they_ended(needs: &Tally) -> Value {
    json!({ "failed": needs.failed(), "succeeded": needs.succeeded() })
}
