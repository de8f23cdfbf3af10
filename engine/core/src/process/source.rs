//! The text of a document: places, snippets, and what is found wrong on the way.

use crate::defect::{Defect, Fault, Place};
use crate::limits::DEFECTS_MAX;

/// Widest part of a line that a snippet shows, in characters.
const SNIPPET_CHARS_MAX: usize = 100;
/// Characters that a snippet keeps before the place when a line is too long.
const SNIPPET_CHARS_BEFORE: usize = 60;

/// A document as text, with the starts of its lines.
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0)
            .chain(breaks.map(|(at, _)| at + 1))
            .collect();
        Self { text, line_starts }
    }

    /// The defect that `fault` is in this text.
    pub(super) fn defect(&self, fault: Fault) -> Defect {
        let start = self.boundary(fault.place.start);
        let line = self.line_of(start);
        let column = self.text[self.line_starts[line]..start].chars().count();
        Defect {
            code: fault.code,
            message: fault.message,
            line: number(line + 1),
            column: number(column + 1),
            snippet: self.snippet(line, column, Place::new(start, fault.place.end)),
            hint: fault.hint,
        }
    }

    /// The number of the line, from 1, that holds the byte at `at`.
    pub(super) fn line_number(&self, at: usize) -> usize {
        self.line_of(self.boundary(at)) + 1
    }

    /// Where the character `column`, from 0, of the line `line`, from 1, stands, or the end of what there
    /// is of that line.
    pub(super) fn offset(&self, line: usize, column: usize) -> usize {
        let line = line.clamp(1, self.line_starts.len()) - 1;
        let text = self.line(line);
        let within = text.char_indices().nth(column);
        self.line_starts[line] + within.map_or(text.len(), |(at, _)| at)
    }

    /// How far all lines of `text` are indented where they stand, one by one, from the line `first` on, from 1;
    /// nothing if they do not.
    pub(super) fn indent_of(&self, first: usize, text: &str) -> Option<usize> {
        let mut indent = None;
        for (at, line) in (first.checked_sub(1)?..).zip(text.lines()) {
            if at >= self.line_starts.len() {
                return None;
            }
            if line.is_empty() {
                continue;
            }
            let before = self.line(at).strip_suffix(line)?;
            if !before.chars().all(|c| c == ' ')
                || indent.is_some_and(|known| known != before.len())
            {
                return None;
            }
            indent = Some(before.len());
        }
        indent
    }

    /// How many characters of its line stand before the byte at `at`.
    pub(super) fn column(&self, at: usize) -> usize {
        let at = self.boundary(at);
        self.text[self.line_starts[self.line_of(at)]..at]
            .chars()
            .count()
    }

    /// `at`, or the nearest place before it that is within the text and between characters.
    fn boundary(&self, at: usize) -> usize {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    fn line_of(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at) - 1
    }

    fn line(&self, line: usize) -> &'a str {
        let start = self.line_starts[line];
        let end = self
            .line_starts
            .get(line + 1)
            .map_or(self.text.len(), |next| next - 1);
        self.text[start..end].trim_end_matches('\r')
    }

    /// The line before and the line itself, numbered, and a marker under the place.
    fn snippet(&self, line: usize, column: usize, place: Place) -> String {
        let skipped = match column {
            column if column < SNIPPET_CHARS_MAX - 20 => 0,
            column => column - SNIPPET_CHARS_BEFORE,
        };
        let width = (line + 1).to_string().len();
        let mut snippet = String::new();
        for shown in line.saturating_sub(1)..=line {
            let text = window(self.line(shown), skipped);
            snippet.push_str(format!("{:>width$} | {text}", shown + 1).trim_end());
            snippet.push('\n');
        }
        let rest = self.line(line).chars().count().saturating_sub(column);
        let marked = self
            .text
            .get(place.start..place.end.min(self.text.len()))
            .map_or(1, |marked| marked.chars().take(SNIPPET_CHARS_MAX).count());
        let marker = "^".repeat(marked.min(rest).clamp(1, SNIPPET_CHARS_MAX - 60));
        let indent = column - skipped + usize::from(skipped > 0);
        let gutter = " ".repeat(width);
        let indent = " ".repeat(indent);
        snippet.extend([gutter.as_str(), " | ", &indent, &marker]);
        snippet
    }
}

/// The part of a line that a snippet shows; what would disturb a terminal is replaced.
fn window(line: &str, skipped: usize) -> String {
    let mut shown = String::from(if skipped > 0 { "…" } else { "" });
    let mut chars = line.chars().skip(skipped);
    shown.extend(chars.by_ref().take(SNIPPET_CHARS_MAX).map(|c| match c {
        '\t' => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    }));
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Everything found wrong so far.
pub(super) struct Findings<'s, 'a> {
    pub(super) source: &'s Source<'a>,
    faults: Vec<Fault>,
    left_out: usize,
}

impl<'s, 'a> Findings<'s, 'a> {
    pub(super) fn new(source: &'s Source<'a>) -> Self {
        Self {
            source,
            faults: Vec::new(),
            left_out: 0,
        }
    }

    /// Notes one more fault, while there is room.
    pub(super) fn add(&mut self, fault: Fault) {
        if self.is_full() {
            self.left_out += 1;
        } else if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// Counts something that was not checked, since there is no room to note what is wrong.
    pub(super) fn leave_out(&mut self) {
        self.left_out += 1;
    }

    /// Whether further faults are only counted, so that hints for them need not be sought.
    pub(super) fn is_full(&self) -> bool {
        self.faults.len() >= DEFECTS_MAX
    }

    pub(super) fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// The defects in the order of the document.
    pub(super) fn into_defects(mut self) -> Vec<Defect> {
        self.faults.sort_by_key(|fault| fault.place);
        let last = self
            .faults
            .last()
            .map_or(Place::default(), |last| last.place);
        if self.left_out > 0 {
            self.faults.push(Fault::new(
                "more-defects",
                last,
                format!("up to {} more defects are not shown", self.left_out),
            ));
        }
        let source = self.source;
        self.faults
            .into_iter()
            .map(|fault| source.defect(fault))
            .collect()
    }
}
