//! Whether a call is granted, and to which grant it would take if it is not.

use fermata_core::component::Grants;
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::egress::address::{Reach, judge};
use crate::egress::target::{Host, Target, host};
use crate::egress::{CallError, Denial};

/// Longest method: those that are registered have 17 bytes at most.
pub(crate) const METHOD_BYTES_MAX: usize = 20;

/// A call that the grants allow. Its addresses are still to be judged, unless the URL names one.
#[derive(Clone, Debug)]
pub(crate) struct Permit {
    pub(crate) target: Target,
    pub(crate) method: Method,
    /// Whether the host may be at an address of this network.
    pub(crate) private: bool,
}

/// Searches the grants for a call with this method to this URL.
pub(crate) fn permit(grants: &Grants, method: &str, url: &str) -> Result<Permit, CallError> {
    let method = parse_method(method)?;
    let target = Target::parse(url).map_err(CallError::Invalid)?;
    let mut granted = false;
    let mut private = false;
    for grant in &grants.http {
        let methods = grant.methods.is_empty()
            || grant
                .methods
                .iter()
                .any(|granted| *granted == method.as_str());
        if methods && covers(&grant.host, &target) {
            granted = true;
            private |= grant.private;
        }
    }
    let permit = Permit {
        target,
        method,
        private,
    };
    if let Host::Address(address) = permit.target.host {
        permit.judge(judge(address))?;
    }
    if granted {
        Ok(permit)
    } else {
        Err(CallError::Denied(
            permit.denial("is not granted", permit.private),
        ))
    }
}

fn parse_method(method: &str) -> Result<Method, CallError> {
    let invalid = || {
        CallError::Invalid(format!(
            "`{}` is not a method a guest may use",
            method[..method.floor_char_boundary(METHOD_BYTES_MAX)].escape_debug()
        ))
    };
    let known = !method.is_empty()
        && method.len() <= METHOD_BYTES_MAX
        && method.bytes().all(|byte| byte.is_ascii_uppercase());
    let parsed = Method::from_bytes(method.as_bytes()).map_err(|_| invalid())?;
    if known && parsed != Method::CONNECT && parsed != Method::TRACE {
        Ok(parsed)
    } else {
        Err(invalid())
    }
}

impl Permit {
    /// Whether an address that was judged so may be reached.
    pub(crate) fn judge(&self, reach: Reach) -> Result<(), CallError> {
        match reach {
            Reach::Public => Ok(()),
            Reach::Private(_) if self.private => Ok(()),
            Reach::Private(what) => Err(CallError::Denied(
                self.denial(&format!("leads to {what}"), true),
            )),
            Reach::Never(what) => Err(CallError::Denied(Denial::for_good(format!(
                "{} leads to {what}",
                self.target.authority()
            )))),
        }
    }

    fn denial(&self, what: &str, private: bool) -> Denial {
        let authority = self.target.authority();
        let mut grant = json!({ "host": authority, "methods": [self.method.as_str()] });
        if private {
            grant["private"] = Value::Bool(true);
        }
        Denial::new(
            format!("{} {authority} {what}", self.method),
            &json!({ "http": [grant] }),
        )
    }
}

/// Whether the host pattern of a grant covers `target`: a name or an address, `*.name` for everything below it, `*` for
/// everything, each optionally with `:port`. Without a port, every port is covered.
pub(crate) fn covers(pattern: &str, target: &Target) -> bool {
    let (pattern, port) = split_port(pattern);
    if port.is_some_and(|port| port != target.port) {
        return false;
    }
    if pattern == "*" {
        return true;
    }
    let normal = |text: &str| {
        Url::parse(&format!("http://{text}/"))
            .ok()
            .filter(plain)
            .and_then(|url| host(&url))
    };
    match (pattern.strip_prefix("*."), &target.host) {
        (Some(parent), Host::Name(name)) => match normal(parent) {
            Some(Host::Name(parent)) => name
                .strip_suffix(&parent)
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            _ => false,
        },
        (Some(_), Host::Address(_)) => false,
        (None, host) => normal(pattern).is_some_and(|pattern| pattern == *host),
    }
}

/// Whether a pattern held nothing but a host.
fn plain(url: &Url) -> bool {
    url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.port().is_none()
}

