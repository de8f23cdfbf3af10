//! JSON as text: how inputs and outputs are kept and stored.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// One JSON value, kept as compact text: small in memory, cheap to clone, and fit for postcard,
/// which cannot hold a self-describing value. Where people read it, it is the JSON itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Json(Arc<str>);

impl Json {
    /// The text of `value`.
    pub fn of(value: &Value) -> Self {
        Self(value.to_string().into())
    }

    /// The value of the text, if it is JSON.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<Value>(text).map(|value| Self::of(&value))
    }

    /// The value that the text spells.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.0).expect("only JSON is ever put in")
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How deep arrays and objects are nested; 0 for a number or a string.
    pub fn nesting(&self) -> usize {
        let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
        for byte in self.0.bytes() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b'[' | b'{' if !quoted => {
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        deepest
    }

    /// `{}`: what an activity without inputs gets.
    pub fn empty_object() -> Self {
        Self("{}".into())
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            self.value().serialize(serializer)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return Value::deserialize(deserializer).map(|value| Self::of(&value));
        }
        let text = Arc::<str>::deserialize(deserializer)?;
        serde_json::from_str::<de::IgnoredAny>(&text).map_err(de::Error::custom)?;
        Ok(Self(text))
    }
}

/// `text` cut to at most `chars` characters, without what would disturb a terminal or a log.
pub(crate) fn shown(text: &str, chars: usize) -> String {
    let mut rest = text.chars();
    let mut shown: String = rest
        .by_ref()
        .take(chars)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if rest.next().is_some() {
        shown.push('…');
    }
    shown
}
