//! Expressions of a document: checked against the names around them, their faults put into place.

use std::collections::{BTreeMap, BTreeSet};

use super::certain::{Certain, Conditions, Traits};
use super::needs::Needs;
use crate::defect::{Fault, Place};
use crate::expression::{
    Checked, Condition, Guard, Names, Parser, Part, Piece, Purpose, Read, Segment, Template, split,
    whole,
};
use crate::process::document::Document;
use crate::process::graph::Moment;
use crate::process::locks;
use crate::process::read;
use crate::process::source::Findings;
use crate::process::tree::{Node, Tree};
use crate::process::{ActivityIx, OnFailure, PhaseIx};

/// Whose expression it is.
#[derive(Clone, Copy)]
pub(super) enum Reader {
    /// An activity, in that phase.
    Activity(ActivityIx, PhaseIx),
    /// The items and the condition of an activity that is fanned out: once for all of them.
    Group(ActivityIx, PhaseIx),
    /// What stands between the batches of an activity.
    Gate(ActivityIx, PhaseIx),
    /// What is called on the way back of an activity, which may read what the activity gave.
    Undo(ActivityIx, PhaseIx),
    /// A phase, before it begins.
    Phase(PhaseIx),
    /// What stands between the batches of a phase.
    PhaseGate(PhaseIx),
    /// The locks of a phase: of each instance, if it is fanned out.
    PhaseLocks(PhaseIx),
    /// The process, before anything has happened.
    Start,
    /// The process, after everything.
    Process,
}

impl Reader {
    /// The reader of what an activity evaluates once for all its items.
    pub(super) fn once_for_all(self) -> Self {
        match self {
            Self::Activity(ix, phase) => Self::Group(ix, phase),
            other => other,
        }
    }

    /// The reader of the gate of an activity.
    pub(super) fn gate(self) -> Self {
        match self {
            Self::Activity(ix, phase) => Self::Gate(ix, phase),
            other => other,
        }
    }
}

/// Compiles the expressions of one document.
pub(super) struct Expressions<'d, 'n> {
    parser: Parser,
    inputs: BTreeSet<&'d str>,
    needs: &'d Needs<'d, 'n>,
    certain: Certain,
    guards: Guards,
}

/// What conditions make certain.
#[derive(Default)]
struct Guards {
    phases: BTreeMap<PhaseIx, Vec<Guard>>,
    /// Of the activity at hand.
    own: Option<(ActivityIx, Vec<Guard>)>,
}

impl<'d, 'n> Expressions<'d, 'n> {
    /// `doubts` says whether outputs that may not be there are looked for.
    pub(super) fn new(document: &Document<'d>, needs: &'d Needs<'d, 'n>, doubts: bool) -> Self {
        let inputs = match document.inputs.map(|node| &node.tree) {
            Some(Tree::Map(entries)) => entries.iter().map(|entry| entry.key.as_str()).collect(),
            _ => BTreeSet::new(),
        };
        let mut parser = Parser::default();
        let conditions = conditions(needs, &mut parser);
        Self {
            parser,
            inputs,
            needs,
            certain: Certain::new(conditions, needs, doubts),
            guards: Guards::default(),
        }
    }

