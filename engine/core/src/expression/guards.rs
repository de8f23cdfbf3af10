//! What is certain wherever a question has a given answer: `has(needs.a.outputs.x)`, once it is true,
//! lets `needs.a.outputs.x` be read.

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue, operators};

use super::names::{Guard, Meaning};
use super::walk::Walk;

/// What is certain where `node` is true, or false.
pub(super) fn guards(walk: &Walk<'_>, node: &IdedExpr, answer: bool) -> Vec<Guard> {
    match &node.expr {
        Expr::Select(select) if select.test && answer => presence(walk, node).into_iter().collect(),
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_NOT, [inner]) => guards(walk, inner, !answer),
            (operators::LOGICAL_AND, [one, other]) if answer => both(walk, one, other, answer),
            (operators::LOGICAL_OR, [one, other]) if !answer => both(walk, one, other, answer),
            (operators::EQUALS, [one, other]) if answer => {
                let success = success(walk, one, other).or_else(|| success(walk, other, one));
                success.into_iter().collect()
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn both(walk: &Walk<'_>, one: &IdedExpr, other: &IdedExpr, answer: bool) -> Vec<Guard> {
    let mut found = guards(walk, one, answer);
    found.extend(guards(walk, other, answer));
    found
}

/// `has(needs.a.outputs.x)`.
fn presence(walk: &Walk<'_>, node: &IdedExpr) -> Option<Guard> {
    let chain = walk.chain(node)?;
    let (activity, at) = walk.names.resolve(&chain).ok()?.output?;
    Some(Guard {
        activity,
        output: Some(chain[at].name.clone()),
    })
}

/// `needs.a.status == "succeeded"`.
fn success(walk: &Walk<'_>, status: &IdedExpr, word: &IdedExpr) -> Option<Guard> {
    let Expr::Literal(LiteralValue::String(word)) = &word.expr else {
        return None;
    };
    let chain = walk.chain(status)?;
    let Meaning { read, taken, .. } = walk.names.resolve(&chain).ok()?;
    let (super::Read::Activity(activity), [member]) = (read, &chain[taken..]) else {
        return None;
    };
    let succeeded = member.name == "status" && word.inner() == "succeeded";
    succeeded.then_some(Guard {
        activity,
        output: None,
    })
}
