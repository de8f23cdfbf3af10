//! The demo: a real release of four services, from nothing, in one command.

mod cli;
mod flags;
mod hotfix;
mod ledger;
mod people;
mod processes;
mod release;
mod rollback;
mod waves;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::demo::cli::Cli;
use crate::demo::people::{Approver, People};
use crate::demo::processes::{Fleet, Server};
use crate::{place, say, setup};

/// What runs before the demo's release.
const OLD_VERSION: &str = "1.0.0";
/// What the demo releases.
const NEW_VERSION: &str = "1.1.0";
/// The services of the bank, as its process names them.
pub(crate) const SERVICES: [&str; 4] = ["payment", "account", "notification", "gateway"];
/// Where they run.
pub(crate) const ENVIRONMENTS: [&str; 2] = ["staging", "production"];
/// Who decides, and for which group.
const APPROVERS: [(&str, &str); 4] = [
    ("ben", "qa"),
    ("sam", "security"),
    ("cleo", "sre"),
    ("gus", "product"),
];
/// Components the bank's process uses, and more to explore with.
const COMPONENTS: [&str; 5] = [
    "deploy",
    "verify-health",
    "release-notes",
    "notify-webhook",
    "noop",
];

/// Options of `cargo xtask demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Give the sign-offs as two different people instead of asking.
    #[arg(long)]
    yes: bool,
    /// End everything with the release, and exit with its result.
    #[arg(long)]
    once: bool,
    /// What to show.
    #[arg(long, value_enum, default_value_t = Scenario::Bank)]
    scenario: Scenario,
    /// Release a service at a version of your own: `payment=crashing`, `gateway=slow`, `account=2.0.0`.
    #[arg(long, value_name = "SERVICE=VERSION", value_parser = service_version)]
    version_of: Vec<(String, String)>,
}

/// What the demo shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// Four services to staging, past two people, and on to production.
    Bank,
    /// A bad version in the second wave, and the way back.
    Rollback,
    /// A feature for 1, 10, 50 and 100 % of customers, and then for good.
    Flags,
    /// One service to five customers in three waves, each past a gate.
    Waves,
    /// An emergency that goes ahead of who stands in line.
    Hotfix,
}

impl Scenario {
    /// Where its services run.
    fn environments(self) -> &'static [&'static str] {
        match self {
            Self::Bank => &ENVIRONMENTS,
            Self::Rollback => &rollback::ENVIRONMENTS,
            Self::Flags => &flags::ENVIRONMENTS,
            Self::Waves => &waves::ENVIRONMENTS,
            Self::Hotfix => &hotfix::ENVIRONMENTS,
        }
    }

    /// The process that it releases.
    fn document(self) -> &'static str {
        match self {
            Self::Bank => "guest-examples/processes/bank.yaml",
            Self::Rollback => "guest-examples/processes/rollback-drill.yaml",
            Self::Flags => "guest-examples/processes/flag-rollout.yaml",
            Self::Waves => "guest-examples/processes/waves.yaml",
            Self::Hotfix => "guest-examples/processes/hotfix.yaml",
        }
    }
}

/// Reads `payment=crashing`; a word that is no version is how the new version misbehaves.
fn service_version(text: &str) -> Result<(String, String), String> {
    let expected = || {
        format!(
            "expected SERVICE=VERSION with one of {}",
            SERVICES.join(", ")
        )
    };
    let (service, version) = text.split_once('=').ok_or_else(expected)?;
    if !SERVICES.contains(&service) || version.is_empty() {
        return Err(expected());
    }
    let plain = version.starts_with(|c: char| c.is_ascii_digit());
    let version = if plain {
        version.to_owned()
    } else {
        format!("{NEW_VERSION}-{version}")
    };
    Ok((service.to_owned(), version))
}

