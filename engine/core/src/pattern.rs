//! Patterns of names: `bank-*` means every name that begins with `bank-`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest pattern, in bytes.
const BYTES_MAX: usize = 128;
/// Stands for any text, also for none.
const ANY: char = '*';

/// What names are compared with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(String);

impl Pattern {
    /// Whether it means `name`.
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split(ANY);
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        for part in parts {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.len() >= last.len() && rest.ends_with(last)
    }
}

impl FromStr for Pattern {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == ANY;
        if (1..=BYTES_MAX).contains(&text.len()) && text.chars().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err("expected a name, or a pattern of names such as bank-*")
        }
    }
}

impl TryFrom<String> for Pattern {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_what_it_leaves_open() {
        for (pattern, name, means) in [
            ("bank", "bank", true),
            ("bank", "banks", false),
            ("bank-*", "bank-release", true),
            ("bank-*", "bank-", true),
            ("bank-*", "bank", false),
            ("*-release", "bank-release", true),
            ("*-release", "release", false),
            ("*", "anything", true),
            ("a*b*a", "aba", true),
            ("a*b*a", "ab", false),
            ("a*a", "a", false),
            ("a*b*c", "a-c-b", false),
            ("a**c", "abc", true),
        ] {
            let read: Pattern = pattern.parse().expect("a pattern");
            assert_eq!(read.matches(name), means, "{pattern} {name}");
        }
        let long = "a".repeat(BYTES_MAX + 1);
        for bad in ["", "Bank", "a b", "a/b", "bücher", "a?", &long] {
            assert!(bad.parse::<Pattern>().is_err(), "{bad}");
        }
    }
}
