//! Document to [`Process`], or every defect at once.

use std::sync::Arc;

use crate::component::{Descriptor, Uses};
use crate::defect::{Defect, Fault, Place};
use crate::expression::{Condition, Template};
use crate::id::{Digest, Name};
use crate::limits::DOCUMENT_BYTES_MAX;
use crate::time::Timestamp;

use super::definition::Definition;
use super::document::activity::{ActivityPart, ComponentPart, KindPart};
use super::document::manual::ManualPart;
use super::document::undo::UndoPart;
use super::document::wait::WaitPart;
use super::document::{self, Document, PhasePart, Written, inputs};
use super::read::quoted;
use super::source::{Findings, Source};
use super::tree::Node;
use super::{
    Activity, ActivityDefinition, ActivityIx, ChildProcess, Component, Kind, Manual, Phase,
    PhaseDefinition, PhaseIx, Process, ReleaseWait, Role, SignalWait, Undo, Wait, tree,
};

mod certain;
pub(super) mod components;
mod expressions;
mod fan_out;
mod needs;

use components::Components;
use expressions::{Expressions, Reader};
use needs::Needs;

/// Gives what is behind a `uses`, if the registry has it.
pub type Registry<'r> = dyn Fn(&Uses) -> Option<Registered> + 'r;

/// What may be behind a `uses`.
#[derive(Clone, Debug)]
pub enum Registered {
    /// A component, by what it says about itself.
    Component(Descriptor),
    /// A component with inputs, retry and timeout that are set already.
    Definition(Definition),
}

/// Checks a YAML or JSON document. `resolve` gives the descriptor behind a `uses`, if the registry
/// has one; without it, components and their inputs are not checked, and a component that says
/// nothing of its retry and timeout in the document gets the defaults of the engine rather than
/// those of its descriptor.
pub fn validate(source: &[u8], resolve: Option<&Registry<'_>>) -> Result<Process, Vec<Defect>> {
    read(source, resolve, Care::Full)
}

/// Reads a document that was published, with the components of then. What was no defect then is none
/// now: that an output may not be there was not always asked about.
pub fn reread(source: &[u8], resolve: Option<&Registry<'_>>) -> Result<Process, Vec<Defect>> {
    read(source, resolve, Care::AsPublished)
}

/// How much is asked of a document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Care {
    Full,
    AsPublished,
}

fn read(source: &[u8], resolve: Option<&Registry<'_>>, care: Care) -> Result<Process, Vec<Defect>> {
    let text = readable(source).map_err(|defect| vec![*defect])?;
    let text = Source::new(text);
    let mut findings = Findings::new(&text);
    let process = tree::parse(&mut findings).and_then(|root| {
        let document = document::read(&root, &mut findings)?;
        let digest = Digest::of(source);
        build(&document, (digest, care), resolve, &mut findings)
    });
    match process {
        Some(process) if findings.is_empty() => Ok(process),
        _ => Err(findings.into_defects()),
    }
}

/// The document as text, if it is text of a bounded length.
pub(super) fn readable(source: &[u8]) -> Result<&str, Box<Defect>> {
    if source.len() > DOCUMENT_BYTES_MAX {
        let message = format!("the document is longer than {DOCUMENT_BYTES_MAX} bytes");
        let fault = Fault::new("too-large", Place::default(), message);
        return Err(Box::new(Source::new("").defect(fault)));
    }
    let text = std::str::from_utf8(source).map_err(|error| {
        let valid = &source[..error.valid_up_to()];
        let text = String::from_utf8_lossy(source);
        let fault = Fault::new(
            "encoding",
            Place::new(valid.len(), valid.len()),
            "the document is not UTF-8 from here on",
        );
        Box::new(Source::new(&text).defect(fault))
    })?;
    let stray = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    match text.find(stray) {
        None => Ok(text),
        Some(at) => {
            let code = text[at..].chars().next().map_or(0, u32::from);
            let fault = Fault::new(
                "bad-character",
                Place::new(at, at),
                format!("the control character U+{code:04X} cannot stand in a document"),
            );
            Err(Box::new(Source::new(text).defect(fault)))
        }
    }
}

/// The phases and activities of a document in the order of their positions.
struct Parts<'d, 'n> {
    phases: &'d [PhasePart<'n>],
    activities: Vec<(PhaseIx, &'d ActivityPart<'n>)>,
}

impl<'d, 'n> Parts<'d, 'n> {
    fn new(phases: &'d [PhasePart<'n>]) -> Self {
        let numbered = (0..).map(PhaseIx).zip(phases);
        let activities = numbered
            .flat_map(|(ix, phase)| phase.activities.iter().map(move |activity| (ix, activity)))
            .collect();
        Self { phases, activities }
    }

    fn phase_name(&self, ix: PhaseIx) -> Written<'n> {
        self.phases[ix.0 as usize].name
    }
}

