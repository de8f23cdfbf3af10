//! `fermata process …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::args::GrantOptions;
use crate::cli::values::Pair;

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
    /// Show what differs between two versions of a process, part by part.
    Diff {
        /// The process.
        process: String,
        /// The version before.
        from: u32,
        /// The version after.
        to: u32,
    },
    /// Show what the scripts of a process may reach, or replace it.
    Grant(ProcessGrantArgs),
    /// Keep inputs under a name, for the releases to come.
    #[command(subcommand)]
    InputSet(InputSetCommand),
}

/// What can be done with the input sets of a process.
#[derive(Debug, Subcommand)]
pub(crate) enum InputSetCommand {
    /// List the input sets of a process, each with what is missing in it.
    List {
        /// The process.
        process: String,
    },
    /// Show an input set.
    Show {
        /// The process.
        process: String,
        /// The input set.
        set: String,
    },
    /// Keep inputs under a name, in place of what was there; they may be incomplete.
    Set(InputSetArgs),
    /// Forget an input set.
    Delete {
        /// The process.
        process: String,
        /// The input set.
        set: String,
    },
}

/// Arguments of `process grant`.
#[derive(Debug, Args)]
pub(crate) struct ProcessGrantArgs {
    /// The process.
    pub(crate) process: String,
    /// What its scripts may reach, in place of what was granted.
    #[command(flatten)]
    pub(crate) grants: GrantOptions,
    /// Nothing any more.
    #[arg(long, conflicts_with_all = ["grant", "grants_file"])]
    pub(crate) none: bool,
}

/// Arguments of `process input-set set`.
#[derive(Debug, Args)]
pub(crate) struct InputSetArgs {
    /// The process.
    pub(crate) process: String,
    /// The input set.
    pub(crate) set: String,
    /// One input, KEY=VALUE; the value is JSON if it parses, else text. May be repeated.
    #[arg(long = "input", short = 'i', value_name = "KEY=VALUE")]
    pub(crate) input: Vec<Pair>,
    /// File with the inputs, YAML or JSON; `--input` goes before it.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) inputs_file: Option<PathBuf>,
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
