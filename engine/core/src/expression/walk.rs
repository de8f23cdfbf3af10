//! Checks the tree of an expression and makes its names canonical.

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, SelectExpr, operators,
};
use cel::{IdedExpr, Program};

use super::guards::guards;
use super::names::{Guard, Link, ROOTS, quoted, reads_status};
use super::{Cel, Checked, Compiled, Names, Purpose, Read, cost};
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
/// Functions that ask how needs ended, in a condition.
const STATUS_FUNCTIONS: [&str; 3] = ["always", "failed", "succeeded"];
/// What other products call them.
const STATUS_FUNCTIONS_ELSEWHERE: [(&str, &str); 4] = [
    (
        "aborted",
        "nothing runs any more when a release was aborted",
    ),
    (
        "cancelled",
        "nothing runs any more when a release was aborted",
    ),
    ("failure", "did you mean `failed`?"),
    ("success", "did you mean `succeeded`?"),
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
    pub(super) names: &'w Names<'w>,
    /// What the expression itself has asked for, around the node at hand.
    guards: Vec<Guard>,
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
            guards: Vec::new(),
            bound: Vec::new(),
            nested: 0,
            costly: false,
            reads: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// The checked expression and what it reads, or what is wrong with it.
    pub(super) fn run(mut self) -> Result<Checked, Vec<Fault>> {
        let root = self.program.expression();
        if is_deeper(root, EXPRESSION_DEPTH_MAX) {
            let message =
                format!("the expression is nested deeper than {EXPRESSION_DEPTH_MAX} levels");
            return Err(vec![Fault::new("too-deep", Place::default(), message)]);
        }
        let guards = match self.names.purpose {
            Purpose::Condition => guards(&self, root, true),
            Purpose::Value | Purpose::Outputs => Vec::new(),
        };
        let mut tree = root.clone();
        self.visit(&mut tree);
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        let costly = self.costly;
        Ok(Checked {
            compiled: Compiled::Cel(Box::new(Cel { tree, costly })),
            reads: self.reads,
            guards,
        })
    }

    fn visit(&mut self, node: &mut IdedExpr) {
        if let Some(chain) = self.chain(node) {
            self.name(node, &chain);
            return;
        }
        let place = self.place(node);
        if let Expr::Call(call) = &node.expr
            && call.target.is_none()
            && STATUS_FUNCTIONS.contains(&call.func_name.as_str())
        {
            node.expr = self.status_function(call, place);
            return;
        }
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

    /// A chain of names: it means something, and what it reads is there.
    fn name(&mut self, node: &mut IdedExpr, chain: &[Link]) {
        let meaning = match self.names.resolve(chain) {
            Ok(meaning) => meaning,
            Err(fault) => return self.faults.push(fault),
        };
        self.reads.push(meaning.read);
        let asked = matches!(&node.expr, Expr::Select(select) if select.test);
        let asks_for_output = asked && meaning.output.is_some_and(|(_, at)| at + 1 == chain.len());
        if !asks_for_output
            && let Err(fault) = self.names.check_certain(chain, &meaning, &self.guards)
        {
            self.faults.push(fault);
        }
        if meaning.taken > 1 {
            replace(node, chain.len() - meaning.taken, &meaning.canonical);
        }
    }

    /// What stands in the tree for a call of `always`, `failed` or `succeeded`.
    fn status_function(&mut self, call: &CallExpr, place: Place) -> Expr {
        let name = call.func_name.as_str();
        let place = self.function_place(name, place);
        let fault = |code, message: String| Fault::new(code, place, message);
        if !call.args.is_empty() {
            let fault = fault("bad-expression", format!("`{name}` takes no arguments"));
            self.faults
                .push(fault.hint("it looks at all needs; for one of them, compare its `status`"));
        } else if self.names.purpose != Purpose::Condition {
            let fault = fault(
                "misplaced-function",
                format!("`{name}()` belongs in an `if`"),
            );
            self.faults
                .push(fault.hint("elsewhere, read `needs.NAME.status`"));
        } else if self.names.needs_nothing && name == "failed" {
            let message = "`failed()` is never true here, since nothing is needed".to_owned();
            let fault = fault("never-true", message);
            self.faults.push(fault.hint("add what may fail to `needs`"));
        }
        if name == "always" {
            return Expr::Literal(LiteralValue::Boolean(true.into()));
        }
        self.reads.push(Read::Needs);
        names_as_tree(["needs", name].map(str::to_owned), 0)
    }

    /// The names from a root to `node`, if it is such a chain.
    pub(super) fn chain(&self, node: &IdedExpr) -> Option<Vec<Link>> {
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
        if let Some((_, form)) = MACROS.iter().find(|(known, _)| *known == name) {
            let message = format!("`{name}` has the wrong arguments");
            let hint = format!("it is written `{form}`");
            let fault = Fault::new("bad-expression", place, message);
            self.faults.push(fault.hint(hint));
            return;
        } else if !operator && !FUNCTIONS.contains(&name) {
            let message = format!("there is no function {}", quoted(name));
            let macros = MACROS.iter().map(|(name, _)| *name);
            let known = FUNCTIONS.into_iter().chain(STATUS_FUNCTIONS);
            let near = nearest(name, known.chain(macros));
            let fault = Fault::new("unknown-function", place, message);
            let mut elsewhere = STATUS_FUNCTIONS_ELSEWHERE.iter();
            self.faults
                .push(match elsewhere.find(|(known, _)| *known == name) {
                    Some((_, hint)) => fault.hint(*hint),
                    None => fault.near(near),
                });
        }
        self.costly |= cost::grows(name);
        self.operands(call);
    }

    /// The operands of a call. What stands behind a question is only looked at when the answer lets
    /// it: there the question is a guard.
    fn operands(&mut self, call: &mut CallExpr) {
        let before = self.guards.len();
        let answers = match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, [question, _]) => vec![guards(self, question, true)],
            (operators::LOGICAL_OR, [question, _]) => vec![guards(self, question, false)],
            (operators::CONDITIONAL, [question, _, _]) => {
                vec![guards(self, question, true), guards(self, question, false)]
            }
            _ => Vec::new(),
        };
        let mut answers = answers.into_iter();
        let operands = call.target.as_deref_mut().into_iter().chain(&mut call.args);
        for (position, node) in operands.enumerate() {
            if position > 0 {
                self.guards.extend(answers.next().unwrap_or_default());
            }
            self.visit(node);
            self.guards.truncate(before);
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
            if ROOTS.contains(&name.as_str()) {
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
    node.expr = names_as_tree(names.iter().cloned(), node.id);
}

/// A chain of names as a tree.
fn names_as_tree(names: impl IntoIterator<Item = String>, id: u64) -> Expr {
    let mut names = names.into_iter();
    let mut tree = Expr::Ident(names.next().unwrap_or_default());
    for field in names {
        tree = Expr::Select(SelectExpr {
            operand: Box::new(IdedExpr { id, expr: tree }),
            field,
            test: false,
        });
    }
    tree
}

/// Whether the expression asks how needs ended. One that is nested too deep asks nothing.
pub(super) fn asks_status(program: &Program) -> bool {
    let root = program.expression();
    !is_deeper(root, EXPRESSION_DEPTH_MAX) && asks(root)
}

fn asks(node: &IdedExpr) -> bool {
    let asked = match &node.expr {
        Expr::Call(call) => {
            call.target.is_none() && STATUS_FUNCTIONS.contains(&call.func_name.as_str())
        }
        _ => false,
    };
    asked
        || plain_chain(node).is_some_and(|chain| reads_status(&chain))
        || below(node).into_iter().any(asks)
}

/// The names of which `node` is a chain, from whatever they start.
fn plain_chain(node: &IdedExpr) -> Option<Vec<&str>> {
    let (mut chain, mut node) = (Vec::new(), node);
    loop {
        node = match &node.expr {
            Expr::Ident(name) => {
                chain.push(name.as_str());
                chain.reverse();
                return Some(chain);
            }
            Expr::Select(select) => {
                chain.push(select.field.as_str());
                &select.operand
            }
            Expr::Call(call) => {
                let (of, name) = literal_index(call)?;
                chain.push(name);
                of
            }
            _ => return None,
        };
    }
}

/// Whether the tree is deeper than `levels`; it is not followed any further.
fn is_deeper(node: &IdedExpr, levels: usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else {
        return true;
    };
    below(node).into_iter().any(|node| is_deeper(node, levels))
}

/// The nodes right below `node`.
fn below(node: &IdedExpr) -> Vec<&IdedExpr> {
    match &node.expr {
        Expr::Select(select) => vec![&select.operand],
        Expr::Call(call) => call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .collect(),
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map
            .entries
            .iter()
            .flat_map(|entry| of_entry(&entry.expr))
            .collect(),
        Expr::Struct(of) => of
            .entries
            .iter()
            .flat_map(|entry| of_entry(&entry.expr))
            .collect(),
        // A macro adds a few levels of its own, which are not the author's.
        Expr::Comprehension(part) => vec![
            &part.iter_range,
            &part.accu_init,
            &part.loop_cond,
            &part.loop_step,
            &part.result,
        ],
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => Vec::new(),
    }
}

fn of_entry(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
        EntryExpr::StructField(field) => vec![&field.value],
    }
}
