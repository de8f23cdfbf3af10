//! Hosts as wants and grants write them: a name or an address, `*.example.com` for everything below it,
//! `*` for everything, each optionally with `:port`. Without a port, every port is meant.

/// A host with the port that it may be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    host: String,
    port: Option<u16>,
}

/// Longest host with its port, in bytes: the longest name there can be, and a port.
const HOST_BYTES_MAX: usize = 253 + 6;

impl HostPattern {
    /// Reads any text; what is no host is one that only the same text contains.
    pub fn of(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        // Colons inside of brackets belong to an address.
        let bracket = text.rfind(']').unwrap_or(0);
        let at = text[bracket..].rfind(':').map(|at| bracket + at);
        let port = at.and_then(|at| text[at + 1..].parse().ok());
        match (at, port) {
            (Some(at), Some(port)) => Self {
                host: text[..at].to_owned(),
                port: Some(port),
            },
            _ => Self {
                host: text,
                port: None,
            },
        }
    }

    /// What is wrong with a host, if something is.
    pub fn fault(text: &str) -> Option<&'static str> {
        let pattern = Self::of(text);
        let name = pattern.host.strip_prefix("*.").unwrap_or(&pattern.host);
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:[]".contains(c);
        if text.len() > HOST_BYTES_MAX {
            Some("is too long for a host")
        } else if text.contains('/') {
            Some("is a URL: only host and port are meant, such as api.example.com:8443")
        } else if pattern.host != "*" && (name.is_empty() || !name.chars().all(fits)) {
            Some("is no host name or address in ASCII")
        } else {
            None
        }
    }

    /// Whether everything that `other` means is meant by this.
    pub fn contains(&self, other: &Self) -> bool {
        if self.port.is_some() && self.port != other.port {
            return false;
        }
        let below = || {
            let suffix = self.host.strip_prefix('*').unwrap_or_default();
            let rest = other.host.strip_suffix(suffix);
            suffix.starts_with('.') && rest.is_some_and(|rest| !rest.is_empty())
        };
        self.host == "*" || self.host == other.host || below()
    }

    /// What both mean, if one of them means all of the other.
    pub fn both(&self, other: &Self) -> Option<Self> {
        let narrower = if self.contains(other) {
            other
        } else if other.contains(self) {
            self
        } else {
            // One may name the host and the other the port.
            return self.crossed(other);
        };
        Some(narrower.clone())
    }

    fn crossed(&self, other: &Self) -> Option<Self> {
        let port = match (self.port, other.port) {
            (Some(one), Some(two)) if one != two => return None,
            (one, two) => one.or(two),
        };
        let hosts = [self, other].map(|pattern| Self {
            host: pattern.host.clone(),
            port: None,
        });
        let host = match hosts {
            [one, two] if one.contains(&two) => two.host,
            [one, two] if two.contains(&one) => one.host,
            _ => return None,
        };
        Some(Self { host, port })
    }
}

impl std::fmt::Display for HostPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_contains_what_it_means() {
        for (outer, inner, contained) in [
            ("*", "api.example.com", true),
            ("*", "*.example.com:80", true),
            ("*.example.com", "api.example.com", true),
            ("*.example.com", "API.Example.com:8443", true),
            ("*.example.com", "*.eu.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "badexample.com", false),
            ("*.example.com", "*", false),
            ("api.example.com", "api.example.com:443", true),
            ("api.example.com:443", "api.example.com", false),
            ("api.example.com:443", "api.example.com:80", false),
            ("*:443", "a:443", true),
            ("*:443", "a:80", false),
            ("[::1]", "[::1]:80", true),
            ("[::1]:80", "[::1]", false),
            ("10.0.0.5", "10.0.0.50", false),
        ] {
            let (one, two) = (HostPattern::of(outer), HostPattern::of(inner));
            assert_eq!(one.contains(&two), contained, "{outer} {inner}");
        }
    }

    #[test]
    fn what_both_mean_is_the_narrower() {
        for (one, two, both) in [
            ("*", "a:1", Some("a:1")),
            ("*.b", "a.b", Some("a.b")),
            ("*:443", "a", Some("a:443")),
            ("a", "*:443", Some("a:443")),
            ("*.b:1", "a.b:2", None),
            ("a", "b", None),
        ] {
            let found = HostPattern::of(one).both(&HostPattern::of(two));
            let found = found.map(|pattern| pattern.to_string());
            assert_eq!(found.as_deref(), both, "{one} {two}");
        }
    }

    #[test]
    fn what_is_no_host_is_named() {
        for good in ["*", "*.a.b", "a", "a:1", "10.0.0.1", "[::1]:80", "*:443"] {
            assert_eq!(HostPattern::fault(good), None, "{good}");
        }
        let long = "a".repeat(HOST_BYTES_MAX + 1);
        for bad in [
            "",
            "*.",
            "**",
            "a*b",
            "*a",
            "http://a",
            "a/b",
            "a b",
            "bücher.example",
            "a\n",
            &long,
        ] {
            assert!(HostPattern::fault(bad).is_some(), "{bad}");
        }
    }
}
