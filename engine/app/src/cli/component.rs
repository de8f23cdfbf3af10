//! `fermata component …`.

use std::path::{Path, PathBuf};

use fermata_core::component::Grants;
use serde_json::Value;

use super::args::{ComponentCommand, GrantArgs, GrantOptions, PushArgs, PushSource};
use super::error::Error;
use super::project::Recipe;
use super::table::Table;
use super::text::{Tone, ago, bytes, cell, short_digest};
use super::{Context, grant, pages, upload, values};
use crate::client::{Answer, Call, Client};
use crate::oci::Reference;
use crate::wire;

mod oci;
mod standing;
mod verify;
mod wants;

pub(super) use standing::notices;

/// Runs the command.
pub(super) async fn run(context: &mut Context, command: ComponentCommand) -> Result<(), Error> {
    match command {
        ComponentCommand::New(_) | ComponentCommand::Build { .. } | ComponentCommand::Test(_) => {
            unreachable!("projects need no server: they are dispatched before")
        }
        ComponentCommand::Push(args) => push(context, &args).await,
        ComponentCommand::Pull(args) => oci::pull(context, &args).await,
        ComponentCommand::Publish(args) => oci::publish(context, &args).await,
        ComponentCommand::List => list(context).await,
        ComponentCommand::Show { component } => show(context, &component).await,
        ComponentCommand::Verify { files } => verify::run(context, &files).await,
        ComponentCommand::Grant(args) => replace(context, &args).await,
        ComponentCommand::Deprecate { component, notice } => {
            standing::deprecate(context, &component, Some(&notice)).await
        }
        ComponentCommand::Undeprecate { component } => {
            standing::deprecate(context, &component, None).await
        }
        ComponentCommand::Quarantine(args) => standing::quarantine(context, &args).await,
        ComponentCommand::Lift(args) => standing::lift(context, &args).await,
        ComponentCommand::Quarantined => standing::list(context).await,
        ComponentCommand::UsedBy { component } => used_by(context, "components", &component).await,
        ComponentCommand::Delete { component } => delete(context, "components", &component).await,
    }
}

/// Shows what uses a component or definition, which `kind` says.
pub(super) async fn used_by(
    context: &mut Context,
    kind: &str,
    component: &str,
) -> Result<(), Error> {
    let client = context.client()?;
    let (name, version) = values::versioned(component);
    let call = Call::get(&[kind, name, "used-by"]).query("version", version);
    let answer = client.json(call).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let mut table = Table::new(&["USED BY", "USES", "VERSION"]);
    for by in super::list(&answer, "processes") {
        let process = format!("{}@{}", cell(by.get("name")), cell(by.get("version")));
        table.row([process, cell(by.get("uses")), cell(by.get("component"))]);
    }
    for by in super::list(&answer, "definitions") {
        let definition = format!("{}@{}", cell(by.get("name")), cell(by.get("version")));
        table.row([definition, cell(by.get("uses")), cell(by.get("component"))]);
    }
    for by in super::list(&answer, "releases") {
        table.row([
            cell(by.get("id")),
            cell(by.get("uses")),
            cell(by.get("component")),
        ]);
    }
    for (field, what) in [("notifiers", "notifier"), ("policies", "policy")] {
        for name in super::list(&answer, field) {
            let by = format!("{what} {}", cell(Some(name)));
            table.row([by, String::new(), String::new()]);
        }
    }
    context.out.table(&table, "nothing uses it")
}

/// Deletes a version of a component or definition, which `kind` says.
pub(super) async fn delete(
    context: &mut Context,
    kind: &str,
    component: &str,
) -> Result<(), Error> {
    let (name, version) = values::versioned(component);
    let Some(version) = version else {
        return Err(Error::usage(
            format!("`{component}` names no version"),
            "versions are removed one by one: NAME@VERSION",
        ));
    };
    let client = context.client()?;
    let path = [kind, name, "versions", version];
    client.send(Call::delete(&path)).await?;
    if context.out.is_json() {
        return Ok(());
    }
    context.out.line(&format!("{component}: deleted"))
}

/// What the options grant together; `None` if they say nothing.
pub(super) fn wanted(options: &GrantOptions) -> Result<Option<Grants>, Error> {
    if options.grant.is_empty() && options.grants_file.is_none() {
        return Ok(None);
    }
    let base = match &options.grants_file {
        None => Grants::default(),
        Some(path) => serde_json::from_slice(&values::read(path)?)
            .map_err(|error| Error::in_file(path, format!("no grants: {error}")))?,
    };
    Ok(Some(grant::collect(base, &options.grant)))
}