/// The process that a document describes. Its parts are built even where something was noted
/// before, so that everything is checked; `None` if a part cannot be built.
fn build(
    document: &Document<'_>,
    (digest, care): (Digest, Care),
    resolve: Option<&Registry<'_>>,
    findings: &mut Findings<'_, '_>,
) -> Option<Process> {
    if !inputs::check_patterns(document.schemas(), findings) {
        return None;
    }
    let parts = Parts::new(&document.phases);
    let needs = Needs::read(&parts, findings);
    let inputs = inputs::read(document.inputs, findings);
    let mut expressions = Expressions::new(document, &needs, care == Care::Full);
    let mut components = Components::new(resolve);
    let outputs = document
        .outputs
        .map(|node| expressions.outputs(node, findings));
    let locks = expressions.locks(document.locks, Reader::Start, findings);
    let phases: Vec<_> = (0..)
        .zip(parts.phases)
        .map(|(ix, part)| phase(PhaseIx(ix), part, &needs, (&mut expressions, findings)))
        .collect();
    let activities: Vec<_> = (0..)
        .zip(&parts.activities)
        .map(|(ix, (phase, part))| {
            let reader = Reader::Activity(ActivityIx(ix), *phase);
            // The condition comes first: what it asks for need not be asked for again.
            let once = reader.once_for_all();
            let condition = part
                .condition
                .map(|node| expressions.condition(node, once, findings));
            let checks = &mut (&mut expressions, &mut components);
            let kind = kind(part, reader, checks, findings);
            let back = back(part, Reader::Undo(ActivityIx(ix), *phase), checks, findings);
            let owner = (*phase, *part, reader);
            activity(
                owner,
                condition.flatten(),
                kind.zip(back),
                &needs,
                (&mut expressions, findings),
            )
        })
        .collect();
    if !findings.is_empty() {
        return None;
    }
    let name = document.name.clone()?;
    let mut process = Process {
        title: document.title.unwrap_or(name.as_str()).to_owned(),
        name,
        digest,
        inputs: inputs?,
        phases: phases.into_iter().collect::<Option<_>>()?,
        activities: activities.into_iter().collect::<Option<_>>()?,
        outputs: outputs.flatten(),
        locks,
        concurrency: document.concurrency,
    };
    needs.link(&mut process);
    fan_out::link(&needs.gates, &mut process);
    Some(process)
}

fn phase(
    ix: PhaseIx,
    part: &PhasePart<'_>,
    needs: &Needs<'_, '_>,
    (expressions, findings): (&mut Expressions<'_, '_>, &mut Findings<'_, '_>),
) -> Option<Phase> {
    let condition = part
        .condition
        .map(|node| expressions.condition(node, Reader::Phase(ix), findings));
    let name: Name = part.name.text.parse().ok()?;
    let title = part.title.unwrap_or(name.as_str()).to_owned();
    let owner = fan_out::Owner {
        items: Reader::Phase(ix),
        gate: Reader::PhaseGate(ix),
        phase: part.name.text,
        gate_name: "gate".to_owned(),
        title: &title,
        owners: &part.owners,
    };
    let each = part.each.as_ref();
    let each = each.map(|part| fan_out::build(part, &owner, needs, (expressions, findings)));
    Some(Phase {
        definition: Arc::new(PhaseDefinition {
            name,
            title,
            owners: part.owners.clone(),
            condition: condition.flatten(),
            locks: expressions.locks(part.locks, Reader::PhaseLocks(ix), findings),
            each: each.flatten(),
        }),
        needs: Vec::new(),
        joins: Vec::new(),
        dependents: Vec::new(),
        activities: 0..0,
        instances: None,
        instance: None,
    })
}

