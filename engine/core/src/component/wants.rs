//! What a component wants, one by one: compared with the version before, and with what is granted.

use super::host::HostPattern;
use super::{Capabilities, Grants, HttpGrant, SecretGrant};

/// One thing that a component wants.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Want {
    /// To call a host.
    Http {
        /// As [`super::HttpWish::host`].
        host: String,
        /// Sorted; empty means all.
        methods: Vec<String>,
    },
    /// To use a secret.
    Secret(String),
    /// To record evidence of a kind.
    Evidence(String),
}

/// How much of a want is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coverage {
    /// Nothing of it.
    Nothing,
    /// Some methods, hosts or ports of it.
    Part,
    /// All of it. A host that only the inputs name (`*`) is granted when some host is.
    Whole,
}

/// How a want differs from what the version before wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The version before did not want it.
    Added,
    /// It wanted the host with these other methods.
    Changed(Vec<String>),
    /// It wanted the same.
    Unchanged,
    /// Only the version before wanted it.
    Removed,
}

impl Change {
    /// The change as a stable word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed(_) => "changed",
            Self::Unchanged => "unchanged",
            Self::Removed => "removed",
        }
    }
}

impl Coverage {
    /// The coverage as a stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Part => "part",
            Self::Whole => "whole",
        }
    }
}

impl Capabilities {
    /// Each want once, sorted; the methods of a host that is named twice are joined.
    pub fn wants(&self) -> Vec<Want> {
        let mut hosts: Vec<(String, Vec<String>)> = Vec::new();
        for wish in &self.http {
            let host = HostPattern::of(&wish.host).to_string();
            match hosts.iter_mut().find(|(known, _)| *known == host) {
                Some((_, methods)) if methods.is_empty() || wish.methods.is_empty() => {
                    methods.clear();
                }
                Some((_, methods)) => methods.extend(wish.methods.iter().cloned()),
                None => hosts.push((host, wish.methods.clone())),
            }
        }
        let http = hosts.into_iter().map(|(host, mut methods)| {
            methods.sort();
            methods.dedup();
            Want::Http { host, methods }
        });
        let secrets = self.secrets.iter().cloned().map(Want::Secret);
        let evidence = self.evidence.iter().cloned().map(Want::Evidence);
        let mut wants: Vec<Want> = http.chain(secrets).chain(evidence).collect();
        wants.sort();
        wants.dedup();
        wants
    }

    /// Everything that this or the version `before` wants, and how it differs.
    pub fn changes_since(&self, before: &Self) -> Vec<(Want, Change)> {
        let (now, mut before) = (self.wants(), before.wants());
        let mut changes: Vec<(Want, Change)> = Vec::new();
        for want in now {
            let known = before.iter().position(|other| other.is_about(&want));
            let change = match known.map(|at| before.remove(at)) {
                None => Change::Added,
                Some(other) if other == want => Change::Unchanged,
                Some(other) => Change::Changed(other.into_methods()),
            };
            changes.push((want, change));
        }
        changes.extend(before.into_iter().map(|want| (want, Change::Removed)));
        changes
    }
}

impl Want {
    /// Whether both are about the same host, secret or kind.
    fn is_about(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Http { host, .. }, Self::Http { host: known, .. }) => host == known,
            (one, other) => one == other,
        }
    }

    fn into_methods(self) -> Vec<String> {
        match self {
            Self::Http { methods, .. } => methods,
            Self::Secret(_) | Self::Evidence(_) => Vec::new(),
        }
    }

    /// How much of it is granted. Evidence goes nowhere but into the release: declaring it is enough.
    pub fn covered_by(&self, grants: &Grants) -> Coverage {
        match self {
            Self::Http { host, methods } => covered(host, methods, &grants.http),
            Self::Secret(name) => {
                let mut granted = grants.secrets.iter();
                let found = granted.any(|grant| grant.name == *name && !grant.hosts.is_empty());
                if found {
                    Coverage::Whole
                } else {
                    Coverage::Nothing
                }
            }
            Self::Evidence(_) => Coverage::Whole,
        }
    }
}

