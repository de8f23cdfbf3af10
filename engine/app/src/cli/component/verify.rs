//! `fermata component verify`: what an upload would come to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::wants;
use crate::cli::error::Error;
use crate::cli::text::{Tone, bytes, cell, short_digest};
use crate::cli::{Context, list, values};
use crate::client::Call;

/// How much longer than other calls a check may take: the server compiles.
const LONGER: Duration = Duration::from_mins(10);

/// Checks every file, and fails if one would be refused.
pub(super) async fn run(context: &mut Context, files: &[PathBuf]) -> Result<(), Error> {
    let client = context.client()?;
    let mut verdicts = Vec::new();
    let mut refused = 0;
    for path in files {
        let file = values::read_component(path)?;
        let length = file.len();
        let call = Call::post(&["components:verify"])
            .bytes("application/wasm", file, length)
            .longer(LONGER);
        let verdict = client.json(call).await?;
        refused += usize::from(!is_accepted(&verdict));
        if context.out.is_json() {
            verdicts.push(verdict);
        } else {
            tell(context, path, &verdict)?;
        }
    }
    if context.out.is_json() {
        match verdicts.len() {
            1 => context.out.json(&verdicts[0])?,
            _ => context.out.json(&Value::Array(verdicts))?,
        }
    }
    match refused {
        0 => Ok(()),
        count => Err(Error::Refused {
            what: format!("{count} of {} would not be registered", files.len()),
            code: "rejected",
        }),
    }
}

fn is_accepted(verdict: &Value) -> bool {
    verdict.get("accepted").and_then(Value::as_bool) == Some(true)
}

fn tell(context: &mut Context, path: &Path, verdict: &Value) -> Result<(), Error> {
    let paint = context.out.paint();
    let (tone, word) = if is_accepted(verdict) {
        (Tone::Good, "ok")
    } else {
        (Tone::Bad, "refused")
    };
    let digest = short_digest(&cell(verdict.get("digest")));
    context.out.line(&format!(
        "{} {}  {}",
        paint.tone(tone, word),
        path.display(),
        paint.tone(Tone::Faint, &digest)
    ))?;
    for defect in list(verdict, "defects") {
        let (code, detail) = (cell(defect.get("code")), cell(defect.get("detail")));
        context.out.line(&format!("  {code}: {detail}"))?;
        if let Some(hint) = defect.get("hint") {
            context.out.line(&format!("  {}", cell(Some(hint))))?;
        }
    }
    let Some(descriptor) = verdict.get("descriptor") else {
        return Ok(());
    };
    let what = format!(
        "{}@{}",
        cell(descriptor.get("name")),
        cell(descriptor.get("version"))
    );
    let world = descriptor.get("world").map(|world| cell(Some(world)));
    let world = world.map_or_else(String::new, |world| format!(", a {world}"));
    let there = verdict.get("registered").and_then(Value::as_bool) == Some(true);
    let there = if there { ", registered already" } else { "" };
    let size = |name: &str| {
        let size = verdict
            .pointer(&format!("/sizes/{name}"))
            .and_then(Value::as_u64);
        bytes(size.unwrap_or_default())
    };
    context.out.line(&format!(
        "  {what}{world}{there}: {} uploaded, {} as a component, {} of native code",
        size("upload"),
        size("component"),
        size("native")
    ))?;
    for import in list(verdict, "imports") {
        context
            .out
            .line(&format!("  imports {}", cell(Some(import))))?;
    }
    wants::changes(context, &what, verdict)?;
    for want in list(verdict, "wants") {
        let (kind, name) = (cell(want.get("kind")), cell(want.get("name")));
        context.out.line(&format!("  asks for {kind} {name}"))?;
    }
    Ok(())
}
