//! Kills the server with SIGKILL again and again under load, and counts what was lost.
//!
//! Many clients start releases of every kind and do all the time what those ask of people. What the server
//! acknowledged must be there after every restart; no activity may complete or be undone twice; and once the
//! killing stops, every release must end, and end as its process says.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use fermata_tests::api::{Api, text};
use fermata_tests::chaos::{Act, Kind, has_ended, wanted};
use fermata_tests::server::{Server, guest};
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, interval, timeout, timeout_at};

/// Shortest and longest life of a server, in milliseconds.
const LIFE_MS: (u64, u64) = (150, 1_500);
/// After so many releases that do not end, the others tell nothing new.
const STUCK_MAX: u64 = 3;
/// How long a release may take to end once nothing disturbs it.
const CALM: Duration = Duration::from_mins(2);
/// Most turns of one release that are read back.
const EVENTS_MAX: usize = 1_000;

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
    /// Releases, and what was done about each.
    releases: BTreeMap<String, (Kind, Vec<Act>)>,
    inputs: u64,
}

type Shared = Arc<Mutex<Acknowledged>>;

/// What was found at the end.
#[derive(Debug, Default)]
struct Verdict {
    lost: u64,
    twice: u64,
    stuck: u64,
    astray: u64,
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
    for document in Kind::ALL.into_iter().flat_map(Kind::documents) {
        api.publish(document).await?;
    }

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

/// Starts one release and stays with it until it has ended.
async fn one_release(api: &Api, key: &str, shared: &Shared) -> Result<()> {
    let kind = Kind::of(key);
    let request = api
        .request(reqwest::Method::POST, "/releases")
        .header("Idempotency-Key", key);
    let created = api
        .send(request.json(&json!({ "process": kind.process() })))
        .await?
        .ok()?;
    let id = text(&created, "id")?.to_owned();
    note(shared, |acknowledged| {
        acknowledged
            .releases
            .entry(id.clone())
            .or_insert((kind, Vec::new()));
    });
    loop {
        let view = api.wait(&id, 1).await?;
        if has_ended(&view) {
            return Ok(());
        }
        for act in tend(api, &id, &view).await? {
            note(shared, |acknowledged| {
                if let Some((_, acts)) = acknowledged.releases.get_mut(&id) {
                    acts.push(act);
                }
            });
        }
    }
}

/// Does what the release asks of people; gives what was acknowledged.
async fn tend(api: &Api, id: &str, view: &Value) -> Result<Vec<Act>> {
    let mut done = Vec::new();
    for act in wanted(api, id, view).await? {
        let answer = act.send(api, id).await?;
        // Somebody else, or an earlier try whose answer was lost, may have been there first.
        if answer.status != reqwest::StatusCode::CONFLICT {
            answer.ok()?;
            done.push(act);
        }
    }
    Ok(done)
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
    for (done, (id, (kind, acts))) in releases.into_iter().enumerate() {
        match timeout(CALM, settle(api, &id)).await {
            Ok(Ok(Some(end))) => verdict.astray += u64::from(end != kind.end()),
            Ok(Ok(None)) => verdict.lost += 1,
            Ok(Err(error)) => return Err(error),
            Err(_) => verdict.stuck += 1,
        }
        let events = events(api, &id).await?;
        let lost = acts.iter().filter(|act| !act.is_among(&events));
        verdict.lost += lost.count() as u64;
        verdict.twice += completed_twice(&events);
        if verdict.stuck >= STUCK_MAX {
            say(&format!("{} releases are not looked at", total - done - 1));
            break;
        }
        if done % 500 == 0 {
            say(&format!("checked {done} of {total} releases"));
        }
    }
    Ok(verdict)
}

/// Does what is asked and waits for the end; gives how it ended, or nothing if the release is unknown.
async fn settle(api: &Api, id: &str) -> Result<Option<String>> {
    loop {
        let answer = api.get(&format!("/releases/{id}")).await?;
        if answer.status == reqwest::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let view = answer.ok()?;
        if has_ended(&view) {
            return Ok(Some(text(&view, "state")?.to_owned()));
        }
        tend(api, id, &view).await?;
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

/// Activities that completed, or were undone, more than once.
fn completed_twice(events: &[Value]) -> u64 {
    let mut completions: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for event in events {
        let kind = event["type"].as_str().unwrap_or_default();
        if matches!(kind, "activity-succeeded" | "undone") {
            let activity = event["activity"].as_str().unwrap_or_default();
            *completions.entry((kind, activity)).or_default() += 1;
        }
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
        ("ended otherwise", verdict.astray),
    ];
    let mut out = std::io::stdout().lock();
    for (name, value) in rows {
        std::io::Write::write_fmt(&mut out, format_args!("{name:<20} {value}\n"))?;
    }
    let clean = verdict.lost + verdict.twice + verdict.stuck + verdict.astray == 0
        && kills > 0
        && acknowledged.inputs > 0;
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
