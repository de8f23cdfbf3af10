//! JSON Schema: compiled once, with faults as one line each.

mod work;

use std::fmt;
use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use crate::json::shown;
use crate::limits::SCHEMA_CHECK_WORK_MAX;

/// Most faults that are listed for one value: a person repairs no more at a time.
const FAULTS_MAX: usize = 50;
/// Longest fault, in characters: messages quote the value, which may be large.
const FAULT_CHARS_MAX: usize = 300;
/// Largest compiled `pattern`, in bytes: nested repetitions grow without it.
const PATTERN_BYTES_MAX: usize = 256 * 1024;
/// A compiled JSON Schema (draft 2020-12, unless `$schema` names another published one), without
/// references to files or the network.
#[derive(Clone)]
pub struct Schema(Arc<Compiled>);

struct Compiled {
    source: Value,
    validator: Validator,
    /// Evaluations on the worst path through a value.
    work: f64,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({})", self.0.source)
    }
}

impl Schema {
    /// Compiles `schema`; the error is one sentence.
    pub fn compile(schema: &Value) -> Result<Self, String> {
        let work = work::of_schema(schema)?;
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .with_pattern_options(
                PatternOptions::regex()
                    .size_limit(PATTERN_BYTES_MAX)
                    .dfa_size_limit(PATTERN_BYTES_MAX),
            )
            .offline()
            .build(schema)
            .map_err(|error| line(&error.instance_path().to_string(), &error.to_string()))?;
        Ok(Self(Arc::new(Compiled {
            source: schema.clone(),
            validator,
            work,
        })))
    }

    /// The schema as it was written.
    pub fn source(&self) -> &Value {
        &self.0.source
    }

    /// One line for each fault of `value`, with the path to it; empty if it fits.
    pub fn faults(&self, value: &Value) -> Vec<String> {
        if self.0.work * work::of_value(value) > SCHEMA_CHECK_WORK_MAX {
            return vec![
                "it is too large to be checked against a schema that looks so often at the same place"
                    .into(),
            ];
        }
        self.0
            .validator
            .iter_errors(value)
            .take(FAULTS_MAX)
            .map(|error| line(&error.instance_path().to_string(), &error.to_string()))
            .collect()
    }
}

/// `/path: message` as one line of bounded length that is safe to print.
fn line(path: &str, message: &str) -> String {
    let message = shown(message, FAULT_CHARS_MAX);
    if path.is_empty() {
        message
    } else {
        format!("{}: {message}", shown(path, FAULT_CHARS_MAX))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn faults_are_one_line_each_with_their_path() {
        let schema = Schema::compile(&json!({
            "type": "object",
            "properties": {
                "version": { "type": "string", "pattern": r"^\d+\.\d+$" },
                "regions": { "type": "array", "items": { "type": "string" } },
                "day": { "type": "string", "format": "date" },
            },
            "required": ["version"],
            "additionalProperties": false,
        }))
        .expect("valid");
        assert!(
            schema
                .faults(&json!({ "version": "1.2", "day": "2026-01-31" }))
                .is_empty()
        );
        for (value, fault) in [
            (json!({}), r#""version" is a required property"#),
            (
                json!({ "version": "x" }),
                r#"/version: "x" does not match "^\d+\.\d+$""#,
            ),
            (
                json!({ "version": "1.2", "regions": [1] }),
                r#"/regions/0: 1 is not of type "string""#,
            ),
            (
                json!({ "version": "1.2", "day": "tomorrow" }),
                r#"/day: "tomorrow" is not a "date""#,
            ),
            (
                json!({ "version": "1.2", "\u{1b}[31m": 1 }),
                "Additional properties are not allowed (' [31m' was unexpected)",
            ),
        ] {
            assert_eq!(schema.faults(&value), [fault], "{value}");
        }
    }

    #[test]
    fn faults_are_bounded_in_number_and_length() {
        let schema = Schema::compile(&json!({ "items": { "type": "string" } })).expect("valid");
        let faults = schema.faults(&json!(vec![1; 1000]));
        assert_eq!(faults.len(), FAULTS_MAX);
        let schema = Schema::compile(&json!({ "type": "integer" })).expect("valid");
        let faults = schema.faults(&json!("x".repeat(1_000_000)));
        assert!(
            faults[0].chars().count() <= FAULT_CHARS_MAX + 1,
            "{}",
            faults[0].len()
        );
    }

    #[test]
    fn hostile_schemas_are_refused() {
        for schema in [
            json!({ "$ref": "https://example.com/schema.json" }),
            json!({ "$ref": "file:///etc/passwd" }),
            json!({ "$schema": "https://example.com/my-draft" }),
            json!({ "$ref": "#/nowhere" }),
            json!({ "pattern": "((a{1000}){1000}){1000}" }),
            json!({ "pattern": "(?=look)ahead" }),
            json!({ "pattern": "(" }),
            json!({ "type": "strin" }),
            json!({ "multipleOf": 0 }),
            json!(5),
            json!(null),
        ] {
            assert!(Schema::compile(&schema).is_err(), "{schema}");
        }
    }

    #[test]
    fn circles_of_references_do_no_harm() {
        for schema in [
            json!({ "$ref": "#" }),
            json!({ "allOf": [{ "$ref": "#" }] }),
            json!({ "not": { "$ref": "#" } }),
            json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } }),
            json!({ "$dynamicRef": "#x", "$dynamicAnchor": "x" }),
        ] {
            if let Ok(schema) = Schema::compile(&schema) {
                assert!(schema.faults(&json!({ "a": 1 })).len() <= FAULTS_MAX);
            }
        }
    }

    #[test]
    fn what_would_take_too_long_to_check_is_a_fault() {
        let looks = json!({ "items": { "allOf": vec![json!({ "minimum": 0 }); 1_000] } });
        let schema = Schema::compile(&looks).expect("valid");
        assert!(schema.faults(&json!(vec![1; 1_000])).is_empty());
        let faults = schema.faults(&json!(vec![1; 200_000]));
        assert!(faults[0].contains("too large to be checked"), "{faults:?}");
    }

    #[test]
    fn a_pattern_takes_linear_time() {
        let schema = Schema::compile(&json!({ "pattern": "^(a|aa)+$" })).expect("valid");
        assert_eq!(
            schema
                .faults(&json!(format!("{}!", "a".repeat(5_000))))
                .len(),
            1
        );
    }
}
