//! A turn: what is stored as one record.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::release::event::Event;
use crate::time::Timestamp;

/// What one turn made true: stored as one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Number of the first event; the release's first event is 0.
    pub first: u64,
    /// When.
    pub at: Timestamp,
    /// Who caused it.
    pub by: Actor,
    /// In order; never empty.
    pub events: Vec<Event>,
}

impl Turn {
    /// Number of the event after the last one.
    pub fn next(&self) -> u64 {
        self.first + self.events.len() as u64
    }
}
