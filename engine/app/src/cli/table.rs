//! Aligned columns. Pure.

use super::text::{self, Paint, Tone};

/// Space between columns.
const GAP: &str = "  ";
/// Narrowest column that is cut to make a table fit.
const COLUMN_WIDTH_MIN: usize = 8;

/// Rows under a head.
#[derive(Debug)]
pub(crate) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<(Tone, String)>>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(head: &[&'static str]) -> Self {
        Self {
            head: head.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row of plain cells.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.toned(cells.map(|cell| (Tone::Plain, cell)));
    }

    /// Adds a row of cells that mean something.
    pub(crate) fn toned<const N: usize>(&mut self, cells: [(Tone, String); N]) {
        debug_assert_eq!(N, self.head.len(), "a cell for each column");
        let tidy = cells.map(|(tone, cell)| (tone, text::tidy(&cell)));
        self.rows.push(tidy.into());
    }

    /// Whether there is nothing to show.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text. Without a width nothing is cut, so that a pipe gets everything.
    pub(crate) fn render(&self, width: Option<usize>, paint: Paint) -> String {
        let mut widths = self.natural();
        if let Some(width) = width {
            shrink(&mut widths, width);
        }
        let head = self
            .head
            .iter()
            .map(|name| (Tone::Faint, (*name).to_owned()));
        let mut out = line(&head.collect::<Vec<_>>(), &widths, paint);
        for row in &self.rows {
            out.push_str(&line(row, &widths, paint));
        }
        out
    }

    fn natural(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self.head.iter().map(|name| name.chars().count()).collect();
        for row in &self.rows {
            for (width, (_, cell)) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        widths
    }
}

/// Takes from the widest column until all fit, or none can give more.
fn shrink(widths: &mut [usize], room: usize) {
    let gaps = GAP.len() * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > room {
        match widths.iter_mut().max() {
            Some(widest) if *widest > COLUMN_WIDTH_MIN => *widest -= 1,
            _ => return,
        }
    }
}

fn line(cells: &[(Tone, String)], widths: &[usize], paint: Paint) -> String {
    let mut out = String::new();
    for (at, ((tone, cell), width)) in cells.iter().zip(widths).enumerate() {
        let shown = text::cut(cell, *width);
        let pad = width.saturating_sub(shown.chars().count());
        out.push_str(&paint.tone(*tone, &shown));
        if at + 1 < cells.len() {
            out.push_str(&" ".repeat(pad));
            out.push_str(GAP);
        }
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.row(["a".into(), "running".into()]);
        table.toned([
            (Tone::Strong, "longer-name".into()),
            (Tone::Good, "ok\nno".into()),
        ]);
        table
    }

    #[test]
    fn columns_are_aligned_and_lines_do_not_end_in_space() {
        let expected = "\
NAME         STATE
a            running
longer-name  ok no
";
        assert_eq!(table().render(None, Paint(false)), expected);
    }

    #[test]
    fn a_narrow_terminal_cuts_the_widest_column() {
        let expected = "\
NAME       STATE
a          running
longer-n…  ok no
";
        assert_eq!(table().render(Some(18), Paint(false)), expected);
    }

    #[test]
    fn colours_do_not_move_columns() {
        let coloured = table().render(None, Paint(true));
        let bare = anstream::adapter::strip_str(&coloured).to_string();
        assert_ne!(coloured, bare);
        assert_eq!(bare, table().render(None, Paint(false)));
    }
}
