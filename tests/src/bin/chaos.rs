//! Kills the server with SIGKILL again and again under load, and counts what was lost.
//!
//! Many clients start releases and approve them all the time. What the server acknowledged must be there
//! after every restart; no activity may complete twice; and once the killing stops, every release must end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use fermata_tests::api::{Api, text};
use fermata_tests::server::{Server, guest};
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, interval, timeout, timeout_at};

/// Shortest and longest life of a server, in milliseconds.
const LIFE_MS: (u64, u64) = (150, 1_500);
/// How long a release may take to end once nothing disturbs it.
const CALM: Duration = Duration::from_mins(2);
/// Most turns of one release that are read back.
const EVENTS_MAX: usize = 1_000;

const PROCESS: &str = "\
process: chaos
phases:
  build:
    activities:
      one: { uses: noop@1 }
      two: { needs: [one], uses: noop@1 }
      naps: { uses: sleeper@1, with: { ms: 300 } }
      unsteady: { uses: flaky@1, with: { failures: 1 }, retry: { attempts: 5, backoff: 50ms } }
  sign-off:
    needs: [build]
    activities:
      agree: { manual: { instructions: Look at it., approvals: [ { from: 'group:admins', count: 1 } ] } }
  ship:
    needs: [sign-off]
    activities:
      left: { uses: noop@1 }
      right: { uses: noop@1 }
      last: { needs: [left, right], uses: noop@1 }
";

/// Kill the server again and again under load.
#[derive(Debug, Parser)]
struct Args {
    /// How long to go on.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Releases in flight.
    #[arg(long, default_value_t = 200)]
    clients: usize,
    /// Keep the data directory and use this one.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Seed of the times between kills.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What the server acknowledged.
#[derive(Debug, Default)]
struct Acknowledged {
    /// Releases, and whether their approval was acknowledged.
    releases: BTreeMap<String, bool>,
    inputs: u64,
}

type Shared = Arc<Mutex<Acknowledged>>;

/// What was found at the end.
#[derive(Debug, Default)]
struct Verdict {
    lost: u64,
    twice: u64,
    stuck: u64,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let scratch = tempfile::tempdir()?;
    let data = args
        .data_dir
        .clone()
        .unwrap_or_else(|| scratch.path().join("data"));
    std::fs::create_dir_all(&data)?;
    let server = Server::start(&data)?;
    let api = Api::admin(&server);
    for name in ["noop", "sleeper", "flaky"] {
        api.push(guest(name)?, &json!({})).await?;
    }
    api.publish(PROCESS).await?;

