//! `fermata notifier …`: who outside is told of what, and how it went.

use serde_json::{Value, json};

use super::args::{DeliveriesArgs, NotifierCommand, NotifierSetArgs};
use super::error::Error;
use super::table::Table;
use super::text::{Tone, ago, cell, cut, tidy};
use super::{Context, items, list, pages, values};
use crate::client::Call;
use crate::exit::Exit;
use crate::wire;

/// Longest text of a notification in a table, in columns.
const TEXT_WIDTH: usize = 80;
/// Longest message of a failure, in columns.
const MESSAGE_WIDTH: usize = 400;

/// Runs the command.
pub(super) async fn run(context: &mut Context, command: NotifierCommand) -> Result<Exit, Error> {
    match command {
        NotifierCommand::Set(args) => set(context, &args).await?,
        NotifierCommand::List => all(context).await?,
        NotifierCommand::Show { name } => {
            let answer = context
                .client()?
                .json(Call::get(&["notifiers", &name]))
                .await?;
            one(context, &answer)?;
        }
        NotifierCommand::Remove { name } => {
            let call = Call::delete(&["notifiers", &name]);
            context.client()?.send(call).await?;
            context.out.remark(&format!("{name}: removed"))?;
        }
        NotifierCommand::Test { name } => return test(context, &name).await,
        NotifierCommand::Deliveries(args) => deliveries(context, &args).await?,
    }
    Ok(Exit::Ok)
}

async fn set(context: &mut Context, args: &NotifierSetArgs) -> Result<(), Error> {
    let settings = values::object(args.settings_file.as_deref(), &args.setting)?;
    let body = json!({
        "component": args.component,
        "settings": settings.unwrap_or_else(|| json!({})),
        "on": args.on,
        "processes": args.process,
        "enabled": !args.disabled,
    });
    let call = Call::put(&["notifiers", &args.name]).json(&body);
    let answer = context.client()?.json(call).await?;
    one(context, &answer)?;
    let name = &args.name;
    context
        .out
        .remark(&format!("try it out: fermata notifier test {name}"))
}

async fn all(context: &mut Context) -> Result<(), Error> {
    let answer = context.client()?.json(Call::get(&["notifiers"])).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let mut table = Table::new(&[
        "NOTIFIER",
        "COMPONENT",
        "ON",
        "PROCESSES",
        "PENDING",
        "STATE",
    ]);
    for notifier in items(&answer) {
        table.toned([
            (Tone::Strong, cell(notifier.get("name"))),
            (Tone::Plain, cell(notifier.get("component"))),
            (Tone::Plain, cell(notifier.get("on"))),
            (Tone::Plain, processes(notifier)),
            (Tone::Plain, cell(notifier.get("pending"))),
            state(notifier),
        ]);
    }
    context.out.table(&table, "nobody outside is told anything")
}

fn processes(notifier: &Value) -> String {
    if list(notifier, "processes").next().is_none() {
        return "all".to_owned();
    }
    cell(notifier.get("processes"))
}

fn state(notifier: &Value) -> (Tone, String) {
    if notifier.get("enabled").and_then(Value::as_bool) == Some(false) {
        return (Tone::Faint, "disabled".to_owned());
    }
    match notifier.get("failures").and_then(Value::as_u64) {
        None | Some(0) => (Tone::Good, "delivers".to_owned()),
        Some(count) => (Tone::Bad, format!("fails ({count} in a row)")),
    }
}

fn one(context: &mut Context, notifier: &Value) -> Result<(), Error> {
    if context.out.is_json() {
        return context.out.json(notifier);
    }
    let name = cell(notifier.get("name"));
    let component = cell(notifier.get("component"));
    let (_, state) = state(notifier);
    context.out.line(&format!("{name}: {component}, {state}"))?;
    let set = format!(
        "by {}, {}",
        cell(notifier.get("set_by")),
        ago(notifier.get("set_at"), wire::now())
    );
    for (field, value) in [
        ("on", cell(notifier.get("on"))),
        ("processes", processes(notifier)),
        ("pending", cell(notifier.get("pending"))),
        ("dropped", cell(notifier.get("dropped"))),
        ("set", set),
    ] {
        context.out.line(&format!("  {field}: {value}"))?;
    }
    if let Some(settings) = notifier.get("settings") {
        context.out.line(&format!("  settings: {settings}"))?;
    }
    if let Some(failure) = notifier.get("failure") {
        let failure = cut(&tidy(&cell(Some(failure))), MESSAGE_WIDTH);
        context.out.line(&format!("  last failure: {failure}"))?;
    }
    Ok(())
}

