//! The one place that prints. Answers go to standard output, everything else to standard error.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write};

use anstream::{AutoStream, ColorChoice};
use serde_json::Value;

use super::args::Format;
use super::error::Error;
use super::table::Table;
use super::text::{self, Paint, Tone};

/// Width of a terminal that does not say.
const WIDTH_DEFAULT: usize = 100;
/// Height of a terminal that does not say.
const HEIGHT_DEFAULT: usize = 40;

/// Where a command prints to.
pub(crate) struct Out {
    answer: Box<dyn Write>,
    remark: Box<dyn Write>,
    format: Format,
    terminal: bool,
    paint: Paint,
    remark_paint: Paint,
}

impl std::fmt::Debug for Out {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Out")
            .field("format", &self.format)
            .field("terminal", &self.terminal)
            .finish_non_exhaustive()
    }
}

impl Out {
    /// Prints to this program's own streams, with colours where they are wanted (`NO_COLOR`,
    /// `CLICOLOR_FORCE`, terminals).
    pub(crate) fn standard(format: Format) -> Self {
        let coloured = |choice| Paint(choice != ColorChoice::Never);
        Self {
            paint: coloured(AutoStream::choice(&std::io::stdout())),
            remark_paint: coloured(AutoStream::choice(&std::io::stderr())),
            terminal: std::io::stdout().is_terminal(),
            answer: Box::new(std::io::stdout()),
            remark: Box::new(std::io::stderr()),
            format,
        }
    }

    /// Whether programs read the answer.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether somebody looks at the answer as it grows.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether answers get colours.
    pub(crate) fn paint(&self) -> Paint {
        self.paint
    }

    /// Columns and lines of the terminal.
    pub(crate) fn size() -> (usize, usize) {
        terminal_size::terminal_size().map_or((WIDTH_DEFAULT, HEIGHT_DEFAULT), |(width, height)| {
            (width.0.into(), height.0.into())
        })
    }

    /// The width to fit a table into; `None` if it is not a terminal.
    pub(crate) fn width(&self) -> Option<usize> {
        self.terminal.then(|| Self::size().0)
    }

    /// Prints a part of the answer as it is.
    pub(crate) fn raw(&mut self, text: &str) -> Result<(), Error> {
        self.answer.write_all(text.as_bytes())?;
        self.answer.flush()?;
        Ok(())
    }

    /// Writes an answer that is no text.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.answer.write_all(bytes)?;
        self.answer.flush()?;
        Ok(())
    }

    /// Prints one line of the answer.
    pub(crate) fn line(&mut self, line: &str) -> Result<(), Error> {
        self.raw(&format!("{line}\n"))
    }

    /// Prints a JSON value, readable.
    pub(crate) fn json(&mut self, value: &Value) -> Result<(), Error> {
        self.line(&format!("{value:#}"))
    }

    /// Prints a JSON value on one line, for answers that grow.
    pub(crate) fn json_line(&mut self, value: &Value) -> Result<(), Error> {
        self.line(&value.to_string())
    }

    /// Prints a table, or what to say if it has no rows.
    pub(crate) fn table(&mut self, table: &Table, if_empty: &str) -> Result<(), Error> {
        if table.is_empty() {
            return self.remark(if_empty);
        }
        self.raw(&table.render(self.width(), self.paint))
    }

    /// Tells a person something that is not the answer.
    pub(crate) fn remark(&mut self, line: &str) -> Result<(), Error> {
        writeln!(self.remark, "{line}")?;
        Ok(())
    }

    /// Draws over the last remark that was drawn like this; nothing if nobody watches.
    pub(crate) fn ticker(&mut self, line: &str) -> Result<(), Error> {
        if std::io::stderr().is_terminal() {
            let width = Self::size().0.saturating_sub(1);
            write!(self.remark, "\r\x1b[2K{}", text::cut(line, width))?;
            self.remark.flush()?;
        }
        Ok(())
    }

    /// Says what went wrong, where, and what to do next.
    pub(crate) fn error(&mut self, error: &Error) -> Result<(), Error> {
        let text = complaint(error, self.remark_paint);
        self.remark.write_all(text.as_bytes())?;
        Ok(())
    }
}

/// An error as text.
fn complaint(error: &Error, paint: Paint) -> String {
    let mut lines = format!("{} {error}\n", paint.tone(Tone::Bad, "error:"));
    if let Some(next) = error.next() {
        writeln!(lines, "  {} {next}", paint.tone(Tone::Live, "next:"))
            .expect("strings take all text");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client;

    #[test]
    fn errors_say_what_where_and_what_next() {
        let error = Error::Client(client::Error::Unreachable {
            server: "http://127.0.0.1:7717".into(),
            why: "connection refused".into(),
        });
        let text = complaint(&error, Paint(false));
        assert!(text.starts_with("error: cannot reach the server at http://127.0.0.1:7717"));
        assert!(
            text.contains("\n  next: start one with `fermata serve`"),
            "{text}"
        );
    }
}
