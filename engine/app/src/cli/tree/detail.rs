//! What there is to say below an activity that wants a person: why, and the commands to go on.

use crate::cli::text::Tone;
use crate::client::view::{Activity, Failure, Release};

/// Most log lines that are shown below a failure; `fermata release logs` shows all.
const LOG_LINES_MAX: usize = 5;
/// Most frames of a trap that are shown.
const FRAMES_MAX: usize = 5;
/// Most lines of instructions that are shown.
const INSTRUCTION_LINES_MAX: usize = 4;

/// The lines below an activity, without indentation. Commands to copy, and only they, are
/// [`Tone::Live`]: they are never cut.
pub(in crate::cli) fn lines(release: &Release, activity: &Activity) -> Vec<(Tone, String)> {
    let mut lines = Vec::new();
    match activity.state.as_str() {
        "needs-people" if !release.has_ended() => asked(&mut lines, release, activity),
        "on-hold" => {
            failed(&mut lines, activity.failure.as_ref());
            if !release.has_ended() {
                ways_on(&mut lines, release, activity);
            }
        }
        "failed" => failed(&mut lines, activity.failure.as_ref()),
        "undo-failed" if activity.by.is_none() => {
            failed(&mut lines, activity.failure.as_ref());
            if !release.has_ended() {
                undo_by_person(&mut lines, release, activity);
            }
        }
        _ => {}
    }
    lines
}

fn asked(lines: &mut Vec<(Tone, String)>, release: &Release, activity: &Activity) {
    let instructions = activity.instructions.as_deref().unwrap_or_default();
    for line in instructions.lines().take(INSTRUCTION_LINES_MAX) {
        lines.push((Tone::Plain, line.to_owned()));
    }
    for approval in &activity.approvals {
        let comment = approval.comment.as_deref().map(|said| format!(": {said}"));
        lines.push((
            Tone::Good,
            format!("{} approved{}", approval.by, comment.unwrap_or_default()),
        ));
    }
    let form = if activity.form.is_some() {
        " --form KEY=VALUE"
    } else {
        ""
    };
    lines.push((Tone::Faint, "approve with:".into()));
    let (id, path) = (&release.id, &activity.path);
    lines.push((
        Tone::Live,
        format!("fermata release approve {id} {path}{form}"),
    ));
}

fn failed(lines: &mut Vec<(Tone, String)>, failure: Option<&Failure>) {
    let Some(failure) = failure else { return };
    if let Some(code) = &failure.code {
        lines.push((Tone::Faint, format!("code: {code}")));
    }
    if let Some(call) = &failure.last_call {
        lines.push((Tone::Faint, format!("last call: {call}")));
    }
    for frame in failure.backtrace.iter().take(FRAMES_MAX) {
        lines.push((Tone::Faint, format!("at {frame}")));
    }
    let skipped = failure.last_log.len().saturating_sub(LOG_LINES_MAX);
    for line in &failure.last_log[skipped..] {
        lines.push((Tone::Faint, format!("log: {line}")));
    }
    if let Some(remedy) = &failure.remedy {
        lines.push((Tone::Plain, format!("remedy: {remedy}")));
    }
}

fn undo_by_person(lines: &mut Vec<(Tone, String)>, release: &Release, activity: &Activity) {
    let (id, path) = (&release.id, &activity.path);
    lines.push((
        Tone::Faint,
        "go on with this, or with mark-undone or accept-not-undone and a reason:".into(),
    ));
    lines.push((
        Tone::Live,
        format!("fermata release retry-undo {id} {path}"),
    ));
}

fn ways_on(lines: &mut Vec<(Tone, String)>, release: &Release, activity: &Activity) {
    let (id, path) = (&release.id, &activity.path);
    lines.push((
        Tone::Faint,
        "go on with this, or with skip, fail or supply in place of retry:".into(),
    ));
    lines.push((Tone::Live, format!("fermata release retry {id} {path}")));
}
