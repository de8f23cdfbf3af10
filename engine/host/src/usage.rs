//! What a run used of its limits: from half of a limit on, its log says so, before the limit is reached.

use std::time::Duration;

use fermata_core::failure::{Failure, FailureClass};
use fermata_core::time::Span;

use crate::ask::Ask;
use crate::guest::Context;
use crate::guest::types::Outcome as GuestOutcome;
use crate::limits::Limits;
use crate::ticker::span;

/// From this share of a limit on, a warning is worth a line.
const WARN_FROM_PERCENT: u64 = 50;

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

/// Adds a line to the log for each limit of which half was used, but not for the one that the run failed by.
pub(crate) fn warn<A: Ask>(
    context: &mut Context,
    returned: &Returned,
    wall: Duration,
    failure: Option<&Failure>,
) {
    let failed_by = match failure.map(|failure| &failure.class) {
        Some(FailureClass::Limit(name)) => name.as_str(),
        _ => "",
    };
    let now = context.now();
    let used = used(context, returned);
    let mut lines = lines(&context.shared.limits, &used, failed_by);
    let wall = Span(u64::try_from(wall.as_millis()).unwrap_or(u64::MAX));
    let took = now.since(context.began);
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

/// The limits that a run comes nearer to as it goes on.
fn used(context: &Context, returned: &Returned) -> Vec<(&'static str, u64)> {
    let (log_bytes, log_lines) = context.log.size();
    let mut used = vec![
        ("memory", context.limiter.memory_bytes()),
        ("tables", context.limiter.table_elements()),
        ("cpu", span(context.ticks).0),
        ("output", returned.output_bytes),
        ("checkpoint", returned.checkpoint_bytes),
        ("evidence-facts", context.evidence.len() as u64),
        ("http-calls", context.calls.seen().count()),
        ("http-response", context.calls.seen().response_bytes()),
    ];
    // A log that is full says so itself.
    if !context.log.is_full() {
        used.extend([("log-bytes", log_bytes), ("log-lines", log_lines)]);
    }
    used
}

fn lines(limits: &Limits, used: &[(&'static str, u64)], failed_by: &str) -> Vec<String> {
    let table = limits.table();
    let of = |name: &str| table.iter().find(|limit| limit.name == name);
    used.iter()
        .filter(|(name, _)| *name != failed_by)
        .filter_map(|(name, used)| Some((of(name)?, *used)))
        .filter(|(limit, used)| share(*used, limit.value) >= WARN_FROM_PERCENT)
        .map(|(limit, used)| {
            format!(
                "the run used {} % of the limit `{}` ({used} of {} {}): {}",
                share(used, limit.value),
                limit.name,
                limit.value,
                limit.unit,
                limit.remedy
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
        assert!(lines(&limits, &[("http-calls", 4), ("memory", 0)], "").is_empty());
        assert_eq!(
            lines(&limits, &[("http-calls", 5)], ""),
            [
                "the run used 50 % of the limit `http-calls` (5 of 10 calls): poll with `pending` instead of a loop"
            ]
        );
        assert!(lines(&limits, &[("http-calls", 11)], "http-calls").is_empty());
    }
}
