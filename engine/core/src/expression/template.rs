//! Templates: JSON whose texts hold expressions.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{Compiled, evaluate};
use crate::limits::VALUE_BYTES_MAX;

/// Starts an expression.
const OPEN: &str = "${{";
/// Stands for [`OPEN`] as text.
const ESCAPED: &str = "$${{";
/// Ends an expression.
const CLOSE: &str = "}}";

/// A part of a template. Whatever holds no expression is one constant.
#[derive(Debug)]
pub(crate) enum Piece {
    /// A value as it is.
    Constant(Value),
    /// One expression, whose result keeps its type.
    Whole(Compiled),
    /// Text with results in between.
    Text(Vec<Part>),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Object(Vec<(String, Self)>),
}

/// A part of a text.
#[derive(Debug)]
pub(crate) enum Part {
    /// Text as it is.
    Text(String),
    /// An expression, whose result is written into the text.
    Expression(Compiled),
}

impl Piece {
    /// A list; a constant if all of `items` are.
    pub(crate) fn list(items: Vec<Self>) -> Self {
        if items.iter().all(|item| matches!(item, Self::Constant(_))) {
            Self::Constant(items.into_iter().map(Self::into_constant).collect())
        } else {
            Self::List(items)
        }
    }

    /// An object; a constant if all of its values are.
    pub(crate) fn object(entries: Vec<(String, Self)>) -> Self {
        let constant = |(_, piece): &(String, Self)| matches!(piece, Self::Constant(_));
        if entries.iter().all(constant) {
            let entries = entries.into_iter();
            let map: Map<_, _> = entries
                .map(|(key, piece)| (key, piece.into_constant()))
                .collect();
            Self::Constant(map.into())
        } else {
            Self::Object(entries)
        }
    }

    /// Text; a constant if no part of it is an expression.
    pub(crate) fn text(parts: Vec<Part>) -> Self {
        let mut constant = String::new();
        for part in &parts {
            match part {
                Part::Text(text) => constant.push_str(text),
                Part::Expression(_) => return Self::Text(parts),
            }
        }
        Self::Constant(Value::String(constant))
    }

    fn into_constant(self) -> Value {
        match self {
            Self::Constant(value) => value,
            _ => unreachable!("only constants are folded"),
        }
    }

    /// The value of one field of an object, if it can be known in `scope`.
    pub(super) fn field(&self, name: &str, scope: &Value) -> Option<Value> {
        match self {
            Self::Constant(Value::Object(fields)) => fields.get(name).cloned(),
            Self::Object(entries) => {
                let found = entries.iter().find(|(key, _)| key == name);
                found.and_then(|(_, piece)| piece.render(scope).ok())
            }
            _ => None,
        }
    }

    /// The value in `scope`.
    pub(super) fn render(&self, scope: &Value) -> Result<Value, String> {
        let mut room = VALUE_BYTES_MAX;
        self.render_within(scope, &mut room)
    }

    fn render_within(&self, scope: &Value, room: &mut usize) -> Result<Value, String> {
        match self {
            Self::Constant(value) => {
                spend(room, weight(value))?;
                Ok(value.clone())
            }
            Self::Whole(expression) => {
                let value = expression.evaluate(scope)?;
                spend(room, weight(&value))?;
                Ok(value)
            }
            Self::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    let before = text.len();
                    part.write(&mut text, scope)?;
                    spend(room, text.len() - before)?;
                }
                Ok(Value::String(text))
            }
            Self::List(items) => items
                .iter()
                .map(|item| item.render_within(scope, room))
                .collect(),
            Self::Object(entries) => {
                let mut object = Map::new();
                for (key, piece) in entries {
                    spend(room, key.len())?;
                    object.insert(key.clone(), piece.render_within(scope, room)?);
                }
                Ok(object.into())
            }
        }
    }
}

impl Part {
    fn write(&self, text: &mut String, scope: &Value) -> Result<(), String> {
        let expression = match self {
            Self::Text(part) => {
                text.push_str(part);
                return Ok(());
            }
            Self::Expression(expression) => expression,
        };
        match expression.evaluate(scope)? {
            Value::String(part) => text.push_str(&part),
            value @ (Value::Bool(_) | Value::Number(_)) => {
                write!(text, "{value}").expect("a string takes all that is written");
            }
            other => {
                return Err(format!(
                    "{} cannot be written into text",
                    evaluate::kind(&other)
                ));
            }
        }
        Ok(())
    }
}

