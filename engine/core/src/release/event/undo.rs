//! What events say of the way back.

use serde::{Deserialize, Serialize};

use crate::id::ReleaseId;
use crate::process::ActivityIx;

/// What had or may have had an effect, and how it is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedUndo {
    /// Which.
    pub activity: ActivityIx,
    /// How.
    pub way: UndoWay,
}

/// How an effect is taken back. The order of variants is the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UndoWay {
    /// By the `undo` of its component.
    Component,
    /// By the component that its `undo:` names.
    Uses,
    /// By a person: its component exports no `undo`, and the process names nothing instead.
    Person,
    /// Not at all: the process says that there is nothing to take back.
    Nothing,
    /// Not by the engine: it never began, and a person gave the outputs.
    Supplied,
    /// Not at all: it lies before a point of no return, or is one.
    Kept {
        /// The point.
        point: ActivityIx,
    },
    /// By the rollback of the releases that it started.
    Children,
}

/// What is called on the way back. The order of variants is the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UndoPart {
    /// What takes the effect back.
    Undo,
    /// What looks whether it is gone.
    Validate,
    /// The rollback of a release that the activity started.
    Child(ReleaseId),
}
