//! One activity as people write it.

use super::child::{self, ChildPart};
use super::fan_out::{self, FanOutPart};
use super::manual::{self, ManualPart};
use super::needs::{self, NeedsPart};
use super::script;
use super::undo::{self, UndoPart};
use super::wait::{self, WaitPart};
use super::{Written, locks, on_failure, owners, required, title};
use crate::actor::Party;
use crate::component::Uses;
use crate::defect::{Fault, Place};
use crate::json::shown;
use crate::limits::{ATTEMPTS_MAX, BACKOFF_MAX_DEFAULT};
use crate::process::read::{self, Fields, Keys};
use crate::process::source::Findings;
use crate::process::tree::{Node, QUOTED_CHARS_MAX, Tree};
use crate::process::{OnFailure, Retry, Script};
use crate::time::Span;

const ACTIVITY: Keys = Keys {
    of: "an activity",
    known: &[
        "title",
        "owners",
        "needs",
        "if",
        "on-failure",
        "uses",
        "with",
        "retry",
        "timeout",
        "manual",
        "each",
        "batches",
        "bake",
        "gate",
        "max-failures",
        "wait",
        "process",
        "locks",
        "undo",
        "validate",
        "point-of-no-return",
        "script",
    ],
    later: &[],
};

const RETRY: Keys = Keys {
    of: "`retry`",
    known: &["attempts", "backoff", "factor", "jitter", "max-backoff"],
    later: &[],
};

/// Keys that say how a component is run.
const OF_COMPONENTS: [&str; 3] = ["with", "retry", "timeout"];
/// The keys of which an activity has exactly one.
const KINDS: [&str; 5] = ["uses", "script", "manual", "wait", "process"];
/// Wait before the second attempt where a retry names none: long enough for a restart.
pub(in crate::process) const BACKOFF_DEFAULT: Span = Span(10_000);
/// Growth of the wait where a retry names none.
const FACTOR_DEFAULT_PERMILLE: u32 = 2_000;
/// Largest growth of the wait: more would reach the longest wait at once.
const FACTOR_MAX: f64 = 100.0;

/// An activity.
pub(in crate::process) struct ActivityPart<'n> {
    pub(in crate::process) name: Written<'n>,
    pub(in crate::process) title: Option<&'n str>,
    pub(in crate::process) owners: Vec<Party>,
    pub(in crate::process) needs: NeedsPart<'n>,
    pub(in crate::process) condition: Option<&'n Node>,
    pub(in crate::process) locks: &'n [Node],
    pub(in crate::process) on_failure: OnFailure,
    pub(in crate::process) each: Option<FanOutPart<'n>>,
    pub(in crate::process) kind: KindPart<'n>,
    pub(in crate::process) undo: UndoPart<'n>,
    pub(in crate::process) validate: Option<ComponentPart<'n>>,
    pub(in crate::process) point_of_no_return: bool,
}

/// What an activity does.
pub(in crate::process) enum KindPart<'n> {
    Component(ComponentPart<'n>),
    Manual(ManualPart<'n>),
    Wait(WaitPart<'n>),
    Process(ChildPart<'n>),
    /// It was reported already.
    Broken,
}

/// A call of a component.
pub(in crate::process) struct ComponentPart<'n> {
    pub(in crate::process) uses: Option<Uses>,
    pub(in crate::process) uses_place: Place,
    pub(in crate::process) script: Option<Script>,
    pub(in crate::process) with: Option<&'n Node>,
    pub(in crate::process) retry: Option<Retry>,
    pub(in crate::process) timeout: Option<Span>,
}

/// Reads an activity; what is wrong is noted.
pub(super) fn read<'n>(
    name: Written<'n>,
    node: &'n Node,
    inherited: OnFailure,
    findings: &mut Findings<'_, '_>,
) -> ActivityPart<'n> {
    let fields = read::fields(node, &ACTIVITY, findings).unwrap_or(Fields(&[]));
    let broken = !matches!(node.tree, Tree::Map(_));
    let back = undo::read(fields, findings);
    ActivityPart {
        name,
        title: title(fields, findings),
        owners: owners(fields, findings),
        needs: needs::read(fields, findings),
        condition: fields.get("if"),
        locks: locks(fields, findings),
        on_failure: on_failure(fields, findings).unwrap_or(inherited),
        each: fan_out::read(fields, findings),
        kind: if broken {
            KindPart::Broken
        } else {
            kind(name.place, fields, findings)
        },
        undo: back.undo,
        validate: back.validate,
        point_of_no_return: back.point_of_no_return,
    }
}

fn kind<'n>(place: Place, fields: Fields<'n>, findings: &mut Findings<'_, '_>) -> KindPart<'n> {
    let mut kinds = KINDS.iter().filter_map(|key| fields.entry(key));
    let Some(kind) = kinds.next() else {
        let message = "this activity does nothing";
        findings
            .add(Fault::new("missing-key", place, message).hint(
                "say `uses: COMPONENT@VERSION`, `script:`, `manual:`, `wait:` or `process:`",
            ));
        return KindPart::Broken;
    };
    if let Some(other) = kinds.next() {
        let message = format!(
            "an activity has either `{}` or `{}`, not both",
            kind.key, other.key
        );
        findings.add(Fault::new("two-kinds", other.place, message));
        return KindPart::Broken;
    }
    let node = &kind.node;
    match kind.key.as_str() {
        "uses" => KindPart::Component(component(node, fields, findings)),
        "script" => KindPart::Component(script::read(kind, fields, findings)),
        "manual" => {
            misplaced("manual", fields, findings);
            manual::read(node, findings).map_or(KindPart::Broken, KindPart::Manual)
        }
        "wait" => {
            misplaced("wait", fields, findings);
            wait::read(node, findings).map_or(KindPart::Broken, KindPart::Wait)
        }
        _ => {
            misplaced("process", fields, findings);
            child::read(node, findings).map_or(KindPart::Broken, KindPart::Process)
        }
    }
}

