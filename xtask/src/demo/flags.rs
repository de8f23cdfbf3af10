//! Flags: a feature is switched on for 1, 10, 50 and 100 % of customers behind a guard, and then for good.

use anyhow::Result;

use crate::demo::OLD_VERSION;
use crate::demo::ledger::compare;
use crate::demo::people::{Answers, People};
use crate::demo::processes::Fleet;
use crate::say;

/// Where the flags and the shop run.
pub(super) const ENVIRONMENTS: [&str; 1] = ["production"];
/// What serves the flags, and what the guard looks at.
const SERVICES: [&str; 2] = ["flags", "gateway"];
const FEATURE: &str = "new-checkout";

/// Rolls the feature out; whether the flags say that it is there for good.
pub(super) fn run(people: &People, fleet: &Fleet, yes: bool) -> Result<bool> {
    fleet.deploy(ENVIRONMENTS[0], SERVICES[1], OLD_VERSION)?;
    say::part(&format!("Roll {FEATURE} out: 1 → 10 → 50 → 100 % → GA"));
    let id = people.start("flag-rollout", fleet, &[("feature", FEATURE)], &[])?;
    let succeeded = people.bring_on(&id, Answers { yes, form: None })?;
    say::part("The shares, as the ledger kept them");
    people.manager.shown(&[
        "ledger",
        "--environment",
        "production",
        "--service",
        "flags",
    ])?;
    let agree = compare(&people.manager, fleet, &ENVIRONMENTS, &SERVICES)?;
    let flags = fleet.running(ENVIRONMENTS[0], SERVICES[0])?;
    Ok(succeeded && agree && flags == format!("{FEATURE}-ga"))
}
