//! `fermata process …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What can be done with process documents.
#[derive(Debug, Subcommand)]
pub(crate) enum ProcessCommand {
    /// Check a document: all defects at once, nothing is stored.
    Check(CheckArgs),
    /// Store a document as the newest version of its process.
    Publish {
        /// The document, YAML or JSON; `-` reads standard input.
        #[arg(value_hint = clap::ValueHint::FilePath)]
        file: PathBuf,
    },
    /// List the processes.
    List(ProcessListArgs),
    /// Show a process and its versions.
    Show(ProcessShowArgs),
}

/// Arguments of `process check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The document, YAML or JSON; `-` reads standard input.
    #[arg(value_hint = clap::ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Ask no server: what needs the registry of components is not checked.
    #[arg(long)]
    pub(crate) offline: bool,
}

/// Arguments of `process list`.
#[derive(Debug, Args)]
pub(crate) struct ProcessListArgs {
    /// Most rows to show.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
}

/// Arguments of `process show`.
#[derive(Debug, Args)]
pub(crate) struct ProcessShowArgs {
    /// Name, or NAME@VERSION.
    pub(crate) process: String,
    /// Print the document itself, as it was published.
    #[arg(long)]
    pub(crate) document: bool,
}
