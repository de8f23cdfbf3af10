//! A wave over as many items as a release may have: what its events cost, and what it weighs.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fermata_core::actor::{Actor, Caller};
use fermata_core::attempt::{AttemptKey, Outcome, Report};
use fermata_core::component::{Pin, Uses, Version};
use fermata_core::id::{Digest, ReleaseId};
use fermata_core::json::Json;
use fermata_core::limits::INSTANCES_MAX;
use fermata_core::process::validate::validate;
use fermata_core::process::{Process, ProcessRef};
use fermata_core::release::event::{Event, Pinned, Turn};
use fermata_core::release::input::{Input, What};
use fermata_core::release::{Draft, Release, create, turn, work};
use fermata_core::time::Timestamp;
use fermata_store::codec;

use crate::bench::figure::Figure;

const START: Timestamp = Timestamp(1_700_000_000_000);

/// Two activities for each item, all items in three batches.
const DOCUMENT: &str = "
process: fan-out
inputs: { items: { type: array } }
phases:
  wave:
    each: ${{ inputs.items }}
    batches: [1%, 50%, 100%]
    activities:
      deploy: { uses: noop@1, with: { to: '${{ each.item }}' } }
      verify: { needs: [deploy], uses: noop@1 }
";

/// Events for each second of one core, and the memory of the release when all has ended.
pub fn measure() -> Result<Vec<Figure>> {
    let process = validate(DOCUMENT.as_bytes(), None)
        .map_err(|defects| anyhow::anyhow!("the wave does not check: {}", defects[0].message))?;
    let process = Arc::new(process);
    let before = resident_bytes()?;
    let (mut release, mut taken, mut events) = started(&process)?;
    let mut runs: VecDeque<AttemptKey> = work(&release).runs.into();
    while let Some(key) = runs.pop_front() {
        let (done, span) = timed(&mut release, &finished(key))?;
        taken += span;
        events += done.events.len();
        let touched = done.events.iter().filter_map(Event::activity);
        let others = touched.filter(|ix| *ix != key.activity);
        runs.extend(others.filter_map(|ix| release.current_run(ix)));
    }
    if !release.has_ended() {
        bail!("the wave did not end");
    }
    let bytes = resident_bytes()?.saturating_sub(before);
    let (events, bytes) = (u32::try_from(events)?, u32::try_from(bytes / 1024)?);
    Ok(vec![
        Figure::higher(
            "fanout.events_per_s",
            f64::from(events) / taken.as_secs_f64(),
            "events/s",
            Some(100_000.0),
        ),
        Figure::lower(
            "fanout.memory_mb",
            f64::from(bytes) / 1024.0,
            "MB",
            Some(50.0),
        ),
    ])
}

/// One turn, with its bytes for the store, and how long it took.
fn timed(release: &mut Release, input: &Input) -> Result<(Turn, Duration)> {
    let began = Instant::now();
    let done = turn(release, input, START).context("an input was refused")?;
    let bytes = codec::encode(&done);
    let span = began.elapsed();
    anyhow::ensure!(!bytes.is_empty(), "a turn has bytes");
    Ok((done, span))
}

fn started(process: &Arc<Process>) -> Result<(Release, Duration, usize)> {
    let items: Vec<String> = (0..INSTANCES_MAX)
        .map(|item| format!("customer-{item}"))
        .collect();
    let draft = Draft {
        emergency: None,
        parent: None,
        process: ProcessRef {
            name: process.name.clone(),
            version: 1,
            digest: process.digest,
        },
        title: None,
        inputs: serde_json::json!({ "items": items }),
    };
    let created = create(process, draft, Actor::Engine, START)
        .map_err(|faults| anyhow::anyhow!(faults.join("; ")))?;
    let mut release = Release::new(ReleaseId(1), Arc::clone(process), &created)?;
    let pin = |uses: &Uses| Pinned {
        uses: uses.clone(),
        pin: Pin {
            name: uses.name.clone(),
            version: Version {
                major: 1,
                minor: 0,
                patch: 0,
            },
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
    let (done, span) = timed(&mut release, &start)?;
    Ok((release, span, done.events.len()))
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

/// What this process has in memory.
fn resident_bytes() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("/proc tells of memory")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    let kilobytes: u64 = kilobytes.context("VmRSS is a number")?.parse()?;
    Ok(kilobytes * 1024)
}