fn spend(room: &mut usize, bytes: usize) -> Result<(), String> {
    *room = room
        .checked_sub(bytes)
        .ok_or_else(|| format!("the value is larger than {VALUE_BYTES_MAX} bytes"))?;
    Ok(())
}

/// About as many bytes as the JSON text has, and not more.
fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => 2 + items.iter().map(weight).sum::<usize>(),
        Value::Object(entries) => {
            let entries = entries.iter();
            2 + entries
                .map(|(key, value)| key.len() + 3 + weight(value))
                .sum::<usize>()
        }
    }
}

/// A part of a text as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Segment<'t> {
    /// Text, escapes resolved.
    Text(&'t str),
    /// What stands between `${{` and `}}`, and where it begins, in bytes.
    Expression(&'t str, usize),
}

/// Splits a text at its expressions; the error is the place of one that does not end.
pub(crate) fn split(text: &str) -> Result<Vec<Segment<'_>>, usize> {
    let mut segments = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find(OPEN) {
        let open = at + found;
        if open > at && text.as_bytes()[open - 1] == b'$' {
            // `$${{` is `${{` as text: the first dollar goes.
            if open - 1 > at {
                segments.push(Segment::Text(&text[at..open - 1]));
            }
            segments.push(Segment::Text(OPEN));
            at = open - 1 + ESCAPED.len();
            continue;
        }
        if open > at {
            segments.push(Segment::Text(&text[at..open]));
        }
        let begin = open + OPEN.len();
        let length = end(&text[begin..]).ok_or(open)?;
        segments.push(Segment::Expression(&text[begin..begin + length], begin));
        at = begin + length + CLOSE.len();
    }
    if at < text.len() {
        segments.push(Segment::Text(&text[at..]));
    }
    Ok(segments)
}

/// The expression that the whole text is, but for space around it.
pub(crate) fn whole<'t>(segments: &[Segment<'t>]) -> Option<(&'t str, usize)> {
    let mut found = None;
    for segment in segments {
        match segment {
            Segment::Text(text) if text.trim().is_empty() => {}
            Segment::Expression(text, at) if found.is_none() => found = Some((*text, *at)),
            _ => return None,
        }
    }
    found
}

/// Where `}}` ends an expression: outside quotes, and after every `{` was closed.
fn end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut quote, mut at) = (0_usize, None, 0);
    while let Some(byte) = bytes.get(at) {
        match quote {
            Some((_, false)) if *byte == b'\\' => at += 1,
            Some((open, _)) if *byte == open => quote = None,
            Some(_) => {}
            None => match byte {
                b'"' | b'\'' => {
                    let raw = at > 0 && matches!(bytes[at - 1], b'r' | b'R');
                    quote = Some((*byte, raw));
                }
                b'{' => depth += 1,
                b'}' if depth > 0 => depth -= 1,
                b'}' if bytes.get(at + 1) == Some(&b'}') => return Some(at),
                _ => {}
            },
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Segment::{Expression, Text};
    use super::*;

    #[test]
    fn texts_are_split_at_their_expressions() {
        for (text, segments) in [
            ("", Ok(vec![])),
            ("plain", Ok(vec![Text("plain")])),
            ("${{ a }}", Ok(vec![Expression(" a ", 3)])),
            (
                "v${{a}}-${{b}}!",
                Ok(vec![
                    Text("v"),
                    Expression("a", 4),
                    Text("-"),
                    Expression("b", 11),
                    Text("!"),
                ]),
            ),
            (
                "${{ {'a': {'b': 1}} }}",
                Ok(vec![Expression(" {'a': {'b': 1}} ", 3)]),
            ),
            ("${{ {'a': {}}}}", Ok(vec![Expression(" {'a': {}}", 3)])),
            ("${{ '}}' }}", Ok(vec![Expression(" '}}' ", 3)])),
            (r"${{ r'\' }}", Ok(vec![Expression(r" r'\' ", 3)])),
            (r#"${{ "\"}}" }}"#, Ok(vec![Expression(r#" "\"}}" "#, 3)])),
            ("$${{ a }}", Ok(vec![Text("${{"), Text(" a }}")])),
            (
                "x$${{ a }}",
                Ok(vec![Text("x"), Text("${{"), Text(" a }}")]),
            ),
            ("é${{ a", Err(2)),
            ("${{ a }", Err(0)),
            ("${{ 'a }}", Err(0)),
            ("$ {{ a }}", Ok(vec![Text("$ {{ a }}")])),
        ] {
            assert_eq!(split(text), segments, "{text}");
        }
    }
}
