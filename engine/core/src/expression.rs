//! `${{ … }}`: CEL expressions and templates around them, with what they read known ahead.

use serde_json::Value;

use crate::process::{ActivityIx, PhaseIx};

/// What an expression reads from the release, resolved when the process was checked, so that
/// evaluation builds no more scope than it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read {
    /// `inputs`.
    Inputs,
    /// `release`: `id`, `title`, `process`, `version`, `initiator`.
    Release,
    /// One activity: its `outputs` and `status`. Spelt `needs.ACTIVITY` inside the phase of the
    /// reader, else `needs.PHASE.activities.ACTIVITY` or `phases.PHASE.activities.ACTIVITY`.
    Activity(ActivityIx),
    /// One phase as a whole: its `status`, and `outputs` (activity name to outputs). Spelt
    /// `needs.PHASE` or `phases.PHASE`.
    Phase(PhaseIx),
}

/// A condition: one expression that gives a boolean.
#[derive(Clone, Debug)]
pub struct Condition;

impl Condition {
    /// What it reads.
    pub fn reads(&self) -> &[Read] {
        todo!()
    }

    /// Evaluates it in `scope` (an object with the variables that [`Self::reads`] names).
    pub fn holds(&self, _scope: &Value) -> Result<bool, String> {
        todo!()
    }
}

/// A JSON value whose strings may hold expressions. A string that is one whole expression keeps
/// the type of its result; otherwise results are written into the text.
#[derive(Clone, Debug)]
pub struct Template;

impl Template {
    /// What it reads.
    pub fn reads(&self) -> &[Read] {
        todo!()
    }

    /// The value with every expression replaced by its result.
    pub fn render(&self, _scope: &Value) -> Result<Value, String> {
        todo!()
    }
}
