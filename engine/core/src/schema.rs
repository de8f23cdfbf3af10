//! JSON Schema: compiled once, with faults as one line each.

use std::fmt;
use std::sync::Arc;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use crate::json::shown;

/// Most faults that are listed for one value: a person repairs no more at a time.
const FAULTS_MAX: usize = 50;
/// Longest fault, in characters: messages quote the value, which may be large.
const FAULT_CHARS_MAX: usize = 300;
/// Largest compiled `pattern`, in bytes: nested repetitions grow without it.
const PATTERN_BYTES_MAX: usize = 1024 * 1024;
/// Keywords under which a schema is applied to the same value again.
const IN_PLACE: [&str; 8] = [
    "$ref", "allOf", "anyOf", "else", "if", "not", "oneOf", "then",
];

/// A compiled JSON Schema (draft 2020-12), without references to files or the network.
#[derive(Clone)]
pub struct Schema(Arc<Compiled>);

struct Compiled {
    source: Value,
    validator: Validator,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({})", self.0.source)
    }
}

impl Schema {
    /// Compiles `schema`; the error is one sentence.
    pub fn compile(schema: &Value) -> Result<Self, String> {
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
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
        })))
    }

    /// The schema as it was written.
    pub fn source(&self) -> &Value {
        &self.0.source
    }

    /// One line for each fault of `value`, with the path to it; empty if it fits.
    pub fn faults(&self, value: &Value) -> Vec<String> {
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
