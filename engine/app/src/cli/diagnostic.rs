//! Defects of a document, as compilers show them. Pure.

use std::fmt::Write as _;
use std::path::Path;

use super::text::{Paint, Tone, tidy};
use crate::client::problem::Defect;

/// All defects, one after the other, and how many there are.
pub(crate) fn render(path: &Path, defects: &[Defect], paint: Paint) -> String {
    let mut out = String::new();
    for defect in defects {
        one(&mut out, path, defect, paint);
    }
    out
}

fn one(out: &mut String, path: &Path, defect: &Defect, paint: Paint) {
    let head = format!("error[{}]", defect.code);
    let (head, message) = (
        paint.tone(Tone::Bad, &head),
        paint.tone(Tone::Strong, &tidy(&defect.message)),
    );
    let arrow = paint.tone(Tone::Live, "-->");
    let place = format!("{}:{}:{}", path.display(), defect.line, defect.column);
    writeln!(out, "{head}: {message}\n  {arrow} {place}").expect("strings take all text");
    for line in defect.snippet.lines() {
        let shown = paint.tone(tone_of(line), &tidy(line));
        writeln!(out, "{shown}").expect("strings take all text");
    }
    if let Some(hint) = &defect.hint {
        let help = paint.tone(Tone::Live, "= help:");
        writeln!(out, "   {help} {}", tidy(hint)).expect("strings take all text");
    }
    out.push('\n');
}

/// Lines that only mark a place stand out from the lines of the document.
fn tone_of(line: &str) -> Tone {
    let marks = |c: char| " |^~-".contains(c);
    if line.contains('^') && line.chars().all(marks) {
        Tone::Bad
    } else {
        Tone::Plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defect(hint: Option<&str>) -> Defect {
        Defect {
            code: "unknown-key".into(),
            message: "unknown key `neds`".into(),
            line: 12,
            column: 5,
            snippet: "   |\n12 |     neds: [a]\n   |     ^^^^".into(),
            hint: hint.map(Into::into),
        }
    }

    #[test]
    fn a_defect_shows_its_place_and_its_hint() {
        let expected = "\
error[unknown-key]: unknown key `neds`
  --> p.yaml:12:5
   |
12 |     neds: [a]
   |     ^^^^
   = help: did you mean `needs`?

";
        let defects = [defect(Some("did you mean `needs`?"))];
        assert_eq!(
            render(Path::new("p.yaml"), &defects, Paint(false)),
            expected
        );
    }

    #[test]
    fn colours_change_nothing_but_colours() {
        let defects = [defect(None), defect(Some("x"))];
        let bare = render(Path::new("p"), &defects, Paint(false));
        let coloured = render(Path::new("p"), &defects, Paint(true));
        assert_ne!(bare, coloured);
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), bare);
    }
}
