//! A release as a tree: what is done, what goes on, what waits on whom, what failed and why. Pure.

pub(super) mod changes;
mod detail;
mod note;

use std::fmt::Write as _;

use fermata_core::time::Timestamp;

use super::text::{self, Paint, Tone};
use crate::client::view::{Activity, Phase, Release, Wave};

/// Widest column of names; longer ones are cut.
const NAME_WIDTH_MAX: usize = 32;
/// Width of the longest state in common use, `needs-people`.
const STATE_WIDTH: usize = 12;
/// Width of the longest span, `23h 59m` or `59m 59s`.
const SPAN_WIDTH: usize = 7;
/// Characters in front of an activity's name.
const INDENT: &str = "    ";

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// Columns of the terminal; longer lines are cut.
    pub(super) width: usize,
    /// Whether there are colours.
    pub(super) paint: Paint,
    /// For spans and ages.
    pub(super) now: Timestamp,
    /// Whether phases that do not move are one line each.
    pub(super) compact: bool,
}

/// The release as lines of text.
pub(super) fn render(release: &Release, look: &Look) -> String {
    let mut out = head(release, look);
    let names = name_width(release);
    for phase in &release.phases {
        phase_lines(&mut out, release, phase, (names, look));
    }
    out
}

fn head(release: &Release, look: &Look) -> String {
    let paint = look.paint;
    let process = format!("{}@{}", release.process.name, release.process.version);
    let mut parts = vec![
        (Tone::Strong, process.clone()),
        (Tone::Faint, release.id.clone()),
        (text::tone_of(&release.state), release.state.clone()),
    ];
    if let Some(span) = elapsed(release, look.now) {
        parts.push((Tone::Plain, text::span(span)));
    }
    let title = release.title.as_deref().unwrap_or_default();
    if !title.is_empty() && title != release.process.name {
        parts.insert(1, (Tone::Plain, format!("“{title}”")));
    }
    let mut out = fitted(&parts, look);
    if let Some(parent) = &release.parent {
        let line = format!("  child of {} ({})", parent.release, parent.activity);
        let line = text::cut(&line, look.width);
        writeln!(out, "{}", paint.tone(Tone::Faint, &line)).expect("strings take all text");
    }
    if let Some(reason) = release
        .reason
        .as_deref()
        .filter(|reason| !reason.is_empty())
    {
        let by = release.paused_by.as_deref().map(|by| format!(" by {by}"));
        let line = format!("  {}{}: {reason}", release.state, by.unwrap_or_default());
        let line = text::cut(&line, look.width);
        writeln!(out, "{}", paint.tone(Tone::Faint, &line)).expect("strings take all text");
    }
    out
}

/// How long the release has been going, or went.
pub(super) fn elapsed(release: &Release, now: Timestamp) -> Option<u64> {
    let started = release.started_at?;
    Some(release.ended_at.unwrap_or(now).since(started).0)
}

fn name_width(release: &Release) -> usize {
    let phases = release
        .phases
        .iter()
        .map(|phase| phase.name.chars().count());
    let activities = release
        .activities()
        .map(|activity| activity.name.chars().count() + 2);
    phases
        .chain(activities)
        .max()
        .unwrap_or(0)
        .min(NAME_WIDTH_MAX)
}

fn phase_lines(out: &mut String, release: &Release, phase: &Phase, (names, look): (usize, &Look)) {
    let moves = phase
        .activities
        .iter()
        .any(|activity| activity.is_moving() || activity.state == "on-hold");
    let folded = look.compact && !moves;
    let note = phase_note(phase, folded);
    let line = Line {
        indent: "  ",
        state: &phase.state,
        name: &phase.name,
        span: None,
        note,
    };
    line.write(out, names, look);
    if folded {
        return;
    }
    for activity in &phase.activities {
        let line = Line {
            indent: INDENT,
            state: &activity.state,
            name: &activity.name,
            span: activity_span(activity, look.now),
            note: note::note(release, phase, activity, look.now),
        };
        line.write(out, names.saturating_sub(2), look);
        for (tone, line) in detail::lines(release, activity) {
            let line = format!("{INDENT}    {line}");
            let line = match tone {
                Tone::Live => text::tidy(&line),
                _ => text::cut(&line, look.width),
            };
            writeln!(out, "{}", look.paint.tone(tone, &line)).expect("strings take all text");
        }
    }
}