    /// A condition, with or without `${{ }}` around it.
    pub(super) fn condition(
        &mut self,
        node: &Node,
        reader: Reader,
        findings: &mut Findings<'_, '_>,
    ) -> Option<Condition> {
        let text = match &node.tree {
            Tree::Text(text) => text.as_str(),
            Tree::Bool(true) => "true",
            Tree::Bool(false) => "false",
            Tree::Broken => return None,
            _ => {
                findings.add(read::wrong_type(node, "`if`", "an expression"));
                return None;
            }
        };
        let segments = segments(node, text, findings)?;
        let (expression, at) = match whole(&segments) {
            Some(expression) => expression,
            None if !text.contains("${{") => (text, 0),
            None => {
                let message = "`if` must be one expression, without text around it";
                findings.add(
                    Fault::new("bad-expression", node.place, message)
                        .hint("write the whole condition between one `${{` and `}}`"),
                );
                return None;
            }
        };
        let names = (Purpose::Condition, reader);
        let checked = self.compile((node, text), (expression, at), names, findings)?;
        match reader {
            Reader::Activity(ix, _) | Reader::Group(ix, _) => {
                self.guards.own = Some((ix, checked.guards));
            }
            Reader::Phase(ix) => drop(self.guards.phases.insert(ix, checked.guards)),
            Reader::Undo(..)
            | Reader::Gate(..)
            | Reader::PhaseGate(_)
            | Reader::PhaseLocks(_)
            | Reader::Process
            | Reader::Start => {}
        }
        let replaces_needs = reader
            .moment()
            .is_some_and(|moment| self.certain.replaces_needs(moment));
        let condition = Condition::new(checked.compiled, checked.reads);
        Some(condition.replacing_needs(replaces_needs))
    }

    /// A value with expressions in it; what is wrong is noted, and null stands in its place.
    pub(super) fn template(
        &mut self,
        node: &Node,
        reader: Reader,
        findings: &mut Findings<'_, '_>,
    ) -> Template {
        let mut reads = Vec::new();
        let piece = self.piece(node, reader, (&mut reads, findings));
        Template::new(piece, reads)
    }

    /// Text with expressions in it; `what` is what messages call it.
    pub(super) fn text(
        &mut self,
        node: &Node,
        what: &str,
        reader: Reader,
        findings: &mut Findings<'_, '_>,
    ) -> Template {
        if !matches!(node.tree, Tree::Text(_) | Tree::Broken) {
            findings.add(read::wrong_type(node, what, "text"));
        }
        self.template(node, reader, findings)
    }

    /// The names of locks; those without expressions are checked at once.
    pub(super) fn locks(
        &mut self,
        nodes: &[Node],
        reader: Reader,
        findings: &mut Findings<'_, '_>,
    ) -> Vec<Template> {
        let mut locks = Vec::new();
        for node in nodes {
            let template = self.text(node, "a lock", reader, findings);
            let constant = node.text().filter(|text| !text.contains("${{"));
            if let Some(fault) = constant.and_then(locks::fault) {
                findings.add(Fault::new("bad-name", node.place, fault));
            }
            locks.push(template);
        }
        locks
    }

    /// The outputs of the process.
    pub(super) fn outputs(
        &mut self,
        node: &Node,
        findings: &mut Findings<'_, '_>,
    ) -> Option<Template> {
        if matches!(node.tree, Tree::Null) {
            return None;
        }
        read::entries(node, "`outputs`", findings)?;
        Some(self.template(node, Reader::Process, findings))
    }

    fn piece(
        &mut self,
        node: &Node,
        reader: Reader,
        (reads, findings): (&mut Vec<Read>, &mut Findings<'_, '_>),
    ) -> Piece {
        match &node.tree {
            Tree::Text(text) if text.contains("${{") => {
                self.text_piece((node, text), reader, (reads, findings))
            }
            Tree::List(items) => {
                let items = items.iter();
                Piece::list(
                    items
                        .map(|item| self.piece(item, reader, (reads, findings)))
                        .collect(),
                )
            }
            Tree::Map(entries) => Piece::object(
                entries
                    .iter()
                    .map(|entry| {
                        if entry.key.contains("${{") {
                            findings
                                .add(read::not_supported(entry.place, "an expression in a key"));
                        }
                        let piece = self.piece(&entry.node, reader, (reads, findings));
                        (entry.key.clone(), piece)
                    })
                    .collect(),
            ),
            _ => Piece::Constant(node.to_json()),
        }
    }

