//! Grants as the command line writes them: `http=HOST;methods=GET,PUT;private`, `secret=NAME@HOST`.

use std::collections::BTreeMap;
use std::str::FromStr;

use fermata_core::component::host::HostPattern;
use fermata_core::component::wants::{Coverage, Want};
use fermata_core::component::{Capabilities, Grants, HttpGrant, SecretGrant};
use fermata_core::id::Name;

/// Methods that a grant may name.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// One `--grant`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    /// A host to call.
    Http(HttpGrant),
    /// A secret to use.
    Secret {
        /// Its name.
        name: String,
        /// Where it may be sent.
        host: String,
    },
}

impl FromStr for Grant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some(("http", rest)) => http(rest).map(Self::Http),
            Some(("secret", rest)) => secret(rest),
            _ => {
                Err("expected `http=HOST[;methods=GET,PUT][;private]` or `secret=NAME@HOST`".into())
            }
        }
    }
}

fn http(text: &str) -> Result<HttpGrant, String> {
    let mut parts = text.split(';');
    let mut grant = HttpGrant {
        host: host(parts.next().unwrap_or_default())?,
        methods: Vec::new(),
        private: false,
    };
    for part in parts {
        match part.split_once('=') {
            None if part == "private" => grant.private = true,
            Some(("methods", list)) => grant.methods = methods(list)?,
            _ => return Err(format!("`{part}` is neither `methods=…` nor `private`")),
        }
    }
    Ok(grant)
}

fn methods(list: &str) -> Result<Vec<String>, String> {
    list.split(',')
        .map(|method| {
            let upper = method.trim().to_ascii_uppercase();
            if METHODS.contains(&upper.as_str()) {
                Ok(upper)
            } else {
                Err(format!("`{method}` is none of {}", METHODS.join(", ")))
            }
        })
        .collect()
}

fn secret(text: &str) -> Result<Grant, String> {
    match text.split_once('@') {
        Some((name, at)) if name.parse::<Name>().is_ok() => Ok(Grant::Secret {
            name: name.into(),
            host: host(at)?,
        }),
        _ => Err("expected `secret=NAME@HOST`: a secret is granted for a host, and its name is of lower-case letters, digits and hyphens".into()),
    }
}

/// A host, optionally with a port; not a URL, which people paste by mistake.
fn host(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:*[]".contains(c);
    if text.contains("://") || text.contains('/') {
        Err(format!(
            "`{text}` is a URL: give only host and port, such as api.example.com:8443"
        ))
    } else if text.is_empty() || !text.chars().all(fits) {
        Err(format!("`{text}` is no host name or address"))
    } else {
        Ok(text.to_ascii_lowercase())
    }
}

/// What a file and the command line grant together. Hosts of one secret are joined.
pub(crate) fn collect(mut grants: Grants, more: &[Grant]) -> Grants {
    for grant in more {
        match grant {
            Grant::Http(http) => {
                if !grants.http.contains(http) {
                    grants.http.push(http.clone());
                }
            }
            Grant::Secret { name, host } => {
                grants.secrets.push(SecretGrant {
                    name: name.clone(),
                    hosts: vec![host.clone()],
                });
            }
        }
    }
    let mut secrets: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for secret in grants.secrets {
        let hosts = secrets.entry(secret.name).or_default();
        for host in secret.hosts {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
    }
    grants.secrets = secrets
        .into_iter()
        .map(|(name, hosts)| SecretGrant { name, hosts })
        .collect();
    grants
}

/// One thing a component asks for, and whether anything granted covers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// What it asks for, such as `http api.example.com (GET)`.
    pub(crate) what: String,
    /// What covers some of it; `None` if nothing does.
    pub(crate) granted: Option<String>,
    /// Whether all of it is covered.
    pub(crate) whole: bool,
    /// What to pass to `--grant` for it; nothing if it takes no grant.
    pub(crate) flag: Option<String>,
}

