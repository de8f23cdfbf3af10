//! What events hold that has a name of its own.

use serde::{Deserialize, Serialize};

use crate::component::{Pin, Uses};
use crate::id::{Digest, Name, ReleaseId};
use crate::process::ActivityIx;
use crate::time::Timestamp;

/// Why no further batch opens. The order of variants is the stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HaltReason {
    /// So many instances failed, more than `max-failures`.
    Failures(u32),
    /// Its gate did not succeed.
    Gate,
    /// A person wants it, for this reason.
    Person(String),
}

/// What an activity waits for. The order of variants is the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Awaits {
    /// An instant.
    Time,
    /// A signal.
    Signal,
    /// Another release.
    Release(ReleaseId),
}

/// Who was in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// Which.
    pub group: Name,
    /// Sorted.
    pub members: Vec<Name>,
}

/// What policies said to something that they let happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyWarnings {
    /// Which activity was about to begin an attempt; nothing if the release was about to start.
    pub activity: Option<ActivityIx>,
    /// What they said.
    pub warnings: Vec<PolicyWarning>,
}

/// What one policy said to something that it let happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyWarning {
    /// The policy.
    pub policy: Name,
    /// Of the component that judged.
    pub digest: Digest,
    /// What it said, or how it failed.
    pub message: String,
}

/// An attempt that could not begin at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetIn {
    /// Which activity.
    pub activity: ActivityIx,
    /// When the attempt is given up.
    pub deadline: Timestamp,
}

/// A `uses` and the exact component behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// As written in the process.
    #[serde(with = "uses_text")]
    pub uses: Uses,
    /// What runs.
    pub pin: Pin,
}

/// Serde for [`Uses`] as its text.
mod uses_text {
    use super::{Deserialize, Uses};

    pub(super) fn serialize<S: serde::Serializer>(
        uses: &Uses,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(uses)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Uses, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