impl std::fmt::Display for Want {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Http { host, methods } if methods.is_empty() => {
                write!(f, "http {host} (any method)")
            }
            Self::Http { host, methods } => write!(f, "http {host} ({})", methods.join(", ")),
            Self::Secret(name) => write!(f, "secret {name}"),
            Self::Evidence(kind) => write!(f, "evidence {kind}"),
        }
    }
}

fn covered(host: &str, methods: &[String], grants: &[HttpGrant]) -> Coverage {
    let wanted = HostPattern::of(host);
    let named_by_inputs = host == "*";
    let mut found = Coverage::Nothing;
    let mut granted: Vec<&str> = Vec::new();
    for grant in grants {
        let pattern = HostPattern::of(&grant.host);
        if common(methods, &grant.methods).is_none() || pattern.both(&wanted).is_none() {
            continue;
        }
        found = Coverage::Part;
        if named_by_inputs || pattern.contains(&wanted) {
            if grant.methods.is_empty() {
                return Coverage::Whole;
            }
            granted.extend(grant.methods.iter().map(String::as_str));
        }
    }
    let all = !methods.is_empty() && methods.iter().all(|one| granted.contains(&one.as_str()));
    if all { Coverage::Whole } else { found }
}

/// The methods that both lists allow, where an empty list allows all; `None` if there is none.
fn common(one: &[String], other: &[String]) -> Option<Vec<String>> {
    match (one, other) {
        (methods, []) | ([], methods) => Some(methods.to_vec()),
        (one, other) => {
            let both = one.iter().filter(|method| other.contains(method));
            let both: Vec<String> = both.cloned().collect();
            (!both.is_empty()).then_some(both)
        }
    }
}

impl Grants {
    /// What is granted beyond what is wanted: nothing that the component said it would use.
    pub fn beyond(&self, asked: &Capabilities) -> Vec<String> {
        let wants = asked.wants();
        let http = self.http.iter().filter(|grant| !is_wanted(grant, &wants));
        let http = http.map(|grant| {
            let (host, methods) = (grant.host.clone(), grant.methods.clone());
            Want::Http { host, methods }.to_string()
        });
        let unknown = |grant: &&SecretGrant| !asked.secrets.contains(&grant.name);
        let secrets = self.secrets.iter().filter(unknown);
        let secrets = secrets.map(|grant| Want::Secret(grant.name.clone()).to_string());
        http.chain(secrets).collect()
    }

    /// These grants, as far as they are wanted.
    #[must_use]
    pub fn narrowed_to(&self, asked: &Capabilities) -> Self {
        let mut http: Vec<HttpGrant> = Vec::new();
        for want in asked.wants() {
            let Want::Http { host, methods } = &want else {
                continue;
            };
            let wanted = HostPattern::of(host);
            for grant in &self.http {
                let both = HostPattern::of(&grant.host).both(&wanted);
                let (Some(host), Some(methods)) = (both, common(&grant.methods, methods)) else {
                    continue;
                };
                let narrowed = HttpGrant {
                    host: host.to_string(),
                    methods,
                    private: grant.private,
                };
                if !http.contains(&narrowed) {
                    http.push(narrowed);
                }
            }
        }
        let wanted = |grant: &&SecretGrant| asked.secrets.contains(&grant.name);
        Self {
            http,
            secrets: self.secrets.iter().filter(wanted).cloned().collect(),
        }
    }
}

