//! The release of the demo: started, watched, signed off, accounted for.

use std::io::{BufRead, Write, stderr, stdin};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::demo::cli::Cli;
use crate::demo::processes::Fleet;
use crate::demo::{DemoArgs, ENVIRONMENTS, NEW_VERSION, People, SERVICES};
use crate::say;

/// Exit code of `release watch` when only people can move the release on.
const WAITS_FOR_PEOPLE: i32 = 8;
/// The activity that the two people decide.
const SIGN_OFF: &str = "uat/sign-off";

/// Releases the new version; whether it succeeded.
pub(crate) fn run(people: &People, fleet: &Fleet, args: &DemoArgs) -> Result<bool> {
    say::part(&format!("Release {NEW_VERSION}, started by ana"));
    let id = start(&people.manager, fleet, &args.version_of)?;
    let succeeded = loop {
        let watched = people.manager.shown(&[
            "release",
            "watch",
            &id,
            "--exit-on-hold",
            "--exit-on-people",
        ])?;
        match watched {
            0 => break true,
            WAITS_FOR_PEOPLE => sign_off(people, &id, args.yes)?,
            _ => break false,
        }
    };
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

fn start(manager: &Cli, fleet: &Fleet, versions: &[(String, String)]) -> Result<String> {
    let mut args: Vec<String> = [
        "release",
        "start",
        "bank-release",
        "--title",
        "Bank platform 1.1.0",
    ]
    .map(str::to_owned)
    .into();
    let inputs = [
        ("version".to_owned(), NEW_VERSION.to_owned()),
        ("platform".to_owned(), fleet.url.clone()),
    ];
    for (name, value) in inputs.iter().chain(versions) {
        args.extend(["--input".to_owned(), format!("{name}={value}")]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let view = manager.json(&args)?;
    view["id"]
        .as_str()
        .map(str::to_owned)
        .context("a release has an id")
}

/// Asks for the sign-offs that are still open, or gives them.
fn sign_off(people: &People, id: &str, yes: bool) -> Result<()> {
    let view = people.manager.json(&["release", "show", id])?;
    let asked = activity(&view, SIGN_OFF)
        .context("the release waits for people, but not at its sign-off")?;
    for (name, group, cli) in &people.approvers {
        if has_approved(asked, name) {
            continue;
        }
        if !yes
            && !ask(&format!(
                "   {name} of group {group}: sign off {SIGN_OFF}? [y/n] "
            ))?
        {
            cli.run(&[
                "release",
                "reject",
                id,
                SIGN_OFF,
                "--comment",
                "not in this demo",
            ])?;
            return Ok(());
        }
        cli.run(&[
            "release",
            "approve",
            id,
            SIGN_OFF,
            "--comment",
            "checked",
            "--form",
            "verdict=pass",
        ])?;
        say::line(&format!("   {name} of group {group} signed off"));
    }
    Ok(())
}

fn activity<'a>(view: &'a Value, path: &str) -> Option<&'a Value> {
    let phases = view["phases"].as_array()?.iter();
    phases
        .filter_map(|phase| phase["activities"].as_array())
        .flatten()
        .find(|activity| activity["path"] == path)
}

fn has_approved(asked: &Value, name: &str) -> bool {
    let approvals = asked["approvals"].as_array().into_iter().flatten();
    approvals
        .filter_map(|approval| approval["by"].as_str())
        .any(|by| by.trim_start_matches("user:") == name)
}

fn ask(question: &str) -> Result<bool> {
    let mut out = stderr();
    out.write_all(question.as_bytes())?;
    out.flush()?;
    let mut answer = String::new();
    if stdin().lock().read_line(&mut answer)? == 0 {
        bail!("nobody answers: use --yes where there is no terminal");
    }
    Ok(answer.trim().to_lowercase().starts_with('y'))
}

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
