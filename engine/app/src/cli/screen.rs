//! Text that is drawn again and again at the same place of a terminal.

use super::error::Error;
use super::out::Out;

/// What is on the terminal now.
#[derive(Debug, Default)]
pub(super) struct Screen {
    drawn: String,
    lines: usize,
}

impl Screen {
    /// Replaces what was drawn before. Writes nothing if nothing changed.
    pub(super) fn draw(&mut self, out: &mut Out, text: &str) -> Result<(), Error> {
        if self.drawn == text {
            return Ok(());
        }
        let frame = frame(self.lines, text);
        self.lines = text.lines().count();
        text.clone_into(&mut self.drawn);
        out.raw(&frame)
    }

    /// Leaves what was drawn; the next drawing goes below.
    pub(super) fn leave(&mut self) {
        *self = Self::default();
    }
}

/// Goes up over the old lines, and writes the new ones over them; each line clears its own rest,
/// so that nothing flickers.
fn frame(old: usize, text: &str) -> String {
    let mut frame = String::new();
    if old > 0 {
        frame.push_str(&format!("\x1b[{old}A\r"));
    }
    for line in text.lines() {
        frame.push_str(line);
        frame.push_str("\x1b[K\n");
    }
    if old > 0 {
        frame.push_str("\x1b[J");
    }
    frame
}

/// The lines that fit into `height`, and what to say if some do not.
pub(super) fn fit(text: String, height: usize, more: &str) -> String {
    let room = height.saturating_sub(1).max(2);
    let count = text.lines().count();
    if count <= room {
        return text;
    }
    let mut kept: String = text
        .lines()
        .take(room - 1)
        .map(|line| format!("{line}\n"))
        .collect();
    kept.push_str(&format!("… {} more lines: {more}\n", count - room + 1));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_frame_moves_nothing_and_later_ones_go_up() {
        assert_eq!(frame(0, "a\nb\n"), "a\x1b[K\nb\x1b[K\n");
        assert_eq!(frame(2, "c\n"), "\x1b[2A\rc\x1b[K\n\x1b[J");
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let text = "1\n2\n3\n4\n5\n".to_owned();
        assert_eq!(fit(text.clone(), 6, "show"), text);
        assert_eq!(fit(text, 4, "show"), "1\n2\n… 3 more lines: show\n");
    }
}
