//! What can be said of inputs that are not complete yet.

use serde_json::{Map, Value};

use super::Inputs;
use crate::schema::Schema;

impl Inputs {
    /// The inputs that a release must be given and `given` does not have, in the order of the document.
    pub fn missing(&self, given: &Map<String, Value>) -> Vec<String> {
        let required = self.schema.source().get("required");
        let names = required.and_then(Value::as_array).into_iter().flatten();
        names
            .filter_map(Value::as_str)
            .filter(|name| !given.contains_key(*name))
            .map(str::to_owned)
            .collect()
    }

    /// One line for each fault of the inputs that are there, whatever is missing beside them.
    pub fn faults_of(&self, given: &Map<String, Value>) -> Vec<String> {
        let source = self.schema.source();
        let mut faults = Vec::new();
        for (name, value) in given {
            let Some(schema) = source.get("properties").and_then(|all| all.get(name)) else {
                faults.push(format!("{name}: the process has no such input"));
                continue;
            };
            // It was compiled when the process was checked.
            let schema = Schema::compile(schema);
            let found = schema
                .map(|schema| schema.faults(value))
                .unwrap_or_default();
            faults.extend(found.into_iter().map(|fault| format!("{name}: {fault}")));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::process::validate::validate;

    #[test]
    fn inputs_may_be_incomplete_and_still_have_no_fault() {
        let document = "process: x
inputs: { version: { type: string }, count: { type: integer }, region: { type: string, default: north } }
phases: { p: { activities: { a: { uses: a@1 } } } }
";
        let process = validate(document.as_bytes(), None).expect("no defects");
        for (given, missing, faults) in [
            (json!({}), vec!["version", "count"], 0),
            (json!({ "version": "1" }), vec!["count"], 0),
            (json!({ "version": "1", "count": 2 }), vec![], 0),
            (json!({ "version": 1, "count": "2" }), vec![], 2),
            (json!({ "verison": "1" }), vec!["version", "count"], 1),
        ] {
            let given = given.as_object().expect("an object");
            assert_eq!(process.inputs.missing(given), missing, "{given:?}");
            assert_eq!(process.inputs.faults_of(given).len(), faults, "{given:?}");
        }
    }
}
