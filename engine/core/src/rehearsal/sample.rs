//! A value that a schema describes: what the author named if they named something, else a
//! placeholder of the right type.

use serde_json::{Map, Value};

use crate::limits::{NESTING_MAX, SAMPLE_VALUES_MAX};

/// A value made up from a schema.
pub(super) struct Sample {
    pub(super) value: Value,
    /// Whether some of it is of the right type only.
    pub(super) is_placeholder: bool,
}

/// What a component whose outputs have this `schema` gives back. A property that has the name of one
/// of the `inputs` takes its value: most activities give back what they were told.
pub(super) fn outputs(schema: &Value, inputs: Option<&Value>) -> Sample {
    sample(schema, inputs, true)
}

/// What people answer in a form of this `schema`: no more than they must.
pub(super) fn answers(schema: &Value) -> Sample {
    sample(schema, None, false)
}

fn sample(schema: &Value, inputs: Option<&Value>, is_whole: bool) -> Sample {
    let mut maker = Maker {
        root: schema,
        inputs,
        is_whole,
        left: SAMPLE_VALUES_MAX,
        is_placeholder: false,
    };
    let value = maker.value(schema, "", 0);
    Sample {
        value,
        is_placeholder: maker.is_placeholder,
    }
}

struct Maker<'s> {
    root: &'s Value,
    inputs: Option<&'s Value>,
    /// Whether properties that may be left out are there.
    is_whole: bool,
    /// How many more values may be made.
    left: usize,
    is_placeholder: bool,
}

/// Keywords that name a value, the surest first.
const NAMED: [&str; 2] = ["const", "default"];
/// Keywords that list values, of which the first is taken.
const LISTED: [&str; 2] = ["examples", "enum"];
/// Keywords that list schemas, of which the first is taken.
const CHOICES: [&str; 3] = ["allOf", "oneOf", "anyOf"];

impl<'s> Maker<'s> {
    fn value(&mut self, schema: &'s Value, name: &str, depth: usize) -> Value {
        if self.left == 0 || depth > NESTING_MAX / 2 {
            self.is_placeholder = true;
            return Value::Null;
        }
        self.left -= 1;
        if let Some(named) = named(schema) {
            return named.clone();
        }
        if depth == 1
            && let Some(input) = self.inputs.and_then(|inputs| inputs.get(name))
        {
            return input.clone();
        }
        if let Some(referred) = self.referred(schema) {
            return self.value(referred, name, depth + 1);
        }
        let choice = CHOICES.iter().filter_map(|key| schema.get(*key)?.get(0));
        if let (None, Some(choice)) = (schema.get("properties"), { choice }.next()) {
            return self.value(choice, name, depth + 1);
        }
        self.of_type(schema, name, depth)
    }

    /// What a reference inside the schema leads to.
    fn referred(&self, schema: &Value) -> Option<&'s Value> {
        let reference = schema.get("$ref")?.as_str()?;
        self.root.pointer(reference.strip_prefix('#')?)
    }

    fn of_type(&mut self, schema: &'s Value, name: &str, depth: usize) -> Value {
        let properties = schema.get("properties").and_then(Value::as_object);
        let named = match schema.get("type") {
            Some(Value::Array(types)) => types.first().and_then(Value::as_str),
            Some(named) => named.as_str(),
            None => None,
        };
        match named {
            None if properties.is_none() => {
                self.is_placeholder = true;
                Value::Null
            }
            Some("object") | None => {
                let mut object = Map::new();
                for (key, property) in properties.into_iter().flatten() {
                    if !self.is_whole && !is_required(schema, key) {
                        continue;
                    }
                    object.insert(key.clone(), self.value(property, key, depth + 1));
                }
                Value::Object(object)
            }
            Some("null") => Value::Null,
            Some("array") => self.array(schema, name, depth),
            Some(scalar) => {
                self.is_placeholder = true;
                placeholder(scalar, schema, name)
            }
        }
    }

    /// As few items as there must be.
    fn array(&mut self, schema: &'s Value, name: &str, depth: usize) -> Value {
        self.is_placeholder = true;
        let count = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
        let count = usize::try_from(count).map_or(self.left, |count| count.min(self.left));
        match schema.get("items") {
            Some(items) => (0..count)
                .map(|_| self.value(items, name, depth + 1))
                .collect(),
            None => Value::Array(vec![Value::Null; count]),
        }
    }
}

