//! What names in an expression mean: from a chain such as `needs.uat.activities["sign-off"]` to
//! what it reads.

use std::collections::{BTreeMap, BTreeSet};

use super::Read;
use crate::defect::{Fault, Place};
use crate::json::shown;
use crate::nearest::nearest;
use crate::process::{ActivityIx, PhaseIx};

/// The variables that an expression may start from.
pub(super) const ROOTS: [&str; 5] = ["inputs", "release", "needs", "phases", "each"];
/// What `release` has.
const RELEASE: [&str; 5] = ["id", "title", "process", "version", "initiator"];

/// What `each` has for an instance.
const EACH: [&str; 3] = ["item", "index", "batch"];

/// What an expression is for, which decides what it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// An `if:`, which replaces the rule of needs if it asks how they ended.
    Condition,
    /// A value of an activity.
    Value,
    /// The outputs of the process, for which `needs` means nothing.
    Outputs,
}

/// Every name that an expression at one place of a document may use.
pub(crate) struct Names<'a> {
    /// What it is for.
    pub(crate) purpose: Purpose,
    /// Declared inputs.
    pub(crate) inputs: &'a BTreeSet<&'a str>,
    /// All phases.
    pub(crate) phases: &'a BTreeMap<&'a str, PhaseNames<'a>>,
    /// The phase whose activities go by their name alone.
    pub(crate) phase: Option<&'a str>,
    /// What `each` stands for.
    pub(crate) each: EachNames,
    /// Whether something is settled when the expression is evaluated.
    pub(crate) upstream: &'a dyn Fn(Read) -> bool,
    /// Why an activity that is upstream need not have outputs, if so.
    pub(crate) doubt: &'a dyn Fn(ActivityIx) -> Option<&'static str>,
    /// What the conditions around the expression have made certain.
    pub(crate) guards: [&'a [Guard]; 2],
    /// Whether there are no needs that could have ended in any way.
    pub(crate) needs_nothing: bool,
}

/// What a condition has made certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Guard {
    /// The activity.
    pub(crate) activity: ActivityIx,
    /// The output that is there; all that it gives if this is absent, since it has succeeded.
    pub(crate) output: Option<String>,
}

/// What `each` stands for where an expression is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EachNames {
    /// Nothing: the expression is evaluated once for all.
    None,
    /// The instance.
    Instance,
    /// The batch that a gate opens.
    Gate,
}

/// The names within one phase.
pub(crate) struct PhaseNames<'a> {
    /// The phase.
    pub(crate) ix: PhaseIx,
    /// Whether it is fanned out.
    pub(crate) each: bool,
    /// Its activities that are fanned out.
    pub(crate) fanned: BTreeSet<&'a str>,
    /// Its activities.
    pub(crate) activities: BTreeMap<&'a str, ActivityIx>,
}

/// A name in an expression and where it stands there.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) name: String,
    pub(super) place: Place,
}

/// What a chain of names means.
pub(super) struct Meaning {
    pub(super) read: Read,
    /// The names that replace the first `taken` links of the chain.
    pub(super) canonical: Vec<String>,
    pub(super) taken: usize,
    /// The activity of whose outputs one is read, and the position of that output in the chain.
    pub(super) output: Option<(ActivityIx, usize)>,
}

