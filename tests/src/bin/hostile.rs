//! Attacks the sandbox and tells of each attack what it got, what it cost the host and what a neighbour noticed.

use std::io::Write as _;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};
use clap::Parser;
use fermata_tests::hostile::attack::Attack;
use fermata_tests::hostile::catalogue;
use fermata_tests::hostile::verdict::{Pace, Verdict, make};

/// Attack the sandbox, each attack in a process of its own, beside a neighbour that runs a no-op activity all the time.
#[derive(Debug, Parser)]
struct Args {
    /// Only the attacks whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Make this one attack in this process, and write what came of it as JSON.
    #[arg(long, hide = true)]
    alone: Option<String>,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let mut attacks = catalogue();
    if let Some(name) = args.alone {
        let attack = attacks.iter().find(|attack| attack.name == name);
        return alone(attack.context("there is no attack of this name")?);
    }
    attacks.retain(|attack| attack.name.contains(&args.only));
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:<24}{:<30}{:>9}{:>12}{:>12}{:>8}",
        "attack", "answer", "memory", "p99 before", "p99 during", "ratio"
    )?;
    let mut failed = 0;
    let mut ratios = Vec::new();
    for attack in &attacks {
        let verdict = apart(attack)?;
        let ratio = verdict.during_ms / verdict.before_ms;
        writeln!(
            out,
            "{:<24}{:<30}{:>5} MiB{:>9.3} ms{:>9.3} ms{:>8.2}",
            attack.name,
            verdict.answers.join(", "),
            verdict.memory_mib,
            verdict.before_ms,
            verdict.during_ms,
            ratio
        )?;
        for wrong in &verdict.wrong {
            writeln!(out, "    WRONG: {wrong}")?;
        }
        failed += usize::from(!verdict.wrong.is_empty());
        ratios.push(ratio);
    }
    let within = ratios.iter().filter(|ratio| **ratio <= GOAL).count();
    writeln!(
        out,
        "\n{} attacks, {failed} with a wrong answer; the neighbour's p99 stayed within {GOAL} times in {within} of them",
        attacks.len()
    )?;
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// How much slower the neighbour may become.
const GOAL: f64 = 2.0;

fn alone(attack: &Attack) -> Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new()?;
    let verdict = runtime.block_on(make(attack, Pace::MEASURE))?;
    serde_json::to_writer(std::io::stdout(), &verdict)?;
    Ok(ExitCode::SUCCESS)
}

/// In a process of its own, whose memory is that of the attack.
fn apart(attack: &Attack) -> Result<Verdict> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--alone", attack.name])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{} ended the host: {}", attack.name, output.status))
}
