//! `fermata rehearse …`: a release played through before it is started.

use std::path::Path;
use std::sync::Arc;

use fermata_core::process::ProcessRef;
use fermata_core::process::validate::validate;
use fermata_core::rehearsal::{Assumptions, Rehearsal, RehearsalError, rehearse};
use serde_json::{Map, Value, json};

use super::args::RehearseArgs;
use super::error::Error;
use super::{Context, process as documents, values};
use crate::client::{self, Call};
use crate::exit::Exit;
use crate::wire;

/// Runs the command.
pub(super) async fn run(context: &mut Context, args: &RehearseArgs) -> Result<Exit, Error> {
    let subject = Subject::of(args)?;
    let plan = match (&subject, args.offline) {
        (Subject::Document(document), true) => offline(context, args, document)?,
        (Subject::Published(_), true) => {
            return Err(Error::usage(
                "a published process is on the server, and --offline asks none",
                "name a file, or leave --offline out",
            ));
        }
        (_, false) => online(context, args, &subject).await?,
    };
    show(context, &plan)?;
    Ok(match plan.outcome.as_str() {
        "succeeded" => Exit::Ok,
        _ => Exit::Failure,
    })
}

/// What is rehearsed.
enum Subject {
    Document(Vec<u8>),
    Published(String),
}

impl Subject {
    /// A file that is there is read; what is the name of no file may be the name of a process.
    fn of(args: &RehearseArgs) -> Result<Self, Error> {
        let (path, text) = (&args.process, args.process.to_string_lossy());
        let (name, _) = values::versioned(&text);
        if !path.exists() && name.parse::<fermata_core::id::Name>().is_ok() {
            return Ok(Self::Published(text.into_owned()));
        }
        values::read(path).map(Self::Document)
    }
}

async fn online(
    context: &mut Context,
    args: &RehearseArgs,
    subject: &Subject,
) -> Result<Rehearsal, Error> {
    let client = context.client()?;
    let call = Call::post(&["rehearsals"]).json(&order(args, subject)?);
    let answer = match (client.json(call).await, subject) {
        (Ok(answer), _) => answer,
        (Err(client::Error::Unreachable { server, .. }), Subject::Document(document)) => {
            context.out.remark(&format!(
                "note: no server at {server}: nothing is known of components and of past releases"
            ))?;
            return offline(context, args, document);
        }
        (Err(error), _) => return Err(documents::defective(context, &args.process, error)?),
    };
    serde_json::from_value(answer).map_err(|error| Error::Failed {
        what: format!("the server's plan cannot be read: {error}"),
        next: Some("use the `fermata` of the server's version".to_owned()),
    })
}

/// What the server is asked.
fn order(args: &RehearseArgs, subject: &Subject) -> Result<Value, Error> {
    let durations = args.duration.iter();
    let durations: Map<String, Value> = durations
        .map(|lasting| (lasting.activity.clone(), json!(lasting.span.to_string())))
        .collect();
    let mut order = json!({
        "durations": durations,
        "duration_default": args.duration_default.to_string(),
        "approve_after": args.approve_after.map(|span| span.to_string()),
        "history": !args.no_history,
        "outputs": outputs(args).collect::<Map<_, _>>(),
        "fail": args.fail,
        "starts_at": args.starts_at,
        "inputs": values::object(args.inputs.as_deref(), &args.input)?,
    });
    match subject {
        Subject::Document(document) => {
            let text = std::str::from_utf8(document)
                .map_err(|_| Error::in_file(&args.process, "it is not UTF-8 text"))?;
            order["document"] = json!(text);
        }
        Subject::Published(process) => {
            let (name, version) = values::versioned(process);
            order["process"] = json!(name);
            order["version"] = json!(version.map(number).transpose()?);
        }
    }
    Ok(order)
}

fn number(version: &str) -> Result<u32, Error> {
    version.parse().map_err(|_| {
        Error::usage(
            format!("`{version}` is no version of a process"),
            "versions of processes are numbers: NAME@3",
        )
    })
}

fn outputs(args: &RehearseArgs) -> impl Iterator<Item = (String, Value)> {
    let outputs = args.outputs.iter();
    outputs.map(|pair| (pair.key.clone(), pair.value.clone()))
}

fn offline(
    context: &mut Context,
    args: &RehearseArgs,
    document: &[u8],
) -> Result<Rehearsal, Error> {
    let process = match validate(document, None) {
        Ok(process) => Arc::new(process),
        Err(defects) => return Err(documents::defects(context, &args.process, &defects)?),
    };
    let reference = ProcessRef {
        name: process.name.clone(),
        version: 1,
        digest: process.digest,
    };
    let durations = args.duration.iter();
    let assumptions = Assumptions {
        inputs: values::object(args.inputs.as_deref(), &args.input)?.unwrap_or_else(|| json!({})),
        starts_at: args.starts_at.unwrap_or_else(wire::now),
        durations: durations
            .map(|lasting| (lasting.activity.clone(), lasting.span))
            .collect(),
        duration_default: args.duration_default,
        approve_after: args.approve_after,
        outputs: outputs(args).collect(),
        fail: args.fail.clone(),
        ..Assumptions::default()
    };
    rehearse(&process, reference, &assumptions).map_err(|error| refused(&args.process, &error))
}

/// The error of a rehearsal without a server, as the server's would be.
fn refused(path: &Path, error: &RehearsalError) -> Error {
    Error::Refused {
        what: format!("{}: {error}", path.display()),
        code: error.code(),
    }
}

fn show(context: &mut Context, plan: &Rehearsal) -> Result<(), Error> {
    if context.out.is_json() {
        let plan = serde_json::to_value(plan).unwrap_or_default();
        return context.out.json(&plan);
    }
    context.out.raw(&plan.tree())
}
