//! `fermata component test --replay`: a recorded attempt, run again on this machine.

use std::path::Path;

use serde_json::Value;

use super::report;
use crate::cli::Context;
use crate::cli::args::TestArgs;
use crate::cli::error::Error;
use crate::cli::text::{self, Tone};
use crate::cli::values;
use crate::exit::Exit;
use crate::recording::Document;
use crate::trial::{Compared, Difference, Verdict};

/// Characters of an outcome that are shown.
const OUTCOME_CHARS: usize = 2_000;

/// Runs the attempt in the file `recording` again.
pub(super) async fn replay(
    context: &mut Context,
    args: &TestArgs,
    recording: &Path,
) -> Result<Exit, Error> {
    let document = Document::parse(&values::read_recording(recording)?)
        .map_err(|what| Error::in_file(recording, what))?;
    // A component of its own needs no project to keep its native code in.
    let scratch = tempfile::tempdir()?;
    let trial = if let Some(component) = &args.component {
        super::trial(component, scratch.path()).await?
    } else {
        let module = super::built(&args.folder)?;
        super::trial(&module, &args.folder.join(super::CACHE)).await?
    };
    let verdict = trial.replay(&document).await;
    if context.out.is_json() {
        context.out.json(&serde_json::json!(verdict))?;
    } else {
        tell(context, &document, &verdict)?;
    }
    Ok(if verdict.same {
        Exit::Ok
    } else {
        Exit::Failure
    })
}

fn tell(context: &mut Context, document: &Document, verdict: &Verdict) -> Result<(), Error> {
    let attempt = &document.attempt;
    context.out.line(&format!(
        "attempt {} of {}/{} in {}, {} ({})",
        attempt.attempt,
        attempt.phase,
        attempt.activity,
        attempt.release,
        attempt.component.name,
        text::tidy(&document.state)
    ))?;
    let (recorded, now) = (&verdict.recorded, &verdict.replayed);
    if recorded != now {
        context.out.line(&format!(
            "another component than the recorded one: {}@{} {} instead of {}@{} {}",
            now.name,
            now.version,
            text::short_digest(&now.digest.to_string()),
            recorded.name,
            recorded.version,
            text::short_digest(&recorded.digest.to_string())
        ))?;
    }
    for run in &verdict.runs {
        tell_run(context, run)?;
    }
    if verdict.left_out > 0 {
        let behind = verdict.left_out;
        context.out.line(&format!(
            "runs behind that were not replayed: {behind}, since they go on from another checkpoint"
        ))?;
    }
    let paint = context.out.paint();
    context.out.line(&if verdict.same {
        paint.tone(Tone::Good, "it ended the same way")
    } else {
        paint.tone(Tone::Bad, "it ended differently")
    })
}

fn tell_run(context: &mut Context, run: &Compared) -> Result<(), Error> {
    let mut lines = Vec::new();
    if run.same {
        lines.push(format!(
            "run {}: the same: {}",
            run.run,
            shown(&run.recorded)
        ));
    } else {
        lines.push(format!("run {}: not the same", run.run));
        lines.push(format!("  recorded: {}", shown(&run.recorded)));
        lines.push(format!("  now:      {}", shown(&run.replayed)));
    }
    if let Some(difference) = &run.exchange {
        lines.extend(parted(difference));
    }
    if run.missed > 0 {
        lines.push(format!(
            "  the recording was full (limit `recording`): {} exchanges are missing",
            run.missed
        ));
    }
    if run.redacted {
        lines.push("  its inputs held a secret, which is not in the recording".to_owned());
    }
    if !run.same {
        lines.extend(run.log.iter().map(|line| format!("  | {line}")));
    }
    for line in lines {
        context.out.line(&text::tidy(&line))?;
    }
    Ok(())
}

fn parted(difference: &Difference) -> [String; 3] {
    let told = |exchange: Option<&fermata_core::recording::Exchange>| {
        exchange.map_or_else(|| "nothing".to_owned(), report::told)
    };
    [
        format!("  the exchanges part at number {}", difference.number),
        format!("    recorded: {}", told(difference.recorded.as_ref())),
        format!("    now:      {}", told(difference.replayed.as_ref())),
    ]
}

/// How a run ended, as much as a screen takes.
fn shown(ended: &Value) -> String {
    text::cut(&ended.to_string(), OUTCOME_CHARS)
}
