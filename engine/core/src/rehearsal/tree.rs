//! A plan as people read it.

use std::fmt::{self, Write as _};

use crate::json::shown;
use crate::rehearsal::plan::{Entry, OutputsFrom, Rehearsal, STANDS_STILL};
use crate::rehearsal::rollback::Effect;
use crate::time::{Span, Timestamp};

/// Longest value that is shown whole, in characters.
const SHOWN_CHARS: usize = 200;
/// Units in which people read lengths of time, in milliseconds.
const UNITS: [(&str, u64); 4] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
];

impl Rehearsal {
    /// The plan as a tree of phases, followed by who is needed, what determines the end, and what
    /// stands still.
    pub fn tree(&self) -> String {
        let mut text = String::new();
        self.write(&mut text).expect("strings take all text");
        text
    }

    fn write(&self, text: &mut String) -> fmt::Result {
        let how = if self.outcome == STANDS_STILL {
            "stands still"
        } else {
            self.outcome.as_str()
        };
        let took = length(Span(self.takes_ms));
        writeln!(
            text,
            "{} ({}): {how} after {took}",
            self.title, self.process
        )?;
        writeln!(text, "plan {}", self.plan_hash)?;
        self.write_phases(text)?;
        self.write_people(text)?;
        self.write_path(text)?;
        self.write_standing(text)?;
        self.write_rollback(text)?;
        if let Some(outputs) = &self.outputs {
            writeln!(text, "\noutputs {}", shown(outputs.as_str(), SHOWN_CHARS))?;
        }
        Ok(())
    }

    /// Phases in the order in which they begin, numbered activities in theirs.
    fn write_phases(&self, text: &mut String) -> fmt::Result {
        let mut phases: Vec<(&str, Vec<(usize, &Entry)>)> = Vec::new();
        for (number, entry) in (1..).zip(&self.entries) {
            let phase = entry.activity.split('/').next().unwrap_or_default();
            match phases.iter_mut().find(|(name, _)| *name == phase) {
                Some((_, entries)) => entries.push((number, entry)),
                None => phases.push((phase, vec![(number, entry)])),
            }
        }
        for (phase, entries) in phases {
            writeln!(text, "\n{phase}")?;
            for (number, entry) in entries {
                self.write_entry(text, number, entry)?;
            }
        }
        Ok(())
    }

    fn write_entry(&self, text: &mut String, number: usize, entry: &Entry) -> fmt::Result {
        let mark = if entry.is_critical { '*' } else { ' ' };
        let name = entry.activity.split_once('/').map_or("", |(_, name)| name);
        let runs = entry.uses.as_deref().unwrap_or(&entry.kind);
        let from = self.offset(entry.starts_at);
        write!(
            text,
            "{number:>4} {mark} {name}  {from}  {runs}  {}",
            entry.state
        )?;
        if let Some(ended) = entry.ends_at.filter(|at| *at > entry.starts_at) {
            write!(text, " after {}", length(ended.since(entry.starts_at)))?;
        }
        if let Some(at) = entry.undone_at {
            write!(text, ", taken back {}", self.offset(at))?;
        }
        if entry.attempts > 1 {
            write!(text, ", {} attempts", entry.attempts)?;
        }
        match &entry.why {
            Some(why) => writeln!(text, ": {}", shown(why, SHOWN_CHARS))?,
            None => writeln!(text)?,
        }
        let mut line =
            |what: &str, said: &str| writeln!(text, "         {what} {}", shown(said, SHOWN_CHARS));
        if let Some(with) = &entry.with {
            line("with", with.as_str())?;
        }
        if let Some(instructions) = &entry.instructions {
            line("asks", instructions)?;
        }
        if let (Some(outputs), Some(from)) = (&entry.outputs, entry.outputs_from) {
            let how = match from {
                OutputsFrom::Given => "gives",
                OutputsFrom::Schema => "gives, as its schema says,",
                OutputsFrom::Placeholder => "gives, for example,",
            };
            line(how, outputs.as_str())?;
        }
        if !entry.reads_placeholders.is_empty() {
            line(
                "reads made-up outputs of",
                &entry.reads_placeholders.join(", "),
            )?;
        }
        entry
            .remarks
            .iter()
            .try_for_each(|remark| line("!", remark))
    }

