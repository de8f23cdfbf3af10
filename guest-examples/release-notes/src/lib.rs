//! Writes release notes in Markdown from a list of changes: no network, no secrets.

use std::fmt::Write as _;

use fermata_sdk::prelude::*;

/// What the notes are about.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Inputs {
    /// The heading.
    title: String,
    /// The version that is released.
    version: String,
    /// What changed, in the order in which it shall be read.
    #[serde(default)]
    changes: Vec<Change>,
}

/// A sentence, or a sentence with its kind and ticket.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Change {
    Text(String),
    Full {
        text: String,
        #[serde(default)]
        kind: Kind,
        #[serde(default)]
        ticket: Option<String>,
    },
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Feature,
    Fix,
    #[default]
    Other,
}

impl Kind {
    /// In the order of sections.
    const ALL: [Self; 3] = [Self::Feature, Self::Fix, Self::Other];

    fn heading(self) -> &'static str {
        match self {
            Self::Feature => "New",
            Self::Fix => "Fixed",
            Self::Other => "Changed",
        }
    }
}

/// The notes.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Outputs {
    /// The notes, as Markdown.
    markdown: String,
    /// How many changes they list.
    changes: usize,
}

struct ReleaseNotes;

impl Activity for ReleaseNotes {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn summary() -> &'static str {
        "Writes release notes in Markdown from a list of changes."
    }

    fn capabilities() -> Capabilities {
        Capabilities::none().evidence("release-notes")
    }

    fn run(_: &Attempt, inputs: Inputs) -> Result<Outcome<Outputs>, Failure> {
        let markdown = notes(&inputs);
        evidence::record(
            "release-notes",
            &json!({ "title": inputs.title, "version": inputs.version, "markdown": markdown }),
        )?;
        log::info!("{} changes in {}", inputs.changes.len(), inputs.version);
        Ok(Outcome::Done(Outputs {
            markdown,
            changes: inputs.changes.len(),
        }))
    }
}

fn notes(inputs: &Inputs) -> String {
    let mut notes = format!(
        "# {} {}\n",
        one_line(&inputs.title),
        one_line(&inputs.version)
    );
    if inputs.changes.is_empty() {
        notes.push_str("\nNothing that users would notice.\n");
    }
    for kind in Kind::ALL {
        let lines: Vec<String> = inputs
            .changes
            .iter()
            .filter(|change| change.kind() == kind)
            .map(Change::line)
            .collect();
        if !lines.is_empty() {
            let _ = write!(notes, "\n## {}\n\n{}\n", kind.heading(), lines.join("\n"));
        }
    }
    notes
}

impl Change {
    fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Other,
            Self::Full { kind, .. } => *kind,
        }
    }

    fn line(&self) -> String {
        match self {
            Self::Text(text)
            | Self::Full {
                text, ticket: None, ..
            } => {
                format!("- {}", one_line(text))
            }
            Self::Full {
                text,
                ticket: Some(ticket),
                ..
            } => {
                format!("- {} ({})", one_line(text), one_line(ticket))
            }
        }
    }
}

/// A change must not be able to start a heading or a list of its own.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Undo for ReleaseNotes {
    /// There is nothing to take back: it only wrote a text.
    fn undo(_: &Attempt, _: Inputs, _: Option<Outputs>) -> Result<Outcome<()>, Failure> {
        Ok(Outcome::Done(()))
    }
}

fermata_sdk::reversible_activity!(ReleaseNotes);

#[cfg(test)]
mod tests {
    use super::*;
    use fermata_sdk::testing::{self, Host};

    #[test]
    fn changes_are_listed_by_kind_in_their_order() {
        let host = Host::install();
        let outputs = testing::finish::<ReleaseNotes>(json!({
            "title": "Bank platform",
            "version": "1.1.0",
            "changes": [
                "Faster start",
                { "text": "No double\n# payments", "kind": "fix", "ticket": "BANK-7" },
                { "text": "Standing orders", "kind": "feature" },
                { "text": "Smaller images" },
            ],
        }))
        .expect("writes");
        assert_eq!(
            outputs.markdown,
            "# Bank platform 1.1.0\n\n## New\n\n- Standing orders\n\n## Fixed\n\n- No double # payments (BANK-7)\n\
             \n## Changed\n\n- Faster start\n- Smaller images\n"
        );
        assert_eq!(outputs.changes, 4);
        assert_eq!(host.evidence()[0].1["markdown"], outputs.markdown);
    }

    #[test]
    fn notes_without_changes_say_so() {
        let outputs = testing::finish::<ReleaseNotes>(json!({ "title": "A", "version": "1" }));
        assert_eq!(
            outputs.expect("writes").markdown,
            "# A 1\n\nNothing that users would notice.\n"
        );
    }

    #[test]
    fn unknown_kinds_are_refused() {
        let inputs =
            json!({ "title": "A", "version": "1", "changes": [{ "text": "x", "kind": "?" }] });
        let failure = testing::finish::<ReleaseNotes>(inputs).expect_err("no such kind");
        assert_eq!(failure.code_given(), Some("invalid-inputs"));
    }
}