    fn text_piece(
        &mut self,
        (node, text): (&Node, &str),
        reader: Reader,
        (reads, findings): (&mut Vec<Read>, &mut Findings<'_, '_>),
    ) -> Piece {
        let broken = Piece::Constant(serde_json::Value::Null);
        let Some(segments) = segments(node, text, findings) else {
            return broken;
        };
        let names = (Purpose::Value, reader);
        if let Some(expression) = whole(&segments) {
            let compiled = self.compile((node, text), expression, names, findings);
            return compiled.map_or(broken, |checked| {
                reads.extend(checked.reads);
                Piece::Whole(checked.compiled)
            });
        }
        let mut parts = Vec::new();
        for segment in segments {
            match segment {
                Segment::Text(text) => parts.push(Part::Text(text.to_owned())),
                Segment::Expression(expression, at) => {
                    let compiled = self.compile((node, text), (expression, at), names, findings);
                    if let Some(checked) = compiled {
                        reads.extend(checked.reads);
                        parts.push(Part::Expression(checked.compiled));
                    }
                }
            }
        }
        Piece::text(parts)
    }

    fn compile(
        &mut self,
        within: (&Node, &str),
        (expression, at): (&str, usize),
        (purpose, reader): (Purpose, Reader),
        findings: &mut Findings<'_, '_>,
    ) -> Option<Checked> {
        if findings.is_full() {
            // What is found from here on would only be counted, and finding it takes time.
            findings.leave_out();
            return None;
        }
        let needs = self.needs;
        let moment = reader.moment();
        let own =
            |read| matches!((reader, read), (Reader::Undo(ix, _), Read::Activity(of)) if of == ix);
        let upstream = |read| match moment {
            _ if own(read) => true,
            Some(moment) => needs.is_upstream(read, moment),
            None => matches!(reader, Reader::Process),
        };
        let certain = &self.certain;
        // Whether the activity itself gave something is not known before; the way back finds out.
        let doubt = |activity| {
            let own = own(Read::Activity(activity));
            certain.doubt(activity, moment).filter(|_| !own)
        };
        let names = Names {
            purpose: if matches!(reader, Reader::Process) {
                Purpose::Outputs
            } else {
                purpose
            },
            inputs: &self.inputs,
            phases: &needs.names,
            phase: reader
                .phase()
                .map(|phase| needs.parts.phase_name(phase).text),
            each: needs.each(reader),
            upstream: &upstream,
            doubt: &doubt,
            guards: self.guards.around(reader),
            needs_nothing: needs.is_root(reader),
        };
        match self.parser.compile(expression, &names) {
            Ok(checked) => Some(checked),
            Err(faults) => {
                for mut fault in faults {
                    fault.place = locate(findings.source.text, within, at, fault.place);
                    findings.add(fault);
                }
                None
            }
        }
    }
}

impl Guards {
    /// What the conditions around `reader` make certain.
    fn around(&self, reader: Reader) -> [&[Guard]; 2] {
        let of_phase = reader.phase().and_then(|phase| self.phases.get(&phase));
        let own = match (reader, &self.own) {
            (
                Reader::Activity(ix, _)
                | Reader::Undo(ix, _)
                | Reader::Group(ix, _)
                | Reader::Gate(ix, _),
                Some((of, guards)),
            ) if ix == *of => guards.as_slice(),
            _ => &[],
        };
        [of_phase.map_or(&[], Vec::as_slice), own]
    }
}

impl Reader {
    /// When its expressions are evaluated; nothing for the end of the release.
    pub(super) fn moment(self) -> Option<Moment> {
        match self {
            Self::Activity(ix, _) | Self::Undo(ix, _) | Self::Group(ix, _) | Self::Gate(ix, _) => {
                Some(Moment::Activity(ix.0))
            }
            Self::Phase(ix) | Self::PhaseGate(ix) | Self::PhaseLocks(ix) => {
                Some(Moment::Begin(ix.0))
            }
            Self::Process | Self::Start => None,
        }
    }

