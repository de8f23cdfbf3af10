//! `each`: one phase or activity run once for each item of a list, batch by batch.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ActivityDefinition, ActivityIx, PhaseIx};
use crate::expression::Template;
use crate::json::Json;
use crate::limits::LABEL_CHARS_MAX;
use crate::time::Span;

/// How a phase or an activity is fanned out.
#[derive(Clone, Debug)]
pub struct FanOut {
    /// Gives the items: a list.
    pub items: Template,
    /// How many of the items are released with each batch; empty for all at once.
    pub batches: Vec<Batch>,
    /// Time between the end of a batch and the next one.
    pub bake: Span,
    /// What has to succeed between the end of a batch and the next one, after its bake.
    pub gate: Option<Arc<ActivityDefinition>>,
    /// The activity of the document that [`Self::gate`] is, if it is one.
    pub gate_activity: Option<ActivityIx>,
    /// Instances that may fail before no further batch opens.
    pub failures_max: u32,
}

/// How many items are released once a batch is open, those of the batches before included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batch {
    /// So many.
    Count(u32),
    /// So many of a hundred, rounded up.
    Percent(u32),
}

/// A phase or activity that is fanned out. The order of variants is the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// A phase.
    Phase(PhaseIx),
    /// An activity.
    Activity(ActivityIx),
}

/// Where the instances of a group are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instances {
    /// Activities of the document of which each instance of a phase runs a copy, rising. Empty for
    /// an activity.
    pub template: Box<[ActivityIx]>,
    /// Positions of the instances: phases if the group is a phase, else activities.
    pub nodes: Range<u32>,
    /// Positions of the gates, which are activities: one for each batch after the first.
    pub gates: Range<u32>,
}

/// One instance of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The group.
    pub of: Group,
    /// Its place in the list; 0 for the first.
    pub index: u32,
    /// What it runs for.
    pub item: Json,
    /// How people call it, unique in its group.
    pub label: Box<str>,
}

/// What an activity is to its phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// One of its activities.
    Member,
    /// An instance of one of its activities.
    Instance(Box<Instance>),
    /// What stands between two batches of a group; the number is that of the batch it opens.
    Gate(Group, u32),
    /// What gates or instances are made of: it does not run itself.
    Template,
}

impl Role {
    /// Whether it was made from another activity of the process when the release went on.
    pub fn is_copy(&self) -> bool {
        matches!(self, Self::Instance(_) | Self::Gate(..))
    }
}

impl FanOut {
    /// How many of `count` items are released once each batch is open: rising, the last all of them.
    pub fn ends(&self, count: u32) -> Vec<u32> {
        let mut ends: Vec<u32> = Vec::new();
        let asked = self.batches.iter().map(|batch| batch.end(count));
        for end in asked.chain([count]) {
            if end > ends.last().copied().unwrap_or(0) {
                ends.push(end);
            }
        }
        ends
    }
}

impl Batch {
    fn end(self, count: u32) -> u32 {
        match self {
            Self::Count(end) => end.min(count),
            Self::Percent(percent) => {
                let end = (u64::from(count) * u64::from(percent)).div_ceil(100);
                u32::try_from(end).map_or(count, |end| end.min(count))
            }
        }
    }
}

/// The batch, from 1, that releases the item at `index`.
pub fn batch_of(ends: &[u32], index: u32) -> u32 {
    let before = ends.partition_point(|end| *end <= index);
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}

/// How people call each item: by itself if all are short and different, or have a `name` or an `id`
/// that is, else by its place.
pub(super) fn labels(items: &[Json]) -> Vec<Box<str>> {
    let named: Option<Vec<Box<str>>> = items.iter().map(|item| label(&item.value())).collect();
    let unique = named.filter(|labels| {
        let different: std::collections::BTreeSet<&str> =
            labels.iter().map(|label| &**label).collect();
        different.len() == labels.len()
    });
    unique.unwrap_or_else(|| {
        let places = 0..items.len();
        places.map(|place| place.to_string().into()).collect()
    })
}

fn label(item: &Value) -> Option<Box<str>> {
    match item {
        Value::String(text) if is_simple(text) => Some(text.as_str().into()),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Object(fields) => match fields.get("name").or_else(|| fields.get("id"))? {
            Value::Object(_) => None,
            field => label(field),
        },
        _ => None,
    }
}

/// Whether a text can stand between brackets in a path.
fn is_simple(text: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '@' | '+');
    !text.is_empty() && text.chars().count() <= LABEL_CHARS_MAX && text.chars().all(inner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Batch::{Count, Percent};
    use super::*;

    fn ends(batches: &[Batch], count: u32) -> Vec<u32> {
        let fan_out = FanOut {
            items: Template::empty_object(),
            batches: batches.to_vec(),
            bake: Span(0),
            gate: None,
            gate_activity: None,
            failures_max: 0,
        };
        fan_out.ends(count)
    }

    #[test]
    fn batches_are_cumulative_rounded_up_and_end_with_everything() {
        for (batches, count, expected) in [
            (&[][..], 7, &[7][..]),
            (&[Count(1), Percent(50), Percent(100)], 7, &[1, 4, 7]),
            (&[Percent(1), Percent(10), Percent(100)], 3, &[1, 3]),
            (&[Percent(1), Percent(10)], 1_000, &[10, 100, 1_000]),
            (&[Count(5), Percent(50)], 6, &[5, 6]),
            (&[Count(10)], 3, &[3]),
            (&[Count(1), Percent(100)], 1, &[1]),
            (&[Count(1), Percent(50)], 0, &[]),
            (&[Percent(100)], u32::MAX, &[u32::MAX]),
        ] {
            assert_eq!(ends(batches, count), expected, "{batches:?} of {count}");
        }
        let batches: Vec<u32> = (0..7).map(|index| batch_of(&[1, 4, 7], index)).collect();
        assert_eq!(batches, [1, 2, 2, 2, 3, 3, 3]);
    }

    #[test]
    fn items_are_called_by_what_tells_them_apart() {
        for (items, expected) in [
            (json!(["eu", "us"]), &["eu", "us"][..]),
            (json!([10, 2.5]), &["10", "2.5"]),
            (json!([{"name": "a"}, {"id": 7}]), &["a", "7"]),
            (json!(["a", "a", "b"]), &["0", "1", "2"]),
            (json!(["a", "1/2"]), &["0", "1"]),
            (json!(["a", ""]), &["0", "1"]),
            (json!([{"name": {"name": "a"}}, ["x"]]), &["0", "1"]),
            (json!(["x".repeat(LABEL_CHARS_MAX + 1)]), &["0"]),
            (json!([null, true]), &["0", "1"]),
            (json!([]), &[]),
        ] {
            let items: Vec<Json> = items
                .as_array()
                .expect("a list")
                .iter()
                .map(Json::of)
                .collect();
            let labels = labels(&items);
            let labels: Vec<&str> = labels.iter().map(|label| &**label).collect();
            assert_eq!(labels, expected, "{items:?}");
        }
    }
}
