//! `fermata process …`.

use std::fmt::Write as _;
use std::path::Path;

use fermata_core::process::validate::validate;
use serde_json::{Value, json};

use super::args::{CheckArgs, ProcessCommand, ProcessListArgs, ProcessShowArgs};
use super::error::Error;
use super::table::Table;
use super::text::{Paint, Tone, ago, cell, short_digest};
use super::{
    Context, component, diagnostic, difference, input_set, pages, policy, script_grants, values,
};
use crate::client::problem::Defect;
use crate::client::view::Join;
use crate::client::{self, Call, Client};
use crate::wire;

/// Documents are YAML or JSON; the server tells them apart, as JSON is YAML as well.
const DOCUMENT_TYPE: &str = "application/yaml";

/// Runs the command.
pub(super) async fn run(context: &mut Context, command: ProcessCommand) -> Result<(), Error> {
    match command {
        ProcessCommand::Check(args) => check(context, &args).await,
        ProcessCommand::Publish { file } => publish(context, &file).await,
        ProcessCommand::List(args) => list(context, &args).await,
        ProcessCommand::Show(args) => show(context, &args).await,
        ProcessCommand::Diff { process, from, to } => {
            difference::run(context, &process, (from, to)).await
        }
        ProcessCommand::Grant(args) => script_grants::run(context, &args).await,
        ProcessCommand::InputSet(command) => input_set::run(context, command).await,
    }
}

async fn check(context: &mut Context, args: &CheckArgs) -> Result<(), Error> {
    let document = values::read(&args.file)?;
    if args.offline {
        return check_offline(context, &args.file, &document);
    }
    let client = context.client()?;
    match send(&client, &["processes:validate"], &document).await {
        Ok(answer) => passed(context, &args.file, &answer.body, None),
        Err(client::Error::Unreachable { server, .. }) => {
            context.out.remark(&format!(
                "note: no server at {server}: components and their inputs are not checked"
            ))?;
            check_offline(context, &args.file, &document)
        }
        Err(error) => Err(defective(context, &args.file, error)?),
    }
}

fn check_offline(context: &mut Context, path: &Path, document: &[u8]) -> Result<(), Error> {
    match validate(document, None) {
        Ok(process) => {
            let summary = json!({
                "name": process.name,
                "title": process.title,
                "phases": process.phases.len(),
                "activities": process.activities.len(),
                "digest": process.digest,
            });
            passed(context, path, &summary, Some("without the registry"))
        }
        Err(found) => Err(defects(context, path, &found)?),
    }
}

/// Shows the defects that were found without a server; gives the error to end with.
pub(super) fn defects(
    context: &mut Context,
    path: &Path,
    defects: &[fermata_core::defect::Defect],
) -> Result<Error, Error> {
    let found: Vec<Defect> = defects
        .iter()
        .map(|defect| Defect {
            code: defect.code.into(),
            message: defect.message.clone(),
            line: defect.line,
            column: defect.column,
            snippet: defect.snippet.clone(),
            hint: defect.hint.clone(),
        })
        .collect();
    let answer = serde_json::to_value(defects).unwrap_or_default();
    refused(context, path, &found, &answer)
}

fn passed(
    context: &mut Context,
    path: &Path,
    summary: &Value,
    how: Option<&str>,
) -> Result<(), Error> {
    if context.out.is_json() {
        return context.out.json(summary);
    }
    let paint = context.out.paint();
    let mut line = format!(
        "{} {}: process {}, {} phases, {} activities",
        paint.tone(Tone::Good, "ok"),
        path.display(),
        cell(summary.get("name")),
        cell(summary.get("phases")),
        cell(summary.get("activities")),
    );
    if let Some(how) = how {
        write!(line, " ({how})").expect("strings take all text");
    }
    context.out.line(&line)?;
    component::notices(context, summary)?;
    policy::warnings(context, summary)?;
    if let Some(denial) = summary.get("denial") {
        let (policy, told) = (cell(denial.get("policy")), cell(denial.get("message")));
        let told = format!("it could not be published now: the policy {policy}: {told}");
        context.out.remark(&told)?;
    }
    Ok(())
}

async fn send(
    client: &Client,
    path: &[&str],
    document: &[u8],
) -> Result<client::Answer, client::Error> {
    let call = Call::post(path).bytes(DOCUMENT_TYPE, document.to_vec(), document.len());
    client.send(call).await
}

/// Shows the defects in a problem, if it has any; gives the error to end with.
pub(super) fn defective(
    context: &mut Context,
    path: &Path,
    error: client::Error,
) -> Result<Error, Error> {
    match &error {
        client::Error::Problem(problem) if !problem.defects.is_empty() => {
            let answer = serde_json::to_value(&problem.defects).unwrap_or_default();
            refused(context, path, &problem.defects, &answer)
        }
        _ => Ok(error.into()),
    }
}

/// Shows defects and gives the error to end with.
fn refused(
    context: &mut Context,
    path: &Path,
    defects: &[Defect],
    answer: &Value,
) -> Result<Error, Error> {
    if context.out.is_json() {
        context.out.json(&json!({ "defects": answer }))?;
    } else {
        let paint: Paint = context.out.paint();
        let shown = diagnostic::render(path, defects, paint);
        context.out.raw(&shown)?;
    }
    Ok(Error::Defects {
        path: path.into(),
        count: defects.len(),
    })
}

