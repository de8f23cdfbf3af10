//! Versions, and how they misbehave.

use std::time::Duration;

/// Longest version, in bytes.
const VERSION_BYTES_MAX: usize = 64;
/// How long a slow version takes to become healthy.
pub(super) const SLOWNESS: Duration = Duration::from_secs(2);
/// How long a crashing version lives.
pub(super) const LIFE_OF_CRASHING: Duration = Duration::from_millis(200);

/// How a service of some version behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behaviour {
    Well,
    Slow,
    Crashing,
    Unhealthy,
}

impl Behaviour {
    /// The behaviour that the end of `version` names.
    pub(super) fn of(version: &str) -> Self {
        match version.rsplit_once('-') {
            Some((_, "slow")) => Self::Slow,
            Some((_, "crashing")) => Self::Crashing,
            Some((_, "unhealthy")) => Self::Unhealthy,
            _ => Self::Well,
        }
    }
}

/// Whether `text` is a version: 1 to 64 letters, digits, dots, hyphens, plus signs and underscores, the first no hyphen.
/// It becomes an argument of a program, where a hyphen would begin an option.
pub(super) fn is_version(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b".-+_".contains(&byte);
    (1..=VERSION_BYTES_MAX).contains(&text.len())
        && !text.starts_with('-')
        && text.bytes().all(good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_version_says_how_it_behaves() {
        for (version, behaviour) in [
            ("1.1.0", Behaviour::Well),
            ("1.1.0-slow", Behaviour::Slow),
            ("1.1.0-crashing", Behaviour::Crashing),
            ("1.1.0-unhealthy", Behaviour::Unhealthy),
            ("slow", Behaviour::Well),
            ("1.1.0-slow-fixed", Behaviour::Well),
        ] {
            assert_eq!(Behaviour::of(version), behaviour, "{version}");
        }
    }

    #[test]
    fn hostile_versions_are_refused() {
        for version in [
            "",
            "-1",
            "--port=1",
            "1 2",
            "1\n2",
            "ä",
            "a/b",
            &"1".repeat(65),
        ] {
            assert!(!is_version(version), "{version:?}");
        }
        assert!(is_version("1.1.0-rc.1+build_7"));
    }
}
