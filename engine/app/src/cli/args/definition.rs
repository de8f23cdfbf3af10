//! `fermata definition …`.

use std::path::PathBuf;

use clap::Subcommand;

/// What can be done with activity definitions.
#[derive(Debug, Subcommand)]
pub(crate) enum DefinitionCommand {
    /// Store a version of a definition; name and version stand in the document.
    Publish {
        /// The document, YAML or JSON; `-` reads standard input.
        #[arg(value_hint = clap::ValueHint::FilePath)]
        file: PathBuf,
    },
    /// List the definitions.
    List,
    /// Show a definition: its versions, or one version with what it sets.
    Show {
        /// Name, or NAME@VERSION.
        definition: String,
    },
}
