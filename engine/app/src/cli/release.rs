//! `fermata release …`: creating, listing and showing. What people decide is in `act`.

use serde_json::{Value, json};

use super::args::{CreateArgs, ReleaseCommand, ReleaseListArgs, StartArgs, WatchArgs};
use super::error::Error;
use super::out::Out;
use super::table::Table;
use super::text::{self, Tone, ago, cell};
use super::tree::{self, Look};
use super::watch::{self, Stop, Wish};
use super::{
    Context, act, component, events, inbox, logs, pages, policy, rollback, signal, values, why,
};
use crate::client::view::Release;
use crate::client::{Call, Client};
use crate::exit::Exit;
use crate::wire;

/// Runs the command.
pub(super) async fn run(context: &mut Context, command: ReleaseCommand) -> Result<Exit, Error> {
    match command {
        ReleaseCommand::Start(args) => return start(context, &args).await,
        ReleaseCommand::Watch(args) => return watch(context, args).await,
        ReleaseCommand::Draft(args) => draft(context, &args).await?,
        ReleaseCommand::List(args) => list(context, &args).await?,
        ReleaseCommand::Show { release } => show(context, &release).await?,
        ReleaseCommand::Why { release } => why::run(context, &release).await?,
        ReleaseCommand::Logs(args) => logs::run(context, &args).await?,
        ReleaseCommand::Events(args) => events::run(context, &args).await?,
        ReleaseCommand::Signal(args) => signal::run(context, &args).await?,
        ReleaseCommand::Rollback(args) if args.dry_run => {
            rollback::plan(context, &args.release, None).await?;
        }
        ReleaseCommand::RollbackWave(args) if args.dry_run => {
            rollback::plan(context, &args.release, Some(&args.wave)).await?;
        }
        ReleaseCommand::Attach(args) => inbox::attach(context, args).await?,
        decision => act::run(context, decision).await?,
    }
    Ok(Exit::Ok)
}

/// Creates a release; gives what the server answered.
async fn create(client: &Client, args: &CreateArgs, start: bool) -> Result<Value, Error> {
    let (process, version) = values::versioned(&args.process);
    let mut body = json!({ "process": process, "start": start });
    if let Some(version) = version {
        let number: u32 = version.parse().map_err(|_| {
            Error::usage(
                format!("`{version}` is no version of a process"),
                "versions of processes are numbers: NAME@3",
            )
        })?;
        body["version"] = json!(number);
    }
    if let Some(title) = &args.title {
        body["title"] = json!(title);
    }
    if let Some(inputs) = values::object(args.inputs_file.as_deref(), &args.input)? {
        body["inputs"] = inputs;
    }
    if let Some(set) = &args.input_set {
        body["input_set"] = json!(set);
    }
    if let Some(reason) = &args.emergency {
        body["priority"] = json!("emergency");
        body["reason"] = json!(reason);
    }
    let call = Call::post(&["releases"])
        .header("idempotency-key", args.idempotency_key.as_ref())
        .json(&body);
    Ok(client.json(call).await?)
}

async fn start(context: &mut Context, args: &StartArgs) -> Result<Exit, Error> {
    let client = context.client()?;
    let is_draft = args
        .create
        .process
        .parse::<fermata_core::id::ReleaseId>()
        .is_ok();
    let created = if is_draft {
        let path = ["releases", &args.create.process, "actions"];
        client
            .json(Call::post(&path).json(&json!({ "action": "start" })))
            .await?
    } else {
        create(&client, &args.create, true).await?
    };
    let id = cell(created.get("id"));
    if args.watch || args.wait {
        let wish = Wish {
            id,
            quiet: args.wait,
            stop: Stop {
                on_hold: args.exit_on_hold,
                on_people: false,
            },
        };
        return watch::follow(context, &client, wish).await;
    }
    told(context, &created, "started", "watch")?;
    Ok(Exit::Ok)
}

async fn draft(context: &mut Context, args: &CreateArgs) -> Result<(), Error> {
    let client = context.client()?;
    let created = create(&client, args, false).await?;
    told(context, &created, "drafted", "start")
}

/// Says what was created; the id alone on standard output, so that scripts can take it.
fn told(context: &mut Context, created: &Value, what: &str, next: &str) -> Result<(), Error> {
    if context.out.is_json() {
        return context.out.json(created);
    }
    let id = cell(created.get("id"));
    let process = cell(created.pointer("/process/name"));
    let version = cell(created.pointer("/process/version"));
    context.out.line(&id)?;
    component::notices(context, created)?;
    policy::warnings(context, created)?;
    context.out.remark(&format!(
        "{process}@{version} {what}; next: fermata release {next} {id}"
    ))
}

async fn watch(context: &mut Context, args: WatchArgs) -> Result<Exit, Error> {
    let client = context.client()?;
    let wish = Wish {
        id: args.release,
        quiet: false,
        stop: Stop {
            on_hold: args.exit_on_hold,
            on_people: args.exit_on_people,
        },
    };
    watch::follow(context, &client, wish).await
}

async fn list(context: &mut Context, args: &ReleaseListArgs) -> Result<(), Error> {
    let client = context.client()?;
    let filters = [
        ("process", args.process.as_ref()),
        ("state", args.state.as_ref()),
    ];
    let answer = pages::read(&client, &["releases"], &filters, args.limit as usize).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let now = wire::now();
    let mut table = Table::new(&["RELEASE", "PROCESS", "STATE", "TITLE", "BY", "CREATED"]);
    for item in super::items(&answer) {
        let state = cell(item.get("state"));
        table.toned([
            (Tone::Plain, cell(item.get("id"))),
            (Tone::Strong, process(item)),
            (text::tone_of(&state), state),
            (Tone::Plain, cell(item.get("title"))),
            (Tone::Faint, cell(item.get("initiator"))),
            (Tone::Faint, ago(item.get("created_at"), now)),
        ]);
    }
    context
        .out
        .table(&table, "no releases: fermata release start PROCESS")
}

fn process(item: &Value) -> String {
    match item.get("process") {
        Some(Value::Object(process)) => {
            format!(
                "{}@{}",
                cell(process.get("name")),
                cell(process.get("version"))
            )
        }
        other => cell(other),
    }
}

async fn show(context: &mut Context, id: &str) -> Result<(), Error> {
    let client = context.client()?;
    let body = client.json(Call::get(&["releases", id])).await?;
    shown(context, &body)?;
    if context.out.is_json() {
        Ok(())
    } else {
        component::notices(context, &body)?;
        policy::warnings(context, &body)
    }
}

/// Shows what the server answered with a release.
pub(super) fn shown(context: &mut Context, body: &Value) -> Result<(), Error> {
    if context.out.is_json() {
        return context.out.json(body);
    }
    match Release::parse(body) {
        Ok(release) => show_tree(&mut context.out, &release),
        Err(_) => context.out.json(body),
    }
}

/// Shows a release once.
pub(super) fn show_tree(out: &mut Out, release: &Release) -> Result<(), Error> {
    let look = Look {
        width: out.width().unwrap_or(usize::MAX),
        paint: out.paint(),
        now: wire::now(),
        compact: false,
    };
    out.raw(&tree::render(release, &look))
}