impl Names<'_> {
    /// What `chain` means; `chain[0]` is one of [`ROOTS`]. The chain ends where the expression
    /// goes on with something other than a name.
    pub(super) fn resolve(&self, chain: &[Link]) -> Result<Meaning, Fault> {
        let root = &chain[0];
        match root.name.as_str() {
            "inputs" => {
                let inputs = self.inputs.iter().copied();
                field(chain, Read::Inputs, "input", inputs)
            }
            "release" => {
                let fields = RELEASE.into_iter();
                field(chain, Read::Release, "field of `release`", fields)
            }
            "each" => self.each(chain),
            "needs" if self.purpose == Purpose::Outputs => Err(Fault::new(
                "unknown-name",
                root.place,
                "the outputs of a process have no `needs`",
            )
            .hint("write `phases.PHASE.outputs` or `phases.PHASE.activities.ACTIVITY.outputs`")),
            _ => self.part(chain),
        }
    }

    /// `each.…`.
    fn each(&self, chain: &[Link]) -> Result<Meaning, Fault> {
        let root = &chain[0];
        match (self.each, chain.get(1)) {
            (EachNames::None, _) => Err(Fault::new(
                "unknown-name",
                root.place,
                "there is no `each` here: this is evaluated once, not for each item",
            )
            .hint("`each` is known to the activities of a phase with `each`, and to an activity with `each`")),
            (EachNames::Gate, Some(link)) if link.name != "batch" => Err(Fault::new(
                "unknown-name",
                link.place,
                "a gate runs once for a batch, so of `each` it knows the `batch` alone",
            )),
            _ => field(chain, Read::Each, "field of `each`", EACH.into_iter()),
        }
    }

    /// `needs.…` and `phases.…`.
    fn part(&self, chain: &[Link]) -> Result<Meaning, Fault> {
        let root = &chain[0];
        let Some(link) = chain.get(1) else {
            let message = format!("`{}` must be followed by a name", root.name);
            return Err(Fault::new("unknown-name", root.place, message)
                .hint(format!("write `{0}.NAME` or `{0}[\"NAME\"]`", root.name)));
        };
        if root.name == "needs"
            && let Some((phase, activity)) = self.sibling(&link.name)
        {
            return self.activity(chain, (phase, activity), 2);
        }
        let Some((phase, names)) = self.phases.get_key_value(link.name.as_str()) else {
            let what = if root.name == "needs" {
                "activity of this phase, and no phase,"
            } else {
                "phase"
            };
            let siblings = self.siblings().filter(|_| root.name == "needs");
            return Err(unknown(
                link,
                what,
                &mut self.phases.keys().copied().chain(siblings),
            ));
        };
        if chain.get(2).is_some_and(|link| link.name == "activities") {
            let Some(link) = chain.get(3) else {
                let message = "`activities` must be followed by the name of one";
                return Err(Fault::new("unknown-name", chain[2].place, message)
                    .hint("write `activities[\"NAME\"].outputs`"));
            };
            if names.each && self.phase != Some(phase) {
                return Err(fanned_out(link, &format!("{phase}/{}", link.name), phase));
            }
            let Some(activity) = names.activities.get(link.name.as_str()) else {
                let what = format!("activity of the phase `{phase}`");
                return Err(unknown(link, &what, &mut names.activities.keys().copied()));
            };
            return self.activity(chain, (phase, *activity), 4);
        }
        let read = Read::Phase(names.ix);
        Self::check_member(chain, 2, &["outputs", "status", "activities"])?;
        if names.each {
            check_list(chain, 2, phase)?;
        }
        self.check_upstream(read, link, phase)?;
        Ok(Meaning {
            read,
            canonical: vec!["phases".into(), (*phase).to_owned()],
            taken: 2,
            output: match chain {
                [_, _, outputs, of, _, ..] if outputs.name == "outputs" => {
                    let activity = names.activities.get(of.name.as_str());
                    activity.map(|activity| (*activity, 4))
                }
                _ => None,
            },
        })
    }

    fn sibling(&self, name: &str) -> Option<(&str, ActivityIx)> {
        let phase = self.phase?;
        let activities = &self.phases.get(phase)?.activities;
        activities.get(name).map(|activity| (phase, *activity))
    }

    fn siblings(&self) -> impl Iterator<Item = &str> + Clone {
        let phase = self.phase.and_then(|phase| self.phases.get(phase));
        phase
            .into_iter()
            .flat_map(|phase| phase.activities.keys().copied())
    }

    fn activity(
        &self,
        chain: &[Link],
        (phase, ix): (&str, ActivityIx),
        taken: usize,
    ) -> Result<Meaning, Fault> {
        let read = Read::Activity(ix);
        let link = &chain[taken - 1];
        Self::check_member(chain, taken, &["outputs", "status"])?;
        if self.phases[phase].fanned.contains(link.name.as_str()) {
            check_list(chain, taken, &link.name)?;
        }
        self.check_upstream(read, link, &format!("{phase}/{}", link.name))?;
        Ok(Meaning {
            read,
            canonical: vec![
                "phases".into(),
                phase.into(),
                "activities".into(),
                link.name.clone(),
            ],
            taken,
            output: match chain.get(taken..) {
                Some([outputs, _, ..]) if outputs.name == "outputs" => Some((ix, taken + 1)),
                _ => None,
            },
        })
    }

    /// After an activity or a phase comes one of a few members.
    fn check_member(chain: &[Link], at: usize, members: &[&str]) -> Result<(), Fault> {
        let before = &chain[at - 1];
        let Some(link) = chain.get(at) else {
            let message = format!(
                "{} must be followed by one of its members",
                quoted(&before.name)
            );
            return Err(Fault::new("unknown-name", before.place, message)
                .hint(format!("it has `{}`", members.join("`, `"))));
        };
        if !members.contains(&link.name.as_str()) {
            let message = format!("{} has no {}", quoted(&before.name), quoted(&link.name));
            let near = nearest(&link.name, members.iter().copied());
            let fault = Fault::new("unknown-name", link.place, message);
            return Err(match near {
                Some(_) => fault.near(near),
                None => fault.hint(format!("it has `{}`", members.join("`, `"))),
            });
        }
        Ok(())
    }

    /// An output is there to be read, or `guards` and the conditions around have asked for it.
    pub(super) fn check_certain(
        &self,
        chain: &[Link],
        meaning: &Meaning,
        guards: &[Guard],
    ) -> Result<(), Fault> {
        let Some((activity, at)) = meaning.output else {
            return Ok(());
        };
        let Some(doubt) = (self.doubt)(activity) else {
            return Ok(());
        };
        let output = &chain[at];
        let asked = |guard: &Guard| {
            let of = guard.output.as_ref();
            guard.activity == activity && of.is_none_or(|name| *name == output.name)
        };
        if guards.iter().any(asked) || self.guards.concat().iter().any(asked) {
            return Ok(());
        }
        let of = spelt(&chain[..at]);
        let (plain, optional) = (selected(&output.name, ""), selected(&output.name, "?"));
        let message = format!("`{of}{plain}` may not be there: {doubt}");
        Err(
            Fault::new("may-be-skipped", output.place, message).hint(format!(
                "give a default, `{of}{optional}.orValue(…)`, or ask `has({of}{plain})` first"
            )),
        )
    }

    fn check_upstream(&self, read: Read, link: &Link, what: &str) -> Result<(), Fault> {
        if (self.upstream)(read) {
            return Ok(());
        }
        let what = shown(what, 130);
        Err(Fault::new(
            "not-upstream",
            link.place,
            format!("`{what}` is not upstream of this, so it may not have run yet"),
        )
        .hint(format!("add `{what}` to `needs`")))
    }
}