fn phase_note(phase: &Phase, folded: bool) -> String {
    let done = phase
        .activities
        .iter()
        .filter(|activity| activity.has_ended())
        .count();
    let all = phase.activities.len();
    let mut note = String::new();
    if folded || (done > 0 && done < all) {
        note = format!("{done} of {all} done");
    }
    match (phase.state.as_str(), phase.why.as_deref()) {
        ("waiting", _) if !phase.needs.is_empty() => format!("after {}", needs(phase)),
        ("skipped", Some("condition")) => "its condition does not hold".into(),
        ("skipped", Some("upstream")) => "what it needs did not succeed".into(),
        _ if phase.wave.is_some() => phase.wave.as_ref().map(Wave::note).unwrap_or_default(),
        _ => phase.fault.clone().unwrap_or(note),
    }
}

/// What a phase comes after.
fn needs(phase: &Phase) -> String {
    let joined = |need: &&String| phase.joins.iter().any(|join| join.of.contains(need));
    let alone = phase.needs.iter().filter(|need| !joined(need)).cloned();
    let joins = phase.joins.iter().map(|join| join.text(str::to_owned));
    alone.chain(joins).collect::<Vec<_>>().join(", ")
}

/// How long an activity has been in its state, or took in all.
fn activity_span(activity: &Activity, now: Timestamp) -> Option<u64> {
    if activity.has_ended() {
        let ended = activity.ended_at.or(activity.since)?;
        return activity.started_at.map(|started| ended.since(started).0);
    }
    if activity.is_moving() || activity.state == "on-hold" {
        return activity.since.map(|since| now.since(since).0);
    }
    None
}

/// One line of the tree.
struct Line<'a> {
    indent: &'static str,
    state: &'a str,
    name: &'a str,
    span: Option<u64>,
    note: String,
}

impl Line<'_> {
    fn write(&self, out: &mut String, names: usize, look: &Look) {
        let tone = text::tone_of(self.state);
        let name = text::cut(self.name, names);
        let name_pad = " ".repeat(names.saturating_sub(name.chars().count()));
        let state = text::cut(self.state, STATE_WIDTH);
        let state_pad = " ".repeat(STATE_WIDTH.saturating_sub(state.chars().count()));
        let span = self.span.map(text::span).unwrap_or_default();
        let name_tone = if self.indent == INDENT {
            Tone::Plain
        } else {
            Tone::Strong
        };
        let parts = [
            (Tone::Plain, self.indent.to_owned()),
            (tone, format!("{} ", symbol(self.state))),
            (name_tone, name),
            (Tone::Plain, format!("{name_pad}  ")),
            (tone, state),
            (Tone::Plain, format!("{state_pad}  {span:>SPAN_WIDTH$}  ")),
            (note_tone(self.state), self.note.clone()),
        ];
        out.push_str(&joined(&parts, "", look));
    }
}

fn note_tone(state: &str) -> Tone {
    match text::tone_of(state) {
        Tone::Bad => Tone::Bad,
        Tone::Ask => Tone::Ask,
        _ => Tone::Faint,
    }
}

fn fitted(parts: &[(Tone, String)], look: &Look) -> String {
    joined(parts, "  ", look)
}

/// The parts on one line that is no wider than the terminal and does not end in spaces.
fn joined(parts: &[(Tone, String)], gap: &str, look: &Look) -> String {
    let mut room = look.width;
    let mut bare: Vec<(Tone, String)> = Vec::new();
    for (at, (tone, part)) in parts.iter().enumerate() {
        let gap = if at == 0 { "" } else { gap };
        let tail: String = part
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let piece = format!("{gap}{tail}");
        let fits = piece.chars().count() <= room;
        let piece = if fits { piece } else { text::cut(&piece, room) };
        room -= piece.chars().count();
        bare.push((*tone, piece));
    }
    while let Some((_, last)) = bare.last_mut() {
        let trimmed = last.trim_end().len();
        last.truncate(trimmed);
        if !last.is_empty() {
            break;
        }
        bare.pop();
    }
    let painted: String = bare
        .iter()
        .map(|(tone, piece)| look.paint.tone(*tone, piece))
        .collect();
    painted + "\n"
}

/// A state as one character.
fn symbol(state: &str) -> char {
    match state {
        "succeeded" | "undone" => '✓',
        "failed" | "rejected" | "expired" | "withdrawn" | "undo-failed" => '✗',
        "on-hold" => '!',
        "needs-people" => '?',
        "running" | "open" | "undoing" => '●',
        "suspended" => '◌',
        "retrying" => '↻',
        "ready" | "blocked" => '○',
        "skipped" => '–',
        "aborted" => '■',
        _ => '·',
    }
}

#[cfg(test)]
mod tests;
