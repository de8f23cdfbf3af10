//! `fermata lock …`: who holds which lock, who waits, and how many may hold it.

use serde_json::{Value, json};

use super::args::LockCommand;
use super::error::Error;
use super::table::Table;
use super::text::{Tone, ago, cell};
use super::{Context, items, list};
use crate::client::Call;
use crate::wire;

/// Runs the command.
pub(super) async fn run(context: &mut Context, command: LockCommand) -> Result<(), Error> {
    let client = context.client()?;
    match command {
        LockCommand::List => {
            let answer = client.json(Call::get(&["locks"])).await?;
            all(context, &answer)
        }
        LockCommand::Show { name } => {
            let answer = client.json(Call::get(&["locks"])).await?;
            let lock = items(&answer).find(|lock| cell(lock.get("name")) == name);
            match lock {
                Some(lock) => one(context, lock),
                None => context.out.line(&format!("nobody holds or wants {name}")),
            }
        }
        LockCommand::Set { name, capacity } => {
            let call = Call::put(&["locks", &name]).json(&json!({ "capacity": capacity }));
            let answer = client.json(call).await?;
            one(context, &answer)
        }
    }
}

fn all(context: &mut Context, answer: &Value) -> Result<(), Error> {
    if context.out.is_json() {
        return context.out.json(answer);
    }
    let mut table = Table::new(&["LOCK", "HELD", "HOLDERS", "WAITING"]);
    for lock in items(answer) {
        let holders: Vec<String> = list(lock, "holders").map(who).collect();
        let held = format!("{}/{}", holders.len(), cell(lock.get("capacity")));
        table.toned([
            (Tone::Strong, cell(lock.get("name"))),
            (Tone::Plain, held),
            (Tone::Plain, holders.join(", ")),
            (Tone::Faint, list(lock, "waiting").count().to_string()),
        ]);
    }
    context.out.table(&table, "no locks are held or wanted")
}

fn one(context: &mut Context, lock: &Value) -> Result<(), Error> {
    if context.out.is_json() {
        return context.out.json(lock);
    }
    let now = wire::now();
    let mut table = Table::new(&["", "RELEASE", "PART", "PROCESS", "PRIORITY", "SINCE"]);
    for (what, name) in [("holds", "holders"), ("waits", "waiting")] {
        for claim in list(lock, name) {
            table.toned([
                (Tone::Strong, what.to_owned()),
                (Tone::Plain, cell(claim.get("release"))),
                (Tone::Plain, cell(claim.get("path"))),
                (Tone::Plain, cell(claim.get("process"))),
                (Tone::Plain, cell(claim.get("priority"))),
                (Tone::Faint, ago(claim.get("since"), now)),
            ]);
        }
    }
    let name = cell(lock.get("name"));
    let capacity = cell(lock.get("capacity"));
    let line = format!("{name}: capacity {capacity}");
    context.out.line(&line)?;
    context.out.table(&table, "nobody holds or wants it")
}

fn who(claim: &Value) -> String {
    format!(
        "{} ({})",
        cell(claim.get("release")),
        cell(claim.get("path"))
    )
}