async fn push(context: &mut Context, args: &PushArgs) -> Result<(), Error> {
    let files = gather(context, args).await?;
    let grants = wanted(&args.grants)?;
    let client = context.client()?;
    let mut answers = Vec::new();
    for Gathered { path, file, source } in files {
        let pushed = upload::send(context, &client, &path, &file).await?;
        let granted = match &grants {
            None => pushed.body.get("grants").cloned(),
            Some(grants) => Some(put_grants(&client, &pushed.body, grants).await?),
        };
        if context.out.is_json() {
            let mut body = pushed.body;
            body["grants"] = granted.unwrap_or_default();
            if let Some(source) = source {
                body["source"] = source.to_string().into();
            }
            answers.push(body);
        } else {
            tell(context, &pushed, granted.as_ref())?;
            if let Some(source) = source {
                context.out.line(&format!("  from {source}"))?;
            }
        }
    }
    match answers.len() {
        0 => Ok(()),
        1 => context.out.json(&answers[0]),
        _ => context.out.json(&Value::Array(answers)),
    }
}

/// A component that will be uploaded.
struct Gathered {
    /// The file, or what it would be called.
    path: PathBuf,
    file: Vec<u8>,
    /// Where it is in a registry.
    source: Option<Reference>,
}

/// Reads all that is to be uploaded, so that a misspelt name leaves nothing half done.
async fn gather(context: &mut Context, args: &PushArgs) -> Result<Vec<Gathered>, Error> {
    let sources = match args.components.as_slice() {
        [] => vec![PushSource::File(
            Recipe::read(Path::new("."))?.output().into(),
        )],
        sources => sources.to_vec(),
    };
    let mut gathered = Vec::new();
    for source in sources {
        gathered.push(match source {
            PushSource::File(path) => Gathered {
                file: values::read_component(&path)?,
                path,
                source: None,
            },
            PushSource::Registry(place) => {
                let (file, pinned) = oci::fetch(context, &place, &args.registry).await?;
                Gathered {
                    path: format!("{}.wasm", place.file_stem()).into(),
                    file,
                    source: Some(pinned),
                }
            }
        });
    }
    Ok(gathered)
}

/// Grants to the version that `pushed` names, and gives back what holds now.
async fn put_grants(client: &Client, pushed: &Value, grants: &Grants) -> Result<Value, Error> {
    let (name, version) = (cell(pushed.get("name")), cell(pushed.get("version")));
    put(client, &name, &version, grants).await
}

async fn put(client: &Client, name: &str, version: &str, grants: &Grants) -> Result<Value, Error> {
    let body = serde_json::to_value(grants).expect("grants are plain text and lists");
    let path = ["components", name, "versions", version, "grants"];
    let answer = client.json(Call::put(&path).json(&body)).await?;
    // Some answers hold the component around the grants, some the grants alone, some nothing.
    Ok(match answer.get("grants") {
        Some(grants) => grants.clone(),
        None if answer.is_object() => answer,
        None => body,
    })
}

/// Says what was pushed, what it asks for, and what of that is granted.
fn tell(context: &mut Context, pushed: &Answer, granted: Option<&Value>) -> Result<(), Error> {
    let body = &pushed.body;
    let paint = context.out.paint();
    let what = format!("{}@{}", cell(body.get("name")), cell(body.get("version")));
    let news = if pushed.status == 201 {
        "pushed"
    } else {
        "unchanged"
    };
    let digest = short_digest(&cell(body.get("digest")));
    context.out.line(&format!(
        "{} {news}  {}",
        paint.tone(Tone::Strong, &what),
        paint.tone(Tone::Faint, &digest)
    ))?;
    wants::changes(context, &what, body)?;
    wants::show(context, &what, body, granted)
}

