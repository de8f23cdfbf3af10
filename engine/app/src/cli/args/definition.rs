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
    /// Show which process versions use a definition.
    UsedBy {
        /// Name, or NAME@VERSION.
        definition: String,
    },
    /// Take a version of a definition out of the registry, if nothing uses it.
    Delete {
        /// NAME@VERSION, such as deploy-payment@1.0.0.
        definition: String,
    },
}
