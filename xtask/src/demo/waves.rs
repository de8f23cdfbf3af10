//! Waves: one service to five customers, first one, then half of them, then all, with a bake and a gate.

use anyhow::Result;

use crate::demo::ledger::compare;
use crate::demo::people::{Answers, People};
use crate::demo::processes::Fleet;
use crate::demo::{NEW_VERSION, OLD_VERSION};
use crate::say;

/// The customers, as the process names them: each is an environment.
pub(super) const ENVIRONMENTS: [&str; 5] = [
    "early-bird",
    "north-bank",
    "south-bank",
    "harbour",
    "old-mill",
];
const SERVICES: [&str; 1] = ["payment"];

/// Releases to all customers; whether all run the new version.
pub(super) fn run(people: &People, fleet: &Fleet, yes: bool) -> Result<bool> {
    for customer in ENVIRONMENTS {
        fleet.deploy(customer, SERVICES[0], OLD_VERSION)?;
    }
    say::line(&format!("   every customer has payment {OLD_VERSION}"));
    say::part(&format!(
        "Release {NEW_VERSION} to five customers in three waves"
    ));
    let inputs = [("version", NEW_VERSION)];
    let id = people.start("customer-waves", fleet, &inputs, &[])?;
    let succeeded = people.bring_on(&id, Answers { yes, form: None })?;
    say::part("What the waves were");
    people.manager.shown(&["release", "show", &id])?;
    say::part("What runs where");
    let agree = compare(&people.manager, fleet, &ENVIRONMENTS, &SERVICES)?;
    let mut new = true;
    for customer in ENVIRONMENTS {
        new &= fleet.running(customer, SERVICES[0])? == NEW_VERSION;
    }
    Ok(succeeded && agree && new)
}
