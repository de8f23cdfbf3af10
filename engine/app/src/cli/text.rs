//! Small pieces of text: colours, spans, ages, lengths. Pure.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use fermata_core::time::Timestamp;
use serde_json::Value;

/// What text means; what colour that has is decided here and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Went well.
    Good,
    /// Went wrong.
    Bad,
    /// Wants a person.
    Ask,
    /// Goes on.
    Live,
    /// Less important.
    Faint,
    /// More important.
    Strong,
    /// Nothing special.
    Plain,
}

/// Whether text gets colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint(pub(crate) bool);

impl Paint {
    /// The text in the colour of its meaning.
    pub(crate) fn tone(self, tone: Tone, text: &str) -> String {
        let style = match tone {
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Bad => AnsiColor::Red.on_default().bold(),
            Tone::Ask => AnsiColor::Yellow.on_default(),
            Tone::Live => AnsiColor::Cyan.on_default(),
            Tone::Faint => Style::new().dimmed(),
            Tone::Strong => Style::new().bold(),
            Tone::Plain => Style::new(),
        };
        if self.0 && !text.is_empty() && tone != Tone::Plain {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// The meaning of a state, whether of a release, a phase or an activity.
pub(crate) fn tone_of(state: &str) -> Tone {
    match state {
        "succeeded" | "undone" => Tone::Good,
        "failed" | "rejected" | "expired" | "withdrawn" | "undo-failed" | "on-hold" | "aborted" => {
            Tone::Bad
        }
        "needs-people" | "paused" | "blocked" | "retrying" | "rolled-back" => Tone::Ask,
        "running" | "open" | "suspended" | "undoing" | "rolling-back" => Tone::Live,
        "waiting" | "skipped" | "draft" | "scheduled" => Tone::Faint,
        _ => Tone::Plain,
    }
}

/// A length of time in two units at most: `850ms`, `12.3s`, `4m 05s`, `2h 10m`, `3d 4h`.
pub(crate) fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0 => format!("{ms}ms"),
        1..60 => format!("{seconds}.{}s", ms % 1000 / 100),
        60..3600 => format!("{minutes}m {:02}s", seconds % 60),
        3600..86_400 => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}

/// How far `at` is from `now`: `12s ago`, `in 4m 05s`, `now`.
pub(crate) fn distance(at: Timestamp, now: Timestamp) -> String {
    if at.0 > now.0 {
        format!("in {}", whole(at.since(now).0))
    } else {
        match now.since(at).0 {
            0..1000 => "now".into(),
            ms => format!("{} ago", whole(ms)),
        }
    }
}

/// A span without parts of seconds: counts down quietly.
fn whole(ms: u64) -> String {
    if ms < 60_000 {
        format!("{}s", ms.div_ceil(1000))
    } else {
        span(ms)
    }
}

/// The text cut to `width` characters, with an ellipsis if something is gone. Line breaks and
/// control characters, which could draw on the terminal, become spaces.
pub(crate) fn cut(text: &str, width: usize) -> String {
    let tidy: String = tidy(text);
    if tidy.chars().count() <= width {
        return tidy;
    }
    let mut short: String = tidy.chars().take(width.saturating_sub(1)).collect();
    if width > 0 {
        short.push('…');
    }
    short
}

/// The text on one line, without control characters: guests and people wrote it.
pub(crate) fn tidy(text: &str) -> String {
    text.trim_end()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// The width of text that may hold colours.
pub(crate) fn shown_width(text: &str) -> usize {
    anstream::adapter::strip_str(text)
        .to_string()
        .chars()
        .count()
}

/// A digest short enough for a table, long enough to tell apart.
pub(crate) fn short_digest(digest: &str) -> String {
    digest
        .strip_prefix("sha256:")
        .unwrap_or(digest)
        .chars()
        .take(12)
        .collect()
}

/// Bytes in the largest unit that keeps three digits.
pub(crate) fn bytes(count: u64) -> String {
    const KIB: u64 = 1024;
    match count {
        0..KIB => format!("{count} B"),
        KIB..1_048_576 => format!("{} KiB", count / KIB),
        _ => {
            let tenths = count / (KIB * KIB / 10);
            format!("{}.{} MiB", tenths / 10, tenths % 10)
        }
    }
}

/// A JSON value in one cell: strings bare, nothing as `-`.
pub(crate) fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".into(),
        Some(Value::String(text)) => tidy(text),
        Some(Value::Array(items)) if items.is_empty() => "-".into(),
        Some(Value::Array(items)) => {
            let cells: Vec<String> = items.iter().map(|item| cell(Some(item))).collect();
            cells.join(", ")
        }
        Some(other) => other.to_string(),
    }
}

/// A time of an answer as its distance from now; `-` if it is absent or no time.
pub(crate) fn ago(value: Option<&Value>, now: Timestamp) -> String {
    value
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok())
        .map_or_else(|| "-".into(), |at| distance(at, now))
}

/// The lines of a text, each after `prefix`.
pub(crate) fn indent(text: &str, prefix: &str) -> String {
    let mut indented = String::new();
    for line in text.lines() {
        writeln!(indented, "{prefix}{line}").expect("strings take all text");
    }
    indented
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn spans_have_two_units_at_most() {
        for (ms, expected) in [
            (0, "0ms"),
            (999, "999ms"),
            (1_250, "1.2s"),
            (59_999, "59.9s"),
            (65_000, "1m 05s"),
            (3_600_000, "1h 00m"),
            (7_860_000, "2h 11m"),
            (90_000_000, "1d 1h"),
        ] {
            assert_eq!(span(ms), expected);
        }
    }

    #[test]
    fn distances_have_a_direction() {
        let now = Timestamp(1_000_000);
        for (at, expected) in [
            (1_000_000, "now"),
            (999_500, "now"),
            (990_000, "10s ago"),
            (1_000_001, "in 1s"),
            (1_300_000, "in 5m 00s"),
        ] {
            assert_eq!(distance(Timestamp(at), now), expected);
        }
        assert_eq!(ago(Some(&json!("no time")), now), "-");
    }

    #[test]
    fn cut_text_has_no_line_breaks_and_no_escapes() {
        for (text, width, expected) in [
            ("short", 10, "short"),
            ("exactly", 7, "exactly"),
            ("too long", 5, "too …"),
            ("a\nb\u{1b}[2Jc", 20, "a b [2Jc"),
            ("äöü", 2, "ä…"),
            ("x", 0, ""),
        ] {
            assert_eq!(cut(text, width), expected);
        }
    }

    #[test]
    fn colours_do_not_count_as_width() {
        let red = Paint(true).tone(Tone::Bad, "no");
        assert!(red.contains('\u{1b}'));
        assert_eq!(shown_width(&red), 2);
        assert_eq!(Paint(false).tone(Tone::Bad, "no"), "no");
    }

    #[test]
    fn cells_hold_any_value() {
        for (value, expected) in [
            (json!(null), "-"),
            (json!("a\tb"), "a b"),
            (json!(["qa", "dev"]), "qa, dev"),
            (json!([]), "-"),
            (json!(3), "3"),
        ] {
            assert_eq!(cell(Some(&value)), expected);
        }
        assert_eq!(bytes(5), "5 B");
        assert_eq!(bytes(2048), "2 KiB");
        assert_eq!(bytes(3_670_016), "3.5 MiB");
    }
}