/// Splits `:port` off a pattern; colons inside of brackets belong to an address.
fn split_port(pattern: &str) -> (&str, Option<u16>) {
    let bracket = pattern.rfind(']').unwrap_or(0);
    match pattern[bracket..].rfind(':') {
        Some(at) => match pattern[bracket + at + 1..].parse() {
            Ok(port) => (&pattern[..bracket + at], Some(port)),
            Err(_) => (pattern, None),
        },
        None => (pattern, None),
    }
}

#[cfg(test)]
mod tests {
    use fermata_core::component::HttpGrant;

    use super::*;

    fn grants(hosts: &[(&str, &[&str], bool)]) -> Grants {
        let http = hosts
            .iter()
            .map(|(host, methods, private)| HttpGrant {
                host: (*host).into(),
                methods: methods.iter().map(|method| (*method).into()).collect(),
                private: *private,
            })
            .collect();
        Grants {
            http,
            secrets: Vec::new(),
        }
    }

    #[test]
    fn patterns_cover_what_they_say() {
        for (pattern, url, covered) in [
            ("a.example", "http://a.example/", true),
            ("A.Example.", "http://a.example:8080/", true),
            ("a.example:8080", "http://a.example:8080/", true),
            ("a.example:8080", "http://a.example/", false),
            ("a.example:443", "https://a.example/", true),
            ("a.example", "http://b.a.example/", false),
            ("a.example", "http://evil-a.example/", false),
            ("*.example", "http://a.example/", true),
            ("*.example", "http://b.a.example/", true),
            ("*.example", "http://example/", false),
            ("*.a.example", "http://evila.example/", false),
            ("*.a.example", "http://.a.example/", false),
            ("*.0.0.1", "http://127.0.0.1/", false),
            ("*", "http://anything/", true),
            ("*:8443", "https://anything/", false),
            ("127.0.0.1:7790", "http://127.0.0.1:7790/x", true),
            ("127.0.0.1", "http://[::ffff:127.0.0.1]/", true),
            ("[::1]:80", "http://[::1]/", true),
            ("[::1]", "http://[::1]:81/", true),
            ("bücher.example", "http://xn--bcher-kva.example/", true),
            ("a.example/path", "http://a.example/path", false),
            ("user@a.example", "http://a.example/", false),
            ("", "http://a.example/", false),
            ("*.", "http://a.example/", false),
        ] {
            let Ok(target) = Target::parse(url) else {
                assert!(!covered, "{url} is no target");
                continue;
            };
            assert_eq!(covers(pattern, &target), covered, "{pattern} {url}");
        }
    }

    #[test]
    fn what_is_not_granted_names_the_grant() {
        let denied = permit(
            &grants(&[("a.example", &["GET"], false)]),
            "POST",
            "https://a.example:8443/x",
        )
        .unwrap_err();
        let CallError::Denied(denial) = denied else {
            panic!("{denied:?}")
        };
        let grant = r#"{"http":[{"host":"a.example:8443","methods":["POST"]}]}"#;
        assert_eq!(denial.grant.as_deref(), Some(grant));
        let grants: Grants = serde_json::from_str(grant).unwrap();
        assert!(permit(&grants, "POST", "https://a.example:8443/x").is_ok());
    }

    #[test]
    fn addresses_of_this_network_need_a_private_grant_and_the_denial_names_it() {
        for url in [
            "http://127.0.0.1:1/",
            "http://2130706433:1/",
            "http://[::ffff:7f00:1]:1/",
        ] {
            let denied = permit(&grants(&[("*", &[], false)]), "GET", url).unwrap_err();
            let CallError::Denied(denial) = denied else {
                panic!("{denied:?}")
            };
            let grants: Grants = serde_json::from_str(denial.grant.as_deref().unwrap()).unwrap();
            assert!(grants.http[0].private);
            assert!(permit(&grants, "GET", url).is_ok(), "{url}");
        }
        let denied = permit(
            &grants(&[("*", &[], true)]),
            "GET",
            "http://169.254.169.254/latest/meta-data",
        )
        .unwrap_err();
        assert!(
            matches!(denied, CallError::Denied(Denial { grant: None, .. })),
            "{denied:?}"
        );
    }

    #[test]
    fn hostile_methods_are_invalid() {
        for method in [
            "",
            "get",
            "CONNECT",
            "TRACE",
            "GET /",
            "GET\r\nX: y",
            "AVERYLONGMETHODNAMEINDEED",
        ] {
            let denied =
                permit(&grants(&[("*", &[], false)]), method, "http://a.example/").unwrap_err();
            assert!(matches!(denied, CallError::Invalid(_)), "{method}");
        }
    }
}
