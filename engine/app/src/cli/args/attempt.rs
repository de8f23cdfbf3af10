//! `fermata attempt …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What can be done with attempts.
#[derive(Debug, Subcommand)]
pub(crate) enum AttemptCommand {
    /// Write the recording of an attempt that failed, to run it again with `component test --replay`.
    Export(ExportArgs),
}

/// Arguments of `attempt export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE/ACTIVITY.
    pub(crate) activity: String,
    /// Which attempt [default: the last one that did not succeed].
    #[arg(long)]
    pub(crate) attempt: Option<u32>,
    /// Where to write it [default: standard output].
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) to: Option<PathBuf>,
}
