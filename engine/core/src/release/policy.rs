//! What a release shows of the policies that were asked about it, and what it tells them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::limits::WARNINGS_MAX;
use crate::process::{ActivityIx, Kind};
use crate::release::Release;
use crate::release::event::{PolicyWarning, PolicyWarnings};
use crate::release::state::ActivityState;
use crate::time::Timestamp;

/// The input by which components are told where they work.
const ENVIRONMENT: &str = "environment";

/// Something that a policy let happen and had something to say to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warned {
    /// When.
    pub at: Timestamp,
    /// Which activity was about to begin; nothing if the release was about to start.
    pub activity: Option<ActivityIx>,
    /// Which policy, and what it said.
    pub warning: PolicyWarning,
}

impl Release {
    /// What policies warned of, oldest first; the first [`WARNINGS_MAX`], all of them are in the history.
    pub fn warnings(&self) -> &[Warned] {
        &self.warnings
    }

    pub(super) fn apply_warned(&mut self, at: Timestamp, warned: &PolicyWarnings) {
        let PolicyWarnings { activity, warnings } = warned;
        let room = WARNINGS_MAX.saturating_sub(self.warnings.len());
        let kept = warnings.iter().take(room).map(|warning| Warned {
            at,
            activity: *activity,
            warning: warning.clone(),
        });
        self.warnings.extend(kept);
    }

    /// Whether what the activity calls now is on the way back.
    pub fn is_undoing(&self, ix: ActivityIx) -> bool {
        matches!(self.activity_state(ix), ActivityState::Undoing(_))
    }

    /// When the attempt on the way forward that goes on times out, if one does.
    pub fn attempt_deadline(&self, ix: ActivityIx) -> Option<Timestamp> {
        match self.activity_state(ix) {
            ActivityState::Running(attempt) => Some(attempt.deadline),
            _ => None,
        }
    }

    /// The inputs of the attempt that goes on, if one does.
    pub fn attempt_inputs(&self, ix: ActivityIx) -> Option<&crate::json::Json> {
        match self.activity_state(ix).going() {
            ActivityState::Running(attempt) => Some(&attempt.with),
            _ => None,
        }
    }

    /// The values of the input `environment` of all activities, as far as the inputs of the release say
    /// them: sorted, each once.
    pub fn environments(&self) -> Vec<String> {
        let scope = json!({ "inputs": self.inputs.value() });
        let mut found = BTreeSet::new();
        for (ix, _) in self.activity_ixs() {
            if let Kind::Component(component) = &self.process.activity(ix).kind
                && let Some(Value::String(text)) = component.with.field(ENVIRONMENT, &scope)
            {
                found.insert(text);
            }
        }
        found.into_iter().collect()
    }
}