fn is_required(schema: &Value, key: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|names| names.iter().any(|name| name == key))
}

/// The value that the schema itself names.
fn named(schema: &Value) -> Option<&Value> {
    let named = NAMED.iter().find_map(|key| schema.get(*key));
    named.or_else(|| LISTED.iter().find_map(|key| schema.get(*key)?.get(0)))
}

fn placeholder(scalar: &str, schema: &Value, name: &str) -> Value {
    match scalar {
        "boolean" => Value::Bool(true),
        "integer" | "number" => {
            let least = schema.get("minimum").filter(|least| least.is_number());
            least.cloned().unwrap_or_else(|| 0.into())
        }
        "string" => match schema.get("format").and_then(Value::as_str) {
            Some("date") => "2000-01-01".into(),
            Some("date-time") => "2000-01-01T00:00:00Z".into(),
            Some("uri") => "https://example.com".into(),
            _ => format!("<{name}>").into(),
        },
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_author_names_goes_before_placeholders() {
        let inputs = json!({ "service": "payment" });
        for (schema, value, is_placeholder) in [
            (json!({ "enum": ["pass", "fail"] }), json!("pass"), false),
            (json!({ "const": 3, "default": 4 }), json!(3), false),
            (
                json!({ "examples": ["1.2.3"], "type": "string" }),
                json!("1.2.3"),
                false,
            ),
            (json!({ "type": "integer", "minimum": 7 }), json!(7), true),
            (json!({ "type": ["string", "null"] }), json!("<>"), true),
            (
                json!({ "anyOf": [{ "type": "boolean" }, { "type": "null" }] }),
                json!(true),
                true,
            ),
            (
                json!({ "type": "array", "minItems": 2, "items": { "enum": [1] } }),
                json!([1, 1]),
                true,
            ),
            (
                json!({ "type": "object", "properties": {
                    "service": { "type": "string" }, "url": { "type": "string" }, "kind": { "$ref": "#/$defs/kind" },
                }, "$defs": { "kind": { "enum": ["fix"] } } }),
                json!({ "service": "payment", "url": "<url>", "kind": "fix" }),
                true,
            ),
            (json!(true), json!(null), true),
        ] {
            let made = outputs(&schema, Some(&inputs));
            assert_eq!(
                (made.value, made.is_placeholder),
                (value, is_placeholder),
                "{schema}"
            );
        }
    }

    #[test]
    fn people_answer_what_they_must() {
        let form = json!({ "type": "object", "required": ["verdict"], "properties": {
            "verdict": { "enum": ["pass", "fail"] }, "notes": { "type": "string" },
        } });
        let made = answers(&form);
        assert_eq!(
            (made.value, made.is_placeholder),
            (json!({ "verdict": "pass" }), false)
        );
    }

    #[test]
    fn hostile_schemas_give_small_values() {
        let circle = json!({ "$ref": "#" });
        assert_eq!(outputs(&circle, None).value, json!(null));
        let wide = json!({ "type": "array", "minItems": u64::MAX, "items": { "const": 1 } });
        let made = outputs(&wide, None).value;
        assert!(
            made.as_array()
                .is_some_and(|items| items.len() < SAMPLE_VALUES_MAX)
        );
        let tree = json!({ "properties": { "a": { "$ref": "#" }, "b": { "$ref": "#" } } });
        assert!(outputs(&tree, None).value.to_string().len() < 100 * SAMPLE_VALUES_MAX);
    }
}
