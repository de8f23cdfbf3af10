//! `fermata process grant`: what the scripts of a process may reach.

use fermata_core::component::Grants;

use super::args::ProcessGrantArgs;
use super::error::Error;
use super::{Context, component, grant};
use crate::client::Call;

/// Runs the command: shows what is granted, or replaces it if something is said.
pub(super) async fn run(context: &mut Context, args: &ProcessGrantArgs) -> Result<(), Error> {
    let client = context.client()?;
    let path = ["processes", args.process.as_str(), "grants"];
    let wanted = component::wanted(&args.grants)?;
    let call = match (wanted, args.none) {
        (None, false) => Call::get(&path),
        (wanted, _) => {
            let grants = wanted.unwrap_or_default();
            let body = serde_json::to_value(grants).expect("grants are plain text and lists");
            Call::put(&path).json(&body)
        }
    };
    let answer = client.json(call).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let granted: Grants = serde_json::from_value(answer).unwrap_or_default();
    let flags = grant::flags(&granted);
    if flags.is_empty() {
        let line = format!("the scripts of {} may reach nothing", args.process);
        return context.out.line(&line);
    }
    context
        .out
        .line(&format!("the scripts of {} may use", args.process))?;
    for flag in flags {
        context.out.line(&format!("  {flag}"))?;
    }
    Ok(())
}
