//! What a component is for: the world of `wit` that it targets.

use serde::{Deserialize, Serialize};

/// The world of a component, known by what it exports.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    /// One unit of work: `run`, and `undo` if it can take its effect back.
    #[default]
    Activity,
    /// Says whether something may happen: `judge`.
    Policy,
    /// Tells people outside what happened: `notify`.
    Notifier,
}

impl World {
    /// As it is written in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::Policy => "policy",
            Self::Notifier => "notifier",
        }
    }

    /// The word with its article, for sentences.
    pub fn one(self) -> &'static str {
        match self {
            Self::Activity => "an activity",
            Self::Policy => "a policy",
            Self::Notifier => "a notifier",
        }
    }

    /// Where a component of this world is put to use.
    pub fn place(self) -> &'static str {
        match self {
            Self::Activity => "use it in a process, by `uses:`",
            Self::Policy => "put it in force with `fermata policy set`",
            Self::Notifier => "set it up with `fermata notifier set`",
        }
    }

    /// Whether it is [`World::Activity`], as of every component that was registered before there were others.
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde asks for this shape"
    )]
    pub fn is_activity(&self) -> bool {
        *self == Self::Activity
    }
}

impl std::fmt::Display for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}
