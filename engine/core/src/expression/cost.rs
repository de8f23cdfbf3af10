//! What an expression may cost, before it is parsed and before it is evaluated.
//!
//! CEL always ends, but a few characters can ask for more memory than there is:
//! `[s].map(x, x + x)`, written thirty times in a row, is a billion copies of `s`. So the size of
//! every value on the way is estimated from above, from the sizes in the actual scope.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, operators};
use serde_json::Value;

use crate::defect::{Fault, Place};
use crate::limits::{EXPRESSION_COST_MAX, EXPRESSION_DEPTH_MAX};

/// Deepest nesting that the text of an expression may ask of the parser. Its tree is measured
/// exactly afterwards; this only keeps the parser, which is recursive, well within the smallest
/// stack of a thread.
const TEXT_DEPTH_MAX: usize = 4 * EXPRESSION_DEPTH_MAX;

/// Refuses what would nest the parser too deep.
pub(super) fn check_text(text: &str) -> Result<(), Fault> {
    let bytes = text.as_bytes();
    let plain = is_plain(bytes);
    let mut nesting = Nesting {
        levels: vec![0],
        depth: 0,
        forgets: plain,
    };
    let (mut quote, mut at) = (None, 0);
    while let Some(byte) = bytes.get(at) {
        match quote {
            Some(open) if *byte == open => quote = None,
            Some(_) => {}
            None if plain && is_quote(*byte) => quote = Some(*byte),
            None => nesting.take(&bytes[at..], at.checked_sub(1).map(|before| bytes[before])),
        }
        if nesting.depth > TEXT_DEPTH_MAX || nesting.levels.len() > EXPRESSION_DEPTH_MAX {
            let message =
                format!("the expression is nested deeper than {EXPRESSION_DEPTH_MAX} levels");
            return Err(Fault::new("too-deep", Place::new(at, at), message));
        }
        at += 1;
    }
    Ok(())
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'')
}

/// Whether it is certain what is quoted: no escapes, no triple quotes, no comments, and every
/// quote closed in its line. Of other text everything is counted as if nothing were quoted, since
/// a difference from how the parser reads it could hide how deep it is.
fn is_plain(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => return false,
            b'/' if bytes.get(at + 1) == Some(&b'/') => return false,
            quote if is_quote(*quote) => {
                let end = |byte: &u8| byte == quote || matches!(byte, b'\n' | b'\r' | b'\\');
                let Some(length) = bytes[at + 1..].iter().position(end) else {
                    return false;
                };
                let triple = length == 0 && bytes.get(at + 2) == Some(quote);
                if bytes[at + 1 + length] != *quote || triple {
                    return false;
                }
                at += length + 1;
            }
            _ => {}
        }
        at += 1;
    }
    true
}

/// How deep a parser is at most: open brackets, and within each the operators so far, as if each
/// took the one before as its operand.
struct Nesting {
    levels: Vec<usize>,
    depth: usize,
    /// Whether a logical operator ends what is before it.
    forgets: bool,
}

impl Nesting {
    fn take(&mut self, rest: &[u8], before: Option<u8>) {
        match rest {
            // Logical operators are balanced by the parser, and bind weaker than what they join.
            [b'&', b'&', ..] | [b'|', b'|', ..] if self.forgets => self.reset(),
            [b'(' | b'[' | b'{', ..] => {
                self.levels.push(0);
                self.depth += 1;
            }
            [b')' | b']' | b'}', ..] => {
                let inner = self.levels.pop().unwrap_or(0);
                self.depth = self.depth.saturating_sub(inner + 1);
                // What was indexed or called is an operand again.
                self.deepen();
            }
            // No logical operator ends a conditional, so it counts for the whole expression.
            [b'?', ..] => self.depth += 1,
            [
                b'+' | b'-' | b'*' | b'/' | b'%' | b'!' | b'.' | b'<' | b'>',
                ..,
            ]
            | [b'=', b'=', ..] => self.deepen(),
            [b'i', b'n', ..] if !before.is_some_and(|byte| byte.is_ascii_alphanumeric()) => {
                self.deepen();
            }
            _ => {}
        }
    }

    fn deepen(&mut self) {
        if self.levels.is_empty() {
            self.levels.push(0);
        }
        if let Some(level) = self.levels.last_mut() {
            *level += 1;
        }
        self.depth += 1;
    }

    /// Forgets the operators since the bracket.
    fn reset(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            self.depth = self.depth.saturating_sub(*level);
            *level = 0;
        }
    }
}

