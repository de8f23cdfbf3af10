//! The shipped server under load, at rest, and coming back.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::future::try_join_all;
use serde_json::json;
use tokio::time::interval_at;

use crate::api::{Api, text};
use crate::bench::figure::{Figure, percentile};
use crate::server::{Server, example, guest};

/// Releases in flight while throughput is measured.
const IN_FLIGHT: usize = 64;
/// Activities in each of them, one after the other.
const ACTIVITIES: u32 = 10;
/// Releases of one activity, one at a time.
const SINGLES: usize = 1_000;
/// Releases that wait for a person.
const WAITING: usize = 10_000;
/// Clients that start them.
const STARTERS: usize = 32;
/// How long an idle server is watched.
const IDLE: Duration = Duration::from_secs(10);
/// Clock ticks in a second, as Linux reports CPU times on every architecture we run on.
const TICKS_PER_SECOND: f64 = 100.0;
/// Long enough for caches, connections and the allocator to settle.
const WARM_UP: Duration = Duration::from_secs(2);

async fn prepared(data: &std::path::Path) -> Result<(Server, Api)> {
    let server = Server::start(data)?;
    let api = Api::admin(&server);
    api.push(guest("noop")?, &json!({})).await?;
    for name in ["noop-1", "noop-10", "waiting"] {
        api.publish(&example(name)?).await?;
    }
    Ok((server, api))
}

/// Starts a release and waits for its end, in one request.
async fn run_one(api: &Api, process: &str) -> Result<()> {
    let request = api
        .request(reqwest::Method::POST, "/releases")
        .header("Prefer", "wait=30");
    let view = api
        .send(request.json(&json!({ "process": process })))
        .await?
        .ok()?;
    anyhow::ensure!(
        text(&view, "state")? == "succeeded",
        "a release did not succeed: {view}"
    );
    Ok(())
}

/// Activities per second, end to end.
pub async fn throughput(seconds: u64) -> Result<Vec<Figure>> {
    let data = tempfile::tempdir()?;
    let (_server, api) = prepared(data.path()).await?;
    let begin = Instant::now() + WARM_UP;
    let end = begin + Duration::from_secs(seconds);
    let clients = (0..IN_FLIGHT).map(|_| async {
        let mut done = 0_u32;
        while Instant::now() < end {
            run_one(&api, "noop-10").await?;
            done += u32::from(Instant::now() >= begin);
        }
        anyhow::Ok(done)
    });
    let done: u32 = try_join_all(clients).await?.iter().sum();
    let rate = f64::from(done * ACTIVITIES) / begin.elapsed().as_secs_f64();
    Ok(vec![Figure::higher(
        "throughput.activities_per_s",
        rate,
        "activities/s",
        Some(8_000.0),
    )])
}

/// From POST to succeeded, one activity, one release at a time.
pub async fn latency() -> Result<Vec<Figure>> {
    let data = tempfile::tempdir()?;
    let (_server, api) = prepared(data.path()).await?;
    let mut taken = Vec::with_capacity(SINGLES);
    for _ in 0..SINGLES {
        let began = Instant::now();
        run_one(&api, "noop-1").await?;
        taken.push(began.elapsed());
    }
    Ok(vec![
        Figure::lower(
            "latency.single_p50_ms",
            percentile(&mut taken, 0.50) * 1000.0,
            "ms",
            Some(3.0),
        ),
        Figure::lower(
            "latency.single_p99_ms",
            percentile(&mut taken, 0.99) * 1000.0,
            "ms",
            None,
        ),
    ])
}

/// Memory and CPU of a server that has nothing to do.
pub async fn idle() -> Result<Vec<Figure>> {
    let data = tempfile::tempdir()?;
    let (server, api) = prepared(data.path()).await?;
    api.get("/me").await?.ok()?;
    let before = cpu_seconds(server.pid())?;
    interval_at(tokio::time::Instant::now() + IDLE, IDLE)
        .tick()
        .await;
    let percent = (cpu_seconds(server.pid())? - before) / IDLE.as_secs_f64() * 100.0;
    Ok(vec![
        Figure::lower(
            "memory.idle_mb",
            resident_kb(server.pid())? / 1024.0,
            "MB",
            Some(60.0),
        ),
        Figure::lower("idle.cpu_percent", percent, "%", Some(0.5)),
    ])
}

/// Memory of releases that wait for a person, and how fast a server with them comes back.
pub async fn waiting() -> Result<Vec<Figure>> {
    let data = tempfile::tempdir()?;
    let (server, api) = prepared(data.path()).await?;
    let before = resident_kb(server.pid())?;
    let starters = (0..STARTERS).map(|number| {
        let api = &api;
        async move {
            for _ in 0..WAITING / STARTERS + usize::from(number < WAITING % STARTERS) {
                api.start("waiting", &json!({})).await?;
            }
            anyhow::Ok(())
        }
    });
    try_join_all(starters).await?;
    #[expect(clippy::cast_precision_loss, reason = "ten thousand is exact")]
    let each = (resident_kb(server.pid())? - before) / WAITING as f64;
    server.stop()?;
    let began = Instant::now();
    let server = Server::start(data.path())?;
    ready(&server).await?;
    let restart = began.elapsed().as_secs_f64();
    let open = releases_open(&server).await?;
    anyhow::ensure!(
        open == WAITING,
        "{open} of {WAITING} releases are there after the restart"
    );
    Ok(vec![
        Figure::lower("memory.per_waiting_release_kb", each, "kB", Some(8.0)),
        Figure::lower("restart.ready_s", restart, "s", Some(2.0)),
    ])
}

/// How many open releases the server holds, by its own metrics.
async fn releases_open(server: &Server) -> Result<usize> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let answer = client.get(format!("{}/metrics", server.url)).send().await?;
    let text = answer.error_for_status()?.text().await?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("fermata_releases_open "));
    Ok(line
        .context("the metrics do not count open releases")?
        .trim()
        .parse()?)
}

async fn ready(server: &Server) -> Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    loop {
        let answer = client.get(format!("{}/readyz", server.url)).send().await?;
        if answer.status().is_success() {
            return Ok(());
        }
    }
}

/// Resident memory of a process, from `/proc`.
fn resident_kb(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .context("no VmRSS in /proc")?;
    Ok(line
        .split_whitespace()
        .nth(1)
        .context("VmRSS has a value")?
        .parse()?)
}

/// CPU time that a process has used, from `/proc`.
fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    Ok(ticks / TICKS_PER_SECOND)
}
