//! What an attempt costs in each language, and what a script costs: compiled once, run in an instance of its own each time.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use fermata_core::component::Pin;
use fermata_core::json::Json;
use fermata_host::Sandbox;
use futures::future::try_join_all;
use serde_json::{Value, json};

use crate::bench::figure::{Figure, percentile};
use crate::bench::sandbox::{CONCURRENT, invocation, pin, run_with, sandbox};
use crate::hostile::memory::resident;
use crate::server::guest;

/// What is measured here.
pub const FIGURES: [&str; 8] = [
    "attempt.rust_p50_us",
    "attempt.js_p50_us",
    "attempt.python_p50_us",
    "attempt.go_p50_us",
    "attempt.c_p50_us",
    "script.run_p50_us",
    "script.concurrent_runs_per_s",
    "script.thousand_resident_mb",
];
/// The same activity in each language, in the order of the figures.
const GUESTS: [&str; 5] = ["sdk-rust", "sdk-js", "sdk-python", "sdk-go", "sdk-c"];
/// Runs that are measured, after a tenth as many that are not.
const RUNS: usize = 500;
/// Runs of each of those that go on at the same time.
const CONCURRENT_RUNS: usize = 500;
/// Different scripts.
const SCRIPTS: usize = 1_000;

/// Measures attempts and scripts.
pub async fn measure() -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let sandbox = sandbox(folder.path())?;
    let mut figures = Vec::new();
    let echo = json!({ "do": "echo", "text": "a" });
    for (name, figure) in GUESTS.into_iter().zip(FIGURES) {
        let pin = pin(&sandbox.admit(guest(name)?).await?);
        let p50 = p50(&sandbox, &pin, |_| echo.clone()).await?;
        figures.push(Figure::lower(figure, p50.as_secs_f64() * 1e6, "µs", None));
    }
    let pin = pin(&sandbox.admit(guest("javascript")?).await?);
    let p50 = p50(&sandbox, &pin, script).await?;
    let micros = p50.as_secs_f64() * 1e6;
    let goal = Some(3_000.0);
    figures.push(Figure::lower("script.run_p50_us", micros, "µs", goal));
    figures.push(together(&sandbox, &pin).await?);
    let resident = "script.thousand_resident_mb";
    figures.push(Figure::lower(resident, apart()?, "MB", Some(1_000.0)));
    Ok(figures)
}

/// How much memory a thousand different scripts take, in MB. Only a process that has done nothing else can tell.
pub async fn thousand_resident_mb() -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let sandbox = sandbox(folder.path())?;
    let before = resident()?.now;
    let pin = pin(&sandbox.admit(guest("javascript")?).await?);
    for number in 0..SCRIPTS {
        run(&sandbox, &pin, script(number)).await?;
    }
    let grown = resident()?.now.saturating_sub(before);
    #[expect(clippy::cast_precision_loss, reason = "some hundred MB")]
    let mb = grown as f64 / (1024.0 * 1024.0);
    Ok(mb)
}

/// The same, asked of a process of its own.
fn apart() -> Result<f64> {
    let output = Command::new(std::env::current_exe()?)
        .arg("--thousand-scripts")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    text.trim()
        .parse()
        .with_context(|| format!("a thousand scripts ended with {}", output.status))
}

/// A script that no other is, as the engine hands it over.
fn script(number: usize) -> Value {
    let source = format!("return {{ number: inputs.of + {number} }};");
    json!({
        "script": { "name": "bench/only", "source": source, "line": 1, "indent": 0 },
        "inputs": { "of": 1 },
    })
}

async fn run(sandbox: &Sandbox, pin: &Pin, inputs: Value) -> Result<Duration> {
    let mut invocation = invocation(pin)?;
    invocation.inputs = Json::of(&inputs);
    run_with(sandbox, invocation).await
}

async fn p50(sandbox: &Sandbox, pin: &Pin, inputs: impl Fn(usize) -> Value) -> Result<Duration> {
    for number in 0..RUNS / 10 {
        run(sandbox, pin, inputs(number)).await?;
    }
    let mut taken = Vec::with_capacity(RUNS);
    for number in 0..RUNS {
        taken.push(run(sandbox, pin, inputs(number)).await?);
    }
    Ok(Duration::from_secs_f64(percentile(&mut taken, 0.5)))
}

async fn together(sandbox: &Sandbox, pin: &Pin) -> Result<Figure> {
    let began = Instant::now();
    let clients = (0..CONCURRENT).map(|client| {
        let (sandbox, pin) = (sandbox.clone(), pin.clone());
        tokio::spawn(async move {
            for number in 0..CONCURRENT_RUNS {
                run(&sandbox, &pin, script(client * CONCURRENT_RUNS + number)).await?;
            }
            anyhow::Ok(())
        })
    });
    for client in try_join_all(clients).await? {
        client?;
    }
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let runs = (CONCURRENT * CONCURRENT_RUNS) as f64 / began.elapsed().as_secs_f64();
    let goal = Some(2_000.0);
    Ok(Figure::higher(
        "script.concurrent_runs_per_s",
        runs,
        "runs/s",
        goal,
    ))
}