/// Sets up, starts everything, releases, and tells how to go on.
pub(crate) fn run(args: &DemoArgs) -> Result<ExitCode> {
    setup::everything()?;
    let began = Instant::now();
    say::part("Demo");
    let folder = place::target().join("demo");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let folder = place::folder(folder)?;
    let fleet = Fleet::start(&folder, args.scenario.environments())?;
    let mut server = Server::start(&folder)?;
    say::line(&format!(
        "   server {}   fleet {}   after {}",
        server.url,
        fleet.url,
        say::elapsed(began)
    ));
    let admin = Cli::new(&server.url, &server.token_file);
    let people = prepare(&admin, &fleet, args.scenario)?;
    let outcome = match args.scenario {
        Scenario::Bank => {
            old_versions(&fleet)?;
            release::run(&people, &fleet, args)?
        }
        Scenario::Rollback => rollback::run(&people, &fleet)?,
        Scenario::Flags => flags::run(&people, &fleet, args.yes)?,
        Scenario::Waves => waves::run(&people, &fleet, args.yes)?,
        Scenario::Hotfix => hotfix::run(&people, &fleet, args.yes)?,
    };
    if args.once {
        server.stop()?;
    } else {
        explore(&server, &fleet);
        server.wait()?;
    }
    Ok(if outcome {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What runs before the release.
fn old_versions(fleet: &Fleet) -> Result<()> {
    for environment in ENVIRONMENTS {
        for service in SERVICES {
            fleet.deploy(environment, service, OLD_VERSION)?;
        }
    }
    say::line(&format!(
        "   the fleet runs {OLD_VERSION} of {} in {}",
        SERVICES.join(", "),
        ENVIRONMENTS.join(" and ")
    ));
    Ok(())
}

/// Components are there with their grants, people exist, the process is published.
fn prepare(admin: &Cli, fleet: &Fleet, scenario: Scenario) -> Result<People> {
    // The fleet is on loopback, where no component may call without a grant that says so.
    let grant = format!("http={};private", fleet.host());
    for component in COMPONENTS {
        let module = place::guests().join(format!("{component}.wasm"));
        admin.run(&[
            "component",
            "push",
            &module.display().to_string(),
            "--grant",
            &grant,
        ])?;
    }
    say::line(&format!(
        "   pushed {} and granted them {}",
        COMPONENTS.join(", "),
        fleet.host()
    ));
    let process = place::root().join(scenario.document());
    admin.run(&["process", "publish", &process.display().to_string()])?;
    say::line(&format!("   published {}", scenario.document()));
    let approvers = APPROVERS.map(|(name, group)| {
        let cli = person(admin, name, group)?;
        Ok(Approver { name, group, cli })
    });
    Ok(People {
        manager: person(admin, "ana", "release-managers")?,
        approvers: approvers.into_iter().collect::<Result<_>>()?,
    })
}

fn person(admin: &Cli, name: &str, group: &str) -> Result<Cli> {
    admin.run(&["principal", "set", name, "--group", group])?;
    let created = admin.json(&["token", "create", name, "--label", "demo"])?;
    match created["token"].as_str() {
        Some(token) => Ok(admin.with_token(token)),
        None => bail!("no token for {name}: {created}"),
    }
}

/// How to go on, once the release has ended.
fn explore(server: &Server, fleet: &Fleet) {
    say::part("Explore");
    say::line(
        "   The server and the fleet keep running until you press Ctrl-C. In another terminal:",
    );
    say::line("");
    say::line(&format!(
        "   export PATH=\"{}:$PATH\"",
        processes::folder_of_programs().display()
    ));
    say::line(&format!(
        "   export FERMATA_SERVER={} FERMATA_TOKEN_FILE={}",
        server.url,
        server.token_file.display()
    ));
    say::line("   fermata release list");
    say::line("   fermata ledger");
    say::line("   fermata release start bank-release --input version=1.2.0 --watch");
    say::line(&format!("   curl {}/environments", fleet.url));
}
