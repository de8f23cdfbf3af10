//! Who needs whom: names to positions, cycles, and what is upstream.

use std::collections::{BTreeMap, BTreeSet};

use super::expressions::Reader;
use super::fan_out::{self, Gates};
use super::{Parts, Written};
use crate::defect::{Fault, Place};
use crate::expression::{EachNames, PhaseNames, Read};
use crate::nearest::nearest;
use crate::process::document::needs::{NeedPart, NeedsPart};
use crate::process::graph::{Graph, Moment, Upstream};
use crate::process::read::quoted;
use crate::process::source::Findings;
use crate::process::{ActivityIx, Join, PhaseIx, Process};

/// Longest cycle, in names, that is written out.
const CYCLE_NAMES_SHOWN_MAX: usize = 12;

/// One need of a phase or activity.
#[derive(Clone, Copy)]
pub(super) struct Need<Ix> {
    pub(super) ix: Ix,
    place: Place,
    /// The position of its join; a need without one must be satisfied.
    pub(super) join: Option<usize>,
}

/// The needs of all phases and activities.
pub(super) struct Needs<'d, 'n> {
    pub(super) parts: &'d Parts<'d, 'n>,
    pub(super) names: BTreeMap<&'n str, PhaseNames<'n>>,
    pub(super) phases: Vec<Vec<Need<PhaseIx>>>,
    pub(super) activities: Vec<Vec<Need<ActivityIx>>>,
    pub(super) gates: Gates,
    graph: Graph,
    /// Absent if there are cycles.
    upstream: Option<Upstream>,
}

impl<'d, 'n> Needs<'d, 'n> {
    /// Finds what every need names; what names nothing is noted, and so are cycles.
    pub(super) fn read(parts: &'d Parts<'d, 'n>, findings: &mut Findings<'_, '_>) -> Self {
        let phase_of: Vec<u32> = parts.activities.iter().map(|(phase, _)| phase.0).collect();
        let names = names(parts);
        let mut needs = Self {
            parts,
            gates: fan_out::gates(parts, &names, findings),
            names,
            phases: Vec::new(),
            activities: Vec::new(),
            graph: Graph::new(&phase_of, number(parts.phases.len())),
            upstream: None,
        };
        for (ix, phase) in (0..).map(PhaseIx).zip(parts.phases) {
            let found = needs.of_phase(ix, &phase.needs, findings);
            for need in &found {
                needs
                    .graph
                    .need(Moment::Begin(ix.0), Moment::Done(need.ix.0));
            }
            needs.phases.push(found);
        }
        for (ix, (phase, activity)) in (0..).map(ActivityIx).zip(&parts.activities) {
            let found = needs.of_activity((ix, *phase), &activity.needs, findings);
            for need in &found {
                needs
                    .graph
                    .need(Moment::Activity(ix.0), Moment::Activity(need.ix.0));
            }
            needs.activities.push(found);
        }
        let cycles = needs.graph.cycles();
        for cycle in &cycles {
            findings.add(needs.cycle(cycle));
        }
        needs.upstream = cycles.is_empty().then(|| needs.graph.upstream());
        needs
    }

    /// Whether what `read` reads is settled before `moment`. With cycles nothing can be said, and
    /// nothing is: they were noted.
    pub(super) fn is_upstream(&self, read: Read, moment: Moment) -> bool {
        let other = match read {
            Read::Inputs | Read::Release | Read::Each | Read::Needs => return true,
            Read::Activity(ix) => Moment::Activity(ix.0),
            Read::Phase(ix) => Moment::Done(ix.0),
        };
        let upstream = self.upstream.as_ref();
        upstream.is_none_or(|upstream| self.graph.is_upstream(upstream, other, moment))
    }

