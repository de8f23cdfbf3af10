//! The reasons as sentences.

use std::fmt;

use super::{BeforeBatch, OpenRule, Waiting, WaitsOn};
use crate::actor::{Actor, Party};
use crate::process::Exclusion;
use crate::release::event::HaltReason;
use crate::time::Timestamp;

/// Most people that a reason names one by one.
const MISSING_SHOWN_MAX: usize = 10;

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}: {}", self.path, self.state, self.on)?;
        match self.since {
            Some(since) => write!(f, ", since {since}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for WaitsOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("waits for somebody to start it"),
            Self::Resume { by, reason } => {
                write!(f, "waits to be resumed; {by} paused it")?;
                reason
                    .iter()
                    .try_for_each(|reason| write!(f, " ({reason})"))
            }
            Self::Time {
                until,
                times_out,
                failure,
                status,
            } => {
                let what = if *times_out {
                    "times out at"
                } else {
                    "waits until"
                };
                write!(f, "{what} {until}")?;
                let said = failure.iter().map(ToString::to_string);
                said.chain(status.clone())
                    .try_for_each(|said| write!(f, " ({said})"))
            }
            Self::People {
                rules,
                form,
                exclude,
                escalates_at,
                further,
                expires_at,
            } => {
                write_people(f, rules)?;
                let further = (further.as_slice(), *escalates_at);
                write_notes(f, *form, exclude, further, *expires_at)
            }
            Self::Decision { failure, owners } => {
                write_awaited(f, owners, &format!("to say how to go on ({failure})"))
            }
            Self::Signal { .. } | Self::Release { .. } | Self::Locks(_) | Self::Batch { .. } => {
                write_others(f, self)
            }
            Self::Undos(others) => write_awaited(f, others, "to be undone first"),
            Self::RootCause { owners } => {
                write_awaited(f, owners, "to say why the release had to go back")
            }
            Self::Needs(needs) => write_awaited(f, needs, "to end"),
        }
    }
}

/// What something waits on that is not its own: other releases, or the others of its wave.
fn write_others(f: &mut fmt::Formatter<'_>, on: &WaitsOn) -> fmt::Result {
    match on {
        WaitsOn::Signal {
            name,
            until,
            status,
        } => {
            write!(f, "waits for the signal `{name}`")?;
            if let Some(status) = status {
                write!(f, " ({status})")?;
            }
            write_given_up(f, *until)
        }
        WaitsOn::Release {
            release,
            reaches,
            until,
        } => {
            write!(f, "waits for {release} to reach `{reaches}`")?;
            write_given_up(f, *until)
        }
        WaitsOn::Locks(locks) => {
            f.write_str("waits for ")?;
            f.write_str(if locks.len() == 1 {
                "the lock "
            } else {
                "the locks "
            })?;
            write_list(f, locks)
        }
        WaitsOn::Batch {
            batch,
            batches,
            before,
        } => write!(f, "waits for batch {batch} of {batches}: {before}"),
        _ => Ok(()),
    }
}

fn write_given_up(f: &mut fmt::Formatter<'_>, until: Option<Timestamp>) -> fmt::Result {
    match until {
        Some(until) => write!(f, " and gives up at {until}"),
        None => Ok(()),
    }
}

fn write_people(f: &mut fmt::Formatter<'_>, rules: &[OpenRule]) -> fmt::Result {
    f.write_str("waits for ")?;
    if rules.is_empty() {
        return f.write_str("anybody to complete it");
    }
    let wanted: Vec<String> = rules
        .iter()
        .map(|rule| {
            let plural = if rule.more == 1 { "" } else { "s" };
            let then = if rule.later { "then " } else { "" };
            let from = Listed(&rule.from, "or");
            let missing = match rule.missing.as_slice() {
                [] => String::new(),
                missing if missing.len() > MISSING_SHOWN_MAX => {
                    format!(" of {} people", missing.len())
                }
                missing => format!(" of {}", Listed(missing, "and")),
            };
            format!(
                "{then}{from} ({} more approval{plural}{missing})",
                rule.more
            )
        })
        .collect();
    write_list(f, &wanted)
}

impl fmt::Display for BeforeBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instances(1) => f.write_str("1 instance of those before it has not ended"),
            Self::Instances(count) => {
                write!(f, "{count} instances of those before it have not ended")
            }
            Self::Bake(until) => write!(f, "those before it bake until {until}"),
            Self::Gate(gate) => write!(f, "the gate {gate} has not ended"),
            Self::Halt { by, reason } => write!(f, "halted {}", reason.text(by)),
        }
    }
}

impl HaltReason {
    /// Why, as the end of a sentence that begins with `halted`.
    pub fn text(&self, by: &Actor) -> String {
        match self {
            Self::Failures(1) => "after 1 failure".to_owned(),
            Self::Failures(failed) => format!("after {failed} failures"),
            Self::Gate => "since its gate did not succeed".to_owned(),
            Self::Person(reason) => format!("by {by} ({reason})"),
        }
    }
}

/// For whom or what it waits, and to do what; somebody if there is nobody in particular.
fn write_awaited<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    awaited: &[T],
    what: &str,
) -> fmt::Result {
    f.write_str("waits for ")?;
    if awaited.is_empty() {
        f.write_str("somebody")?;
    }
    write_list(f, awaited)?;
    write!(f, " {what}")
}

fn write_notes(
    f: &mut fmt::Formatter<'_>,
    form: bool,
    exclude: &[Exclusion],
    (further, escalates_at): (&[Party], Option<Timestamp>),
    expires_at: Option<Timestamp>,
) -> fmt::Result {
    let from = escalates_at.map(|at| format!(" from {at}"));
    let exclude: Vec<String> = exclude.iter().map(excluded).collect();
    let notes = [
        form.then(|| "with the form filled in".to_owned()),
        (!exclude.is_empty()).then(|| format!("not by {}", Listed(&exclude, "or"))),
        (!further.is_empty()).then(|| {
            let from = from.unwrap_or_default();
            format!("also by {}{from}", Listed(further, "or"))
        }),
        expires_at.map(|at| format!("until {at}")),
    ];
    notes
        .iter()
        .flatten()
        .try_for_each(|note| write!(f, ", {note}"))
}

fn excluded(exclusion: &Exclusion) -> String {
    match exclusion {
        Exclusion::Initiator => "who started it".to_owned(),
        Exclusion::Authors => "who published the process".to_owned(),
        Exclusion::Party(party) => party.to_string(),
    }
}

/// Items with commas, and a word before the last.
struct Listed<'a, T>(&'a [T], &'a str);

impl<T: fmt::Display> fmt::Display for Listed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, item) in self.0.iter().enumerate() {
            match position {
                0 => {}
                _ if position + 1 == self.0.len() => write!(f, " {} ", self.1)?,
                _ => f.write_str(", ")?,
            }
            write!(f, "{item}")?;
        }
        Ok(())
    }
}

fn write_list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T]) -> fmt::Result {
    write!(f, "{}", Listed(items, "and"))
}
