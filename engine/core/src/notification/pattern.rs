//! Patterns of names: `bank-release`, or `bank-*` for all that begin so.

use std::fmt;
use std::str::FromStr;

use crate::id::NAME_BYTES_MAX;

/// Longest pattern, in bytes: it need not be longer than a name with a star behind it.
pub const PATTERN_BYTES_MAX: usize = NAME_BYTES_MAX + 1;

/// A name, or with `*` at its end the beginning of names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(Box<str>);

impl Pattern {
    /// Whether `name` is one that is meant.
    pub fn fits(&self, name: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => *self.0 == *name,
        }
    }

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text that is no [`Pattern`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatternError;

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected a name such as `bank-release`, or the beginning of names such as `bank-*`",
        )
    }
}

impl std::error::Error for PatternError {}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let plain = text.strip_suffix('*').unwrap_or(text);
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let sized = (1..=PATTERN_BYTES_MAX).contains(&text.len());
        if sized && plain.bytes().all(inner) {
            Ok(Self(text.into()))
        } else {
            Err(PatternError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_every_end() {
        let fits = |pattern: &str, name| pattern.parse::<Pattern>().unwrap().fits(name);
        assert!(fits("*", "anything") && fits("bank-*", "bank-release") && fits("bank-*", "bank-"));
        assert!(fits("bank", "bank"));
        assert!(
            !fits("bank", "bank-release")
                && !fits("bank-*", "bank")
                && !fits("bank-*", "my-bank-x")
        );
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let long = "a".repeat(PATTERN_BYTES_MAX + 1);
        for text in [
            "",
            "Bank",
            "*-release",
            "a*b",
            "a b",
            "a**",
            "ä*",
            "a\n",
            &long,
        ] {
            assert_eq!(text.parse::<Pattern>(), Err(PatternError), "{text:?}");
        }
    }
}
