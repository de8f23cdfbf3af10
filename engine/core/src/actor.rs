//! Who is behind an input.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{Name, NameError};

/// Who did something: recorded with every turn. The order of variants is the stored format.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// The engine itself: the graph advanced, a timer fired, an attempt reported.
    Engine,
    /// A person or a machine account.
    User(Name),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine => f.write_str("engine"),
            Self::User(name) => write!(f, "user:{name}"),
        }
    }
}

/// Who asks, with the groups they were in at that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// Groups at the time of the call, without the `group:` prefix.
    pub groups: Vec<Name>,
}

impl Caller {
    /// The engine's own voice.
    pub fn engine() -> Self {
        Self {
            actor: Actor::Engine,
            groups: Vec::new(),
        }
    }

    /// Whether the caller is `party` or belongs to it.
    pub fn is(&self, party: &Party) -> bool {
        match party {
            Party::User(name) => self.actor == Actor::User(name.clone()),
            Party::Group(group) => self.groups.contains(group),
        }
    }
}

/// A person or a group that a document names: `user:ana`, `group:qa`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// One person.
    User(Name),
    /// Everybody in a group.
    Group(Name),
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(f, "user:{name}"),
            Self::Group(name) => write!(f, "group:{name}"),
        }
    }
}

/// Text that names no [`Party`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartyError {
    /// Neither `user:` nor `group:` in front.
    Prefix,
    /// What follows the prefix is not a name.
    Name(NameError),
}

impl fmt::Display for PartyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix => f.write_str("expected `user:NAME` or `group:NAME`"),
            Self::Name(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PartyError {}

impl FromStr for Party {
    type Err = PartyError;

    fn from_str(text: &str) -> Result<Self, PartyError> {
        match text.split_once(':') {
            Some(("user", name)) => name.parse().map(Self::User).map_err(PartyError::Name),
            Some(("group", name)) => name.parse().map(Self::Group).map_err(PartyError::Name),
            _ => Err(PartyError::Prefix),
        }
    }
}
