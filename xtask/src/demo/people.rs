//! Brings a release to its end: watched on the screen, and decided by the people it waits for.

use std::io::{BufRead, Write, stderr, stdin};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::demo::cli::Cli;
use crate::demo::processes::Fleet;
use crate::say;

/// Exit code of `release watch` when only people can move the release on.
const WAITS_FOR_PEOPLE: i32 = 8;

/// The people of the demo, each with a client of their own.
pub(crate) struct People {
    /// Starts releases.
    pub(crate) manager: Cli,
    /// Decide.
    pub(crate) approvers: Vec<Approver>,
}

/// Somebody who decides.
pub(crate) struct Approver {
    pub(crate) name: &'static str,
    pub(crate) group: &'static str,
    pub(crate) cli: Cli,
}

/// How decisions are made.
#[derive(Clone, Copy)]
pub(crate) struct Answers<'a> {
    /// Everybody says yes, instead of being asked in the terminal.
    pub(crate) yes: bool,
    /// Fills in a form, as `NAME=VALUE`.
    pub(crate) form: Option<&'a str>,
}

impl People {
    /// Starts a release as the manager; gives its id.
    pub(crate) fn start(
        &self,
        process: &str,
        fleet: &Fleet,
        inputs: &[(&str, &str)],
        more: &[&str],
    ) -> Result<String> {
        let platform = ("platform", fleet.url.as_str());
        let inputs = inputs.iter().chain([&platform]);
        let inputs: Vec<String> = inputs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut args = vec!["release", "start", process];
        args.extend(inputs.iter().flat_map(|input| ["--input", input]));
        args.extend(more);
        let view = self.manager.json(&args)?;
        let id = view["id"].as_str();
        id.map(str::to_owned).context("a release has an id")
    }

    /// Watches a release until it has ended or holds, and lets people decide; whether it succeeded.
    pub(crate) fn bring_on(&self, id: &str, answers: Answers<'_>) -> Result<bool> {
        loop {
            let watched = self.manager.shown(&[
                "release",
                "watch",
                id,
                "--exit-on-hold",
                "--exit-on-people",
            ])?;
            match watched {
                0 => return Ok(true),
                WAITS_FOR_PEOPLE => self.decide(id, answers)?,
                _ => return Ok(false),
            }
        }
    }

    /// Everybody who finds the release in their inbox decides.
    fn decide(&self, id: &str, answers: Answers<'_>) -> Result<()> {
        let mut anybody = false;
        for approver in &self.approvers {
            for activity in approver.asked(id)? {
                anybody = true;
                if !approver.decide(id, &activity, answers)? {
                    return Ok(());
                }
            }
        }
        if !anybody {
            bail!("{id} waits for people, but for nobody of this demo");
        }
        Ok(())
    }
}

impl Approver {
    /// What the inbox has of a release: activities to approve.
    fn asked(&self, id: &str) -> Result<Vec<String>> {
        let inbox = self.cli.json(&["inbox"])?;
        let items = inbox["items"].as_array().or(inbox.as_array());
        let wanted = |item: &&Value| item["kind"] == "approval" && item["release"] == id;
        let found = items.into_iter().flatten().filter(wanted);
        let activities = found.filter_map(|item| item["activity"].as_str());
        Ok(activities.map(str::to_owned).collect())
    }

    /// Approves, or asks in the terminal whether to; whether it was approved.
    fn decide(&self, id: &str, activity: &str, answers: Answers<'_>) -> Result<bool> {
        let Self { name, group, cli } = self;
        let question = format!("   {name} of group {group}: approve {activity}? [y/n] ");
        if !answers.yes && !ask(&question)? {
            let said = ["--comment", "not in this demo"];
            cli.run(&[&["release", "reject", id, activity][..], &said].concat())?;
            return Ok(false);
        }
        let mut args = vec!["release", "approve", id, activity, "--comment", "checked"];
        args.extend(answers.form.iter().flat_map(|form| ["--form", form]));
        cli.run(&args)?;
        say::line(&format!("   {name} of group {group} approved {activity}"));
        Ok(true)
    }
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