/// Compares what a component asks for with what it was granted.
pub(crate) fn wishes(asked: &Capabilities, grants: &Grants) -> Vec<Wish> {
    let wants = asked.wants().into_iter();
    wants.map(|want| wish(&want, grants)).collect()
}

fn wish(want: &Want, grants: &Grants) -> Wish {
    let (granted, flag) = match want {
        Want::Http { host, methods } => {
            let wanted = HostPattern::of(host);
            let near = |grant: &&HttpGrant| HostPattern::of(&grant.host).both(&wanted).is_some();
            let near: Vec<String> = grants.http.iter().filter(near).map(show_http).collect();
            let host = if host == "*" { "HOST" } else { host };
            let flag = format!("http={host}{}", restricted(methods));
            ((!near.is_empty()).then(|| near.join("; ")), Some(flag))
        }
        Want::Secret(name) => {
            let granted = grants.secrets.iter().find(|grant| grant.name == *name);
            let granted = granted.map(|grant| format!("for {}", grant.hosts.join(", ")));
            (granted, Some(format!("secret={name}@HOST")))
        }
        Want::Evidence(_) => (Some("declared, which is enough".to_owned()), None),
    };
    let coverage = want.covered_by(grants);
    Wish {
        what: want.to_string(),
        granted: granted.filter(|_| coverage != Coverage::Nothing),
        whole: coverage == Coverage::Whole,
        flag,
    }
}

/// Everything that a component asks for, as far as it names the hosts itself; and what it does not.
pub(crate) fn whole(asked: &Capabilities) -> (Grants, Vec<String>) {
    let (mut grants, mut open) = (Grants::default(), Vec::new());
    for want in asked.wants() {
        match want {
            Want::Http { host, methods } if host != "*" => grants.http.push(HttpGrant {
                host,
                methods,
                private: false,
            }),
            Want::Secret(name) if !grants.http.is_empty() => grants.secrets.push(SecretGrant {
                name,
                hosts: grants.http.iter().map(|grant| grant.host.clone()).collect(),
            }),
            want @ (Want::Http { .. } | Want::Secret(_)) => open.push(wish(&want, &grants)),
            Want::Evidence(_) => {}
        }
    }
    let open = open.into_iter().filter_map(|wish| wish.flag).collect();
    (grants, open)
}

/// What to pass to `--grant` for all of these grants.
pub(crate) fn flags(grants: &Grants) -> Vec<String> {
    let http = grants.http.iter().map(|grant| {
        let private = if grant.private { ";private" } else { "" };
        let methods = restricted(&grant.methods);
        format!("http={}{methods}{private}", grant.host)
    });
    let secrets = grants.secrets.iter().flat_map(|secret| {
        let flag = |host: &String| format!("secret={}@{host}", secret.name);
        secret.hosts.iter().map(flag)
    });
    http.chain(secrets).collect()
}

fn restricted(methods: &[String]) -> String {
    if methods.is_empty() {
        String::new()
    } else {
        format!(";methods={}", methods.join(","))
    }
}

/// A grant in the words of the command line.
pub(crate) fn show_http(grant: &HttpGrant) -> String {
    let mut text = grant.host.clone();
    if !grant.methods.is_empty() {
        text.push_str(" (");
        text.push_str(&grant.methods.join(", "));
        text.push(')');
    }
    if grant.private {
        text.push_str(" at private addresses");
    }
    text
}

#[cfg(test)]
mod tests {
    use fermata_core::component::HttpWish;

    use super::*;

    fn http_grant(host: &str, methods: &[&str], private: bool) -> Grant {
        Grant::Http(HttpGrant {
            host: host.into(),
            methods: methods.iter().map(ToString::to_string).collect(),
            private,
        })
    }

    fn secret_grant(name: &str, host: &str) -> Grant {
        Grant::Secret {
            name: name.into(),
            host: host.into(),
        }
    }