/// Notes keys that belong to components and stand beside another `kind`.
fn misplaced(kind: &str, fields: Fields<'_>, findings: &mut Findings<'_, '_>) {
    for entry in OF_COMPONENTS.iter().filter_map(|key| fields.entry(key)) {
        let message = format!("`{}` belongs to `uses`, not to `{kind}`", entry.key);
        let fault = Fault::new("misplaced-key", entry.place, message);
        findings.add(match (entry.key.as_str(), kind) {
            ("timeout", "manual") => fault.hint("a manual activity has `expires`"),
            ("with", "process") => fault.hint("`inputs` stand inside `process`"),
            ("timeout", "wait") => fault.hint("it stands inside `wait`"),
            _ => fault,
        });
    }
}

/// Reads a call of a component; what is wrong is noted.
pub(in crate::process) fn component<'n>(
    uses: &'n Node,
    fields: Fields<'n>,
    findings: &mut Findings<'_, '_>,
) -> ComponentPart<'n> {
    ComponentPart {
        uses: read::parsed(uses, "component", findings),
        uses_place: uses.place,
        ..call(fields, findings)
    }
}

/// Reads how a component is called; which one is for the caller to say.
pub(super) fn call<'n>(fields: Fields<'n>, findings: &mut Findings<'_, '_>) -> ComponentPart<'n> {
    let with = fields
        .get("with")
        .filter(|node| !matches!(node.tree, Tree::Null));
    if let Some(with) = with {
        read::entries(with, "`with`", findings);
    }
    let timeout = fields
        .get("timeout")
        .and_then(|node| positive_span(node, findings));
    ComponentPart {
        uses: None,
        uses_place: Place::default(),
        script: None,
        with: with.filter(|node| matches!(node.tree, Tree::Map(_))),
        retry: fields.get("retry").and_then(|node| retry(node, findings)),
        timeout,
    }
}

/// A span of more than nothing.
pub(super) fn positive_span(node: &Node, findings: &mut Findings<'_, '_>) -> Option<Span> {
    let span = read::span(node, findings)?;
    if span == Span(0) {
        let message = "this must be longer than nothing";
        findings.add(Fault::new("bad-value", node.place, message));
        return None;
    }
    Some(span)
}

fn retry(node: &Node, findings: &mut Findings<'_, '_>) -> Option<Retry> {
    let fields = read::fields(node, &RETRY, findings)?;
    let attempts = required(fields, "attempts", node.place, findings);
    let attempts =
        attempts.and_then(|node| read::count(node, "`attempts`", (1, ATTEMPTS_MAX), findings));
    let mut span = |key| {
        fields
            .get(key)
            .map(|node| read::parsed(node, "length of time", findings))
    };
    let backoff: Option<Option<Span>> = span("backoff");
    let backoff_max: Option<Option<Span>> = span("max-backoff");
    let factor = fields.get("factor").map(|node| factor(node, findings));
    let jitter = fields
        .get("jitter")
        .map(|node| read::flag(node, "`jitter`", findings));
    Some(Retry {
        attempts_max: attempts?,
        backoff: backoff.unwrap_or(Some(BACKOFF_DEFAULT))?,
        factor_permille: factor.unwrap_or(Some(FACTOR_DEFAULT_PERMILLE))?,
        backoff_max: backoff_max.unwrap_or(Some(BACKOFF_MAX_DEFAULT))?,
        jitter: jitter.unwrap_or(Some(true))?,
    })
}

/// The retry of a component that names attempts and a first wait, and nothing else.
pub(in crate::process) fn plain_retry(attempts_max: u32, backoff: Span) -> Retry {
    Retry {
        attempts_max,
        backoff,
        factor_permille: FACTOR_DEFAULT_PERMILLE,
        backoff_max: BACKOFF_MAX_DEFAULT,
        jitter: true,
    }
}

/// A factor from 1 to [`FACTOR_MAX`], in thousandths.
fn factor(node: &Node, findings: &mut Findings<'_, '_>) -> Option<u32> {
    let number = match &node.tree {
        Tree::Number(number) => number.as_f64(),
        Tree::Broken => return None,
        _ => None,
    };
    let factor = number.filter(|factor| (1.0..=FACTOR_MAX).contains(factor));
    if factor.is_none() {
        let text = findings.source.text.get(node.place.start..node.place.end);
        let text = shown(text.unwrap_or_default(), QUOTED_CHARS_MAX);
        let message =
            format!("`factor` must be a number from 1 to {FACTOR_MAX}, but this is {text}");
        findings.add(Fault::new("bad-value", node.place, message));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the factor is between 1 and 100"
    )]
    factor.map(|factor| (factor * 1000.0).round() as u32)
}
