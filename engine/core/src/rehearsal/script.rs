//! The assumptions, looked up by activity.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::component::{Pin, Uses, Version};
use crate::id::Digest;
use crate::json::Json;
use crate::nearest::nearest;
use crate::process::{ActivityIx, Component, Kind, Manual, Process, SignalWait, Wait};
use crate::rehearsal::assumptions::{APPROVE_AFTER_DEFAULT, Assumptions};
use crate::rehearsal::error::RehearsalError;
use crate::rehearsal::plan::{Assumed, Basis, OutputsFrom};
use crate::rehearsal::sample::{self, Sample};
use crate::release::event::Pinned;
use crate::time::{Span, Timestamp};

/// Assumptions whose names are those of the process.
pub(super) struct Script<'a> {
    pub(super) assumptions: &'a Assumptions,
    durations: BTreeMap<String, Assumed>,
    outputs: BTreeMap<String, &'a Value>,
    fails: BTreeSet<String>,
}

impl<'a> Script<'a> {
    pub(super) fn read(
        process: &Process,
        assumptions: &'a Assumptions,
    ) -> Result<Self, RehearsalError> {
        let mut durations = BTreeMap::new();
        for (path, span) in &assumptions.history {
            // What the process has lost since is no matter any more.
            if let Some(ix) = process.find(path) {
                durations.insert(process.path(ix), Assumed::new(*span, Basis::History));
            }
        }
        for (path, span) in &assumptions.durations {
            let path = named(process, path)?;
            durations.insert(path, Assumed::new(*span, Basis::Given));
        }
        let outputs = assumptions.outputs.iter();
        let outputs = outputs.map(|(path, value)| Ok((named(process, path)?, value)));
        let fails = assumptions.fail.iter().map(|path| named(process, path));
        Ok(Self {
            assumptions,
            durations,
            outputs: outputs.collect::<Result<_, _>>()?,
            fails: fails.collect::<Result<_, _>>()?,
        })
    }

    /// Whether the activity is one that is to fail.
    pub(super) fn fails(&self, process: &Process, ix: ActivityIx) -> bool {
        names(process, ix)
            .iter()
            .any(|name| self.fails.contains(name))
    }

    /// How long a run takes that begins at `now`. A default never makes it miss its deadline.
    pub(super) fn run_length(
        &self,
        process: &Process,
        ix: ActivityIx,
        (now, deadline): (Timestamp, Timestamp),
    ) -> Assumed {
        self.known_length(process, ix).unwrap_or_else(|| {
            let span = self.assumptions.duration_default.min(deadline.since(now));
            Assumed::new(span, Basis::Default)
        })
    }

    /// How long people take who are asked at `now`. A default never makes a question expire.
    pub(super) fn decision_length(
        &self,
        process: &Process,
        ix: ActivityIx,
        (now, expires_at): (Timestamp, Option<Timestamp>),
    ) -> Assumed {
        if let Some(known) = self.known_length(process, ix) {
            return known;
        }
        if let Some(given) = self.assumptions.approve_after {
            return Assumed::new(given, Basis::Given);
        }
        let half = expires_at.map(|at| Span(at.since(now).0 / 2));
        let span = APPROVE_AFTER_DEFAULT.max(required_work(process, ix));
        let span = half.map_or(span, |half| half.min(span));
        Assumed::new(span, Basis::Default)
    }

    fn known_length(&self, process: &Process, ix: ActivityIx) -> Option<Assumed> {
        names(process, ix)
            .iter()
            .find_map(|name| self.durations.get(name).copied())
    }

    /// What a run with these inputs gives back, and how that is known.
    pub(super) fn outputs(
        &self,
        process: &Process,
        ix: ActivityIx,
        with: Option<&Json>,
    ) -> (Json, OutputsFrom) {
        let names = names(process, ix);
        if let Some(given) = names.iter().find_map(|name| self.outputs.get(name)) {
            return (Json::of(given), OutputsFrom::Given);
        }
        let inputs = with.map(Json::value);
        match &process.activity(ix).kind {
            Kind::Component(component) => match self.described(component) {
                Some(schema) => of_sample(&sample::outputs(schema, inputs.as_ref())),
                // Most give back at least what they were told; more cannot be known.
                None => (
                    with.cloned().unwrap_or_else(Json::empty_object),
                    OutputsFrom::Placeholder,
                ),
            },
            Kind::Manual(manual) => manual.form.as_ref().map_or_else(
                || (Json::empty_object(), OutputsFrom::Schema),
                |form| of_sample(&sample::answers(form.source())),
            ),
            Kind::Wait(Wait::Signal(SignalWait {
                schema: Some(schema),
                ..
            })) => of_sample(&sample::outputs(schema.source(), None)),
            Kind::Wait(Wait::Signal(_) | Wait::Release(_)) | Kind::Process(_) => {
                (Json::empty_object(), OutputsFrom::Placeholder)
            }
            Kind::Wait(Wait::For(_) | Wait::Until(_)) => {
                (Json::empty_object(), OutputsFrom::Schema)
            }
        }
    }

