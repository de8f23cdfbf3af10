//! `fermata definition …`.

use serde_json::Value;

use super::args::DefinitionCommand;
use super::error::Error;
use super::table::Table;
use super::text::{Tone, ago, cell};
use super::{Context, component, pages, process, values};
use crate::client::Call;
use crate::wire;

/// Most definitions that are listed.
const LISTED_MAX: usize = 10_000;

/// Runs the command.
pub(super) async fn run(context: &mut Context, command: DefinitionCommand) -> Result<(), Error> {
    match command {
        DefinitionCommand::Publish { file } => {
            let answer = process::send_document(context, "definitions", &file).await?;
            if context.out.is_json() {
                return context.out.json(&answer.body);
            }
            let news = if answer.status == 201 {
                "published"
            } else {
                "unchanged: this version has this document already"
            };
            let shown = context.out.paint().tone(Tone::Strong, &named(&answer.body));
            context.out.line(&format!("{shown} {news}"))
        }
        DefinitionCommand::List => {
            let client = context.client()?;
            let answer = pages::read(&client, &["definitions"], &[], LISTED_MAX).await?;
            let items: Vec<Value> = super::items(&answer).cloned().collect();
            table(context, &answer, &items)
        }
        DefinitionCommand::Show { definition } => show(context, &definition).await,
        DefinitionCommand::UsedBy { definition } => {
            component::used_by(context, "definitions", &definition).await
        }
        DefinitionCommand::Delete { definition } => {
            component::delete(context, "definitions", &definition).await
        }
    }
}

async fn show(context: &mut Context, definition: &str) -> Result<(), Error> {
    let client = context.client()?;
    let (name, version) = values::versioned(definition);
    let Some(version) = version else {
        let answer = client.json(Call::get(&["definitions", name])).await?;
        let items: Vec<Value> = super::list(&answer, "versions").cloned().collect();
        return table(context, &answer, &items);
    };
    let call = Call::get(&["definitions", name, "versions", version]);
    let answer = client.json(call).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let name = context.out.paint().tone(Tone::Strong, &named(&answer));
    context
        .out
        .line(&format!("{name}  {}", cell(answer.get("title"))))?;
    for key in ["uses", "attempts", "timeout"] {
        if answer.get(key).is_some() {
            context
                .out
                .line(&format!("  {key}: {}", cell(answer.get(key))))?;
        }
    }
    let with = answer.get("with").and_then(Value::as_object);
    for (input, value) in with.into_iter().flatten() {
        context.out.line(&format!("  with {input}: {value}"))?;
    }
    Ok(())
}

fn table(context: &mut Context, answer: &Value, items: &[Value]) -> Result<(), Error> {
    if context.out.is_json() {
        return context.out.json(answer);
    }
    let now = wire::now();
    let mut table = Table::new(&["DEFINITION", "USES", "TITLE", "PUBLISHED"]);
    for item in items {
        table.row([
            named(item),
            cell(item.get("uses")),
            cell(item.get("title")),
            ago(item.get("published_at"), now),
        ]);
    }
    context.out.table(
        &table,
        "no definitions yet: fermata definition publish FILE",
    )
}

fn named(item: &Value) -> String {
    format!("{}@{}", cell(item.get("name")), cell(item.get("version")))
}
