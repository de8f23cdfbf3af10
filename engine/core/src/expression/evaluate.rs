//! Evaluation: JSON in, JSON out, and one clear sentence where that fails.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cel::objects::{Key, Map as CelMap};
use cel::{Context, ExecutionError, Value as CelValue};
use serde_json::{Map, Number, Value};

use super::names::ROOTS;
use super::parse::ENVIRONMENT;
use super::{Cel, Compiled, cost};
use crate::json::shown;
use crate::limits::NESTING_MAX;

/// Longest error, in characters: the evaluator quotes values, which may be large.
const ERROR_CHARS_MAX: usize = 300;

impl Compiled {
    /// The result in `scope`.
    pub(crate) fn evaluate(&self, scope: &Value) -> Result<Value, String> {
        match self {
            Self::Path(path) => follow(path, scope),
            Self::Cel(cel) => cel.evaluate(scope),
        }
    }
}

fn follow(path: &[Box<str>], scope: &Value) -> Result<Value, String> {
    let mut value = scope;
    for (at, name) in path.iter().enumerate() {
        let before = || path[..at].join(".");
        let Some(object) = value.as_object() else {
            let (before, kind) = (before(), kind(value));
            return Err(format!("`{before}` is {kind}, so it has no `{name}`"));
        };
        let Some(next) = object.get(&**name) else {
            return Err(format!("`{}` has no `{name}`", before()));
        };
        value = next;
    }
    Ok(value.clone())
}

impl Cel {
    fn evaluate(&self, scope: &Value) -> Result<Value, String> {
        if self.costly {
            cost::check(&self.tree, scope)?;
        }
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        for root in ROOTS {
            if let Some(value) = scope.get(root) {
                context.add_variable_from_value(root, to_cel(value));
            }
        }
        // The evaluator is a foreign one; a fault in it fails an attempt, not the engine.
        match catch_unwind(AssertUnwindSafe(|| CelValue::resolve(&self.tree, &context))) {
            Ok(Ok(value)) => to_json(&value, NESTING_MAX),
            Ok(Err(error)) => Err(sentence(&error)),
            Err(_) => Err("the expression could not be evaluated".to_owned()),
        }
    }
}

/// What a value is, for people.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// JSON to CEL. Whole numbers are integers wherever they fit, since CEL adds no `1u` to a `1`.
fn to_cel(value: &Value) -> CelValue {
    match value {
        Value::Null => CelValue::Null,
        Value::Bool(bool) => CelValue::Bool(*bool),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => CelValue::Int(int),
            (None, Some(uint)) => CelValue::UInt(uint),
            (None, None) => CelValue::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => CelValue::String(Arc::new(text.clone())),
        Value::Array(items) => CelValue::List(Arc::new(items.iter().map(to_cel).collect())),
        Value::Object(entries) => {
            let entries = entries.iter();
            let entries: HashMap<Key, CelValue> = entries
                .map(|(key, value)| (Key::String(Arc::new(key.clone())), to_cel(value)))
                .collect();
            CelValue::Map(CelMap {
                map: Arc::new(entries),
            })
        }
    }
}

/// CEL to JSON. Keys are sorted, since a CEL map has no order and equal scopes must give equal
/// results.
fn to_json(value: &CelValue, levels: usize) -> Result<Value, String> {
    let Some(levels) = levels.checked_sub(1) else {
        return Err(format!(
            "the result is nested deeper than {NESTING_MAX} levels"
        ));
    };
    Ok(match value {
        CelValue::Null => Value::Null,
        CelValue::Bool(bool) => Value::Bool(*bool),
        CelValue::Int(int) => (*int).into(),
        CelValue::UInt(uint) => (*uint).into(),
        CelValue::Float(float) => Number::from_f64(*float)
            .map(Value::Number)
            .ok_or_else(|| format!("the result {float} is not a number that JSON can hold"))?,
        CelValue::String(text) => Value::String(text.as_str().to_owned()),
        CelValue::List(items) => {
            let items: Result<_, _> = items.iter().map(|item| to_json(item, levels)).collect();
            Value::Array(items?)
        }
        CelValue::Map(entries) => {
            let mut sorted: Vec<(String, &CelValue)> = entries
                .map
                .iter()
                .map(|(key, value)| (key.to_string(), value))
                .collect();
            sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
            let mut object = Map::new();
            for (key, value) in sorted {
                object.insert(key, to_json(value, levels)?);
            }
            Value::Object(object)
        }
        CelValue::Timestamp(time) => Value::String(time.to_rfc3339()),
        CelValue::Duration(span) => Value::String(duration(*span)),
        CelValue::Bytes(_) | CelValue::Function(..) | CelValue::Opaque(_) | CelValue::Struct(_) => {
            return Err(format!(
                "the result is {}, which JSON cannot hold",
                value.type_of()
            ));
        }
    })
}

/// A duration in the units of a process document.
fn duration(span: chrono::Duration) -> String {
    if span.num_milliseconds() % 1000 == 0 {
        format!("{}s", span.num_seconds())
    } else {
        format!("{}ms", span.num_milliseconds())
    }
}

/// What went wrong, as a person would say it.
fn sentence(error: &ExecutionError) -> String {
    let text = match error {
        ExecutionError::NoSuchKey(key) => format!("there is no `{key}`"),
        ExecutionError::UndeclaredReference(name) => format!("there is no `{name}`"),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "division by zero".to_owned()
        }
        ExecutionError::Overflow(operator, ..) => {
            format!("`{}` overflows 64 bits", spelt(operator))
        }
        ExecutionError::IndexOutOfBounds(CelValue::Int(index)) => {
            format!("the list has no item {index}")
        }
        ExecutionError::NoSuchOverload(overload) => {
            let types = overload.argument_types().join(" and ");
            format!(
                "`{}` cannot be applied to {types}",
                spelt(overload.function())
            )
        }
        ExecutionError::UnsupportedIndex(index, of) => {
            format!(
                "{} cannot be an index into {}",
                index.type_of(),
                of.type_of()
            )
        }
        ExecutionError::ValuesNotComparable(one, other) => {
            format!(
                "{} cannot be compared to {}",
                one.type_of(),
                other.type_of()
            )
        }
        ExecutionError::UnsupportedBinaryOperator(operator, one, other) => format!(
            "`{}` cannot be applied to {} and {}",
            spelt(operator),
            one.type_of(),
            other.type_of()
        ),
        ExecutionError::FunctionError { function, message } => format!("`{function}`: {message}"),
        other => other.to_string(),
    };
    shown(&text, ERROR_CHARS_MAX)
}

/// An operator as it is written.
fn spelt(operator: &str) -> &str {
    match operator {
        "add" => "+",
        "sub" => "-",
        "mul" => "*",
        "div" => "/",
        "rem" => "%",
        other => other.trim_matches('_'),
    }
}
