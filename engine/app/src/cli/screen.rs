//! Text that is drawn again and again at the same place of a terminal.

use std::fmt::Write as _;

use super::error::Error;
use super::out::Out;
use super::text::shown_width;

/// What is on the terminal now.
#[derive(Debug, Default)]
pub(super) struct Screen {
    drawn: String,
    rows: usize,
}

impl Screen {
    /// Replaces what was drawn before. Writes nothing if nothing changed.
    pub(super) fn draw(&mut self, out: &mut Out, text: &str) -> Result<(), Error> {
        if self.drawn == text {
            return Ok(());
        }
        let frame = frame(self.rows, text);
        self.rows = rows(text, Out::size().0);
        text.clone_into(&mut self.drawn);
        out.raw(&frame)
    }

    /// Leaves what was drawn; the next drawing goes below.
    pub(super) fn leave(&mut self) {
        *self = Self::default();
    }
}

/// Goes up over the old lines, and writes the new ones over them; each line is cleared first, as
/// a line that fills the terminal leaves the cursor on its last character.
fn frame(old: usize, text: &str) -> String {
    let mut frame = String::new();
    if old > 0 {
        write!(frame, "\x1b[{old}A\r").expect("strings take all text");
    }
    for line in text.lines() {
        frame.push_str("\x1b[2K");
        frame.push_str(line);
        frame.push('\n');
    }
    if old > 0 {
        frame.push_str("\x1b[J");
    }
    frame
}

/// How many rows of a terminal the text takes.
pub(super) fn rows(text: &str, width: usize) -> usize {
    let rows = |line: &str| shown_width(line).div_ceil(width.max(1)).max(1);
    text.lines().map(rows).sum()
}

/// The lines that fit into a terminal of `width` and `height`, and what to say if some do not.
pub(super) fn fit(text: String, (width, height): (usize, usize), more: &str) -> String {
    let room = height.saturating_sub(1).max(2);
    if rows(&text, width) <= room {
        return text;
    }
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        if rows(&kept, width) + rows(line, width) >= room {
            break;
        }
        kept.push_str(line);
    }
    let gone = text.lines().count() - kept.lines().count();
    writeln!(kept, "… {gone} more lines: {more}").expect("strings take all text");
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_frame_moves_nothing_and_later_ones_go_up() {
        assert_eq!(frame(0, "a\nb\n"), "\x1b[2Ka\n\x1b[2Kb\n");
        assert_eq!(frame(2, "c\n"), "\x1b[2A\r\x1b[2Kc\n\x1b[J");
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let text = "1\n2\n3\n4\n5\n".to_owned();
        assert_eq!(fit(text.clone(), (80, 6), "show"), text);
        assert_eq!(fit(text, (80, 4), "show"), "1\n2\n… 3 more lines: show\n");
    }

    #[test]
    fn long_lines_take_more_rows() {
        for (text, expected) in [("", 0), ("\n", 1), ("1234", 1), ("12345\n1\n", 3)] {
            assert_eq!(rows(text, 4), expected, "{text:?}");
        }
        assert_eq!(
            fit("12345\n1\n2\n".into(), (4, 4), "show"),
            "12345\n… 2 more lines: show\n"
        );
    }
}
