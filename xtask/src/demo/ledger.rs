//! What the fleet runs, beside what the ledger says.

use anyhow::Result;

use crate::demo::cli::Cli;
use crate::demo::processes::Fleet;
use crate::say;

/// Prints what the fleet really runs, beside what the ledger says; whether they agree.
pub(crate) fn compare(
    cli: &Cli,
    fleet: &Fleet,
    environments: &[&str],
    services: &[&str],
) -> Result<bool> {
    let ledger = cli.json(&["ledger"])?;
    let rows = ledger["items"]
        .as_array()
        .or(ledger.as_array())
        .cloned()
        .unwrap_or_default();
    let mut agree = true;
    for environment in environments {
        for service in services {
            let running = fleet.running(environment, service)?;
            let row = rows
                .iter()
                .find(|row| row["environment"] == *environment && row["service"] == *service);
            let known = row.and_then(|row| row["version"].as_str());
            let same = known.is_none_or(|version| version == running);
            agree &= same;
            let note = if same {
                ""
            } else {
                "  (the ledger says otherwise)"
            };
            say::line(&format!(
                "   {environment:<12} {service:<14} {running}{note}"
            ));
        }
    }
    Ok(agree)
}
