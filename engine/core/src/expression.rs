//! `${{ … }}`: CEL expressions and templates around them, with what they read known ahead.
//!
//! # What is in scope
//!
//! An author may spell one thing in several ways; when the process is checked, every spelling is
//! turned into one. At evaluation the scope is an object that holds, for each [`Read`]:
//!
//! | read | where | value |
//! |---|---|---|
//! | [`Read::Inputs`] | `inputs` | the inputs of the release |
//! | [`Read::Release`] | `release` | `{id, title, process, version, initiator}` |
//! | [`Read::Activity`] | `phases.PHASE.activities.ACTIVITY` | `{outputs, status}` |
//! | [`Read::Phase`] | `phases.PHASE` | `{outputs: {ACTIVITY: outputs}, status}` |
//! | [`Read::Needs`] | `needs` | `{failed, succeeded}`: what the status functions give |
//! | [`Read::Each`] | `each` | `{item, index, batch}` of an instance, `{batch}` of a gate |
//!
//! The outputs of a phase or an activity that is fanned out are a list, one entry for each item.
//!
//! [`scope()`] builds one. An activity without outputs has the
//! empty object there, so that `has(needs.a.outputs.x)` can be asked of a skipped one.

use std::sync::Arc;

use serde_json::Value;

use crate::json::Json;
use crate::process::{ActivityIx, PhaseIx};

mod cost;
mod evaluate;
mod guards;
mod names;
mod parse;
mod scope;
mod template;
mod walk;

pub(crate) use evaluate::kind;
pub(crate) use names::{EachNames, Guard, Names, PhaseNames, Purpose};
pub(crate) use parse::{Checked, Parser};
pub use scope::{Facts, scope};
pub(crate) use template::{Part, Piece, Segment, split, whole};

/// What an expression reads from the release, resolved when the process was checked, so that
/// evaluation builds no more scope than it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read {
    /// `inputs`.
    Inputs,
    /// `release`: `id`, `title`, `process`, `version`, `initiator`.
    Release,
    /// One activity: its `outputs` and `status`. Spelt `needs.ACTIVITY` inside the phase of the
    /// reader, else `needs.PHASE.activities.ACTIVITY` or `phases.PHASE.activities.ACTIVITY`.
    Activity(ActivityIx),
    /// One phase as a whole: its `status`, and `outputs` (activity name to outputs). Spelt
    /// `needs.PHASE` or `phases.PHASE`.
    Phase(PhaseIx),
    /// How the needs of the reader ended: `failed()` and `succeeded()`.
    Needs,
    /// `each`: what the instance runs for, `item`, `index` and `batch`; of a gate the `batch` that it
    /// opens.
    Each,
}

/// An expression that was checked.
#[derive(Debug)]
pub(crate) enum Compiled {
    /// A path into the scope, such as `inputs.version`: by far the most frequent expression.
    Path(Box<[Box<str>]>),
    /// Anything else.
    Cel(Box<Cel>),
}

/// A CEL expression over canonical names.
#[derive(Debug)]
pub(crate) struct Cel {
    /// The tree, with every `needs` replaced by what it stands for.
    tree: cel::IdedExpr,
    /// Whether the cost depends so much on the scope that it must be estimated first.
    costly: bool,
}

/// A condition: one expression that gives a boolean.
#[derive(Clone, Debug)]
pub struct Condition {
    expression: Arc<Compiled>,
    reads: Arc<[Read]>,
    replaces_needs: bool,
}

impl Condition {
    pub(crate) fn new(expression: Compiled, reads: Vec<Read>) -> Self {
        Self {
            expression: Arc::new(expression),
            reads: unique(reads),
            replaces_needs: false,
        }
    }

    /// The same condition, which replaces the rule of needs or does not.
    pub(crate) fn replacing_needs(self, replaces_needs: bool) -> Self {
        Self {
            replaces_needs,
            ..self
        }
    }

    /// Whether it stands in the place of the rule of needs, since it asks how they ended: then it is
    /// evaluated once all of them have ended, however that was.
    pub fn replaces_needs(&self) -> bool {
        self.replaces_needs
    }

    /// What it reads.
    pub fn reads(&self) -> &[Read] {
        &self.reads
    }

    /// Evaluates it in `scope` (an object with the variables that [`Self::reads`] names).
    pub fn holds(&self, scope: &Value) -> Result<bool, String> {
        match self.expression.evaluate(scope)? {
            Value::Bool(holds) => Ok(holds),
            other => Err(format!(
                "the condition gave {}, not true or false",
                kind(&other)
            )),
        }
    }
}

/// A JSON value whose strings may hold expressions. A string that is one whole expression keeps
/// the type of its result; otherwise results are written into the text.
#[derive(Clone, Debug)]
pub struct Template {
    piece: Arc<Piece>,
    reads: Arc<[Read]>,
    /// The text of the value, if it holds no expression.
    constant: Option<Json>,
}

impl Template {
    pub(crate) fn new(piece: Piece, reads: Vec<Read>) -> Self {
        let constant = match &piece {
            Piece::Constant(value) => Some(Json::of(value)),
            _ => None,
        };
        Self {
            piece: Arc::new(piece),
            reads: unique(reads),
            constant,
        }
    }

    /// The template of an activity without inputs.
    pub(crate) fn empty_object() -> Self {
        Self::new(Piece::object(Vec::new()), Vec::new())
    }

    /// The template of a text without expressions.
    pub(crate) fn text(text: &str) -> Self {
        Self::new(Piece::Constant(text.into()), Vec::new())
    }

    /// What it reads.
    pub fn reads(&self) -> &[Read] {
        &self.reads
    }

    /// The value, if it holds no expression: rendered once, cheap to clone.
    pub fn constant(&self) -> Option<&Json> {
        self.constant.as_ref()
    }

    /// The value of one field of an object, if `scope` is enough to know it.
    pub(crate) fn field(&self, name: &str, scope: &Value) -> Option<Value> {
        self.piece.field(name, scope)
    }

    /// The value with every expression replaced by its result.
    pub fn render(&self, scope: &Value) -> Result<Value, String> {
        self.piece.render(scope)
    }
}

fn unique(mut reads: Vec<Read>) -> Arc<[Read]> {
    reads.sort_unstable();
    reads.dedup();
    reads.into()
}

#[cfg(test)]
mod tests;