fn activity(
    (phase, part, reader): (PhaseIx, &ActivityPart<'_>, Reader),
    condition: Option<Condition>,
    does: Option<(Kind, Back)>,
    needs: &Needs<'_, '_>,
    (expressions, findings): (&mut Expressions<'_, '_>, &mut Findings<'_, '_>),
) -> Option<Activity> {
    let name: Name = part.name.text.parse().ok()?;
    let (kind, back) = does?;
    let title = part.title.unwrap_or(name.as_str()).to_owned();
    let owner = fan_out::Owner {
        items: reader.once_for_all(),
        gate: reader.gate(),
        phase: needs.phase_name(phase),
        gate_name: format!("{name}-gate"),
        title: &title,
        owners: &part.owners,
    };
    let each = part.each.as_ref();
    let each = each.map(|part| fan_out::build(part, &owner, needs, (expressions, findings)));
    Some(Activity {
        definition: Arc::new(ActivityDefinition {
            name,
            title,
            owners: part.owners.clone(),
            condition,
            kind,
            locks: expressions.locks(part.locks, reader, findings),
            on_failure: part.on_failure,
            each: each.flatten(),
            undo: back.undo,
            validate: back.validate,
            point_of_no_return: part.point_of_no_return,
        }),
        phase,
        needs: Vec::new(),
        joins: Vec::new(),
        dependents: Vec::new(),
        instances: None,
        role: Role::Member,
    })
}

/// The way back of an activity.
struct Back {
    undo: Undo,
    validate: Option<Component>,
}

/// What is called on the way back may read what its own activity gave.
fn back(
    part: &ActivityPart<'_>,
    reader: Reader,
    checks: &mut Checks<'_, '_, '_, '_>,
    findings: &mut Findings<'_, '_>,
) -> Option<Back> {
    let undo = match &part.undo {
        UndoPart::Exported => Undo::Exported,
        UndoPart::None => Undo::None,
        UndoPart::Uses(part) => Undo::Uses(component(part, reader, checks, findings)?),
    };
    let validate = match &part.validate {
        Some(part) => Some(component(part, reader, checks, findings)?),
        None => None,
    };
    Some(Back { undo, validate })
}

/// What checks the parts of a document.
type Checks<'c, 'd, 'n, 'r> = (&'c mut Expressions<'d, 'n>, &'c mut Components<'r>);

fn component(
    part: &ComponentPart<'_>,
    reader: Reader,
    (expressions, components): &mut Checks<'_, '_, '_, '_>,
    findings: &mut Findings<'_, '_>,
) -> Option<Component> {
    let call = components.check(part, findings);
    let with = call.with(part).map_or_else(Template::empty_object, |node| {
        expressions.template(node, reader, findings)
    });
    Some(Component {
        uses: call.uses.clone().or_else(|| part.uses.clone())?,
        script: part.script.clone(),
        with,
        retry: call.retry,
        timeout: call.timeout,
    })
}

fn kind(
    part: &ActivityPart<'_>,
    reader: Reader,
    checks: &mut Checks<'_, '_, '_, '_>,
    findings: &mut Findings<'_, '_>,
) -> Option<Kind> {
    match &part.kind {
        KindPart::Component(part) => component(part, reader, checks, findings).map(Kind::Component),
        KindPart::Manual(part) => Some(Kind::Manual(manual(part, reader, checks.0, findings))),
        KindPart::Process(part) => {
            let inputs = part.inputs.map_or_else(Template::empty_object, |node| {
                checks.0.template(node, reader, findings)
            });
            Some(Kind::Process(ChildProcess {
                name: part.name.clone(),
                version: part.version,
                inputs,
            }))
        }
        KindPart::Wait(part) => wait(part, reader, checks.0, findings).map(Kind::Wait),
        KindPart::Broken => None,
    }
}

/// A question to people; a gate need not say what it asks.
fn manual(
    part: &ManualPart<'_>,
    reader: Reader,
    expressions: &mut Expressions<'_, '_>,
    findings: &mut Findings<'_, '_>,
) -> Manual {
    let form = part.form.map(|node| components::form(node, findings));
    let instructions = match part.instructions {
        Some(node) => expressions.text(node, "`instructions`", reader, findings),
        None => Template::text("May the next batch begin?"),
    };
    Manual {
        instructions,
        form: form.flatten(),
        approvals: part.approvals.clone(),
        order: part.order,
        same_person: part.same_person,
        exclude: part.exclude.clone(),
        delegation: part.delegation,
        remind: part.remind.clone(),
        escalate: part.escalate.clone(),
        expires: part.expires,
        tasks: part.tasks.clone(),
    }
}

fn wait(
    part: &WaitPart<'_>,
    reader: Reader,
    expressions: &mut Expressions<'_, '_>,
    findings: &mut Findings<'_, '_>,
) -> Option<Wait> {
    Some(match part {
        WaitPart::For(span) => Wait::For(*span),
        WaitPart::Until(node) => Wait::Until(instant(node, reader, expressions, findings)),
        WaitPart::Signal {
            name,
            schema,
            timeout,
        } => Wait::Signal(SignalWait {
            name: name.clone(),
            schema: match schema {
                Some(node) => Some(components::object(node, "the payload", findings)?),
                None => None,
            },
            timeout: *timeout,
        }),
        WaitPart::Release {
            release,
            process,
            reaches,
            timeout,
        } => Wait::Release(ReleaseWait {
            release: expressions.text(release, "`release`", reader, findings),
            process: process.clone(),
            reaches: reaches.clone(),
            timeout: *timeout,
        }),
    })
}

/// An instant: checked now if it is written out, and when it is rendered otherwise.
fn instant(
    node: &Node,
    reader: Reader,
    expressions: &mut Expressions<'_, '_>,
    findings: &mut Findings<'_, '_>,
) -> Template {
    let template = expressions.text(node, "`until`", reader, findings);
    if let Some(text) = node.text().filter(|text| !text.contains("${{"))
        && let Err(error) = text.parse::<Timestamp>()
    {
        let message = format!("{} is no instant: {error}", quoted(text));
        let hint = "write it as RFC 3339 does: 2026-03-01T18:00:00Z";
        findings.add(Fault::new("bad-value", node.place, message).hint(hint));
    }
    template
}

#[cfg(test)]
mod tests;