    /// What `each` stands for in what `reader` evaluates.
    pub(super) fn each(&self, reader: Reader) -> EachNames {
        let (ix, own) = match reader {
            Reader::Activity(ix, _) | Reader::Undo(ix, _) => (ix, true),
            Reader::Group(ix, _) => (ix, false),
            Reader::Gate(..) | Reader::PhaseGate(_) => return EachNames::Gate,
            Reader::PhaseLocks(ix) if self.parts.phases[ix.0 as usize].each.is_some() => {
                return EachNames::Instance;
            }
            Reader::Phase(_) | Reader::PhaseLocks(_) | Reader::Process | Reader::Start => {
                return EachNames::None;
            }
        };
        let (phase, activity) = &self.parts.activities[ix.0 as usize];
        let of_phase = self.parts.phases[phase.0 as usize].each.is_some();
        if self.gates.contains_key(&ix) {
            EachNames::Gate
        } else if of_phase || own && activity.each.is_some() {
            EachNames::Instance
        } else {
            EachNames::None
        }
    }

    /// The name of a phase.
    pub(super) fn phase_name(&self, ix: PhaseIx) -> &'n str {
        self.parts.phase_name(ix).text
    }

    /// The moments, each after all that it needs; empty if there are cycles.
    pub(super) fn in_order(&self) -> Vec<Moment> {
        match self.upstream {
            Some(_) => self.graph.in_order(),
            None => Vec::new(),
        }
    }

    /// Whether an expression of `reader` has no needs to look at: an activity without needs looks at
    /// those of its phase.
    pub(super) fn is_root(&self, reader: Reader) -> bool {
        let phase_is_root = |phase: PhaseIx| self.phases[phase.0 as usize].is_empty();
        match reader {
            Reader::Activity(ix, phase)
            | Reader::Undo(ix, phase)
            | Reader::Group(ix, phase)
            | Reader::Gate(ix, phase) => {
                self.activities[ix.0 as usize].is_empty() && phase_is_root(phase)
            }
            Reader::Phase(ix) | Reader::PhaseGate(ix) | Reader::PhaseLocks(ix) => phase_is_root(ix),
            Reader::Process | Reader::Start => true,
        }
    }

    /// Whether some need is one of a join.
    pub(super) fn has_joins(&self) -> bool {
        self.phases.iter().flatten().any(|need| need.join.is_some())
            || self
                .activities
                .iter()
                .flatten()
                .any(|need| need.join.is_some())
    }

    /// Writes needs, joins, dependents and the activities of phases into the process.
    pub(super) fn link(&self, process: &mut Process) {
        for (ix, needs) in (0..).map(PhaseIx).zip(&self.phases) {
            let joins = &self.parts.phases[ix.0 as usize].needs.joins;
            process.phases[ix.0 as usize].joins = self::joins(joins, needs);
            for need in needs {
                process.phases[ix.0 as usize].needs.push(need.ix);
                process.phases[need.ix.0 as usize].dependents.push(ix);
            }
        }
        for (ix, needs) in (0..).map(ActivityIx).zip(&self.activities) {
            let joins = &self.parts.activities[ix.0 as usize].1.needs.joins;
            process.activities[ix.0 as usize].joins = self::joins(joins, needs);
            for need in needs {
                process.activities[ix.0 as usize].needs.push(need.ix);
                process.activities[need.ix.0 as usize].dependents.push(ix);
            }
        }
        let mut next = 0;
        for (phase, part) in process.phases.iter_mut().zip(self.parts.phases) {
            let end = next + number(part.activities.len());
            phase.activities = next..end;
            next = end;
        }
    }

    fn of_phase(
        &self,
        ix: PhaseIx,
        needs: &NeedsPart<'_>,
        findings: &mut Findings<'_, '_>,
    ) -> Vec<Need<PhaseIx>> {
        let mut found = Vec::new();
        for part in &needs.all {
            let need = &part.written;
            match self.names.get(need.text) {
                Some(names) if names.ix == ix => findings.add(self_need(need, "phase")),
                Some(names) => found.push(Need::new(names.ix, part)),
                None => {
                    let message = format!("there is no phase {}", quoted(need.text));
                    let fault = Fault::new("unknown-need", need.place, message);
                    findings.add(match need.text.split_once('/') {
                        Some((phase, _)) if self.names.contains_key(phase) => fault.hint(
                            "a phase needs whole phases; let one of its activities need this one",
                        ),
                        _ if findings.is_full() => fault,
                        _ => fault.near(nearest(need.text, self.names.keys().copied())),
                    });
                }
            }
        }
        found
    }

    fn of_activity(
        &self,
        (ix, phase): (ActivityIx, PhaseIx),
        needs: &NeedsPart<'_>,
        findings: &mut Findings<'_, '_>,
    ) -> Vec<Need<ActivityIx>> {
        let own = self.parts.phase_name(phase).text;
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        for part in &needs.all {
            let need = &part.written;
            let (phase, name) = need.text.split_once('/').unwrap_or((own, need.text));
            let names = self.names.get(phase);
            match names.and_then(|names| names.activities.get(name)) {
                Some(need_ix) if *need_ix == ix => findings.add(self_need(need, "activity")),
                Some(need_ix) if !seen.insert(*need_ix) => {
                    let message = format!("{} is needed twice", quoted(need.text));
                    findings.add(Fault::new("duplicate-need", need.place, message));
                }
                Some(need_ix) => match self.unfit(need, (own, phase), *need_ix) {
                    Some(fault) => findings.add(fault),
                    None => found.push(Need::new(*need_ix, part)),
                },
                None if findings.is_full() => {
                    findings.add(Fault::new("unknown-need", need.place, String::new()));
                }
                None => findings.add(self.unknown(need, (own, phase, name))),
            }
        }
        found
    }

    /// Why an activity cannot be needed that is there, if so.
    fn unfit(
        &self,
        need: &Written<'_>,
        (own, phase): (&str, &str),
        ix: ActivityIx,
    ) -> Option<Fault> {
        if phase != own && self.names[phase].each {
            let message = format!("{} runs once for each item of its phase", quoted(need.text));
            return Some(Fault::new("fanned-out", need.place, message).hint(format!(
                "write `needs: [{phase}]` in the phase `{own}`: it waits for all items"
            )));
        }
        if self.gates.contains_key(&ix) {
            let message = format!(
                "{} is a gate: it runs between two batches",
                quoted(need.text)
            );
            return Some(
                Fault::new("bad-gate", need.place, message).hint("need what it is a gate of"),
            );
        }
        None
    }

    fn unknown(&self, need: &Written<'_>, (own, phase, name): (&str, &str, &str)) -> Fault {
        let message = format!("there is no activity {}", quoted(need.text));
        let fault = Fault::new("unknown-need", need.place, message);
        let Some(names) = self.names.get(phase) else {
            let near = nearest(phase, self.names.keys().copied());
            return fault.near(near.map(|phase| format!("{phase}/{name}")).as_deref());
        };
        if let Some(near) = nearest(name, names.activities.keys().copied()) {
            let path = if need.text.contains('/') {
                format!("{phase}/{near}")
            } else {
                near.to_owned()
            };
            return fault.near(Some(&path));
        }
        if self.names.contains_key(need.text) {
            return fault.hint(format!(
                "`{}` is a phase: write `needs: [{0}]` in the phase `{own}`",
                need.text
            ));
        }
        let elsewhere = self
            .names
            .iter()
            .find(|(_, names)| names.activities.contains_key(name));
        match elsewhere {
            Some((phase, _)) => fault.hint(format!("did you mean `{phase}/{name}`?")),
            None => fault,
        }
    }

    /// The fault that a cycle is, at one of its needs.
    fn cycle(&self, cycle: &[Moment]) -> Fault {
        let next = cycle.iter().cycle().skip(1);
        let mut places: Vec<Place> = cycle
            .iter()
            .zip(next)
            .filter_map(|(moment, next)| self.place(*moment, *next))
            .collect();
        places.sort_unstable();
        let path = self.path(cycle);
        let shown = if path.len() > CYCLE_NAMES_SHOWN_MAX {
            let (head, tail) = (&path[..CYCLE_NAMES_SHOWN_MAX - 2], &path[path.len() - 2..]);
            format!("{} -> … -> {}", head.join(" -> "), tail.join(" -> "))
        } else {
            path.join(" -> ")
        };
        Fault::new(
            "cycle",
            places.last().copied().unwrap_or_default(),
            format!("these need each other in a circle: {shown}"),
        )
        .hint("each needs the next; remove one of these needs")
    }

    /// Where it is written that `moment` needs `next`.
    fn place(&self, moment: Moment, next: Moment) -> Option<Place> {
        match (moment, next) {
            (Moment::Activity(moment), Moment::Activity(next)) => self.activities[moment as usize]
                .iter()
                .find(|need| need.ix.0 == next)
                .map(|need| need.place),
            (Moment::Begin(moment), Moment::Done(next)) => self.phases[moment as usize]
                .iter()
                .find(|need| need.ix.0 == next)
                .map(|need| need.place),
            _ => None,
        }
    }

    /// The moments of a cycle as people know them, the first again at the end. A phase that is
    /// crossed from its end to its beginning is named once, without the activity in between.
    fn path(&self, cycle: &[Moment]) -> Vec<String> {
        let first_end = cycle
            .iter()
            .position(|moment| matches!(moment, Moment::Done(_)));
        let mut moments = cycle.to_vec();
        moments.rotate_left(first_end.unwrap_or(0));
        let mut path: Vec<String> = Vec::new();
        let mut at = 0;
        while let Some(moment) = moments.get(at) {
            at += 1;
            if let Moment::Done(phase) = moment {
                let begins = moments[at..]
                    .iter()
                    .position(|moment| *moment == Moment::Begin(*phase));
                let within = |moment: &Moment| matches!(moment, Moment::Activity(ix) if self.parts.activities[*ix as usize].0.0 == *phase);
                if let Some(length) =
                    begins.filter(|length| moments[at..at + length].iter().all(within))
                {
                    at += length + 1;
                }
            }
            path.push(self.name(*moment));
        }
        path.dedup();
        path.extend(path.first().cloned());
        path
    }

    fn name(&self, moment: Moment) -> String {
        let name = match moment {
            Moment::Begin(phase) | Moment::Done(phase) => {
                self.parts.phase_name(PhaseIx(phase)).text.to_owned()
            }
            Moment::Activity(ix) => {
                let (phase, activity) = &self.parts.activities[ix as usize];
                format!(
                    "{}/{}",
                    self.parts.phase_name(*phase).text,
                    activity.name.text
                )
            }
        };
        crate::json::shown(&name, 130)
    }
}