/// Sends the document in a file to be published, and shows its defects if it has any.
pub(super) async fn send_document(
    context: &mut Context,
    kind: &str,
    file: &Path,
) -> Result<client::Answer, Error> {
    let document = values::read(file)?;
    let client = context.client()?;
    match send(&client, &[kind], &document).await {
        Ok(answer) => Ok(answer),
        Err(error) => Err(defective(context, file, error)?),
    }
}

async fn publish(context: &mut Context, file: &Path) -> Result<(), Error> {
    let answer = send_document(context, "processes", file).await?;
    if context.out.is_json() {
        return context.out.json(&answer.body);
    }
    let name = cell(answer.body.get("name"));
    let version = cell(answer.body.get("version"));
    let news = if answer.status == 201 {
        "published"
    } else {
        "unchanged: this is already the newest version"
    };
    let shown = context
        .out
        .paint()
        .tone(Tone::Strong, &format!("{name}@{version}"));
    context.out.line(&format!("{shown} {news}"))?;
    component::notices(context, &answer.body)?;
    policy::warnings(context, &answer.body)?;
    context
        .out
        .remark(&format!("next: fermata release start {name} --watch"))
}

async fn list(context: &mut Context, args: &ProcessListArgs) -> Result<(), Error> {
    let client = context.client()?;
    let answer = pages::read(&client, &["processes"], &[], args.limit as usize).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let now = wire::now();
    let mut table = Table::new(&["PROCESS", "VERSION", "TITLE", "PUBLISHED"]);
    for item in super::items(&answer) {
        table.toned([
            (Tone::Strong, cell(item.get("name"))),
            (Tone::Plain, cell(item.get("version"))),
            (Tone::Plain, cell(item.get("title"))),
            (Tone::Faint, ago(item.get("published_at"), now)),
        ]);
    }
    context
        .out
        .table(&table, "no processes yet: fermata process publish FILE")
}

async fn show(context: &mut Context, args: &ProcessShowArgs) -> Result<(), Error> {
    let client = context.client()?;
    let (name, version) = values::versioned(&args.process);
    let mut answer = match version {
        Some(version) => {
            client
                .json(Call::get(&["processes", name, "versions", version]))
                .await?
        }
        None => client.json(Call::get(&["processes", name])).await?,
    };
    if args.document {
        if answer.get("document").is_none() {
            let newest = cell(answer.get("version"));
            answer = client
                .json(Call::get(&["processes", name, "versions", &newest]))
                .await?;
        }
        let document = cell_text(answer.get("document"));
        return context.out.raw(&document);
    }
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    describe(context, &answer)
}

/// The text as it is, line breaks included.
fn cell_text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn describe(context: &mut Context, answer: &Value) -> Result<(), Error> {
    let paint = context.out.paint();
    let head = format!(
        "{}@{}",
        cell(answer.get("name")),
        cell(answer.get("version"))
    );
    let digest = short_digest(&cell(answer.get("digest")));
    context.out.line(&format!(
        "{}  {}  {}",
        paint.tone(Tone::Strong, &head),
        cell(answer.get("title")),
        paint.tone(Tone::Faint, &digest)
    ))?;
    let now = wire::now();
    if answer.get("versions").is_some() {
        let mut table = Table::new(&["VERSION", "PUBLISHED", "BY", "DIGEST"]);
        for version in super::list(answer, "versions") {
            table.row([
                cell(version.get("version")),
                ago(version.get("published_at"), now),
                cell(version.get("published_by")),
                short_digest(&cell(version.get("digest"))),
            ]);
        }
        context.out.table(&table, "no versions")?;
    }
    graph(context, answer)
}

/// The phases and activities of a version, if the answer has them.
fn graph(context: &mut Context, answer: &Value) -> Result<(), Error> {
    let graph = answer.get("graph").unwrap_or(&Value::Null);
    let mut table = Table::new(&["ACTIVITY", "RUNS", "AFTER"]);
    for phase in super::list(graph, "phases") {
        for activity in super::list(phase, "activities") {
            table.row([
                cell(activity.get("path")),
                runs(phase, activity),
                after(phase, activity),
            ]);
        }
    }
    if table.is_empty() {
        return Ok(());
    }
    context.out.table(&table, "")
}

/// What an activity runs, and how often.
fn runs(phase: &Value, activity: &Value) -> String {
    let is = |part: &Value, what: &str| part.get(what).and_then(Value::as_bool) == Some(true);
    let what = cell(activity.get("uses").or_else(|| activity.get("kind")));
    if is(activity, "gate") {
        format!("{what}, between batches")
    } else if is(activity, "each") || is(phase, "each") {
        format!("{what}, for each item")
    } else {
        what
    }
}

/// What an activity comes after: its own needs, else those of its phase.
fn after(phase: &Value, activity: &Value) -> String {
    let of = |part: &Value| {
        let joins: Vec<Join> = super::list(part, "joins")
            .filter_map(|join| serde_json::from_value(join.clone()).ok())
            .collect();
        let joined = |need: &String| joins.iter().any(|join| join.of.contains(need));
        let alone = super::list(part, "needs").map(|need| cell(Some(need)));
        let texts = joins.iter().map(|join| join.text(str::to_owned));
        let all: Vec<String> = alone.filter(|need| !joined(need)).chain(texts).collect();
        all.join(", ")
    };
    let own = of(activity);
    let comes_after = if own.is_empty() { of(phase) } else { own };
    if comes_after.is_empty() {
        "-".to_owned()
    } else {
        comes_after
    }
}