fn is_wanted(grant: &HttpGrant, wants: &[Want]) -> bool {
    let pattern = HostPattern::of(&grant.host);
    wants.iter().any(|want| match want {
        Want::Http { host, methods } => {
            let all = methods.is_empty()
                || !grant.methods.is_empty()
                    && grant.methods.iter().all(|method| methods.contains(method));
            all && HostPattern::of(host).contains(&pattern)
        }
        Want::Secret(_) | Want::Evidence(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn asked(value: Value) -> Capabilities {
        serde_json::from_value(value).expect("capabilities")
    }

    fn granted(value: Value) -> Grants {
        serde_json::from_value(value).expect("grants")
    }

    fn http(host: &str, methods: &[&str]) -> Value {
        json!({ "http": [{ "host": host, "methods": methods }] })
    }

    #[test]
    fn wants_are_there_once_and_sorted() {
        let asked = asked(json!({
            "http": [
                { "host": "b", "methods": ["PUT"] },
                { "host": "a" },
                { "host": "B", "methods": ["GET", "PUT"] },
                { "host": "a", "methods": ["GET"] },
            ],
            "secrets": ["t", "t"],
            "evidence": ["scan"],
        }));
        let shown: Vec<String> = asked.wants().iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "http a (any method)",
                "http b (GET, PUT)",
                "secret t",
                "evidence scan"
            ]
        );
    }

    #[test]
    fn what_differs_from_the_version_before_is_told() {
        let before = asked(json!({
            "http": [{ "host": "a", "methods": ["GET"] }, { "host": "gone" }],
            "secrets": ["kept"],
        }));
        let now = asked(json!({
            "http": [{ "host": "a", "methods": ["GET", "DELETE"] }],
            "secrets": ["kept", "new"],
            "evidence": ["scan"],
        }));
        let told: Vec<String> = now
            .changes_since(&before)
            .iter()
            .map(|(want, change)| format!("{} {want}", change.word()))
            .collect();
        assert_eq!(
            told,
            [
                "changed http a (DELETE, GET)",
                "unchanged secret kept",
                "added secret new",
                "added evidence scan",
                "removed http gone (any method)",
            ]
        );
    }

    #[test]
    fn a_want_is_covered_as_far_as_host_port_and_methods_are() {
        for (want, grant, coverage) in [
            (("a", vec!["GET"]), json!({}), Coverage::Nothing),
            (("a", vec!["GET"]), http("a", &[]), Coverage::Whole),
            (("a", vec![]), http("a", &["GET"]), Coverage::Part),
            (
                ("a", vec!["GET", "PUT"]),
                http("a", &["GET"]),
                Coverage::Part,
            ),
            (("a", vec!["GET"]), http("a", &["PUT"]), Coverage::Nothing),
            (("a", vec!["GET"]), http("a:443", &["GET"]), Coverage::Part),
            (("*.b", vec![]), http("a.b", &[]), Coverage::Part),
            (("a.b", vec![]), http("*.b", &[]), Coverage::Whole),
            (("*", vec!["PUT"]), http("a", &["PUT"]), Coverage::Whole),
            (("*", vec!["PUT"]), http("a", &["GET"]), Coverage::Nothing),
            (("a", vec![]), http("b", &[]), Coverage::Nothing),
        ] {
            let methods = want.1.iter().map(ToString::to_string).collect();
            let host = want.0.to_owned();
            let found = Want::Http { host, methods }.covered_by(&granted(grant.clone()));
            assert_eq!(found, coverage, "{want:?} {grant}");
        }
    }

    #[test]
    fn more_than_is_wanted_is_named_and_can_be_cut_off() {
        let asked = asked(json!({
            "http": [{ "host": "*.b", "methods": ["GET", "PUT"] }],
            "secrets": ["t"],
        }));
        let grants = granted(json!({
            "http": [
                { "host": "a.b", "methods": ["GET"] },
                { "host": "a.b" },
                { "host": "c", "methods": ["GET"], "private": true },
                { "host": "*", "methods": ["PUT"], "private": true },
            ],
            "secrets": [{ "name": "t", "hosts": ["a.b"] }, { "name": "u", "hosts": ["a.b"] }],
        }));
        assert_eq!(
            grants.beyond(&asked),
            [
                "http a.b (any method)",
                "http c (GET)",
                "http * (PUT)",
                "secret u"
            ]
        );
        let narrowed = grants.narrowed_to(&asked);
        let expected = granted(json!({
            "http": [
                { "host": "a.b", "methods": ["GET"] },
                { "host": "a.b", "methods": ["GET", "PUT"] },
                { "host": "*.b", "methods": ["PUT"], "private": true },
            ],
            "secrets": [{ "name": "t", "hosts": ["a.b"] }],
        }));
        assert_eq!(narrowed, expected);
        assert_eq!(narrowed.beyond(&asked), [""; 0]);
    }
}
