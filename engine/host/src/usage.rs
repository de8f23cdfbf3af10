//! What a run used of its limits: from half of a limit on, its log says so, before the limit is reached.

use std::time::Duration;

use fermata_core::attempt::Usage;
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::time::Span;
use serde::Serialize;

use crate::ask::Ask;
use crate::guest::Context;
use crate::guest::types::Outcome as GuestOutcome;
use crate::limits::{Limit, Limits};
use crate::ticker::span;

/// From this share of a limit on, a warning is worth a line.
const WARN_FROM_PERCENT: u64 = 50;
/// Microseconds in a millisecond.
const MICROS: u64 = 1_000;

/// Sizes of what the guest returned.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Returned {
    pub(crate) output_bytes: u64,
    checkpoint_bytes: u64,
}

impl Returned {
    pub(crate) fn of(outcome: &GuestOutcome) -> Self {
        match outcome {
            GuestOutcome::Succeeded(outputs) => Self {
                output_bytes: outputs.len() as u64,
                ..Self::default()
            },
            GuestOutcome::Pending(pending) => Self {
                checkpoint_bytes: pending.checkpoint.len() as u64,
                ..Self::default()
            },
        }
    }
}

/// Takes down what a run that has ended has used.
pub(crate) fn measure(context: &mut Context, returned: &Returned) {
    let (log_bytes, log_lines) = context.log.size();
    let took = context.now().since(context.began);
    let exact = context.usage;
    let ticks = span(context.ticks).0.saturating_mul(MICROS);
    let is_exact = exact.cpu_resolution_us > 0;
    context.usage = Usage {
        took_ms: took.0,
        cpu_us: if is_exact { exact.cpu_us } else { ticks },
        cpu_resolution_us: if is_exact {
            exact.cpu_resolution_us
        } else {
            span(1).0.saturating_mul(MICROS)
        },
        memory_bytes: context.limiter.memory_bytes(),
        table_elements: context.limiter.table_elements(),
        input_bytes: exact.input_bytes,
        output_bytes: returned.output_bytes,
        checkpoint_bytes: returned.checkpoint_bytes,
        evidence_facts: context.evidence.len() as u64,
        http_calls: context.calls.seen().count(),
        http_response_bytes: context.calls.seen().response_bytes(),
        log_bytes,
        log_lines,
    };
}

/// Adds a line to the log for each limit of which half was used, but not for the one that the run failed by.
pub(crate) fn warn<A: Ask>(context: &mut Context, wall: Duration, failure: Option<&Failure>) {
    let failed_by = match failure.map(|failure| &failure.class) {
        Some(FailureClass::Limit(name)) => name.as_str(),
        _ => "",
    };
    let now = context.now();
    // A log that is full says so itself, and nobody makes inputs smaller who runs already.
    let is_told = |used: &Used| match used.limit.name {
        "log-bytes" | "log-lines" => !context.log.is_full(),
        name => name != "input",
    };
    let usage = Usage {
        // Processor time as it counts against the limit.
        cpu_us: span(context.ticks).0.saturating_mul(MICROS),
        ..context.usage
    };
    let mut near = context.shared.limits.near(&usage);
    near.retain(is_told);
    let mut lines = lines(&near, failed_by);
    let wall = Span(u64::try_from(wall.as_millis()).unwrap_or(u64::MAX));
    let took = Span(usage.took_ms);
    if failed_by != "wall" && share(took.0, wall.0) >= WARN_FROM_PERCENT {
        lines.push(format!(
            "the run took {took} of the {wall} it may take (limit `wall`): {}",
            A::REMEDY_OF_WALL
        ));
    }
    for line in lines {
        context.log.note(now, line);
    }
}

/// How near a run came to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Used {
    /// Which.
    #[serde(flatten)]
    pub limit: Limit,
    /// What the run used, in the unit of the limit.
    #[serde(rename = "used")]
    pub value: u64,
    /// The same in percent of the limit.
    pub percent: u64,
}

impl Limits {
    /// How near a run came to the limits that it comes nearer to as it goes on.
    pub fn used(&self, usage: &Usage) -> Vec<Used> {
        let table = self.table();
        let of = |name: &str| table.iter().find(|limit| limit.name == name);
        let each = self.shares(usage).into_iter();
        let each = each.filter_map(|(name, used, most)| {
            Some(Used {
                limit: *of(name)?,
                value: used,
                percent: share(used, most),
            })
        });
        each.collect()
    }

    /// The same as names, what was used, and the bound.
    fn shares(&self, usage: &Usage) -> [(&'static str, u64, u64); 11] {
        [
            ("memory", usage.memory_bytes, self.memory_bytes),
            ("tables", usage.table_elements, self.table_elements),
            ("cpu", usage.cpu_us / MICROS, self.cpu.0),
            ("input", usage.input_bytes, self.input_bytes),
            ("output", usage.output_bytes, self.output_bytes),
            ("checkpoint", usage.checkpoint_bytes, self.checkpoint_bytes),
            ("evidence-facts", usage.evidence_facts, self.evidence_facts),
            ("http-calls", usage.http_calls, self.http_calls),
            (
                "http-response",
                usage.http_response_bytes,
                self.http_response_bytes,
            ),
            ("log-bytes", usage.log_bytes, self.log_bytes),
            ("log-lines", usage.log_lines, self.log_lines),
        ]
    }

    /// The limits of which so much was used that people are told.
    fn near(&self, usage: &Usage) -> Vec<Used> {
        let is_near = |used, most| share(used, most) >= WARN_FROM_PERCENT;
        let shares = self.shares(usage);
        // Nearly always none is, and then nothing has to be made for it.
        if !shares.iter().any(|(_, used, most)| is_near(*used, *most)) {
            return Vec::new();
        }
        let mut used = self.used(usage);
        used.retain(|used| used.percent >= WARN_FROM_PERCENT);
        used
    }
}

fn lines(near: &[Used], failed_by: &str) -> Vec<String> {
    let near = near.iter().filter(|used| used.limit.name != failed_by);
    near.map(|used| {
        let Limit {
            name,
            value: most,
            unit,
            remedy,
            ..
        } = used.limit;
        let (percent, value) = (used.percent, used.value);
        format!(
            "the run used {percent} % of the limit `{name}` ({value} of {most} {unit}): {remedy}"
        )
    })
    .collect()
}

/// `used` in percent of `most`.
fn share(used: u64, most: u64) -> u64 {
    used.saturating_mul(100).checked_div(most).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_begin_at_half_of_a_limit_and_leave_the_reached_one_out() {
        let limits = Limits {
            http_calls: 10,
            ..Limits::default()
        };
        let near = |http_calls: u64, failed_by: &str| {
            let usage = Usage {
                http_calls,
                ..Usage::default()
            };
            lines(&limits.near(&usage), failed_by)
        };
        assert!(near(4, "").is_empty());
        assert_eq!(
            near(5, ""),
            [
                "the run used 50 % of the limit `http-calls` (5 of 10 calls): poll with `pending` instead of a loop"
            ]
        );
        assert!(near(11, "http-calls").is_empty());
    }
}
