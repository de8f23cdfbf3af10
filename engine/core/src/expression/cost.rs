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

/// Most operators in a row that the parser is given: it nests each one deeper.
const OPERATORS_MAX: usize = 8 * EXPRESSION_DEPTH_MAX;

/// Refuses what would nest the parser too deep: it is recursive, in brackets and operators alike.
pub(super) fn check_text(text: &str) -> Result<(), Fault> {
    let (mut depth, mut operators, mut quote) = (0_usize, 0_usize, None);
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match (byte, quote) {
            _ if escaped => escaped = false,
            (b'\\', Some(_)) => escaped = true,
            (byte, Some(open)) if byte == open => quote = None,
            (_, Some(_)) => {}
            (b'"' | b'\'', None) => quote = Some(byte),
            (b'(' | b'[' | b'{', None) => depth += 1,
            (b')' | b']' | b'}', None) => depth = depth.saturating_sub(1),
            (b'+' | b'-' | b'*' | b'/' | b'%' | b'!' | b'?' | b'.', None) => operators += 1,
            _ => {}
        }
        if depth > EXPRESSION_DEPTH_MAX || operators > OPERATORS_MAX {
            let message = format!("the expression is nested deeper than {EXPRESSION_DEPTH_MAX} levels");
            return Err(Fault::new("too-deep", Place::new(at, at), message));
        }
    }
    Ok(())
}

/// Whether a call can give more than it is given.
pub(super) fn grows(function: &str) -> bool {
    matches!(function, "replace" | "join" | "split" | "matches" | operators::ADD)
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
                None => return self.scope.get(name).map_or(Known::Size(SMALL), Known::Value),
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
        let sizes: Vec<Size> = target.chain(&call.args).map(|node| self.size(node)).collect();
        let weight: f64 = sizes.iter().map(|size| size.weight).sum();
        let product: f64 = sizes.iter().map(|size| size.weight).product();
        let items: f64 = sizes.iter().map(|size| size.items).sum();
        let size = match call.func_name.as_str() {
            "replace" | "join" => Size { items, weight: product },
            "split" => Size { items: weight, weight },
            "matches" => {
                self.work += product;
                SMALL
            }
            "size" | "contains" | "startsWith" | "endsWith" | "indexOf" | "lastIndexOf" | "int"
            | "uint" | "double" | "bool" | "charAt" | operators::EQUALS | operators::NOT_EQUALS
            | operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT
            | operators::LESS | operators::LESS_EQUALS | operators::GREATER
            | operators::GREATER_EQUALS | operators::IN | operators::NOT_STRICTLY_FALSE => SMALL,
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
        let nothing = Size { items: 0.0, weight: 0.0 };
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
        let nothing = Size { items: 0.0, weight: 0.0 };
        self.bound.push((&part.accu_var, nothing));
        self.size(&part.loop_cond);
        let step = self.size(&part.loop_step);
        self.bound.truncate(depth);
        let work = std::mem::replace(&mut self.work, before);
        (step, work)
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

#[expect(clippy::cast_precision_loss, reason = "an estimate needs no exact sizes")]
fn float(count: usize) -> f64 {
    count as f64
}
