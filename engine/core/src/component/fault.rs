//! What cannot be right about a descriptor, whatever its component does.

use super::host::HostPattern;
use super::{Capabilities, Descriptor, Idempotency};
use crate::id::Name;

/// Most hosts, secrets and kinds of evidence that a component can want, of each: a person reads them all.
pub const WANTS_MAX: usize = 64;
/// Longest method, in bytes.
const METHOD_BYTES_MAX: usize = 20;

impl Descriptor {
    /// The first fault, in one sentence.
    pub fn fault(&self) -> Option<String> {
        let retries = self.retry.as_ref().is_some_and(|retry| retry.attempts > 1);
        if retries && self.idempotency == Some(Idempotency::None) {
            let fault = "`idempotency` is `none`, and `retry` asks for more than one attempt";
            return Some(fault.to_owned());
        }
        self.capabilities.fault()
    }
}

impl Capabilities {
    fn fault(&self) -> Option<String> {
        let counts = [
            ("http", self.http.len()),
            ("secrets", self.secrets.len()),
            ("evidence", self.evidence.len()),
        ];
        if let Some((part, count)) = counts.iter().find(|(_, count)| *count > WANTS_MAX) {
            let fault = format!("`capabilities.{part}` has {count} entries, {WANTS_MAX} at most");
            return Some(fault);
        }
        let hosts = self.http.iter().filter_map(|wish| {
            let fault = HostPattern::fault(&wish.host)?;
            Some(format!("the host `{}` {fault}", wish.host.escape_debug()))
        });
        let methods = self.http.iter().flat_map(|wish| &wish.methods);
        let methods = methods.filter(|method| !is_method(method)).map(|method| {
            let method = method.escape_debug();
            format!("`{method}` is no method: methods are upper-case, such as GET")
        });
        let secrets = self.secrets.iter().filter(|name| !is_secret_name(name));
        let secrets = secrets.map(|name| format!("`{}` names no secret", name.escape_debug()));
        let kinds = self.evidence.iter().filter_map(|kind| {
            let fault = kind.parse::<Name>().err()?;
            Some(format!(
                "the kind of evidence `{}`: {fault}",
                kind.escape_debug()
            ))
        });
        hosts.chain(methods).chain(secrets).chain(kinds).next()
    }
}

fn is_method(method: &str) -> bool {
    let length = (1..=METHOD_BYTES_MAX).contains(&method.len());
    length && method.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn is_secret_name(name: &str) -> bool {
    name.parse::<Name>().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn fault(more: &Value) -> Option<String> {
        let mut descriptor = json!({ "name": "a", "version": "1.0.0" });
        let (whole, more) = (descriptor.as_object_mut(), more.as_object());
        whole.unwrap().extend(more.unwrap().clone());
        let descriptor: Descriptor = serde_json::from_value(descriptor).unwrap();
        descriptor.fault()
    }

    #[test]
    fn what_cannot_be_right_is_named() {
        let many: Vec<String> = (0..=WANTS_MAX).map(|n| format!("k{n}")).collect();
        let wants = |wants: Value| json!({ "capabilities": wants });
        for (more, said) in [
            (wants(json!({ "http": [{ "host": "https://a" }] })), "a URL"),
            (
                wants(json!({ "http": [{ "host": "a", "methods": ["get"] }] })),
                "upper-case",
            ),
            (wants(json!({ "secrets": [""] })), "no secret"),
            (wants(json!({ "secrets": ["a b"] })), "no secret"),
            (wants(json!({ "evidence": ["A Kind"] })), "evidence"),
            (wants(json!({ "evidence": many })), "entries"),
            (
                json!({ "idempotency": "none", "retry": { "attempts": 2 } }),
                "more than one",
            ),
        ] {
            let found = fault(&more);
            assert!(
                found.as_ref().is_some_and(|it| it.contains(said)),
                "{found:?}"
            );
        }
        let good = json!({
            "idempotency": "key",
            "retry": { "attempts": 3 },
            "capabilities": {
                "http": [{ "host": "*.a:8443", "methods": ["GET", "PURGE"] }],
                "secrets": ["api-key"],
                "evidence": ["deployment"],
            },
        });
        assert_eq!(fault(&good), None);
        assert_eq!(
            fault(&json!({ "idempotency": "none", "retry": { "attempts": 1 } })),
            None
        );
    }
}