    /// The phase whose activities it knows by their name alone.
    fn phase(self) -> Option<PhaseIx> {
        match self {
            Self::Activity(_, phase)
            | Self::Undo(_, phase)
            | Self::Group(_, phase)
            | Self::Gate(_, phase) => Some(phase),
            Self::Phase(_)
            | Self::PhaseGate(_)
            | Self::PhaseLocks(_)
            | Self::Process
            | Self::Start => None,
        }
    }
}

/// What the conditions of a document mean for needs, before any of them is checked.
fn conditions(needs: &Needs<'_, '_>, parser: &mut Parser) -> Conditions {
    let mut traits = |condition: Option<&Node>, on_failure| Traits {
        conditional: condition.is_some(),
        replaces_needs: condition
            .and_then(condition_text)
            .is_some_and(|text| parser.asks_status(text)),
        continues: on_failure == OnFailure::Continue,
    };
    let phases = needs.parts.phases.iter();
    let activities = needs.parts.activities.iter();
    Conditions {
        phases: phases
            .map(|phase| traits(phase.condition, OnFailure::default()))
            .collect(),
        activities: activities
            .map(|(_, activity)| traits(activity.condition, activity.on_failure))
            .collect(),
    }
}

/// The expression of a condition, if it is one.
fn condition_text(node: &Node) -> Option<&str> {
    let Tree::Text(text) = &node.tree else {
        return None;
    };
    let segments = split(text).ok()?;
    let whole = whole(&segments).map(|(expression, _)| expression);
    whole.or_else(|| (!text.contains("${{")).then_some(text))
}

fn segments<'t>(
    node: &Node,
    text: &'t str,
    findings: &mut Findings<'_, '_>,
) -> Option<Vec<Segment<'t>>> {
    split(text)
        .map_err(|at| {
            let place = locate(findings.source.text, (node, text), at, Place::new(0, 3));
            findings.add(
                Fault::new("bad-expression", place, "this expression does not end")
                    .hint("it ends with `}}`; quotes and braces in it must be closed"),
            );
        })
        .ok()
}

/// Where in the document a place within an expression is. The expression begins at `at` in the
/// value of `node`. Quotes, escapes and line folding make a value differ from how it is written,
/// so both are followed side by side; where they part, that is as exact as it gets.
fn locate(source: &str, (node, value): (&Node, &str), at: usize, place: Place) -> Place {
    let Some(written) = source.get(node.place.start..node.place.end) else {
        return node.place;
    };
    // Nothing before the first `${{` matters, and it stands the same way in every notation.
    let opened = value[..at].matches("${{").count();
    let (mut in_value, mut in_source) = match opened.checked_sub(1) {
        None => (
            0,
            written
                .find(value.trim_start().get(..1).unwrap_or_default())
                .unwrap_or(0),
        ),
        Some(before) => (
            value[..at].rfind("${{").unwrap_or(0),
            written
                .match_indices("${{")
                .nth(before)
                .map_or(0, |(at, _)| at),
        ),
    };
    let (start, end) = (at + place.start, at + place.end);
    let mut found = Place::new(in_source, in_source);
    while in_value <= end.max(start) {
        if in_value <= start {
            found = Place::new(in_source, in_source);
        }
        found.end = in_source.max(found.start);
        let (Some(one), Some(other)) = (
            value[in_value..].chars().next(),
            written[in_source..].chars().next(),
        ) else {
            break;
        };
        if one.is_whitespace() && other.is_whitespace() {
            in_value += one.len_utf8();
            in_source += other.len_utf8();
            let folded = |text: &str| text.len() - text.trim_start().len();
            if other == '\n' || other == '\r' {
                in_source += folded(&written[in_source..]);
            }
        } else if one == other {
            in_value += one.len_utf8();
            in_source += other.len_utf8();
            if one == '\'' && written.starts_with('\'') && written[in_source..].starts_with('\'') {
                in_source += 1;
            }
        } else if other == '\\' {
            in_source += 1;
        } else {
            break;
        }
    }
    Place::new(node.place.start + found.start, node.place.start + found.end)
}