/// Refuses a name after the outputs of what is fanned out: they are a list.
fn check_list(chain: &[Link], at: usize, what: &str) -> Result<(), Fault> {
    match (chain.get(at), chain.get(at + 1)) {
        (Some(outputs), Some(link)) if outputs.name == "outputs" => {
            let message = format!(
                "the outputs of {} are a list: it runs once for each item",
                quoted(what)
            );
            Err(Fault::new("fanned-out", link.place, message).hint(
                "take an item by its place, `outputs[0]`, or go through them, `outputs.map(o, …)`",
            ))
        }
        _ => Ok(()),
    }
}

/// The fault of what reaches into a phase that is fanned out.
fn fanned_out(link: &Link, what: &str, phase: &str) -> Fault {
    let message = format!("{} runs once for each item of its phase", quoted(what));
    Fault::new("fanned-out", link.place, message).hint(format!(
        "read `phases.{phase}.outputs`, a list with one entry for each item"
    ))
}

/// Whether a chain of names from `needs` or `phases` leads to the status of something.
pub(super) fn reads_status(chain: &[&str]) -> bool {
    match chain {
        ["needs" | "phases", _, "activities", _, member, ..]
        | ["needs" | "phases", _, member, ..] => *member == "status",
        _ => false,
    }
}

/// A chain as its author wrote it.
fn spelt(chain: &[Link]) -> String {
    let mut text = chain[0].name.clone();
    for link in &chain[1..] {
        text.push_str(&selected(&link.name, ""));
    }
    shown(&text, 130)
}

/// `.name`, or `["name"]` where that must be.
fn selected(name: &str, mark: &str) -> String {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain {
        format!(".{mark}{name}")
    } else {
        format!("[{mark}\"{name}\"]")
    }
}

/// What `inputs.…` and `release.…` mean.
fn field<'n>(
    chain: &[Link],
    read: Read,
    what: &str,
    mut known: impl Iterator<Item = &'n str> + Clone,
) -> Result<Meaning, Fault> {
    match chain.get(1) {
        Some(link) if !known.clone().any(|name| name == link.name) => {
            Err(unknown(link, what, &mut known))
        }
        _ => Ok(Meaning {
            read,
            canonical: vec![chain[0].name.clone()],
            taken: 1,
            output: None,
        }),
    }
}

/// A name that is none, with the one that was probably meant.
fn unknown(link: &Link, what: &str, known: &mut dyn Iterator<Item = &str>) -> Fault {
    let message = format!("there is no {what} {}", quoted(&link.name));
    let fault = Fault::new("unknown-name", link.place, message);
    let known: Vec<&str> = known.collect();
    let hyphened = known.iter().find(|name| {
        let rest = name.strip_prefix(link.name.as_str());
        rest.is_some_and(|rest| rest.starts_with('-'))
    });
    match hyphened {
        Some(name) => fault.hint(format!(
            "a name with a hyphen goes in brackets: `[\"{name}\"]`"
        )),
        None => fault.near(nearest(&link.name, known)),
    }
}

pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", shown(name, 64))
}
