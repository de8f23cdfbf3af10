//! `fermata secret …`: values go in by a file or a pipe, and never come out.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::args::{SecretCommand, SecretSetArgs};
use super::error::Error;
use super::table::Table;
use super::text::{Tone, ago, cell};
use super::{Context, items, list, values};
use crate::client::Call;
use crate::{keyring, wire};

/// Runs the command.
pub(super) async fn run(context: &mut Context, command: SecretCommand) -> Result<(), Error> {
    match command {
        SecretCommand::Set(args) => set(context, &args).await,
        SecretCommand::List => all(context).await,
        SecretCommand::Delete { name, force } => {
            let call = Call::delete(&["secrets", &name]);
            let call = call.query("force", force.then_some("true"));
            context.client()?.send(call).await?;
            context.out.remark(&format!("{name}: deleted"))
        }
        SecretCommand::Rotate => rotate(context).await,
        SecretCommand::NewKey { file } => new_key(context, &file),
    }
}

async fn set(context: &mut Context, args: &SecretSetArgs) -> Result<(), Error> {
    let value = value(args.from_file.as_deref())?;
    let call = Call::put(&["secrets", &args.name]).json(&json!({ "value": *value }));
    let answer = context.client()?.json(call).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let revision = cell(answer.get("revision"));
    context
        .out
        .line(&format!("{}: set, revision {revision}", args.name))?;
    if list(&answer, "granted_to").next().is_none() {
        let grant = format!("--grant secret={}@HOST", args.name);
        context.out.remark(&format!(
            "no component may use it yet: fermata component grant NAME@VERSION {grant}"
        ))?;
    }
    Ok(())
}

/// The value in a file or on standard input.
fn value(file: Option<&Path>) -> Result<Zeroizing<String>, Error> {
    let stdin = Path::new("-");
    if file.is_none() && io::stdin().is_terminal() {
        return Err(Error::usage(
            "the value is read from standard input, and that is a terminal, which would show it",
            "name a file with --from-file, or pipe the value: `read -rs V; printf %s \"$V\" | fermata secret set NAME`",
        ));
    }
    values::confidential(file.unwrap_or(stdin))
}

async fn all(context: &mut Context) -> Result<(), Error> {
    let answer = context.client()?.json(Call::get(&["secrets"])).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let now = wire::now();
    let mut table = Table::new(&["SECRET", "REVISION", "SET", "BY", "KEY", "GRANTED TO"]);
    for secret in items(&answer) {
        table.toned([
            (Tone::Strong, cell(secret.get("name"))),
            (Tone::Plain, cell(secret.get("revision"))),
            (Tone::Faint, ago(secret.get("set_at"), now)),
            (Tone::Plain, cell(secret.get("set_by"))),
            key(secret),
            (Tone::Plain, users(secret)),
        ]);
    }
    context.out.table(&table, "no secrets are set")?;
    for secret in items(&answer).filter(|secret| secret.get("fault").is_some()) {
        let (name, fault) = (cell(secret.get("name")), cell(secret.get("fault")));
        context
            .out
            .remark(&format!("{name} cannot be opened: {fault}"))?;
    }
    Ok(())
}

fn key(secret: &Value) -> (Tone, String) {
    let key = cell(secret.get("key"));
    if secret.get("opens").and_then(Value::as_bool) == Some(true) {
        (Tone::Faint, key)
    } else {
        (Tone::Bad, format!("{key}, does not open"))
    }
}

fn users(secret: &Value) -> String {
    let users: Vec<String> = list(secret, "granted_to")
        .map(|user| {
            if user.get("process").is_some() {
                return format!("scripts of {}", cell(user.get("process")));
            }
            let component = cell(user.get("component"));
            format!("{component}@{}", cell(user.get("version")))
        })
        .collect();
    if users.is_empty() {
        "-".to_owned()
    } else {
        users.join(", ")
    }
}

async fn rotate(context: &mut Context) -> Result<(), Error> {
    let call = Call::post(&["secrets:rotate"]);
    let answer = context.client()?.json(call).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let (key, count) = (cell(answer.get("key")), cell(answer.get("resealed")));
    context.out.line(&format!(
        "the new key is {key}; secrets sealed again: {count}"
    ))?;
    for name in list(&answer, "left") {
        let name = cell(Some(name));
        context
            .out
            .remark(&format!("{name} does not open, and stays as it was"))?;
    }
    context
        .out
        .remark("keep a copy of the key file where no backup is: without it no secret opens")
}

fn new_key(context: &mut Context, file: &Path) -> Result<(), Error> {
    let ids = keyring::renew(file).map_err(|error| Error::Failed {
        what: error.to_string(),
        next: None,
    })?;
    if context.out.is_json() {
        return context.out.json(&json!({ "file": file, "keys": ids }));
    }
    context.out.line(&format!(
        "{}: the current key is {}",
        file.display(),
        ids[0]
    ))?;
    context
        .out
        .remark("restart the server that uses it: it seals every secret again with that key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_value_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("value");
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        let error = value(Some(&path)).unwrap_err().to_string();
        assert!(error.contains("base64"), "{error}");
        std::fs::write(&path, "correct-horse\n").unwrap();
        assert_eq!(*value(Some(&path)).unwrap(), "correct-horse");
        assert!(value(Some(&folder.path().join("absent"))).is_err());
    }
}
