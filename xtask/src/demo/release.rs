//! The release of a bank: four services to staging, past two people, and on to production.

use anyhow::Result;

use crate::demo::ledger::compare;
use crate::demo::people::{Answers, People};
use crate::demo::processes::Fleet;
use crate::demo::{DemoArgs, ENVIRONMENTS, NEW_VERSION, SERVICES};
use crate::say;

/// Releases the new version; whether it succeeded.
pub(crate) fn run(people: &People, fleet: &Fleet, args: &DemoArgs) -> Result<bool> {
    say::part(&format!("Release {NEW_VERSION}, started by ana"));
    let versions = args.version_of.iter();
    let versions = versions.map(|(name, version)| (name.as_str(), version.as_str()));
    let inputs: Vec<(&str, &str)> = [("version", NEW_VERSION)]
        .into_iter()
        .chain(versions)
        .collect();
    let title = ["--title", "Bank platform 1.1.0"];
    let id = people.start("bank-release", fleet, &inputs, &title)?;
    let answers = Answers {
        yes: args.yes,
        form: Some("verdict=pass"),
    };
    let succeeded = people.bring_on(&id, answers)?;
    if !succeeded {
        say::part("The release holds: nothing is lost, and a person decides how it goes on");
        people.manager.shown(&["release", "why", &id])?;
    }
    say::part("What runs where");
    people.manager.shown(&["ledger"])?;
    let agree = compare(&people.manager, fleet, &ENVIRONMENTS, &SERVICES)?;
    let state = people.manager.json(&["release", "show", &id])?["state"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    say::line(&format!("   release {id}: {state}"));
    Ok(succeeded && agree)
}