    fn write_people(&self, text: &mut String) -> fmt::Result {
        let mut asked = self.entries.iter().filter(|entry| entry.kind == "manual");
        let mut asked = asked
            .by_ref()
            .filter(|entry| entry.instructions.is_some())
            .peekable();
        if asked.peek().is_some() {
            writeln!(text, "\npeople")?;
        }
        for entry in asked {
            let rules = entry.approvals.iter();
            let rules: Vec<String> = rules
                .map(|rule| format!("{} of {}", rule.count, rule.from))
                .collect();
            let who = if rules.is_empty() {
                "anybody".to_owned()
            } else {
                rules.join(", ")
            };
            write!(
                text,
                "  {}  {}  {who}",
                self.offset(entry.starts_at),
                entry.activity
            )?;
            if entry.excludes_initiator {
                write!(text, ", not who started it")?;
            }
            match entry.expires_at {
                Some(at) => writeln!(text, ", within {}", length(at.since(entry.starts_at)))?,
                None => writeln!(text)?,
            }
        }
        Ok(())
    }

    fn write_path(&self, text: &mut String) -> fmt::Result {
        if !self.critical_path.is_empty() {
            writeln!(text, "\ncritical path")?;
        }
        for link in &self.critical_path {
            write!(text, "  {}  {}", self.offset(link.starts_at), link.activity)?;
            match link.ends_at {
                Some(at) => writeln!(text, "  {}", length(at.since(link.starts_at)))?,
                None => writeln!(text)?,
            }
        }
        Ok(())
    }

    fn write_standing(&self, text: &mut String) -> fmt::Result {
        if !self.standing.is_empty() {
            let heading = if self.outcome == STANDS_STILL {
                "stands still"
            } else {
                "left to do"
            };
            writeln!(text, "\n{heading}")?;
        }
        for standing in &self.standing {
            let (what, on) = (&standing.activity, shown(&standing.waits_on, SHOWN_CHARS));
            writeln!(text, "  {what} is {}: {on}", standing.state)?;
            writeln!(text, "    can be moved by {}", standing.actions.join(", "))?;
        }
        if !self.not_reached.is_empty() {
            writeln!(text, "\nnot reached")?;
        }
        let mut names = self.not_reached.iter();
        names.try_for_each(|name| writeln!(text, "  {name}"))
    }

    /// Stages of the way back, the first first.
    fn write_rollback(&self, text: &mut String) -> fmt::Result {
        if !self.rollback.is_empty() {
            writeln!(text, "\na rollback at the end would take back")?;
        }
        for effect in &self.rollback {
            let Effect {
                stage, activity, ..
            } = effect;
            write!(
                text,
                "{stage:>4}   {activity}  from {}  ",
                self.offset(effect.from)
            )?;
            match (&effect.uses, &effect.point, effect.way.as_str()) {
                (Some(uses), ..) => write!(text, "by {uses}")?,
                (_, Some(point), _) => write!(text, "not at all, since {point} cannot return")?,
                (_, _, "component") => write!(text, "by its component")?,
                (_, _, "person") => write!(text, "by a person: nothing is known that undoes it")?,
                (_, _, "children") => write!(text, "by the rollback of what it started")?,
                _ => write!(text, "nothing to do")?,
            }
            match &effect.validate {
                Some(validate) => writeln!(text, ", checked by {validate}")?,
                None => writeln!(text)?,
            }
        }
        Ok(())
    }

    fn offset(&self, at: Timestamp) -> String {
        format!("+{}", length(at.since(self.starts_at)))
    }
}

/// A length of time in its two largest units.
fn length(span: Span) -> String {
    let Some(largest) = UNITS.iter().position(|(_, ms)| span.0 >= *ms) else {
        return span.to_string();
    };
    let (unit, ms) = UNITS[largest];
    let whole = format!("{}{unit}", span.0 / ms);
    match UNITS.get(largest + 1) {
        Some((unit, part)) if span.0 % ms >= *part => {
            format!("{whole} {}{unit}", span.0 % ms / part)
        }
        _ => whole,
    }
}
