//! Checks the tree of an expression and makes its names canonical.

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, SelectExpr, operators,
};
use cel::{IdedExpr, Program};

use super::names::{Link, ROOTS, quoted};
use super::{Cel, Compiled, Names, Read, cost};
use crate::defect::{Fault, Place};
use crate::limits::{EXPRESSION_DEPTH_MAX, EXPRESSION_MACROS_NESTED_MAX};
use crate::nearest::nearest;

/// The functions of the language.
pub(super) const FUNCTIONS: [&str; 38] = [
    "bool",
    "bytes",
    "charAt",
    "contains",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "hasValue",
    "indexOf",
    "int",
    "join",
    "lastIndexOf",
    "lowerAscii",
    "matches",
    "orValue",
    "replace",
    "reverse",
    "size",
    "split",
    "startsWith",
    "string",
    "substring",
    "timestamp",
    "trim",
    "type",
    "uint",
    "upperAscii",
];
/// Functions that the parser replaces, with how they are written. A call of one that is left has
/// the wrong arguments.
const MACROS: [(&str, &str); 7] = [
    ("all", "LIST.all(x, CONDITION)"),
    ("exists", "LIST.exists(x, CONDITION)"),
    ("existsOne", "LIST.existsOne(x, CONDITION)"),
    ("exists_one", "LIST.exists_one(x, CONDITION)"),
    ("filter", "LIST.filter(x, CONDITION)"),
    ("has", "has(VALUE.FIELD)"),
    ("map", "LIST.map(x, VALUE)"),
];
/// Functions that replace the rule of needs: not yet supported.
const STATUS_FUNCTIONS: [&str; 6] = [
    "always",
    "aborted",
    "cancelled",
    "failed",
    "succeeded",
    "success",
];
/// Names that stand for types.
const TYPES: [&str; 10] = [
    "bool",
    "bytes",
    "double",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "type",
    "uint",
];

/// One walk over one expression.
pub(super) struct Walk<'w> {
    program: &'w Program,
    names: &'w Names<'w>,
    /// Variables of the list macros around the node at hand.
    bound: Vec<String>,
    /// List macros around the node at hand.
    nested: usize,
    costly: bool,
    reads: Vec<Read>,
    faults: Vec<Fault>,
}

