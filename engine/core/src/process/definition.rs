//! Activity definitions: a component with inputs, retry and timeout that are set once and used by
//! name. A process that uses one is the same as if it had written them itself.

use serde_json::{Map, Value};

use super::Retry;
use super::document::activity::{self, ComponentPart};
use super::read::{self, Keys};
use super::source::{Findings, Source};
use super::tree::{self, Node, Tree};
use super::validate::{Registry, components::Components, readable};
use crate::component::{Uses, Version};
use crate::defect::{Defect, Fault};
use crate::id::{Digest, Name};
use crate::time::Span;

const DEFINITION: Keys = Keys {
    of: "a definition",
    known: &[
        "definition",
        "version",
        "title",
        "uses",
        "with",
        "retry",
        "timeout",
    ],
    later: &[],
};

/// A checked definition. Only [`define`] makes one.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The name that versions share.
    pub name: Name,
    /// Its version.
    pub version: Version,
    /// For people.
    pub title: String,
    /// Digest of the document.
    pub digest: Digest,
    /// The component behind it.
    pub uses: Uses,
    /// Inputs that are set; whoever uses the definition adds to them, or replaces them.
    pub with: Map<String, Value>,
    /// Its retry, unless who uses it says otherwise.
    pub retry: Option<Retry>,
    /// Its timeout, unless who uses it says otherwise.
    pub timeout: Option<Span>,
}

/// Checks a document that defines an activity, YAML or JSON.
pub fn define(source: &[u8], resolve: &Registry<'_>) -> Result<Definition, Vec<Defect>> {
    let text = readable(source).map_err(|defect| vec![*defect])?;
    let text = Source::new(text);
    let mut findings = Findings::new(&text);
    let found = tree::parse(&mut findings)
        .and_then(|root| definition(&root, (Digest::of(source), resolve), &mut findings));
    match found {
        Some(definition) if findings.is_empty() => Ok(definition),
        _ => Err(findings.into_defects()),
    }
}

