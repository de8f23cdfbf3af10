//! `fermata process input-set …`.

use serde_json::{Value, json};

use super::args::{InputSetArgs, InputSetCommand};
use super::error::Error;
use super::table::Table;
use super::text::{Tone, ago, cell};
use super::{Context, items, values};
use crate::client::Call;
use crate::wire;

/// Runs the command.
pub(super) async fn run(context: &mut Context, command: InputSetCommand) -> Result<(), Error> {
    match command {
        InputSetCommand::List { process } => list(context, &process).await,
        InputSetCommand::Show { process, set } => {
            let call = Call::get(&["processes", &process, "input-sets", &set]);
            let answer = context.client()?.json(call).await?;
            show(context, &answer)
        }
        InputSetCommand::Set(args) => set(context, &args).await,
        InputSetCommand::Delete { process, set } => {
            let call = Call::delete(&["processes", &process, "input-sets", &set]);
            context.client()?.send(call).await?;
            if context.out.is_json() {
                return Ok(());
            }
            context.out.line(&format!("{set}: deleted"))
        }
    }
}

async fn list(context: &mut Context, process: &str) -> Result<(), Error> {
    let call = Call::get(&["processes", process, "input-sets"]);
    let answer = context.client()?.json(call).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let now = wire::now();
    let mut table = Table::new(&["INPUT SET", "STATE", "CHANGED", "BY"]);
    for set in items(&answer) {
        table.row([
            cell(set.get("name")),
            state(set),
            ago(set.get("updated_at"), now),
            cell(set.get("updated_by")),
        ]);
    }
    context.out.table(&table, "no input sets yet")
}

async fn set(context: &mut Context, args: &InputSetArgs) -> Result<(), Error> {
    let inputs = values::object(args.inputs_file.as_deref(), &args.input)?;
    let body = json!({ "inputs": inputs.unwrap_or_else(|| json!({})) });
    let call = Call::put(&["processes", &args.process, "input-sets", &args.set]).json(&body);
    let answer = context.client()?.json(call).await?;
    show(context, &answer)
}

fn show(context: &mut Context, set: &Value) -> Result<(), Error> {
    if context.out.is_json() {
        return context.out.json(set);
    }
    let name = context
        .out
        .paint()
        .tone(Tone::Strong, &cell(set.get("name")));
    context.out.line(&format!("{name}  {}", state(set)))?;
    let inputs = set.get("inputs").and_then(Value::as_object);
    for (input, value) in inputs.into_iter().flatten() {
        context.out.line(&format!("  {input}: {value}"))?;
    }
    for fault in super::list(set, "faults") {
        context.out.line(&format!("  {}", cell(Some(fault))))?;
    }
    Ok(())
}

/// Whether a release can be started with the set alone, or what is missing.
fn state(set: &Value) -> String {
    if set.get("complete").and_then(Value::as_bool) == Some(true) {
        return "complete".to_owned();
    }
    match (cell(set.get("missing")), cell(set.get("faults"))) {
        (missing, faults) if faults == "-" => format!("incomplete: {missing}"),
        _ => "does not fit".to_owned(),
    }
}
