//! The typed inputs of a process as people write them.

use serde_json::{Map, Value, json};

use crate::defect::{Fault, Place};
use crate::id::NAME_BYTES_MAX;
use crate::limits::{INPUTS_MAX, PATTERNS_MAX};
use crate::nearest::nearest;
use crate::process::Inputs;
use crate::process::read::{self, quoted};
use crate::process::source::Findings;
use crate::process::tree::{Entry, Node, Tree};
use crate::schema::Schema;

/// Keywords that an input may have: those of JSON Schema 2020-12 that need no other document.
const KEYWORDS: [&str; 43] = [
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "contentEncoding",
    "contentMediaType",
    "default",
    "dependentRequired",
    "dependentSchemas",
    "deprecated",
    "description",
    "else",
    "enum",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "if",
    "items",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "required",
    "then",
    "title",
    "type",
    "uniqueItems",
];

/// Notes the first pattern that is one too many in all of `schemas`; none may be compiled then.
pub(in crate::process) fn check_patterns<'n>(
    schemas: impl Iterator<Item = &'n Node>,
    findings: &mut Findings<'_, '_>,
) -> bool {
    let mut room = PATTERNS_MAX;
    for schema in schemas {
        if let Err(place) = count_patterns(schema, &mut room) {
            let message = format!("the schemas of a process hold at most {PATTERNS_MAX} patterns");
            findings.add(Fault::new("too-many", place, message));
            return false;
        }
    }
    true
}

fn count_patterns(node: &Node, room: &mut usize) -> Result<(), Place> {
    match &node.tree {
        Tree::List(items) => items.iter().try_for_each(|item| count_patterns(item, room)),
        Tree::Map(entries) => entries.iter().try_for_each(|entry| {
            let patterns = match (entry.key.as_str(), &entry.node.tree) {
                ("pattern", _) => 1,
                ("patternProperties", Tree::Map(patterns)) => patterns.len(),
                _ => 0,
            };
            *room = room.checked_sub(patterns).ok_or(entry.place)?;
            count_patterns(&entry.node, room)
        }),
        _ => Ok(()),
    }
}

/// Reads `inputs`. Each is a JSON Schema; one without `default` must be given.
pub(in crate::process) fn read(
    node: Option<&Node>,
    findings: &mut Findings<'_, '_>,
) -> Option<Inputs> {
    let entries = match node {
        Some(node) if !matches!(node.tree, Tree::Null) => {
            read::entries(node, "`inputs`", findings)?
        }
        _ => &[],
    };
    if let Some(first) = entries.get(INPUTS_MAX) {
        let message = format!("a process has at most {INPUTS_MAX} inputs");
        findings.add(Fault::new("too-many", first.place, message));
        return None;
    }
    let (mut properties, mut required, mut defaults) = (Map::new(), Vec::new(), Map::new());
    for entry in entries {
        input_name(entry, findings);
        let schema = input(entry, findings);
        match schema.as_ref().and_then(|schema| schema.get("default")) {
            Some(default) => drop(defaults.insert(entry.key.clone(), default.clone())),
            None => required.push(entry.key.clone()),
        }
        properties.insert(entry.key.clone(), schema.unwrap_or_else(|| json!({})));
    }
    let schema = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    match Schema::compile(&schema) {
        Ok(schema) => Some(Inputs { schema, defaults }),
        Err(error) => {
            let place = node.map(|node| node.place).unwrap_or_default();
            findings.add(Fault::new(
                "bad-schema",
                place,
                format!("the inputs are no JSON Schema: {error}"),
            ));
            None
        }
    }
}

/// An input is called by a name that an expression can spell.
fn input_name(entry: &Entry, findings: &mut Findings<'_, '_>) {
    let name = entry.key.as_bytes();
    let letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let good =
        name.len() <= NAME_BYTES_MAX && name.first().is_some_and(letter) && name.iter().all(inner);
    if !good {
        let message = format!(
            "{} is no name for an input: it has 1 to {NAME_BYTES_MAX} letters, digits, `_` and `-`, and starts with a letter or `_`",
            quoted(&entry.key)
        );
        findings.add(Fault::new("bad-name", entry.place, message));
    }
}

/// The schema of one input, if it is one.
fn input(entry: &Entry, findings: &mut Findings<'_, '_>) -> Option<Value> {
    let what = format!("the input {}", quoted(&entry.key));
    let Tree::Map(keywords) = &entry.node.tree else {
        if !matches!(entry.node.tree, Tree::Broken) {
            findings.add(
                read::wrong_type(&entry.node, &what, "a JSON Schema")
                    .hint(format!("write `{}: {{ type: string }}`", entry.key)),
            );
        }
        return None;
    };
    let mut good = true;
    for keyword in keywords {
        good &= check_keyword(keyword, findings);
    }
    if !good {
        return None;
    }
    let schema = schema(&entry.node, &what, findings)?;
    if let Some(default) = keywords.iter().find(|keyword| keyword.key == "default") {
        let faults = schema.faults(&default.node.to_json());
        for fault in &faults {
            let message = format!("the default of {what} does not fit its schema: {fault}");
            findings.add(Fault::new("bad-default", default.node.place, message));
        }
        if !faults.is_empty() {
            return None;
        }
    }
    Some(schema.source().clone())
}

fn check_keyword(keyword: &Entry, findings: &mut Findings<'_, '_>) -> bool {
    let key = keyword.key.as_str();
    let fault = match (key, &keyword.node.tree) {
        ("required", Tree::Bool(_)) => Fault::new(
            "bad-schema",
            keyword.place,
            "`required` lists the properties of an object",
        )
        .hint("an input without `default` is required"),
        ("$ref" | "$defs" | "$dynamicRef" | "$id" | "$anchor", _) => {
            read::not_supported(keyword.place, format!("`{key}` in an input"))
        }
        _ if KEYWORDS.contains(&key) => return true,
        _ => Fault::new(
            "unknown-key",
            keyword.place,
            format!("{} is no keyword of JSON Schema", quoted(key)),
        )
        .near(nearest(key, KEYWORDS)),
    };
    findings.add(fault);
    false
}

/// Compiles the JSON Schema that `node` is; nothing in it is an expression.
pub(in crate::process) fn schema(
    node: &Node,
    what: &str,
    findings: &mut Findings<'_, '_>,
) -> Option<Schema> {
    let mut expression = None;
    node.texts(&mut |node, text| {
        if text.contains("${{") {
            expression.get_or_insert(node.place);
        }
    });
    if let Some(place) = expression {
        findings.add(read::not_supported(place, "an expression in a schema"));
        return None;
    }
    Schema::compile(&node.to_json())
        .map_err(|error| {
            let message = format!("{what} has no valid JSON Schema: {error}");
            let fault = Fault::new("bad-schema", node.place, message);
            findings.add(if error.ends_with("is not a \"regex\"") {
                fault.hint("a pattern is an ECMAScript regular expression of moderate size, without look-around and back-references")
            } else {
                fault
            });
        })
        .ok()
}
