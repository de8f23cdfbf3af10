//! `fermata token …` and `fermata principal …`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use fermata_core::time::Span;

use super::args::{PersonBackupArgs, PrincipalCommand, TokenCommand, TokenCreateArgs};
use super::error::Error;
use super::table::Table;
use super::text::{Tone, ago, cell};
use super::{Context, items, pages};
use crate::client::Call;
use crate::wire;

/// Runs `fermata token …`.
pub(super) async fn token(context: &mut Context, command: TokenCommand) -> Result<(), Error> {
    match command {
        TokenCommand::Create(args) => create(context, &args).await,
        TokenCommand::List => list(context).await,
        TokenCommand::Revoke { id } => {
            let client = context.client()?;
            client.send(Call::delete(&["tokens", &id])).await?;
            context.out.remark(&format!("{id} revoked"))
        }
    }
}

async fn create(context: &mut Context, args: &TokenCreateArgs) -> Result<(), Error> {
    let mut body = json!({ "principal": args.principal, "role": args.role });
    if let Some(label) = &args.label {
        body["label"] = json!(label);
    }
    if let Some(expires) = &args.expires {
        body["expires_in"] = json!(expires);
    }
    let client = context.client()?;
    let answer = client.json(Call::post(&["tokens"]).json(&body)).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    // The secret alone on standard output, so that `> file` keeps exactly the token.
    let secret = cell(answer.get("token"));
    context.out.remark(&format!(
        "token {} for {}; it is shown only now:",
        cell(answer.get("id")),
        args.principal
    ))?;
    context.out.line(&secret)
}

async fn list(context: &mut Context) -> Result<(), Error> {
    let client = context.client()?;
    let answer = pages::read(&client, &["tokens"], &[], pages::ALL).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let now = wire::now();
    let mut table = Table::new(&["TOKEN", "PRINCIPAL", "ROLE", "LABEL", "CREATED", "EXPIRES"]);
    for item in items(&answer) {
        table.row([
            cell(item.get("id")),
            cell(item.get("principal")),
            cell(item.get("role")),
            cell(item.get("label")),
            ago(item.get("created_at"), now),
            ago(item.get("expires_at"), now),
        ]);
    }
    context.out.table(&table, "no tokens")
}

/// Runs `fermata principal …`.
pub(super) async fn principal(
    context: &mut Context,
    command: PrincipalCommand,
) -> Result<(), Error> {
    let client = context.client()?;
    let answer = match command {
        PrincipalCommand::Set { name, groups } => {
            let groups: Vec<&str> = groups
                .iter()
                .map(|group| group.strip_prefix("group:").unwrap_or(group))
                .collect();
            let call = Call::put(&["principals", &name]).json(&json!({ "groups": groups }));
            let answer = client.json(call).await?;
            if answer.is_null() {
                json!({ "name": name, "groups": groups })
            } else {
                answer
            }
        }
        PrincipalCommand::Backup(args) => return backup(context, args).await,
        PrincipalCommand::Show { name: Some(name) } => {
            client.json(Call::get(&["principals", &name])).await?
        }
        PrincipalCommand::Show { name: None } => client.json(Call::get(&["me"])).await?,
    };
    describe(context, &answer)
}

/// Names who acts in one's place, takes that back, or shows it.
async fn backup(context: &mut Context, args: PersonBackupArgs) -> Result<(), Error> {
    let client = context.client()?;
    let path = ["me", "backup"];
    if args.none {
        client.send(Call::delete(&path)).await?;
        return context.out.remark("nobody acts in your place");
    }
    let answer = match (args.name, args.until) {
        (Some(name), Some(until)) => {
            let until = match until.parse::<Span>() {
                Ok(span) => wire::now().after(span).to_string(),
                Err(_) => until,
            };
            let mut body = json!({ "backup": name, "until": until });
            if let Some(from) = args.from {
                body["from"] = json!(from);
            }
            client.json(Call::put(&path).json(&body)).await?
        }
        _ => client.json(Call::get(&path)).await?,
    };
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let mine = match answer.get("mine") {
        Some(mine) => format!(
            "{} acts in your place from {} until {}",
            cell(mine.get("backup")),
            cell(mine.get("from")),
            cell(mine.get("until"))
        ),
        None => "nobody acts in your place".to_owned(),
    };
    context.out.line(&mine)?;
    let absent = answer.get("for").and_then(Value::as_array);
    if absent.is_some_and(|absent| !absent.is_empty()) {
        let absent = cell(answer.get("for"));
        context.out.line(&format!("you may act for {absent}"))?;
    }
    Ok(())
}

fn describe(context: &mut Context, answer: &Value) -> Result<(), Error> {
    if context.out.is_json() {
        return context.out.json(answer);
    }
    let paint = context.out.paint();
    let name = cell(answer.get("name"));
    let name = paint.tone(Tone::Strong, &name);
    let groups = cell(answer.get("groups"));
    let mut line = format!("{name}  groups: {groups}");
    if let Some(role) = answer.get("role") {
        write!(line, "  role: {}", cell(Some(role))).expect("strings take all text");
    }
    context.out.line(&line)
}
