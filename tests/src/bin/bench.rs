//! Measures a build: prints a table, and writes the figures as JSON.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use fermata_tests::bench::figure::{Figure, table};
use fermata_tests::bench::{approvals, fan_out, graph, languages, rehearsal, sandbox, server};

/// Measure throughput, latency, sandbox cost, memory and restart.
#[derive(Debug, Parser)]
struct Args {
    /// Also write the figures to this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Only the figures whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// How long the load goes on, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Only say how much memory a thousand scripts take in this process, in MB.
    #[arg(long, hide = true)]
    thousand_scripts: bool,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    if args.thousand_scripts {
        let mb = runtime.block_on(languages::thousand_resident_mb())?;
        writeln!(std::io::stdout(), "{mb}")?;
        return Ok(ExitCode::SUCCESS);
    }
    let wanted = |name: &str| name.contains(&args.only);
    let mut figures: Vec<Figure> = Vec::new();
    if wanted("graph.cost_ratio") {
        figures.extend(graph::measure()?);
    }
    if wanted("fanout.events_per_s") || wanted("fanout.memory_mb") {
        figures.extend(fan_out::measure()?);
    }
    if wanted("rehearsal.plan_500_ms") {
        figures.extend(rehearsal::measure()?);
    }
    if sandbox::FIGURES.iter().any(|name| wanted(name)) {
        figures.extend(runtime.block_on(sandbox::measure())?);
    }
    if languages::FIGURES.iter().any(|name| wanted(name)) {
        figures.extend(runtime.block_on(languages::measure())?);
    }
    if wanted("memory.idle_mb") || wanted("idle.cpu_percent") {
        figures.extend(runtime.block_on(server::idle())?);
    }
    if wanted("latency.single_p50_ms") || wanted("latency.single_p99_ms") {
        figures.extend(runtime.block_on(server::latency())?);
    }
    if wanted("throughput.activities_per_s") {
        figures.extend(runtime.block_on(server::throughput(args.seconds))?);
    }
    if wanted("approvals.per_s") {
        figures.extend(runtime.block_on(approvals::measure())?);
    }
    if wanted("memory.per_waiting_release_kb") || wanted("restart.ready_s") {
        figures.extend(runtime.block_on(server::waiting())?);
    }
    std::io::stdout().write_all(table(&figures).as_bytes())?;
    if let Some(path) = args.json {
        std::fs::write(path, serde_json::to_string_pretty(&figures)?)?;
    }
    Ok(ExitCode::SUCCESS)
}
