//! What passed between a run and its host: enough to run it again elsewhere, and to end the same way.
//!
//! No value of a secret is in a recording: there are stand-ins where the guest had them, and `[secret]` elsewhere.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::attempt::{Call, Evidence, Outcome, Usage};
use crate::component::{Grants, Pin};
use crate::id::{Name, ReleaseId};
use crate::json::Json;
use crate::time::{Span, Timestamp};

/// One run, with what all runs of its attempt have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// The attempt.
    pub attempt: RecordedAttempt,
    /// The run.
    pub run: RecordedRun,
}

/// What all runs of an attempt have in common. The order of fields is the stored format.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedAttempt {
    /// What ran.
    pub component: Pin,
    /// The release.
    pub release: ReleaseId,
    /// The name of its process.
    pub process: Name,
    /// The name of the phase, as the guest sees it.
    pub phase: Name,
    /// The name of the activity, as the guest sees it.
    pub activity: Name,
    /// The attempt of the activity.
    pub attempt: u32,
    /// 1 for the first attempt at this call.
    pub number: u32,
    /// The same for all attempts and runs of this call.
    pub idempotency_key: String,
    /// What was called.
    pub call: Call,
    /// The rendered inputs.
    pub inputs: Json,
}

/// One run. The order of fields is the stored format.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedRun {
    /// 1 for the first run of the attempt.
    pub run: u32,
    /// The instant that the guest was told.
    pub now: Timestamp,
    /// When it began, by the host's clock.
    pub began: Timestamp,
    /// How long it might take, in milliseconds.
    #[serde(rename = "wall_ms")]
    pub wall: Span,
    /// What it might reach then.
    pub grants: Grants,
    /// What the run before stored.
    pub checkpoint: Option<Content>,
    /// The payload of the signal that it was resumed by.
    pub signal: Option<Json>,
    /// What its random numbers came from, 32 bytes, if it asked for any or for the time.
    pub seed: Option<Content>,
    /// Readings of the clock on the wall, in nanoseconds after `began`.
    pub wall_clock_ns: Vec<i64>,
    /// Readings of the monotonic clock, in nanoseconds after the first look at any clock.
    pub monotonic_clock_ns: Vec<u64>,
    /// What it asked of its host, in order.
    pub exchanges: Vec<Exchange>,
    /// Exchanges and readings that the recording had no room for: all from some point on.
    pub missed: u64,
    /// Whether inputs or signal held a secret, which was taken out: a replay then gets other ones than the run got.
    pub redacted: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// The facts that it recorded.
    pub evidence: Vec<Evidence>,
    /// What it used.
    pub usage: Usage,
}

/// Something that a guest asked of its host. The order of variants is the stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exchange {
    /// An HTTP call.
    Http(HttpExchange),
    /// A stand-in for a secret.
    Secret {
        /// Which.
        name: String,
        /// What it got.
        answer: SecretAnswer,
    },
    /// To record a fact.
    Evidence {
        /// Of which kind.
        kind: String,
        /// How many bytes it has.
        bytes: u64,
        /// Why it was not taken, if it was not.
        refused: Option<String>,
    },
}

/// An HTTP call as the guest saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpExchange {
    /// Such as `GET`.
    pub method: String,
    /// Absolute.
    pub url: String,
    /// Names and values, with stand-ins for secrets.
    pub headers: Vec<(String, String)>,
    /// The body, if there was one.
    pub body: Option<Body>,
    /// What it was answered.
    pub answer: HttpAnswer,
    /// How long that took.
    pub ms: u64,
}

/// What an HTTP call was answered. The order of variants is the stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpAnswer {
    /// The run ended first.
    Nothing,
    /// An answer.
    Response {
        /// The status code.
        status: u16,
        /// Names and values, with stand-ins for secrets.
        headers: Vec<(String, String)>,
        /// The body.
        body: Body,
    },
    /// Not granted.
    Denied {
        /// What was asked for.
        what: String,
        /// The grant that would allow it, if one would.
        grant: Option<String>,
    },
    /// The request was wrong.
    Invalid(String),
    /// No whole answer in time.
    Timeout,
    /// No connection, or one that broke.
    Unreachable(String),
    /// More than so many bytes.
    TooLarge(u64),
    /// Headers of more than so many bytes.
    HeadTooLarge(u64),
}

/// What came of asking for a secret. The order of variants is the stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretAnswer {
    /// What stood for it in this run; worth nothing outside.
    StandIn(String),
    /// There is no such secret.
    Unknown,
    /// It could not be opened.
    Sealed(String),
    /// It is not granted.
    Denied,
}

/// A body, or its beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// What is recorded of it.
    pub content: Content,
    /// How many bytes the whole has.
    pub bytes: u64,
}

impl Body {
    /// Whether all of it is here.
    pub fn is_whole(&self) -> bool {
        self.content.0.len() as u64 == self.bytes
    }
}

/// Bytes: in JSON the text that they spell if they are UTF-8, and `{"base64": …}` if they are not.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Content(pub Vec<u8>);

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Spelt {
    Text(String),
    Bytes { base64: String },
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_bytes(&self.0);
        }
        let spelt = match std::str::from_utf8(&self.0) {
            Ok(text) => Spelt::Text(text.to_owned()),
            Err(_) => Spelt::Bytes {
                base64: STANDARD.encode(&self.0),
            },
        };
        spelt.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return Vec::<u8>::deserialize(deserializer).map(Self);
        }
        let spelt = Spelt::deserialize(deserializer)
            .map_err(|_| de::Error::custom("expected text, or `base64` with bytes"))?;
        match spelt {
            Spelt::Text(text) => Ok(Self(text.into_bytes())),
            Spelt::Bytes { base64 } => STANDARD
                .decode(base64)
                .map(Self)
                .map_err(|error| de::Error::custom(format!("this is no base64: {error}"))),
        }
    }
}

/// For fields that are plain bytes elsewhere.
pub(crate) mod content {
    use super::{Content, Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        Content(bytes.to_vec()).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        Content::deserialize(deserializer).map(|content| content.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_text_where_they_can_be() {
        for (bytes, text) in [
            (b"plain".to_vec(), r#""plain""#),
            (vec![0xff, 0], r#"{"base64":"/wA="}"#),
            (Vec::new(), r#""""#),
        ] {
            let content = Content(bytes);
            assert_eq!(serde_json::to_string(&content).unwrap(), text);
            assert_eq!(serde_json::from_str::<Content>(text).unwrap(), content);
        }
        for broken in ["1", r#"{"base64":"?"}"#, r#"{"hex":"00"}"#] {
            assert!(serde_json::from_str::<Content>(broken).is_err(), "{broken}");
        }
    }
}