    #[test]
    fn grants_are_read() {
        for (text, expected) in [
            ("http=example.com", http_grant("example.com", &[], false)),
            (
                "http=127.0.0.1:7790;methods=get,PUT;private",
                http_grant("127.0.0.1:7790", &["GET", "PUT"], true),
            ),
            (
                "http=*.Example.com",
                http_grant("*.example.com", &[], false),
            ),
            ("http=[::1]:80;private", http_grant("[::1]:80", &[], true)),
            ("secret=api@example.com", secret_grant("api", "example.com")),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn flags_read_back_as_the_same_grants() {
        let given = [
            http_grant("127.0.0.1:7790", &["GET", "PUT"], true),
            http_grant("*.example.com", &[], false),
            secret_grant("api", "a"),
            secret_grant("api", "b"),
        ];
        let grants = collect(Grants::default(), &given);
        let read: Vec<Grant> = flags(&grants)
            .iter()
            .map(|flag| flag.parse().expect("a grant"))
            .collect();
        assert_eq!(read, given);
    }

    #[test]
    fn what_is_no_grant_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "expected"),
            ("ftp=x", "expected"),
            ("http=", "no host"),
            ("http=https://example.com", "is a URL"),
            ("http=example.com/path", "is a URL"),
            ("http=a b", "no host"),
            ("http=x;methods=FETCH", "is none of"),
            ("http=x;privat", "neither"),
            ("secret=api", "for a host"),
            ("secret=@x", "for a host"),
            ("secret=api@", "no host"),
        ] {
            let error = text.parse::<Grant>().expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn hosts_of_one_secret_are_joined_and_repeats_are_dropped() {
        let more = [
            secret_grant("api", "a"),
            secret_grant("api", "b"),
            secret_grant("api", "a"),
            http_grant("h", &[], false),
            http_grant("h", &[], false),
        ];
        let grants = collect(Grants::default(), &more);
        assert_eq!(grants.http.len(), 1);
        assert_eq!(grants.secrets.len(), 1);
        assert_eq!(grants.secrets[0].hosts, ["a", "b"]);
    }

    #[test]
    fn missing_grants_are_named_with_the_flag_that_gives_them() {
        let asked = Capabilities {
            http: vec![
                HttpWish {
                    host: "*".into(),
                    methods: vec!["PUT".into()],
                },
                HttpWish {
                    host: "api.example.com".into(),
                    methods: vec![],
                },
            ],
            secrets: vec!["token".into()],
            evidence: vec![],
        };
        let none = wishes(&asked, &Grants::default());
        let flags: Vec<&str> = none
            .iter()
            .filter_map(|wish| wish.flag.as_deref())
            .collect();
        assert_eq!(
            flags,
            [
                "http=HOST;methods=PUT",
                "http=api.example.com",
                "secret=token@HOST"
            ]
        );
        assert!(none.iter().all(|wish| wish.granted.is_none()));

        let some = collect(
            Grants::default(),
            &[
                http_grant("*.example.com:443", &[], false),
                secret_grant("token", "api.example.com"),
            ],
        );
        let found = wishes(&asked, &some);
        assert!(found.iter().all(|wish| wish.granted.is_some()));
        // A grant for one port is not all of what was asked for.
        let whole: Vec<bool> = found.iter().map(|wish| wish.whole).collect();
        assert_eq!(whole, [true, false, true]);
    }

    #[test]
    fn the_whole_is_granted_where_hosts_are_named() {
        let asked: Capabilities = serde_json::from_value(serde_json::json!({
            "http": [{ "host": "a", "methods": ["GET"] }, { "host": "*" }],
            "secrets": ["token"],
            "evidence": ["scan"],
        }))
        .expect("capabilities");
        let (grants, open) = whole(&asked);
        assert_eq!(flags(&grants), ["http=a;methods=GET", "secret=token@a"]);
        assert_eq!(open, ["http=HOST"]);
        let secret_alone = Capabilities {
            secrets: vec!["token".into()],
            ..Capabilities::default()
        };
        assert_eq!(whole(&secret_alone).1, ["secret=token@HOST"]);
    }
}