fn definition(
    root: &Node,
    (digest, resolve): (Digest, &Registry<'_>),
    findings: &mut Findings<'_, '_>,
) -> Option<Definition> {
    let fields = read::fields(root, &DEFINITION, findings)?;
    let mut needed = |key| super::document::required(fields, key, root.place, findings);
    let (name, version, uses) = (needed("definition"), needed("version"), needed("uses"));
    let name: Option<Name> = name.and_then(|node| read::parsed(node, "name", findings));
    let version = version.and_then(|node| read::parsed(node, "version", findings));
    let title = fields
        .get("title")
        .and_then(|node| read::text(node, "`title`", findings));
    let part = activity::component(uses?, fields, findings);
    if let Some(with) = part.with {
        constant(with, findings);
    }
    Components::new(Some(resolve)).check_preset(&part, findings);
    let ComponentPart {
        uses,
        with,
        retry,
        timeout,
        ..
    } = part;
    let with = match with.map(Node::to_json) {
        Some(Value::Object(with)) => with,
        _ => Map::new(),
    };
    let name = name?;
    Some(Definition {
        title: title.unwrap_or(name.as_str()).to_owned(),
        name,
        version: version?,
        digest,
        uses: uses?,
        with,
        retry,
        timeout,
    })
}

/// Notes the first expression in what is set: there is no release yet to evaluate it in.
fn constant(with: &Node, findings: &mut Findings<'_, '_>) {
    let mut found = None;
    with.texts(&mut |node, text| {
        if text.contains("${{") {
            found.get_or_insert(node.place);
        }
    });
    if let Some(place) = found {
        let message = "a definition cannot hold an expression";
        findings.add(
            Fault::new("not-constant", place, message)
                .hint("leave the input out: the process that uses the definition gives it"),
        );
    }
}

/// What a call of a definition is: the inputs that it sets and `part` does not give, as if they had
/// been written there.
pub(super) fn merged(part: &ComponentPart<'_>, definition: &Definition) -> Node {
    let place = part.with.map_or(part.uses_place, |node| node.place);
    let mut entries = match part.with.map(|node| &node.tree) {
        Some(Tree::Map(entries)) => entries.clone(),
        _ => Vec::new(),
    };
    for (key, value) in &definition.with {
        if !entries.iter().any(|entry| entry.key == *key) {
            entries.push(tree::Entry {
                key: key.clone(),
                place,
                node: Node::of_json(place, value),
            });
        }
    }
    Node {
        place,
        tree: Tree::Map(entries),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::component::Descriptor;
    use crate::process::Kind;
    use crate::process::validate::{Registered, validate};

    const DEFINITION: &str = "
definition: deploy-payment
version: 1.2.0
title: Deploy the payment service
uses: deploy@1
with: { service: payment }
retry: { attempts: 3 }
timeout: 20m
";

    fn component(uses: &Uses) -> Option<Registered> {
        let descriptor = json!({
            "name": "deploy", "version": "1.4.0", "timeout": "5m",
            "inputs": { "type": "object", "required": ["service", "version"],
                "properties": { "service": { "type": "string" }, "version": { "type": "string" } } },
        });
        let descriptor: Descriptor = serde_json::from_value(descriptor).expect("a descriptor");
        (uses.name.as_str() == "deploy").then_some(Registered::Component(descriptor))
    }

    fn registry(uses: &Uses) -> Option<Registered> {
        let defined = uses.name.as_str() == "deploy-payment";
        match defined.then(|| define(DEFINITION.as_bytes(), &component)) {
            Some(defined) => Some(Registered::Definition(defined.expect("no defects"))),
            None => component(uses),
        }
    }

    fn codes(found: Result<impl Sized, Vec<Defect>>) -> Vec<&'static str> {
        let defects = found.err().unwrap_or_default();
        defects.into_iter().map(|defect| defect.code).collect()
    }

    #[test]
    fn a_definition_is_as_if_it_had_been_written_in_the_process() {
        let document = |activity: &str| {
            format!("process: x\nphases: {{ p: {{ activities: {{ a: {{ {activity} }} }} }} }}\n")
        };
        let used = document("uses: deploy-payment@1, with: { version: '1' }, timeout: 1m");
        let process = validate(used.as_bytes(), Some(&registry)).expect("no defects");
        let Kind::Component(component) = &process.activities[0].kind else {
            panic!("it runs a component");
        };
        assert_eq!(component.uses.to_string(), "deploy@1");
        assert_eq!(component.timeout.to_string(), "1m");
        assert_eq!(component.retry.attempts_max, 3);
        let with = component.with.render(&json!({})).expect("constants");
        assert_eq!(with, json!({ "version": "1", "service": "payment" }));
        for (activity, expected) in [
            ("uses: deploy-payment@1", vec!["missing-input"]),
            (
                "uses: deploy-payment@1, with: { version: '1', service: 1 }",
                vec!["wrong-input"],
            ),
            (
                "uses: deploy-payment@1, with: { version: '1', x: 1 }",
                vec!["unknown-input"],
            ),
            ("uses: other@1", vec!["unknown-component"]),
        ] {
            let found = validate(document(activity).as_bytes(), Some(&registry));
            assert_eq!(codes(found), expected, "{activity}");
        }
    }

    #[test]
    fn definitions_are_checked() {
        for (from, to, expected) in [
            ("", "", vec![]),
            ("deploy-payment", "Deploy", vec!["bad-value"]),
            ("1.2.0", "'1.2'", vec!["bad-value"]),
            (
                "uses: deploy@1",
                "uses: nothing@1",
                vec!["unknown-component"],
            ),
            (
                "uses: deploy@1",
                "uses: deploy-payment@1",
                vec!["nested-definition"],
            ),
            ("service: payment", "service: 1", vec!["wrong-input"]),
            ("service: payment", "sevice: payment", vec!["unknown-input"]),
            (
                "service: payment",
                "service: '${{ inputs.x }}'",
                vec!["not-constant"],
            ),
            (
                "uses: deploy@1",
                "manual: {}",
                vec!["unknown-key", "missing-key"],
            ),
        ] {
            let document = DEFINITION.replace(from, to);
            let mut found = codes(define(document.as_bytes(), &registry));
            found.sort_unstable();
            let mut expected = expected;
            expected.sort_unstable();
            assert_eq!(found, expected, "{document}");
        }
    }
}