impl<'w> Walk<'w> {
    pub(super) fn new(program: &'w Program, names: &'w Names<'w>) -> Self {
        Self {
            program,
            names,
            bound: Vec::new(),
            nested: 0,
            costly: false,
            reads: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// The checked expression and what it reads, or what is wrong with it.
    pub(super) fn run(mut self) -> Result<(Compiled, Vec<Read>), Vec<Fault>> {
        let root = self.program.expression();
        if is_deeper(root, EXPRESSION_DEPTH_MAX) {
            let message =
                format!("the expression is nested deeper than {EXPRESSION_DEPTH_MAX} levels");
            return Err(vec![Fault::new("too-deep", Place::default(), message)]);
        }
        let mut tree = root.clone();
        self.visit(&mut tree);
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        let costly = self.costly;
        Ok((Compiled::Cel(Box::new(Cel { tree, costly })), self.reads))
    }

    fn visit(&mut self, node: &mut IdedExpr) {
        if let Some(chain) = self.chain(node) {
            match self.names.resolve(&chain) {
                Ok(meaning) => {
                    self.reads.push(meaning.read);
                    if meaning.taken > 1 {
                        replace(node, chain.len() - meaning.taken, &meaning.canonical);
                    }
                }
                Err(fault) => self.faults.push(fault),
            }
            return;
        }
        let place = self.place(node);
        match &mut node.expr {
            Expr::Ident(name) => self.variable(name, place),
            Expr::Select(select) => self.visit(&mut select.operand),
            Expr::Call(call) => self.call(call, place),
            Expr::List(list) => list.elements.iter_mut().for_each(|node| self.visit(node)),
            Expr::Map(map) => {
                for entry in &mut map.entries {
                    if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                        self.visit(&mut entry.key);
                        self.visit(&mut entry.value);
                    }
                }
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension, place),
            Expr::Struct(of) => {
                let message = format!("there is no type {}", quoted(&of.type_name));
                self.faults.push(Fault::new("unknown-name", place, message));
            }
            Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    /// The names from a root to `node`, if it is such a chain.
    fn chain(&self, node: &IdedExpr) -> Option<Vec<Link>> {
        let mut chain = Vec::new();
        let mut node = node;
        loop {
            let place = self.place(node);
            let (name, place, next) = match &node.expr {
                Expr::Ident(name) => (name.as_str(), place, None),
                Expr::Select(select) => {
                    let place = self.field_place(&select.field, place);
                    (select.field.as_str(), place, Some(&*select.operand))
                }
                Expr::Call(call) => {
                    let (of, name) = literal_index(call)?;
                    (name, self.place(&call.args[1]), Some(of))
                }
                _ => return None,
            };
            chain.push(Link {
                name: name.to_owned(),
                place,
            });
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        chain.reverse();
        let root = chain[0].name.as_str();
        let free = ROOTS.contains(&root) && !self.is_bound(root);
        free.then_some(chain)
    }

    fn is_bound(&self, name: &str) -> bool {
        self.bound.iter().any(|bound| bound == name)
    }

    fn place(&self, node: &IdedExpr) -> Place {
        let range = self.program.source_info().offset_for(node.id);
        range.map_or(Place::default(), |(start, stop)| {
            Place::new(start as usize, stop as usize + 1)
        })
    }

    /// The place of a field, of whose selection only the dot is known.
    fn field_place(&self, field: &str, dot: Place) -> Place {
        let text = self.program.source_info().source.as_str();
        let found = text.get(dot.start..).and_then(|rest| rest.find(field));
        found.map_or(dot, |at| {
            Place::new(dot.start + at, dot.start + at + field.len())
        })
    }

    /// The place of a function's name, of whose call only the bracket or the dot is known.
    fn function_place(&self, name: &str, at: Place) -> Place {
        let text = self.program.source_info().source.as_str();
        if text
            .get(..at.start)
            .is_some_and(|before| before.ends_with(name))
        {
            return Place::new(at.start - name.len(), at.start);
        }
        self.field_place(name, at)
    }

    /// The word before a bracket: the name of the macro, which the tree does not keep.
    fn word_before(&self, at: Place) -> Place {
        let text = self.program.source_info().source.as_bytes();
        let before = text.get(..at.start).unwrap_or_default();
        let word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        let length = before.iter().rev().take_while(word).count();
        Place::new(at.start - length, at.start)
    }

    fn variable(&mut self, name: &str, place: Place) {
        if self.is_bound(name) || TYPES.contains(&name) {
            return;
        }
        if name == "each" {
            let message = "`each` is not supported by this version";
            self.faults
                .push(Fault::new("not-supported", place, message));
            return;
        }
        let text = self.program.source_info().source.as_str();
        let after_minus = text[..place.start.min(text.len())].ends_with('-');
        let known = ROOTS
            .into_iter()
            .chain(self.bound.iter().map(String::as_str));
        let fault = Fault::new(
            "unknown-name",
            place,
            format!("there is no variable {}", quoted(name)),
        );
        let fault = match nearest(name, known) {
            None if after_minus => fault.hint("a name with a hyphen goes in brackets: `needs[\"sign-off\"]`"),
            None => fault.hint("an expression starts from `inputs`, `needs`, `phases` or `release`; text goes in quotes"),
            near => fault.near(near),
        };
        self.faults.push(fault);
    }

    fn call(&mut self, call: &mut CallExpr, place: Place) {
        let name = call.func_name.as_str();
        let place = self.function_place(name, place);
        let operator = name.starts_with(['_', '@', '!', '-']);
        if STATUS_FUNCTIONS.contains(&name) {
            let message = format!("`{name}()` is not supported by this version");
            let hint = "a condition is asked once all needs are satisfied";
            self.faults
                .push(Fault::new("not-supported", place, message).hint(hint));
        } else if let Some((_, form)) = MACROS.iter().find(|(known, _)| *known == name) {
            let message = format!("`{name}` has the wrong arguments");
            let hint = format!("it is written `{form}`");
            let fault = Fault::new("bad-expression", place, message);
            self.faults.push(fault.hint(hint));
            return;
        } else if !operator && !FUNCTIONS.contains(&name) {
            let message = format!("there is no function {}", quoted(name));
            let macros = MACROS.iter().map(|(name, _)| *name);
            let near = nearest(name, FUNCTIONS.into_iter().chain(macros));
            let fault = Fault::new("unknown-function", place, message);
            self.faults.push(fault.near(near));
        }
        self.costly |= cost::grows(name);
        for node in call.target.as_deref_mut().into_iter().chain(&mut call.args) {
            self.visit(node);
        }
    }

    fn comprehension(&mut self, part: &mut ComprehensionExpr, place: Place) {
        self.costly = true;
        let place = self.word_before(place);
        self.visit(&mut part.iter_range);
        if self.nested == EXPRESSION_MACROS_NESTED_MAX {
            let message =
                format!("list macros are nested deeper than {EXPRESSION_MACROS_NESTED_MAX} levels");
            self.faults.push(Fault::new("too-deep", place, message));
            return;
        }
        let variables = [Some(&part.iter_var), part.iter_var2.as_ref()];
        for name in variables.into_iter().flatten() {
            if ROOTS.contains(&name.as_str()) || name == "each" {
                let message = format!("the variable of a list macro cannot be called `{name}`");
                self.faults
                    .push(Fault::new("bad-expression", place, message));
            }
        }
        let before = self.bound.len();
        self.bound.extend(variables.into_iter().flatten().cloned());
        self.bound.push(part.accu_var.clone());
        self.nested += 1;
        self.visit(&mut part.accu_init);
        self.visit(&mut part.loop_cond);
        self.visit(&mut part.loop_step);
        self.visit(&mut part.result);
        self.nested -= 1;
        self.bound.truncate(before);
    }
}

/// What is indexed and the name, for an index that is a literal text.
fn literal_index(call: &CallExpr) -> Option<(&IdedExpr, &str)> {
    match (call.func_name.as_str(), call.args.as_slice()) {
        (operators::INDEX, [of, index]) => match &index.expr {
            Expr::Literal(LiteralValue::String(name)) => Some((of, name.inner())),
            _ => None,
        },
        _ => None,
    }
}

/// Puts a chain of names in the place of the node `levels` below `node`.
fn replace(node: &mut IdedExpr, levels: usize, names: &[String]) {
    let mut node = node;
    for _ in 0..levels {
        node = match &mut node.expr {
            Expr::Select(select) => &mut select.operand,
            Expr::Call(call) => &mut call.args[0],
            _ => unreachable!("a chain is made of selections and indexes"),
        };
    }
    let id = node.id;
    let mut names = names.iter().cloned();
    let mut tree = Expr::Ident(names.next().unwrap_or_default());
    for field in names {
        tree = Expr::Select(SelectExpr {
            operand: Box::new(IdedExpr { id, expr: tree }),
            field,
            test: false,
        });
    }
    node.expr = tree;
}

/// Whether the tree is deeper than `levels`; it is not followed any further.
fn is_deeper(node: &IdedExpr, levels: usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else {
        return true;
    };
    let deeper = |node: &IdedExpr| is_deeper(node, levels);
    match &node.expr {
        Expr::Select(select) => deeper(&select.operand),
        Expr::Call(call) => call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .any(deeper),
        Expr::List(list) => list.elements.iter().any(deeper),
        Expr::Map(map) => map.entries.iter().any(|entry| match &entry.expr {
            EntryExpr::MapEntry(entry) => deeper(&entry.key) || deeper(&entry.value),
            EntryExpr::StructField(field) => deeper(&field.value),
        }),
        Expr::Struct(of) => of.entries.iter().any(|entry| match &entry.expr {
            EntryExpr::MapEntry(entry) => deeper(&entry.key) || deeper(&entry.value),
            EntryExpr::StructField(field) => deeper(&field.value),
        }),
        // A macro adds a few levels of its own, which are not the author's.
        Expr::Comprehension(part) => [
            &part.iter_range,
            &part.accu_init,
            &part.loop_cond,
            &part.loop_step,
            &part.result,
        ]
        .into_iter()
        .any(deeper),
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => false,
    }
}