    /// The answers to the form of a manual activity, if it has one.
    pub(super) fn form(&self, process: &Process, ix: ActivityIx, manual: &Manual) -> Option<Json> {
        manual.form.as_ref()?;
        Some(self.outputs(process, ix, None).0)
    }

    fn described(&self, component: &Component) -> Option<&Value> {
        let known = self.assumptions.components.get(&component.uses)?;
        Some(&known.outputs)
    }

    /// What would be pinned; something that fits for a component that is not known.
    pub(super) fn pins(&self, process: &Process) -> Vec<Pinned> {
        let pin = |uses: &Uses| match self.assumptions.components.get(uses) {
            Some(known) => known.pin.clone(),
            None => Pin {
                name: uses.name.clone(),
                version: Version {
                    major: uses.major,
                    minor: uses.minor.unwrap_or(0),
                    patch: uses.patch.unwrap_or(0),
                },
                digest: Digest::of(b""),
            },
        };
        let pinned = |uses: &Uses| Pinned {
            uses: uses.clone(),
            pin: pin(uses),
        };
        process.uses().into_iter().map(pinned).collect()
    }

    /// Positions of the pins that are known to export no `undo`.
    pub(super) fn irreversible(&self, pins: &[Pinned]) -> Vec<u32> {
        let is_irreversible = |pinned: &Pinned| {
            let known = self.assumptions.components.get(&pinned.uses);
            known.is_some_and(|known| !known.is_reversible)
        };
        let pins = (0..).zip(pins);
        let found = pins.filter(|(_, pinned)| is_irreversible(pinned));
        found.map(|(position, _)| position).collect()
    }
}

/// How long the longest task is expected to take that must be done before anybody decides.
fn required_work(process: &Process, ix: ActivityIx) -> Span {
    let tasks = match &process.activity(ix).kind {
        Kind::Manual(manual) => manual.tasks.as_slice(),
        Kind::Component(_) | Kind::Wait(_) | Kind::Process(_) => &[],
    };
    let required = tasks.iter().filter(|rule| rule.required);
    let longest = required.filter_map(|rule| rule.expected).max();
    longest.unwrap_or(Span(0))
}

fn of_sample(sample: &Sample) -> (Json, OutputsFrom) {
    let from = if sample.is_placeholder {
        OutputsFrom::Placeholder
    } else {
        OutputsFrom::Schema
    };
    (Json::of(&sample.value), from)
}

/// What the activity at `ix` goes by: its path, and if it is one of several instances also what they
/// have in common.
fn names(process: &Process, ix: ActivityIx) -> [String; 2] {
    let path = process.path(ix);
    let common = without_items(&path);
    [path, common]
}

/// The path without the items that stand in brackets.
fn without_items(path: &str) -> String {
    let mut depth = 0_usize;
    let outside = |c: &char| {
        depth += usize::from(*c == '[');
        let is_outside = depth == 0;
        depth -= usize::from(*c == ']' && depth > 0);
        is_outside
    };
    path.chars().filter(outside).collect()
}

/// The whole path of the activity that somebody named. Instances are known only once there are some.
fn named(process: &Process, given: &str) -> Result<String, RehearsalError> {
    if let Some(ix) = process.find(given) {
        return Ok(process.path(ix));
    }
    let common = without_items(given);
    if common != given && process.find(&common).is_some() {
        return Ok(given.to_owned());
    }
    let paths: Vec<String> = (0..)
        .zip(&process.activities)
        .map(|(ix, _)| process.path(ActivityIx(ix)))
        .collect();
    let near = nearest(given, paths.iter().map(String::as_str));
    Err(RehearsalError::UnknownActivity {
        given: given.to_owned(),
        near: near.map(str::to_owned),
    })
}
