//! The nearest known name to one that is not known, for hints.

/// Longest name, in characters, that is compared: the cost grows with the square.
const NAME_CHARS_MAX: usize = 64;
/// Most names that one is compared to: a document can hold thousands, and as many slips.
const CANDIDATES_MAX: usize = 1_000;

/// The candidate that needs the fewest edits (insert, delete, replace, swap neighbours) to become
/// `name`, if those are few enough to be a slip of the pen. The first wins a tie.
pub(crate) fn nearest<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let name: Vec<char> = name.chars().take(NAME_CHARS_MAX + 1).collect();
    if name.len() > NAME_CHARS_MAX {
        return None;
    }
    let allowed = (name.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates.into_iter().take(CANDIDATES_MAX) {
        let limit = best.map_or(allowed + 1, |(edits, _)| edits);
        if candidate.len().abs_diff(name.len())
            > limit + candidate.len() - candidate.chars().count()
        {
            continue;
        }
        let edits = edits(&name, candidate);
        if edits < limit {
            best = Some((edits, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Optimal string alignment distance, without regard to case.
fn edits(from: &[char], to: &str) -> usize {
    let from: Vec<char> = from.iter().map(char::to_ascii_lowercase).collect();
    let to: Vec<char> = to.chars().map(|c| c.to_ascii_lowercase()).collect();
    let width = to.len() + 1;
    let mut before = vec![0; width];
    let mut above: Vec<usize> = (0..width).collect();
    let mut row = vec![0; width];
    for i in 1..=from.len() {
        row[0] = i;
        for j in 1..width {
            let same = from[i - 1] == to[j - 1];
            let mut best = (above[j - 1] + usize::from(!same))
                .min(above[j] + 1)
                .min(row[j - 1] + 1);
            let swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
            if swapped {
                best = best.min(before[j - 2] + 1);
            }
            row[j] = best;
        }
        std::mem::swap(&mut before, &mut above);
        std::mem::swap(&mut above, &mut row);
    }
    above[width - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_another_word_does_not() {
        let known = ["needs", "uses", "with", "timeout", "on-failure"];
        for (written, meant) in [
            ("need", Some("needs")),
            ("ueses", Some("uses")),
            ("wiht", Some("with")),
            ("Timeout", Some("timeout")),
            ("onfailure", Some("on-failure")),
            ("on_failure", Some("on-failure")),
            ("banana", None),
            ("", None),
            ("ä", None),
        ] {
            assert_eq!(nearest(written, known), meant, "{written}");
        }
        assert_eq!(nearest(&"x".repeat(10_000), known), None);
    }
}
