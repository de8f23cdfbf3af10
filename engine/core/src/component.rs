//! What a component says about itself, and how a release pins it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{Digest, Name};

mod fault;
pub mod host;
pub mod wants;
mod world;

pub use fault::WANTS_MAX;
pub use world::World;

/// The JSON that `describe` returns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// The registry name.
    pub name: Name,
    /// Semantic version: `MAJOR.MINOR.PATCH`.
    pub version: Version,
    /// One sentence for people who choose an activity.
    #[serde(default)]
    pub summary: String,
    /// JSON Schema of the inputs.
    #[serde(default = "any_object")]
    pub inputs: Value,
    /// JSON Schema of the outputs.
    #[serde(default = "any_object")]
    pub outputs: Value,
    /// Default retry; a process overrides it.
    #[serde(default)]
    pub retry: Option<RetryHint>,
    /// Default timeout, such as `15m`; a process overrides it.
    #[serde(default)]
    pub timeout: Option<String>,
    /// What becomes of a second run with the same inputs; absent if its author does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<Idempotency>,
    /// What it wants to reach. Nothing is granted by asking.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// Whether it exports `undo`. What a component says of this itself does not count: the engine
    /// looks at its exports. Absent for components that were registered before it looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversible: Option<bool>,
    /// What it is for. What a component says of this itself does not count either.
    #[serde(default, skip_serializing_if = "World::is_activity")]
    pub world: World,
}

fn any_object() -> Value {
    serde_json::json!({ "type": "object" })
}

/// What becomes of a second run, which a crash of the engine can lead to at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Idempotency {
    /// It changes nothing that the first has changed: the activity looks first, or sets a state.
    Natural,
    /// It changes nothing, since the systems that are called know the idempotency key.
    Key,
    /// It may do everything once more.
    None,
}

/// The retry a component suggests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryHint {
    /// Attempts in all.
    pub attempts: u32,
    /// Wait before the second attempt, such as `10s`.
    #[serde(default)]
    pub backoff: Option<String>,
}

/// What a component wants to reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// Hosts and methods.
    #[serde(default)]
    pub http: Vec<HttpWish>,
    /// Names of secrets.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Kinds of evidence.
    #[serde(default)]
    pub evidence: Vec<String>,
}

/// A host that a component wants to call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpWish {
    /// Host name, optionally `*.example.com`, optionally with `:port`; `*` for a host that the inputs name.
    pub host: String,
    /// Methods, upper-case; empty means all.
    #[serde(default)]
    pub methods: Vec<String>,
}

/// What a person granted to one component version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grants {
    /// Calls it may make.
    #[serde(default)]
    pub http: Vec<HttpGrant>,
    /// Secrets it may hand to the hosts named with them.
    #[serde(default)]
    pub secrets: Vec<SecretGrant>,
}

/// A host that a component may call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpGrant {
    /// Host name or address, optionally `*.example.com`, optionally with `:port`.
    pub host: String,
    /// Methods, upper-case; empty means all.
    #[serde(default)]
    pub methods: Vec<String>,
    /// Whether the host may be at a loopback, private or link-local address.
    #[serde(default)]
    pub private: bool,
}

/// A secret that a component may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretGrant {
    /// The secret's name.
    pub name: String,
    /// Hosts to which it may be sent, written as in [`HttpGrant::host`].
    pub hosts: Vec<String>,
}

/// A semantic version without pre-release or build parts (<https://semver.org>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Breaking changes.
    pub major: u32,
    /// Additions.
    pub minor: u32,
    /// Repairs.
    pub patch: u32,
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl std::str::FromStr for Version {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a version MAJOR.MINOR.PATCH such as 1.4.0";
        let parts: Vec<u32> = text
            .split('.')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map_err(|_| EXPECTED)?;
        match parts[..] {
            [major, minor, patch] => Ok(Self {
                major,
                minor,
                patch,
            }),
            _ => Err(EXPECTED),
        }
    }
}

impl Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// What a process writes after `uses:`: a name and how much of the version matters
/// (`deploy@1`, `deploy@1.4`, `deploy@1.4.2`). The newest version that fits is pinned at start.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uses {
    /// The registry name.
    pub name: Name,
    /// Required major version.
    pub major: u32,
    /// Required minor version, if it matters.
    pub minor: Option<u32>,
    /// Required patch version, if it matters.
    pub patch: Option<u32>,
}

impl Uses {
    /// Whether `version` is one that this asks for.
    pub fn accepts(&self, version: Version) -> bool {
        self.major == version.major
            && self.minor.is_none_or(|minor| minor == version.minor)
            && self.patch.is_none_or(|patch| patch == version.patch)
    }
}

impl std::fmt::Display for Uses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.name, self.major)?;
        [self.minor, self.patch]
            .into_iter()
            .flatten()
            .try_for_each(|part| write!(f, ".{part}"))
    }
}

impl std::str::FromStr for Uses {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected NAME@VERSION such as deploy@1, deploy@1.4 or deploy@1.4.2";
        let (name, version) = text.split_once('@').ok_or(EXPECTED)?;
        let parts: Vec<u32> = version
            .split('.')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map_err(|_| EXPECTED)?;
        let (major, minor, patch) = match parts[..] {
            [major] => (major, None, None),
            [major, minor] => (major, Some(minor), None),
            [major, minor, patch] => (major, Some(minor), Some(patch)),
            _ => return Err(EXPECTED),
        };
        Ok(Self {
            name: name.parse().map_err(|_| EXPECTED)?,
            major,
            minor,
            patch,
        })
    }
}

/// The exact component that a release runs for one `uses`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Registry name.
    pub name: Name,
    /// Exact version.
    pub version: Version,
    /// The bytes.
    pub digest: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_accepts_what_it_leaves_open() {
        let version: Version = "1.4.2".parse().expect("valid");
        for (text, accepted) in [
            ("deploy@1", true),
            ("deploy@1.4", true),
            ("deploy@1.4.2", true),
            ("deploy@1.5", false),
            ("deploy@2", false),
        ] {
            let uses: Uses = text.parse().expect("valid");
            assert_eq!(
                (uses.to_string().as_str(), uses.accepts(version)),
                (text, accepted)
            );
        }
        for text in [
            "deploy",
            "deploy@",
            "deploy@1.2.3.4",
            "@1",
            "Deploy@1",
            "deploy@-1",
            "deploy@latest",
        ] {
            assert!(text.parse::<Uses>().is_err(), "{text}");
        }
    }
}
