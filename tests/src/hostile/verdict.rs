//! An attack and what came of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use crate::bench::figure::percentile;
use crate::hostile::attack::Attack;
use crate::hostile::memory::{forget_peak, resident};
use crate::hostile::neighbour::Neighbour;
use crate::hostile::stage::{Came, SECRET, Stage};

/// How long one looks.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Runs of the neighbour before the attack.
    pub runs_before: usize,
    /// The attack is made again and again for at least so long.
    pub attack_for: Duration,
}

impl Pace {
    /// Once: for checking answers.
    pub const ONCE: Self = Self {
        runs_before: 5,
        attack_for: Duration::ZERO,
    };
    /// Long enough for a 99th percentile.
    pub const MEASURE: Self = Self {
        runs_before: 1_000,
        attack_for: Duration::from_secs(2),
    };
}

/// What came of an attack.
#[derive(Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// The answers that came, each once.
    pub answers: Vec<String>,
    /// What is not as it has to be.
    pub wrong: Vec<String>,
    /// How much the host's resident memory grew at its peak, in MiB.
    pub memory_mib: u64,
    /// 99th percentile of the neighbour's runs before the attack, in milliseconds.
    pub before_ms: f64,
    /// The same during the attack.
    pub during_ms: f64,
}

const MIB: u64 = 1024 * 1024;

/// Makes the attack, beside a neighbour that has to succeed every time.
pub async fn make(attack: &Attack, pace: Pace) -> Result<Verdict> {
    let stage = Arc::new(Stage::set().await?);
    let steps = (attack.steps)(stage.evil.address);
    let mut neighbour = Neighbour::start(stage.sandbox.clone(), stage.neighbour.clone());
    neighbour.after(1).await?;
    let mut before = neighbour.after(pace.runs_before).await?;
    forget_peak()?;
    let least = resident()?.now;
    let began = Instant::now();
    let (mut answers, mut wrong) = (Vec::new(), Vec::new());
    let mut first = true;
    loop {
        for step in &steps {
            let copies = (0..attack.copies).map(|_| {
                let (stage, step) = (Arc::clone(&stage), step.clone());
                tokio::spawn(async move { stage.play(&step, first).await })
            });
            for came in try_join_all(copies).await? {
                let came = came?;
                wrong.extend(faults(&step.what, step.expected, &came));
                answers.push(came.answer);
            }
        }
        first = false;
        if began.elapsed() >= pace.attack_for {
            break;
        }
    }
    let mut during = neighbour.after(1).await?;
    let grown = resident()?.peak.saturating_sub(least) / MIB;
    if grown > attack.memory_mib {
        wrong.push(format!(
            "the host grew by {grown} MiB, {} are allowed",
            attack.memory_mib
        ));
    }
    let visits = stage.evil.treasure_visits();
    if visits > 0 {
        wrong.push(format!(
            "{visits} calls reached an address that nobody granted"
        ));
    }
    for list in [&mut answers, &mut wrong] {
        list.sort();
        list.dedup();
    }
    Ok(Verdict {
        answers,
        wrong,
        memory_mib: grown,
        before_ms: percentile(&mut before, 0.99) * 1e3,
        during_ms: percentile(&mut during, 0.99) * 1e3,
    })
}

/// Longest quote of what a guest's run told.
const QUOTE_BYTES_MAX: usize = 600;
/// Most that one run may leave for people to read, as it is printed: its log, and all of a failure.
const TEXT_BYTES_MAX: usize = 8 * 1024 * 1024;

fn faults(what: &str, expected: &str, came: &Came) -> Vec<String> {
    let Came { answer, text } = came;
    let quote = &text[..text.floor_char_boundary(QUOTE_BYTES_MAX)];
    let mut faults = Vec::new();
    if answer != expected {
        faults.push(format!(
            "{what}: expected `{expected}`, got `{answer}`: {quote}"
        ));
    }
    if text.to_lowercase().contains(&SECRET.to_lowercase()) {
        faults.push(format!("{what}: the secret can be read: {quote}"));
    }
    if text.len() > TEXT_BYTES_MAX {
        faults.push(format!("{what}: it left {} bytes", text.len()));
    }
    faults
}