/// Whether a call can give more than it is given.
pub(super) fn grows(function: &str) -> bool {
    matches!(
        function,
        "replace" | "join" | "split" | "matches" | operators::ADD
    )
}

/// Refuses an evaluation in `scope` that could cost too much.
pub(super) fn check(tree: &IdedExpr, scope: &Value) -> Result<(), String> {
    let mut estimate = Estimate {
        scope,
        bound: Vec::new(),
        work: 0.0,
    };
    estimate.size(tree);
    if estimate.work > EXPRESSION_COST_MAX {
        return Err(format!(
            "the expression could take {:.0} units of work with these values, and {EXPRESSION_COST_MAX} are allowed; use shorter lists or fewer list macros",
            estimate.work
        ));
    }
    Ok(())
}

/// How large a value is at most. Every rule below is a polynomial without negative coefficients,
/// and so convex, which is what makes the estimate of a loop an upper bound.
#[derive(Clone, Copy)]
struct Size {
    /// Items of the longest list or map in it.
    items: f64,
    /// Values and bytes of text in it.
    weight: f64,
}

const SMALL: Size = Size {
    items: 0.0,
    weight: 1.0,
};

/// A value that is known, or its size.
#[derive(Clone, Copy)]
enum Known<'s> {
    Value(&'s Value),
    Size(Size),
}

struct Estimate<'s, 't> {
    scope: &'s Value,
    bound: Vec<(&'t str, Size)>,
    work: f64,
}

impl<'s, 't> Estimate<'s, 't> {
    fn size(&mut self, node: &'t IdedExpr) -> Size {
        match self.known(node) {
            Known::Value(value) => of_value(value),
            Known::Size(size) => size,
        }
    }

