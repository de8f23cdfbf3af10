//! What one completion costs, in a small graph and in the largest one that is allowed.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fermata_core::actor::{Actor, Caller};
use fermata_core::attempt::{AttemptKey, Outcome, Report};
use fermata_core::component::{Pin, Version};
use fermata_core::id::{Digest, ReleaseId};
use fermata_core::json::Json;
use fermata_core::process::validate::validate;
use fermata_core::process::{Process, ProcessRef};
use fermata_core::release::event::Pinned;
use fermata_core::release::input::{Input, What};
use fermata_core::release::{Draft, Release, create, turn, work};
use fermata_core::time::Timestamp;
use fermata_store::codec;

use crate::bench::figure::Figure;

/// Width of the graphs: each activity needs the one a rank above it, so that the shape is the same at every size.
const RANK: usize = 10;
const SMALL: usize = 100;
const LARGE: usize = 10_000;
/// Completions that are measured at either size.
const COMPLETIONS: usize = 20_000;
const START: Timestamp = Timestamp(1_700_000_000_000);

/// The ratio between the two costs.
pub fn measure() -> Result<Vec<Figure>> {
    let small = cost(SMALL)?;
    let large = cost(LARGE)?;
    Ok(vec![
        Figure::lower("graph.cost_us", small.as_secs_f64() * 1e6, "µs", None),
        Figure::lower(
            "graph.cost_ratio",
            large.as_secs_f64() / small.as_secs_f64(),
            "×",
            Some(1.5),
        ),
    ])
}

/// The mean time of one completion: decide, apply, advance, and encode the turn for the store.
fn cost(activities: usize) -> Result<Duration> {
    let document = document(activities);
    let process = validate(document.as_bytes(), None)
        .map_err(|defects| anyhow::anyhow!("the graph does not check: {}", defects[0].message))?;
    let process = Arc::new(process);
    let mut taken = Duration::ZERO;
    let mut completions = 0;
    while completions < COMPLETIONS {
        let mut release = started(&process)?;
        let mut runs: VecDeque<AttemptKey> = work(&release).runs.into();
        while let Some(key) = runs.pop_front() {
            let began = Instant::now();
            let done =
                turn(&mut release, &finished(key), START).context("a completion was refused")?;
            let bytes = codec::encode(&done);
            taken += began.elapsed();
            completions += 1;
            anyhow::ensure!(!bytes.is_empty(), "a turn has bytes");
            let touched = done
                .events
                .iter()
                .filter_map(fermata_core::release::event::Event::activity);
            runs.extend(
                touched
                    .filter(|ix| *ix != key.activity)
                    .filter_map(|ix| release.current_run(ix)),
            );
        }
        if !release.has_ended() {
            bail!("the release did not end");
        }
    }
    Ok(taken / u32::try_from(completions)?)
}

fn document(activities: usize) -> String {
    let mut text = "process: graph\nphases:\n  only:\n    activities:\n".to_owned();
    for number in 0..activities {
        let needs = number
            .checked_sub(RANK)
            .map_or(String::new(), |above| format!("needs: [a{above}], "));
        writeln!(text, "      a{number}: {{ {needs}uses: noop@1 }}")
            .expect("writing to a string cannot fail");
    }
    text
}

fn started(process: &Arc<Process>) -> Result<Release> {
    let reference = ProcessRef {
        name: process.name.clone(),
        version: 1,
        digest: process.digest,
    };
    let draft = Draft {
        process: reference,
        title: None,
        inputs: serde_json::json!({}),
        emergency: None,
        parent: None,
    };
    let created = create(process, draft, Actor::Engine, START)
        .map_err(|faults| anyhow::anyhow!(faults.join("; ")))?;
    let mut release = Release::new(ReleaseId(1), Arc::clone(process), &created)?;
    let version = Version {
        major: 1,
        minor: 0,
        patch: 0,
    };
    let pin = |uses: &fermata_core::component::Uses| Pinned {
        uses: uses.clone(),
        pin: Pin {
            name: uses.name.clone(),
            version,
            digest: Digest::of(b"noop"),
        },
    };
    let components = process.uses().into_iter().map(pin).collect();
    let start = Input {
        by: Caller::engine(),
        what: What::Start {
            components,
            irreversible: Vec::new(),
        },
    };
    turn(&mut release, &start, START).context("the start was refused")?;
    Ok(release)
}

fn finished(key: AttemptKey) -> Input {
    let report = Report {
        outcome: Outcome::Succeeded(Json::empty_object()),
        evidence: Vec::new(),
    };
    Input {
        by: Caller::engine(),
        what: What::AttemptFinished { key, report },
    }
}
