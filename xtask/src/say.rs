//! What the user sees: one voice, on standard error, so that standard output stays for results.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::time::{Duration, Instant};

/// How often a long wait says that it still goes on where lines cannot be redrawn.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often it is redrawn where they can.
const REDRAW: Duration = Duration::from_millis(250);

/// One line for people.
pub(crate) fn line(text: &str) {
    // A closed standard error is no reason to stop building.
    drop(writeln!(stderr(), "{text}"));
}

/// The heading of a part.
pub(crate) fn part(text: &str) {
    line(&format!("\n{}", bold(&format!("── {text}"))));
}

/// What went wrong.
pub(crate) fn failure(text: &str) {
    line(&format!("{} {text}", bold("error:")));
}

/// A result: to standard output.
pub(crate) fn result(text: &str) {
    drop(writeln!(stdout(), "{text}"));
}

fn bold(text: &str) -> String {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if plain || !stderr().is_terminal() {
        text.to_owned()
    } else {
        format!("\x1b[1m{text}\x1b[0m")
    }
}

/// A part that takes time: says how long it has been going on.
pub(crate) struct Progress {
    label: String,
    began: Instant,
    last: Instant,
    redraws: bool,
}

impl Progress {
    /// Begins the part.
    pub(crate) fn begin(label: &str) -> Self {
        let now = Instant::now();
        let redraws = stderr().is_terminal();
        if !redraws {
            line(&format!("   {label} …"));
        }
        Self {
            label: label.to_owned(),
            began: now,
            last: now,
            redraws,
        }
    }

    /// Says how far it is, if it is time to say something again.
    pub(crate) fn tick(&mut self, how_far: &str) {
        let pause = if self.redraws { REDRAW } else { HEARTBEAT };
        if self.last.elapsed() < pause {
            return;
        }
        self.last = Instant::now();
        let text = format!("   {} … {how_far} {}", self.label, elapsed(self.began));
        if self.redraws {
            let mut out = stderr();
            drop(write!(out, "\r\x1b[K{text}"));
            drop(out.flush());
        } else {
            line(&text);
        }
    }

    /// Ends the part.
    pub(crate) fn end(self) {
        let clear = if self.redraws { "\r\x1b[K" } else { "" };
        line(&format!(
            "{clear}   {} — done in {}",
            self.label,
            elapsed(self.began)
        ));
    }
}

/// `4.2 s` or `3 min 20 s`.
pub(crate) fn elapsed(since: Instant) -> String {
    let seconds = since.elapsed().as_secs_f64();
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let whole = since.elapsed().as_secs();
    format!("{} min {} s", whole / 60, whole % 60)
}
