//! What a rehearsal takes for granted about the world.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::component::{Pin, Uses};
use crate::time::{Span, Timestamp};

/// How long a run takes of which nothing is known.
pub const DURATION_DEFAULT: Span = Span(60 * 1000);
/// How long people take to decide if nobody says: an hour, or half of the time they have.
pub const APPROVE_AFTER_DEFAULT: Span = Span(60 * 60 * 1000);

/// What is assumed. Activities are named `phase/activity`, or by their own name where that is unique.
#[derive(Clone, Debug)]
pub struct Assumptions {
    /// The inputs of the release: an object. Defaults are filled in.
    pub inputs: Value,
    /// When it would start.
    pub starts_at: Timestamp,
    /// How long runs of an activity take; of a manual one, how long people take.
    pub durations: BTreeMap<String, Span>,
    /// The same as past releases tell it; activities that are gone are passed over.
    pub history: BTreeMap<String, Span>,
    /// How long everything else takes.
    pub duration_default: Span,
    /// How long people take to decide.
    pub approve_after: Option<Span>,
    /// What activities give back; for manual ones, the answers to the form.
    pub outputs: BTreeMap<String, Value>,
    /// Activities of which every attempt fails, or that people reject.
    pub fail: Vec<String>,
    /// What is known of the components.
    pub components: BTreeMap<Uses, Described>,
}

/// A component that a rehearsal knows.
#[derive(Clone, Debug)]
pub struct Described {
    /// What would be pinned.
    pub pin: Pin,
    /// JSON Schema of its outputs.
    pub outputs: Value,
    /// Whether it exports an `undo`, or nobody knows.
    pub is_reversible: bool,
}

impl Default for Assumptions {
    fn default() -> Self {
        Self {
            inputs: Value::Object(Map::new()),
            starts_at: Timestamp(0),
            durations: BTreeMap::new(),
            history: BTreeMap::new(),
            duration_default: DURATION_DEFAULT,
            approve_after: None,
            outputs: BTreeMap::new(),
            fail: Vec::new(),
            components: BTreeMap::new(),
        }
    }
}