async fn test(context: &mut Context, name: &str) -> Result<Exit, Error> {
    let call = Call::post(&["notifiers", name, "test"]);
    let answer = context.client()?.json(call).await?;
    let delivered = answer.get("delivered").and_then(Value::as_bool) == Some(true);
    let exit = if delivered { Exit::Ok } else { Exit::Failure };
    if context.out.is_json() {
        context.out.json(&answer)?;
        return Ok(exit);
    }
    for line in list(&answer, "log") {
        context
            .out
            .line(&format!("  {}", tidy(&cell(Some(line)))))?;
    }
    if delivered {
        context.out.line(&format!("{name}: delivered"))?;
        return Ok(exit);
    }
    let failure = answer.get("failure");
    let part = |field: &str| failure.and_then(|failure| failure.get(field));
    let message = cut(&tidy(&cell(part("message"))), MESSAGE_WIDTH);
    context
        .out
        .line(&format!("{name}: not delivered: {message}"))?;
    for (field, words) in [("last_call", "the last call"), ("remedy", "what to do")] {
        if let Some(value) = part(field).filter(|value| !value.is_null()) {
            let value = tidy(&cell(Some(value)));
            context.out.remark(&format!("{words}: {value}"))?;
        }
    }
    Ok(exit)
}

async fn deliveries(context: &mut Context, args: &DeliveriesArgs) -> Result<(), Error> {
    let client = context.client()?;
    let path = ["notifiers", args.name.as_str(), "deliveries"];
    let filters = [("standing", args.standing.as_ref())];
    let answer = pages::read(&client, &path, &filters, args.limit as usize).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let now = wire::now();
    let mut table = Table::new(&["WHEN", "KIND", "STANDING", "TRIES", "NEXT", "WHAT"]);
    for delivery in items(&answer) {
        let standing = cell(delivery.get("standing"));
        let tone = match standing.as_str() {
            "delivered" => Tone::Good,
            "given-up" => Tone::Bad,
            _ => Tone::Plain,
        };
        table.toned([
            (Tone::Faint, ago(delivery.get("at"), now)),
            (Tone::Plain, cell(delivery.get("kind"))),
            (tone, standing),
            (Tone::Plain, cell(delivery.get("tries"))),
            (Tone::Faint, ago(delivery.get("next_at"), now)),
            (Tone::Plain, what(delivery)),
        ]);
    }
    context.out.table(&table, "nothing yet")
}

/// What people are told, or why they were not.
fn what(delivery: &Value) -> String {
    let failure = delivery.get("failure").and_then(|it| it.get("message"));
    let text = match failure {
        Some(failure) => cell(Some(failure)),
        None => cell(delivery.get("text")),
    };
    cut(&tidy(&text), TEXT_WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notifier_that_fails_stands_out() {
        let notifier = |enabled, failures| json!({ "enabled": enabled, "failures": failures });
        assert_eq!(state(&notifier(true, 0)).1, "delivers");
        assert_eq!(
            state(&notifier(true, 3)),
            (Tone::Bad, "fails (3 in a row)".into())
        );
        assert_eq!(state(&notifier(false, 3)).1, "disabled");
    }

    #[test]
    fn what_did_not_get_through_says_why() {
        let failed = json!({ "text": "t", "failure": { "message": "no\u{1b}[31m" } });
        assert!(!what(&failed).contains('\u{1b}'));
        assert_eq!(what(&json!({ "text": "t" })), "t");
        assert_eq!(processes(&json!({ "processes": [] })), "all");
    }
}
