//! `fermata policy …`: what is asked before something happens.

use serde_json::{Value, json};

use super::args::{PolicyCommand, PolicySetArgs, PolicyTryArgs};
use super::error::Error;
use super::table::Table;
use super::text::{Tone, ago, cell, short_digest};
use super::{Context, items, list, values};
use crate::client::Call;
use crate::exit::Exit;
use crate::wire;

/// Runs the command.
pub(super) async fn run(context: &mut Context, command: PolicyCommand) -> Result<Exit, Error> {
    match command {
        PolicyCommand::Set(args) => set(context, &args).await?,
        PolicyCommand::List => all(context).await?,
        PolicyCommand::Show { name } => {
            let call = Call::get(&["policies", &name]);
            let answer = context.client()?.json(call).await?;
            one(context, &answer)?;
        }
        PolicyCommand::Remove { name } => {
            let call = Call::delete(&["policies", &name]);
            context.client()?.send(call).await?;
            context.out.remark(&format!("{name}: removed"))?;
        }
        PolicyCommand::Try(args) => return attempt(context, &args).await,
    }
    Ok(Exit::Ok)
}

async fn set(context: &mut Context, args: &PolicySetArgs) -> Result<(), Error> {
    let settings = values::object(args.settings_file.as_deref(), &args.settings)?;
    let body = json!({
        "component": args.component,
        "settings": settings,
        "at": args.at,
        "processes": args.processes,
        "on_failure": args.on_failure,
        "timeout": args.time_limit,
        "enabled": !args.disabled,
    });
    let call = Call::put(&["policies", &args.name]).json(&body);
    let answer = context.client()?.json(call).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let news = if args.disabled {
        "set, not in force"
    } else {
        "in force"
    };
    let component = cell(answer.get("component"));
    context
        .out
        .line(&format!("{}: {news}, judged by {component}", args.name))
}

async fn all(context: &mut Context) -> Result<(), Error> {
    let answer = context.client()?.json(Call::get(&["policies"])).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let now = wire::now();
    let mut table = Table::new(&["POLICY", "COMPONENT", "AT", "PROCESSES", "", "SET"]);
    for policy in items(&answer) {
        table.toned([
            (Tone::Strong, cell(policy.get("name"))),
            (Tone::Plain, cell(policy.get("component"))),
            (Tone::Plain, joined(policy, "at", "")),
            (Tone::Plain, joined(policy, "processes", "all")),
            (Tone::Ask, standing(policy).to_owned()),
            (Tone::Faint, ago(policy.get("set_at"), now)),
        ]);
    }
    context.out.table(&table, "no policies are set")
}

fn joined(policy: &Value, name: &str, none: &str) -> String {
    let all: Vec<String> = list(policy, name).map(|one| cell(Some(one))).collect();
    if all.is_empty() {
        none.to_owned()
    } else {
        all.join(", ")
    }
}

fn standing(policy: &Value) -> &'static str {
    match policy.get("enabled").and_then(Value::as_bool) {
        Some(false) => "not in force",
        _ => "",
    }
}

fn one(context: &mut Context, policy: &Value) -> Result<(), Error> {
    if context.out.is_json() {
        return context.out.json(policy);
    }
    let paint = context.out.paint();
    let name = cell(policy.get("name"));
    let digest = short_digest(&cell(policy.get("digest")));
    context.out.line(&format!(
        "{}  {} {}  {}",
        paint.tone(Tone::Strong, &name),
        cell(policy.get("component")),
        paint.tone(Tone::Faint, &digest),
        paint.tone(Tone::Ask, standing(policy)),
    ))?;
    for (what, value) in [
        ("at", joined(policy, "at", "")),
        ("processes", joined(policy, "processes", "all")),
        ("if it fails", cell(policy.get("on_failure"))),
        ("timeout", cell(policy.get("timeout"))),
        ("settings", policy["settings"].to_string()),
        ("set by", cell(policy.get("set_by"))),
    ] {
        context.out.line(&format!("  {what}: {value}"))?;
    }
    Ok(())
}

async fn attempt(context: &mut Context, args: &PolicyTryArgs) -> Result<Exit, Error> {
    let subject = values::object(args.subject_file.as_deref(), &[])?;
    let inputs = values::object(args.inputs_file.as_deref(), &args.inputs)?;
    let (process, version) = match &args.process {
        Some(process) => {
            let (name, version) = values::versioned(process);
            (Some(name), version)
        }
        None => (None, None),
    };
    let version = version.map(|version| {
        let number = version.parse::<u32>();
        number.map_err(|_| Error::usage("the version is no number", "write PROCESS@3, say"))
    });
    let body = json!({
        "at": args.at,
        "subject": subject,
        "process": process,
        "version": version.transpose()?,
        "inputs": inputs,
    });
    let call = Call::post(&["policies", &args.name, "judge"]).json(&body);
    let answer = context.client()?.json(call).await?;
    said(context, &answer)?;
    Ok(exit(&answer))
}

/// A trial fails if what it is about would not happen.
fn exit(answer: &Value) -> Exit {
    match answer.get("verdict").and_then(Value::as_str) {
        Some("allow" | "warn") => Exit::Ok,
        _ => Exit::Failure,
    }
}

fn said(context: &mut Context, answer: &Value) -> Result<(), Error> {
    if context.out.is_json() {
        return context.out.json(answer);
    }
    let paint = context.out.paint();
    let verdict = cell(answer.get("verdict"));
    let tone = match verdict.as_str() {
        "allow" => Tone::Good,
        "warn" => Tone::Ask,
        _ => Tone::Bad,
    };
    let message = answer
        .get("message")
        .map(|said| format!(": {}", cell(Some(said))));
    context.out.line(&format!(
        "{}{}",
        paint.tone(tone, &verdict),
        message.unwrap_or_default()
    ))?;
    for line in list(answer, "log") {
        context.out.remark(&format!("  {}", cell(Some(line))))?;
    }
    Ok(())
}

/// Tells what policies said to something that they let happen.
pub(super) fn warnings(context: &mut Context, answer: &Value) -> Result<(), Error> {
    for warning in list(answer, "warnings") {
        let (policy, told) = (cell(warning.get("policy")), cell(warning.get("message")));
        let about = warning.get("activity");
        let about = about.map(|activity| format!(" on {}", cell(Some(activity))));
        context.out.remark(&format!(
            "warning: the policy {policy}{}: {told}",
            about.unwrap_or_default()
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_that_is_denied_fails() {
        let exits = ["allow", "warn", "deny"].map(|verdict| exit(&json!({ "verdict": verdict })));
        assert_eq!(exits, [Exit::Ok, Exit::Ok, Exit::Failure]);
    }
}
