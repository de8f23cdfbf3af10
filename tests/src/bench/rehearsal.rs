//! What it costs to rehearse a large release that takes weeks.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use fermata_core::process::ProcessRef;
use fermata_core::process::validate::validate;
use fermata_core::rehearsal::{Assumptions, rehearse};
use fermata_core::time::Span;

use crate::bench::figure::{Figure, percentile};

const ACTIVITIES: usize = 500;
/// Width of the graph: each activity needs the one a rank above it.
const RANK: usize = 10;
/// So that the ranks, one after the other, take six weeks.
const WEEKS: u64 = 6;
const WEEK_MS: u64 = 7 * 24 * 60 * 60 * 1000;
const REPETITIONS: usize = 20;

/// The median time of one rehearsal, from the document to the plan.
pub fn measure() -> Result<Vec<Figure>> {
    let document = document();
    let mut taken = Vec::new();
    for _ in 0..REPETITIONS {
        let began = Instant::now();
        plan(&document)?;
        taken.push(began.elapsed());
    }
    let median = percentile(&mut taken, 0.5) * 1e3;
    Ok(vec![Figure::lower(
        "rehearsal.plan_500_ms",
        median,
        "ms",
        Some(1_000.0),
    )])
}

fn plan(document: &str) -> Result<()> {
    let process = validate(document.as_bytes(), None)
        .map_err(|defects| anyhow::anyhow!("the graph does not check: {}", defects[0].message))?;
    let process = Arc::new(process);
    let reference = ProcessRef {
        name: process.name.clone(),
        version: 1,
        digest: process.digest,
    };
    let ranks = (ACTIVITIES / RANK) as u64;
    let assumptions = Assumptions {
        duration_default: Span(WEEKS * WEEK_MS / ranks),
        ..Assumptions::default()
    };
    let plan = rehearse(&process, reference, &assumptions)?;
    anyhow::ensure!(plan.entries.len() == ACTIVITIES, "all of them run");
    anyhow::ensure!(plan.takes_ms == WEEKS * WEEK_MS, "for as long as that");
    Ok(())
}

fn document() -> String {
    let mut text = "process: weeks\nphases:\n  only:\n    activities:\n".to_owned();
    for number in 0..ACTIVITIES {
        let needs = number
            .checked_sub(RANK)
            .map_or(String::new(), |above| format!("needs: [a{above}], "));
        let with = "with: { release: '${{ release.title }}' }";
        writeln!(
            text,
            "      a{number}: {{ {needs}uses: noop@1, timeout: 7d, {with} }}"
        )
        .expect("writing to a string cannot fail");
    }
    text
}
