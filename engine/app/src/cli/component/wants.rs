//! What a component asks for, shown and granted.

use fermata_core::component::{Capabilities, Grants};
use serde_json::Value;

use crate::cli::args::GrantArgs;
use crate::cli::error::Error;
use crate::cli::text::{Tone, cell};
use crate::cli::{Context, grant, list};
use crate::client::{Call, Client};

/// Shows what a component asks for, and what of that is granted.
pub(super) fn show(
    context: &mut Context,
    what: &str,
    body: &Value,
    granted: Option<&Value>,
) -> Result<(), Error> {
    let asked: Capabilities = read(body.pointer("/descriptor/capabilities"));
    let grants: Grants = read(granted);
    let paint = context.out.paint();
    let mut missing = Vec::new();
    for wish in grant::wishes(&asked, &grants) {
        let state = match &wish.granted {
            Some(granted) if wish.whole => paint.tone(Tone::Good, &format!("granted: {granted}")),
            Some(granted) => paint.tone(Tone::Ask, &format!("granted in part: {granted}")),
            None => {
                missing.extend(wish.flag);
                paint.tone(Tone::Ask, "not granted")
            }
        };
        context
            .out
            .line(&format!("  asks for {}: {state}", wish.what))?;
    }
    for beyond in grants.beyond(&asked) {
        let told = format!("  was granted {beyond}, which it does not ask for");
        context.out.line(&paint.tone(Tone::Ask, &told))?;
    }
    if missing.is_empty() {
        return Ok(());
    }
    // Granting replaces what was granted, so what is there already is named again.
    let mut flags = grant::flags(&grants);
    flags.extend(missing);
    let flags: Vec<String> = flags
        .iter()
        .map(|flag| format!("--grant '{flag}'"))
        .collect();
    let flags = flags.join(" ");
    context
        .out
        .remark(&format!("next: fermata component grant {what} {flags}"))
}

/// Shows how a version's wants differ from those of the version before.
pub(super) fn changes(context: &mut Context, what: &str, body: &Value) -> Result<(), Error> {
    let Some(changes) = body.get("changes") else {
        return Ok(());
    };
    let since = cell(changes.get("since"));
    let mut same = true;
    for want in list(changes, "wants") {
        let change = cell(want.get("change"));
        if change == "unchanged" {
            continue;
        }
        same = false;
        let tone = if change == "removed" {
            Tone::Faint
        } else {
            Tone::Ask
        };
        let line = format!("  {change} since {since}: {}", told(want));
        context.out.line(&context.out.paint().tone(tone, &line))?;
    }
    if same {
        context
            .out
            .line(&format!("  asks for the same as {since}"))?;
    }
    let covered = changes.get("covered").and_then(Value::as_bool) == Some(true);
    let asks = list(changes, "wants").any(|want| cell(want.get("kind")) != "evidence");
    match (asks, covered) {
        (true, true) => context.out.remark(&format!(
            "the grants of {since} cover all of it: fermata component grant {what} --like {since}"
        )),
        (true, false) => context
            .out
            .remark(&format!("the grants of {since} do not cover all of it")),
        (false, _) => Ok(()),
    }
}

fn told(want: &Value) -> String {
    let (kind, name) = (cell(want.get("kind")), cell(want.get("name")));
    if kind != "http" {
        return format!("{kind} {name}");
    }
    let methods = |value: Option<&Value>| match value.and_then(Value::as_array) {
        Some(all) if !all.is_empty() => cell(value),
        _ => "any method".to_owned(),
    };
    let now = methods(want.get("methods"));
    match want.get("methods_before") {
        Some(before) => format!("{kind} {name} ({now}; before: {})", methods(Some(before))),
        None => format!("{kind} {name} ({now})"),
    }
}

/// The grants that `component grant` is asked to set: those on the command line, beside what the
/// component asks for or what another version has.
pub(super) async fn chosen(
    client: &Client,
    args: &GrantArgs,
    (name, version): (&str, &str),
    given: Grants,
) -> Result<Grants, Error> {
    if !args.wanted && args.like.is_none() {
        return Ok(given);
    }
    let path = ["components", name, "versions", version];
    let component = client.json(Call::get(&path)).await?;
    let asked: Capabilities = read(component.pointer("/descriptor/capabilities"));
    let mut grants = match &args.like {
        Some(like) => {
            let path = ["components", name, "versions", like, "grants"];
            let known: Grants = read(Some(&client.json(Call::get(&path)).await?));
            known.narrowed_to(&asked)
        }
        None => everything(&asked, &given)?,
    };
    grants.http.extend(given.http);
    grants.secrets.extend(given.secrets);
    Ok(grant::collect(grants, &[]))
}

/// All that is asked for; hosts that the component does not name have to be `given`.
fn everything(asked: &Capabilities, given: &Grants) -> Result<Grants, Error> {
    let (grants, open) = grant::whole(asked);
    if !open.is_empty() && given.http.is_empty() && given.secrets.is_empty() {
        let flags: Vec<String> = open
            .iter()
            .map(|flag| format!("--grant '{flag}'"))
            .collect();
        return Err(Error::usage(
            "it asks for hosts that only you can name",
            format!("add {}", flags.join(" ")),
        ));
    }
    Ok(grants)
}

/// What is there, or the default if it is absent or of another shape.
fn read<T: Default + serde::de::DeserializeOwned>(value: Option<&Value>) -> T {
    value
        .and_then(|value| serde_json::from_value(value.clone()).ok())
        .unwrap_or_default()
}
