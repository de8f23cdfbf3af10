//! Hotfix: an emergency goes ahead of who stands in line for production already.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::demo::ledger::compare;
use crate::demo::people::{Answers, People};
use crate::demo::processes::Fleet;
use crate::demo::{NEW_VERSION, OLD_VERSION};
use crate::say;

/// Where it burns.
pub(super) const ENVIRONMENTS: [&str; 1] = ["production"];
/// What is fixed: first, last, and in between, since it is an emergency.
const SERVICES: [&str; 3] = ["account", "notification", "payment"];
/// The lock for which releases of the process stand in line.
const LINE: &str = "process/hotfix";

/// Fixes three services, one of them in an emergency; whether it came before who waited.
pub(super) fn run(people: &People, fleet: &Fleet, yes: bool) -> Result<bool> {
    for service in SERVICES {
        fleet.deploy(ENVIRONMENTS[0], service, OLD_VERSION)?;
    }
    say::part("Two fixes in line, and then nobody can pay");
    let fix = |service: &str, reason: &str, more: &[&str]| {
        let inputs = [
            ("service", service),
            ("version", NEW_VERSION),
            ("reason", reason),
        ];
        people.start("hotfix", fleet, &inputs, more)
    };
    let first = fix("account", "balances are off by a cent", &[])?;
    let second = fix("notification", "mails come twice a day", &[])?;
    let reason = "nobody can pay since ten minutes ago";
    let urgent = fix("payment", reason, &["--emergency", reason])?;
    people.manager.shown(&["lock", "show", LINE])?;
    let answers = Answers { yes, form: None };
    for (what, id) in [
        ("first", &first),
        ("emergency", &urgent),
        ("second", &second),
    ] {
        say::part(&format!("The {what}: {id}"));
        ensure!(people.bring_on(id, answers)?, "{id} did not succeed");
    }
    say::part("What runs where");
    people.manager.shown(&["ledger"])?;
    let agree = compare(&people.manager, fleet, &ENVIRONMENTS, &SERVICES)?;
    let ended = |id: &str| -> Result<Value> {
        let view = people.manager.json(&["release", "show", id])?;
        Ok(view["ended_at"].clone())
    };
    let ahead = ended(&urgent)?.as_str() < ended(&second)?.as_str();
    Ok(agree && ahead)
}
