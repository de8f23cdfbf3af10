//! A rollback: a bad version of payment in the second wave, and the way back to what ran before.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::demo::ledger::compare;
use crate::demo::people::People;
use crate::demo::processes::Fleet;
use crate::demo::{NEW_VERSION, OLD_VERSION};
use crate::say;

/// Where the services of the drill run.
pub(super) const ENVIRONMENTS: [&str; 2] = ["wave-1", "wave-2"];
/// The services of the drill.
const SERVICES: [&str; 3] = ["payment", "account", "gateway"];
/// The version of payment that the second wave gets.
const BAD_VERSION: &str = "1.1.0-crashing";

/// Releases the old version, then a bad one; whether everything runs the old version again.
pub(super) fn run(people: &People, fleet: &Fleet) -> Result<bool> {
    let manager = &people.manager;
    say::part(&format!("Release {OLD_VERSION}, which goes well"));
    let good = people.start("rollback-drill", fleet, &[("version", OLD_VERSION)], &[])?;
    let watched = manager.shown(&["release", "watch", &good, "--exit-on-hold"])?;
    ensure!(watched == 0, "the first release did not succeed");
    say::part("What a rollback of it would do, before anybody asks for one");
    manager.shown(&["release", "rollback", &good, "--dry-run"])?;
    say::part(&format!(
        "Release {NEW_VERSION}, with payment {BAD_VERSION} in the second wave"
    ));
    let inputs = [("version", NEW_VERSION), ("late-payment", BAD_VERSION)];
    let bad = people.start("rollback-drill", fleet, &inputs, &[])?;
    manager.shown(&["release", "watch", &bad, "--exit-on-hold"])?;
    let release = manager.json(&["release", "show", &bad])?;
    say::part("What was taken back, in this order");
    tell(&release);
    manager.run(&[
        "release",
        "root-cause",
        &bad,
        "--comment",
        "payment crashes as soon as it starts",
    ])?;
    say::line("   root cause: payment crashes as soon as it starts");
    say::part("What runs where");
    manager.shown(&["ledger"])?;
    let agree = compare(manager, fleet, &ENVIRONMENTS, &SERVICES)?;
    let old = all_run_the_old_version(fleet)?;
    let state = release["state"].as_str().unwrap_or_default();
    say::line(&format!("   release {bad}: {state}"));
    Ok(agree && old && state == "rolled-back")
}

/// The record of the rollback.
fn tell(release: &Value) {
    let undone = release["rollback"]["activities"].as_array();
    for item in undone.into_iter().flatten() {
        let text = |name: &str| item[name].as_str().unwrap_or_default();
        say::line(&format!("   {:<20} {}", text("activity"), text("result")));
    }
}

fn all_run_the_old_version(fleet: &Fleet) -> Result<bool> {
    let mut old = true;
    for environment in ENVIRONMENTS {
        for service in SERVICES {
            old &= fleet.running(environment, service)? == OLD_VERSION;
        }
    }
    Ok(old)
}
