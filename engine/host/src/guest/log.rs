//! What one run logs, cut off where it becomes more than a person reads.

use fermata_core::attempt::{LogLevel, LogLine};
use fermata_core::time::Timestamp;

use crate::limits::{Limits, length};

/// Lines that a failure quotes.
const LAST_LINES: usize = 10;
/// Of a quoted line, as much as fits on a screen.
const LAST_LINE_BYTES_MAX: usize = 1024;

/// The log of one run.
#[derive(Debug)]
pub(crate) struct Log {
    lines: Vec<LogLine>,
    bytes_left: usize,
    lines_left: usize,
    dropped: u64,
    last_at: Timestamp,
    last: Vec<String>,
    panicked: Option<String>,
}

/// How the line begins that says why a guest crashed, in every language that we have an SDK for: place and reason follow.
const PANICKED: &str = "panicked at ";

impl Log {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            lines: Vec::new(),
            bytes_left: length(limits.log_bytes),
            lines_left: length(limits.log_lines),
            dropped: 0,
            last_at: Timestamp::default(),
            last: Vec::new(),
            panicked: None,
        }
    }

    /// Adds one line, or counts it as dropped.
    pub(crate) fn write(&mut self, at: Timestamp, level: LogLevel, message: String) {
        self.remember(&message);
        self.last_at = at;
        if self.lines_left == 0 || message.len() > self.bytes_left {
            // What comes later has no place either, however short: a log with holes misleads.
            self.lines_left = 0;
            self.dropped += 1;
            return;
        }
        self.lines_left -= 1;
        self.bytes_left -= message.len();
        self.lines.push(LogLine { at, level, message });
    }

    /// Failures quote the last lines, also those that the log had no place for.
    fn remember(&mut self, message: &str) {
        if self.last.len() == LAST_LINES {
            self.last.remove(0);
        }
        let end = message.floor_char_boundary(LAST_LINE_BYTES_MAX);
        self.last.push(message[..end].to_owned());
        if message.starts_with(PANICKED) {
            self.panicked = self.last.last().cloned();
        }
    }

    /// Adds a line of the host's own, which always has a place: there are as many as there are limits at most.
    pub(crate) fn note(&mut self, at: Timestamp, message: String) {
        self.lines.push(LogLine {
            at,
            level: LogLevel::Warn,
            message,
        });
    }

    /// Bytes and lines that are kept.
    pub(crate) fn size(&self) -> (u64, u64) {
        let bytes = self
            .lines
            .iter()
            .map(|line| line.message.len() as u64)
            .sum();
        (bytes, self.lines.len() as u64)
    }

    /// Whether lines were dropped.
    pub(crate) fn is_full(&self) -> bool {
        self.dropped > 0
    }

    /// The line that says why the guest crashed. A stack may have been printed behind it.
    pub(crate) fn panicked(&self) -> Option<&str> {
        self.panicked.as_deref()
    }

    /// The last lines.
    pub(crate) fn last(&mut self) -> Vec<String> {
        std::mem::take(&mut self.last)
    }

    /// All lines, and one about those that are missing.
    pub(crate) fn into_lines(mut self) -> Vec<LogLine> {
        if self.dropped > 0 {
            let message = format!("{} more lines were dropped: the log is full", self.dropped);
            self.lines.push(LogLine {
                at: self.last_at,
                level: LogLevel::Warn,
                message,
            });
        }
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_says_so_and_the_last_lines_stay() {
        let limits = Limits {
            log_bytes: 10,
            log_lines: 3,
            ..Limits::default()
        };
        let mut log = Log::new(&limits);
        for message in ["1234", "12345678", "1", "é"] {
            log.write(Timestamp(1), LogLevel::Info, message.into());
        }
        assert_eq!(log.last(), ["1234", "12345678", "1", "é"]);
        let lines: Vec<_> = log
            .into_lines()
            .into_iter()
            .map(|line| line.message)
            .collect();
        assert_eq!(
            lines,
            ["1234", "3 more lines were dropped: the log is full"]
        );
    }

    #[test]
    fn quoted_lines_are_few_and_short() {
        let mut log = Log::new(&Limits::default());
        for number in 0..20 {
            let message = format!("{number}{}", "é".repeat(1000));
            log.write(Timestamp(1), LogLevel::Info, message);
        }
        let last = log.last();
        assert_eq!(last.len(), LAST_LINES);
        assert!(last[9].starts_with("19é") && last[9].len() <= LAST_LINE_BYTES_MAX);
    }
}
