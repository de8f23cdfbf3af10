//! How what runs came to its end.

use serde::{Deserialize, Serialize};

use crate::process::ActivityIx;

/// Why something did not run. The order of variants is the stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipReason {
    /// Its own condition was false: counts as satisfied.
    Condition,
    /// A need was broken: breaks what needs this.
    Upstream,
    /// A person skipped it, for this reason: counts as satisfied.
    Person(String),
    /// It is what instances or gates are made of, or a gate that its wave did not come to: counts as
    /// satisfied.
    NotNeeded,
}

/// An attempt that counts as begun, and had no effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnedAway {
    /// Which activity.
    pub activity: ActivityIx,
}

/// Who gave an activity's outputs. The order of variants is the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputSource {
    /// The component returned them.
    Component,
    /// They are the answers to the form of a manual activity.
    Form,
    /// A person supplied them in place of an attempt that failed.
    Supplied,
    /// A person replaced what was given before.
    Amended,
    /// What it waited for came true, and says so.
    Wait,
    /// They are the payload of a signal.
    Signal,
    /// A child release gave them.
    Child,
    /// A person gave them who skipped the approvals in an emergency.
    BrokenGlass,
}

/// How a phase ended. The order of variants is the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseOutcome {
    /// Nothing in it failed.
    Succeeded,
    /// At least one activity failed, was rejected, expired, or was skipped for a broken need.
    Failed,
    /// The release was aborted.
    Aborted,
}

/// How a release ended. The order of variants is the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseOutcome {
    /// Every phase succeeded or was skipped by its own condition.
    Succeeded,
    /// A phase failed.
    Failed,
    /// It was aborted.
    Aborted,
    /// It went back, and every effect was taken back.
    RolledBack,
}