impl<Ix> Need<Ix> {
    fn new(ix: Ix, part: &NeedPart<'_>) -> Self {
        Self {
            ix,
            place: part.written.place,
            join: part.join,
        }
    }
}

/// The joins among `needs`, of each of which so many must be satisfied.
fn joins<Ix: Copy + Ord>(at_least: &[u32], needs: &[Need<Ix>]) -> Vec<Join<Ix>> {
    let joins = at_least.iter().enumerate().map(|(join, at_least)| {
        let members = needs.iter().filter(|need| need.join == Some(join));
        let mut of: Vec<Ix> = members.map(|need| need.ix).collect();
        of.sort_unstable();
        Join {
            at_least: *at_least,
            of: of.into(),
        }
    });
    joins.collect()
}

fn names<'n>(parts: &Parts<'_, 'n>) -> BTreeMap<&'n str, PhaseNames<'n>> {
    let mut names: BTreeMap<&str, PhaseNames<'_>> = (0..)
        .map(PhaseIx)
        .zip(parts.phases)
        .map(|(ix, phase)| {
            let names = PhaseNames {
                ix,
                each: phase.each.is_some(),
                fanned: BTreeSet::new(),
                activities: BTreeMap::new(),
            };
            (phase.name.text, names)
        })
        .collect();
    for (ix, (phase, activity)) in (0..).map(ActivityIx).zip(&parts.activities) {
        if let Some(names) = names.get_mut(parts.phase_name(*phase).text) {
            names.activities.insert(activity.name.text, ix);
            if activity.each.is_some() {
                names.fanned.insert(activity.name.text);
            }
        }
    }
    names
}

fn self_need(need: &Written<'_>, what: &str) -> Fault {
    let message = format!("this {what} needs itself");
    Fault::new("self-need", need.place, message)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("documents have a bounded length")
}
