//! `fermata ledger`: what is deployed where.

use super::args::LedgerArgs;
use super::error::Error;
use super::table::Table;
use super::text::{Tone, ago, cell};
use super::{Context, items, pages};
use crate::wire;

/// Runs the command.
pub(super) async fn run(context: &mut Context, args: &LedgerArgs) -> Result<(), Error> {
    let client = context.client()?;
    let filters = [
        ("environment", args.environment.as_ref()),
        ("service", args.service.as_ref()),
    ];
    let answer = pages::read(&client, &["ledger"], &filters, pages::ALL).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let now = wire::now();
    let mut table = Table::new(&["ENVIRONMENT", "SERVICE", "VERSION", "SINCE", "BY RELEASE"]);
    for item in items(&answer) {
        table.toned([
            (Tone::Plain, cell(item.get("environment"))),
            (Tone::Strong, cell(item.get("service"))),
            (Tone::Good, cell(item.get("version"))),
            (Tone::Faint, ago(item.get("at"), now)),
            (Tone::Faint, cell(item.get("release"))),
        ]);
    }
    context.out.table(
        &table,
        "nothing yet: activities fill the ledger by recording evidence of kind `deployment`",
    )
}