async fn list(context: &mut Context) -> Result<(), Error> {
    let client = context.client()?;
    let answer = pages::read(&client, &["components"], &[], pages::ALL).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let now = wire::now();
    let mut table = Table::new(&["COMPONENT", "VERSION", "WORLD", "SUMMARY", "", "PUSHED"]);
    for item in super::items(&answer) {
        table.toned([
            (Tone::Strong, cell(item.get("name"))),
            (Tone::Plain, cell(item.get("version"))),
            (Tone::Plain, cell(item.get("world"))),
            (Tone::Plain, cell(item.get("summary"))),
            (Tone::Ask, standing::word(item).into()),
            (Tone::Faint, ago(item.get("created_at"), now)),
        ]);
    }
    context.out.table(
        &table,
        "no components yet: fermata component push FILE.wasm",
    )
}

async fn show(context: &mut Context, component: &str) -> Result<(), Error> {
    let client = context.client()?;
    let (name, version) = values::versioned(component);
    let answer = match version {
        Some(version) => {
            client
                .json(Call::get(&["components", name, "versions", version]))
                .await?
        }
        None => client.json(Call::get(&["components", name])).await?,
    };
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    if version.is_none() {
        return versions(context, &answer);
    }
    let paint = context.out.paint();
    let what = format!(
        "{}@{}",
        cell(answer.get("name")),
        cell(answer.get("version"))
    );
    let digest = cell(answer.get("digest"));
    context.out.line(&format!(
        "{}  {}",
        paint.tone(Tone::Strong, &what),
        cell(answer.pointer("/descriptor/summary"))
    ))?;
    context
        .out
        .line(&format!("  {}", paint.tone(Tone::Faint, &digest)))?;
    if let Some(size) = answer.get("size").and_then(Value::as_u64) {
        context.out.line(&format!("  {}", bytes(size)))?;
    }
    for (name, value) in [
        ("world", answer.get("world")),
        ("idempotency", answer.pointer("/descriptor/idempotency")),
        ("timeout", answer.pointer("/descriptor/timeout")),
        ("attempts", answer.pointer("/descriptor/retry/attempts")),
    ] {
        if value.is_some() {
            context.out.line(&format!("  {name}: {}", cell(value)))?;
        }
    }
    for schema in ["inputs", "outputs"] {
        fields(
            context,
            schema,
            answer.pointer(&format!("/descriptor/{schema}")),
        )?;
    }
    standing::show(context, &answer)?;
    wants::show(context, &what, &answer, answer.get("grants"))
}

/// The properties of a schema, one on a line.
fn fields(context: &mut Context, title: &str, schema: Option<&Value>) -> Result<(), Error> {
    let properties = schema
        .and_then(|schema| schema.get("properties"))
        .and_then(Value::as_object);
    let required = schema
        .and_then(|schema| schema.get("required"))
        .and_then(Value::as_array);
    for (name, property) in properties.into_iter().flatten() {
        let needed = required.is_some_and(|list| list.iter().any(|item| item == name.as_str()));
        let mark = if needed { "" } else { "?" };
        let kind = match property.get("enum") {
            Some(choices) => cell(Some(choices)).replace(", ", " | "),
            None => cell(property.get("type")),
        };
        context
            .out
            .line(&format!("  {title}.{name}{mark}: {kind}"))?;
    }
    Ok(())
}

fn versions(context: &mut Context, answer: &Value) -> Result<(), Error> {
    let now = wire::now();
    let mut table = Table::new(&["VERSION", "PUSHED", "BY", "DIGEST", ""]);
    for version in super::list(answer, "versions") {
        table.row([
            cell(version.get("version")),
            ago(version.get("created_at"), now),
            cell(version.get("created_by")),
            short_digest(&cell(version.get("digest"))),
            standing::word(version).into(),
        ]);
    }
    context.out.table(&table, "no versions")
}

async fn replace(context: &mut Context, args: &GrantArgs) -> Result<(), Error> {
    let (name, Some(version)) = values::versioned(&args.component) else {
        return Err(Error::usage(
            format!("`{}` names no version", args.component),
            "grants are for one version: write NAME@VERSION, such as deploy@1.0.0",
        ));
    };
    let client = context.client()?;
    let grants = wanted(&args.grants)?.unwrap_or_default();
    let grants = wants::chosen(&client, args, (name, version), grants).await?;
    let granted = put(&client, name, version, &grants).await?;
    if context.out.is_json() {
        return context.out.json(&granted);
    }
    let path = ["components", name, "versions", version];
    let component = client.json(Call::get(&path)).await?;
    context.out.line(&format!("{} granted", args.component))?;
    wants::show(context, &args.component, &component, Some(&granted))
}