    fn known(&mut self, node: &'t IdedExpr) -> Known<'s> {
        self.work += 1.0;
        Known::Size(match &node.expr {
            Expr::Ident(name) => match self.bound.iter().rev().find(|(bound, _)| bound == name) {
                Some((_, size)) => *size,
                None => {
                    return self
                        .scope
                        .get(name)
                        .map_or(Known::Size(SMALL), Known::Value);
                }
            },
            Expr::Select(select) => return field(self.known(&select.operand), &select.field),
            Expr::Call(call) => return self.call(call),
            Expr::Literal(LiteralValue::String(text)) => Size {
                items: 0.0,
                weight: float(text.inner().len() + 1),
            },
            Expr::Literal(_) | Expr::Unspecified => SMALL,
            Expr::List(list) => self.all(&list.elements),
            Expr::Map(map) => self.entries(map.entries.iter().map(|entry| &entry.expr)),
            Expr::Struct(of) => self.entries(of.entries.iter().map(|entry| &entry.expr)),
            Expr::Comprehension(part) => self.repeat(part),
        })
    }

    fn entries(&mut self, entries: impl Iterator<Item = &'t EntryExpr>) -> Size {
        let mut size = SMALL;
        for entry in entries {
            let value = match entry {
                EntryExpr::MapEntry(entry) => {
                    size.weight += self.size(&entry.key).weight;
                    self.size(&entry.value)
                }
                EntryExpr::StructField(field) => self.size(&field.value),
            };
            size.items = (size.items + 1.0).max(value.items);
            size.weight += value.weight;
        }
        size
    }

    /// A list of the values of `nodes`.
    fn all(&mut self, nodes: &'t [IdedExpr]) -> Size {
        let mut size = Size {
            items: float(nodes.len()),
            weight: 1.0,
        };
        for node in nodes {
            let item = self.size(node);
            size.items = size.items.max(item.items);
            size.weight += item.weight;
        }
        size
    }

    fn call(&mut self, call: &'t CallExpr) -> Known<'s> {
        if let (operators::INDEX, [of, index]) = (call.func_name.as_str(), call.args.as_slice()) {
            let of = self.known(of);
            self.size(index);
            return match &index.expr {
                Expr::Literal(LiteralValue::String(name)) => field(of, name.inner()),
                _ => of,
            };
        }
        let target = call.target.as_deref().into_iter();
        let sizes: Vec<Size> = target
            .chain(&call.args)
            .map(|node| self.size(node))
            .collect();
        let weight: f64 = sizes.iter().map(|size| size.weight).sum();
        let product: f64 = sizes.iter().map(|size| size.weight).product();
        let items: f64 = sizes.iter().map(|size| size.items).sum();
        let size = match call.func_name.as_str() {
            "replace" | "join" => Size {
                items,
                weight: product,
            },
            "split" => Size {
                items: weight,
                weight,
            },
            "matches" => {
                self.work += product;
                SMALL
            }
            "size"
            | "contains"
            | "startsWith"
            | "endsWith"
            | "indexOf"
            | "lastIndexOf"
            | "int"
            | "uint"
            | "double"
            | "bool"
            | "charAt"
            | operators::EQUALS
            | operators::NOT_EQUALS
            | operators::LOGICAL_AND
            | operators::LOGICAL_OR
            | operators::LOGICAL_NOT
            | operators::LESS
            | operators::LESS_EQUALS
            | operators::GREATER
            | operators::GREATER_EQUALS
            | operators::IN
            | operators::NOT_STRICTLY_FALSE => SMALL,
            _ => Size { items, weight },
        };
        self.work += weight + size.weight;
        Known::Size(size)
    }

    /// A loop: what its body costs for all items together.
    ///
    /// The items are no more together than the list. A convex function of their sizes is largest
    /// for one item that is the whole list, next to others that are nothing.
    fn repeat(&mut self, part: &'t ComprehensionExpr) -> Size {
        let range = self.size(&part.iter_range);
        let before = self.work;
        let (most, most_work) = self.body(part, range);
        let nothing = Size {
            items: 0.0,
            weight: 0.0,
        };
        let (least, least_work) = self.body(part, nothing);
        let all = |most: f64, least: f64| range.items * least + (most - least).max(0.0);
        self.work = before + all(most_work, least_work);
        let accumulated = Size {
            items: range.items.max(most.items),
            weight: 1.0 + all(most.weight, least.weight),
        };
        self.bound.push((&part.accu_var, accumulated));
        let result = self.size(&part.result);
        self.bound.pop();
        result
    }

    /// What one turn of a loop adds and how much work it is, for an item of a given size.
    fn body(&mut self, part: &'t ComprehensionExpr, item: Size) -> (Size, f64) {
        let before = std::mem::take(&mut self.work);
        let depth = self.bound.len();
        self.bound.push((&part.iter_var, item));
        if let Some(second) = &part.iter_var2 {
            self.bound.push((second, item));
        }
        let nothing = Size {
            items: 0.0,
            weight: 0.0,
        };
        self.bound.push((&part.accu_var, nothing));
        self.size(&part.loop_cond);
        let added = self.size(&part.loop_step);
        self.bound.truncate(depth);
        let work = std::mem::replace(&mut self.work, before);
        (added, work)
    }
}

/// A member of a value: known if the value is, else no larger than it.
fn field<'s>(of: Known<'s>, name: &str) -> Known<'s> {
    match of {
        Known::Value(value) => value.get(name).map_or(Known::Size(SMALL), Known::Value),
        size @ Known::Size(_) => size,
    }
}

/// The size of a JSON value; a list's items are counted wherever they are in it.
fn of_value(value: &Value) -> Size {
    let parts = |parts: &mut dyn Iterator<Item = &Value>, count: usize, keys: usize| {
        let mut size = Size {
            items: float(count),
            weight: float(1 + keys),
        };
        for part in parts {
            let part = of_value(part);
            size.items = size.items.max(part.items);
            size.weight += part.weight;
        }
        size
    };
    match value {
        Value::String(text) => Size {
            items: 0.0,
            weight: float(1 + text.len()),
        },
        Value::Array(items) => parts(&mut items.iter(), items.len(), 0),
        Value::Object(entries) => {
            let keys = entries.keys().map(|key| key.len() + 1).sum();
            parts(&mut entries.values(), entries.len(), keys)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => SMALL,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an estimate needs no exact sizes"
)]
fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_cannot_hide_behind_quotes_or_comments() {
        for text in [
            r"r'\' + ".to_owned() + &"1==".repeat(1_000) + "1 + '1'",
            r"'\q ".to_owned() + &"1==".repeat(1_000) + "1'",
            "1+'&&'==".repeat(400) + "1",
            "1+''' && '''+".repeat(300) + "1",
            "1 // '\n +".repeat(400) + "1 // '",
            "'a\n".to_owned() + &"1==".repeat(1_000),
            "(1&&1)==".repeat(400) + "1",
            "f(1&&1,[1&&1])+".repeat(300),
            "1&&1?1&&1:".repeat(300),
        ] {
            assert!(check_text(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn long_conditions_are_not_deep() {
        for text in [
            "inputs.version == '1+1' || ".repeat(150) + "true",
            format!("inputs.version in [{}]", "'1.2.3', ".repeat(400)),
            format!("inputs.text == '{}'", "+-*/.".repeat(700)),
        ] {
            assert_eq!(check_text(&text), Ok(()), "{text}");
        }
    }
}
