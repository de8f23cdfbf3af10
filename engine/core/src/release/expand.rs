//! What a fan-out goes through: its items are evaluated once, and recorded.

use serde_json::Value;

use crate::expression::kind;
use crate::json::Json;
use crate::process::{ActivityIx, Group};
use crate::release::Release;
use crate::release::event::Event;

impl Release {
    /// The event with which the items of a group are known, if it is one whose items are not known
    /// yet. The error says why they cannot be had.
    pub(super) fn expand(&self, group: Group) -> Option<Result<Event, String>> {
        if !self.is_to_expand(group) {
            return None;
        }
        let items = self.items(group);
        Some(items.map(|items| {
            let fan_out = self.process.fan_out(group);
            let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
            let batches = fan_out.map_or_else(Vec::new, |fan_out| fan_out.ends(count));
            Event::Expanded {
                group,
                items,
                batches,
            }
        }))
    }

    /// Whether the group is fanned out and its items are not known yet.
    pub(super) fn is_to_expand(&self, group: Group) -> bool {
        self.process.fan_out(group).is_some() && self.process.instances(group).is_none()
    }

    fn items(&self, group: Group) -> Result<Vec<Json>, String> {
        let fan_out = self.process.fan_out(group).ok_or("there is no `each`")?;
        let reader: Option<ActivityIx> = match group {
            Group::Phase(_) => None,
            Group::Activity(ix) => Some(ix),
        };
        let items = self
            .render(&fan_out.items, reader)
            .map_err(|fault| format!("`each` could not be evaluated: {fault}"))?;
        let items = match items.value() {
            Value::Array(items) => items,
            other => return Err(format!("`each` gave {}, not a list", kind(&other))),
        };
        self.process
            .has_room(group, items.len())
            .map_err(|fault| format!("`each` gave too much: {fault}"))?;
        Ok(items.iter().map(Json::of).collect())
    }
}