    let shared = Shared::default();
    let (address, watching) = watch::channel(server.url.clone());
    let stop = Instant::now() + Duration::from_secs(args.seconds);
    let clients = (0..args.clients).map(|number| {
        tokio::spawn(client(
            api.clone(),
            watching.clone(),
            Arc::clone(&shared),
            (number, stop),
        ))
    });
    let clients: Vec<_> = clients.collect();
    let (server, kills) = kill_until(stop, server, &data, (&address, args.seed)).await?;
    join_all(clients).await;
    let verdict = verify(&api.moved(&server.url), &shared).await?;
    drop(server);
    report(kills, &shared, &verdict)
}

/// Kills and restarts until `stop`; the last server is left running.
async fn kill_until(
    stop: Instant,
    mut server: Server,
    data: &std::path::Path,
    (address, seed): (&watch::Sender<String>, u64),
) -> Result<(Server, u64)> {
    let mut kills = 0;
    let mut random = seed;
    while Instant::now() < stop {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let life = LIFE_MS.0 + (random >> 33) % (LIFE_MS.1 - LIFE_MS.0);
        let mut alive = interval(Duration::from_millis(life));
        alive.tick().await;
        alive.tick().await;
        server.kill()?;
        kills += 1;
        server = Server::start(data).context("the server did not come back")?;
        address.send_replace(server.url.clone());
        say(&format!(
            "{kills} kills, {} s left",
            stop.saturating_duration_since(Instant::now()).as_secs()
        ));
    }
    Ok((server, kills))
}

/// Starts releases and approves them, again and again, whatever happens to the server.
async fn client(
    api: Api,
    mut address: watch::Receiver<String>,
    shared: Shared,
    (number, stop): (usize, Instant),
) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    while Instant::now() < stop {
        let api = api.moved(&address.borrow_and_update().clone());
        let key = format!("{number}-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        if timeout_at(stop, one_release(&api, &key, &shared))
            .await
            .is_ok_and(|done| done.is_err())
        {
            // The server is away: its next address says when it is back.
            drop(
                timeout_at(
                    stop.min(Instant::now() + Duration::from_millis(500)),
                    address.changed(),
                )
                .await,
            );
        }
    }
}

async fn one_release(api: &Api, key: &str, shared: &Shared) -> Result<()> {
    let request = api
        .request(reqwest::Method::POST, "/releases")
        .header("Idempotency-Key", key);
    let created = api
        .send(request.json(&json!({ "process": "chaos" })))
        .await?
        .ok()?;
    let id = text(&created, "id")?.to_owned();
    note(shared, |acknowledged| {
        acknowledged.releases.insert(id.clone(), false);
    });
    let mut patience = interval(Duration::from_millis(100));
    loop {
        patience.tick().await;
        let answer = approve(api, &id).await?;
        if answer {
            note(shared, |acknowledged| {
                acknowledged.releases.insert(id.clone(), true);
            });
            api.wait(&id, 10).await?;
            return Ok(());
        }
    }
}

async fn approve(api: &Api, id: &str) -> Result<bool> {
    let action = json!({ "action": "approve", "activity": "sign-off/agree", "comment": "fine" });
    let answer = api.act(id, &action).await?;
    match answer.code() {
        "wrong-state" => Ok(false),
        _ => answer.ok().map(|_| true),
    }
}

fn note(shared: &Shared, change: impl FnOnce(&mut Acknowledged)) {
    let mut acknowledged = shared
        .lock()
        .expect("no client panics while it holds the lock");
    acknowledged.inputs += 1;
    change(&mut acknowledged);
}

/// Lets every acknowledged release end, and reads back what happened to it.
async fn verify(api: &Api, shared: &Shared) -> Result<Verdict> {
    let releases = shared
        .lock()
        .expect("no client panics while it holds the lock")
        .releases
        .clone();
    let total = releases.len();
    let mut verdict = Verdict::default();
    for (done, (id, approved)) in releases.into_iter().enumerate() {
        match timeout(CALM, settle(api, &id)).await {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => verdict.lost += 1,
            Ok(Err(error)) => return Err(error),
            Err(_) => verdict.stuck += 1,
        }
        let events = events(api, &id).await?;
        verdict.lost += u64::from(approved && count(&events, "approved", "sign-off/agree") == 0);
        verdict.twice += completed_twice(&events);
        if done % 500 == 0 {
            say(&format!("checked {done} of {total} releases"));
        }
    }
    Ok(verdict)
}

/// Approves what waits and waits for the end; false if the release is unknown.
async fn settle(api: &Api, id: &str) -> Result<bool> {
    loop {
        let answer = api.get(&format!("/releases/{id}")).await?;
        if answer.status == reqwest::StatusCode::NOT_FOUND {
            return Ok(false);
        }
        let view = answer.ok()?;
        if matches!(text(&view, "state")?, "succeeded" | "failed" | "aborted") {
            return Ok(true);
        }
        if fermata_tests::api::activity(&view, "sign-off/agree")["state"] == "needs-people" {
            approve(api, id).await?;
        }
        api.wait(id, 1).await?;
    }
}

async fn events(api: &Api, id: &str) -> Result<Vec<Value>> {
    let path = format!("/releases/{id}/events?limit={EVENTS_MAX}");
    let request = api
        .request(reqwest::Method::GET, &path)
        .header("Accept", "application/json");
    let answer = api.send(request).await?;
    if answer.status == reqwest::StatusCode::NOT_FOUND {
        return Ok(Vec::new());
    }
    Ok(answer.ok()?["items"]
        .as_array()
        .cloned()
        .unwrap_or_default())
}

fn count(events: &[Value], kind: &str, activity: &str) -> usize {
    events
        .iter()
        .filter(|event| event["type"] == kind && event["activity"] == activity)
        .count()
}

fn completed_twice(events: &[Value]) -> u64 {
    let mut completions: BTreeMap<&str, u64> = BTreeMap::new();
    for event in events
        .iter()
        .filter(|event| event["type"] == "activity-succeeded")
    {
        *completions
            .entry(event["activity"].as_str().unwrap_or_default())
            .or_default() += 1;
    }
    completions.values().filter(|times| **times > 1).count() as u64
}

fn report(kills: u64, shared: &Shared, verdict: &Verdict) -> Result<ExitCode> {
    let acknowledged = shared
        .lock()
        .expect("no client panics while it holds the lock");
    let rows = [
        ("kills", kills),
        ("releases", acknowledged.releases.len() as u64),
        ("acknowledged inputs", acknowledged.inputs),
        ("lost", verdict.lost),
        ("completed twice", verdict.twice),
        ("stuck", verdict.stuck),
    ];
    let mut out = std::io::stdout().lock();
    for (name, value) in rows {
        std::io::Write::write_fmt(&mut out, format_args!("{name:<20} {value}\n"))?;
    }
    let clean =
        verdict.lost + verdict.twice + verdict.stuck == 0 && kills > 0 && acknowledged.inputs > 0;
    Ok(if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn say(text: &str) {
    drop(std::io::Write::write_fmt(
        &mut std::io::stderr(),
        format_args!("   {text}\n"),
    ));
}
