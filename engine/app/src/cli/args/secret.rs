//! `fermata secret …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What can be done with secrets. Nothing reads one back.
#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Keep a value under a name, in place of what was there. It is read from standard input.
    Set(SecretSetArgs),
    /// List the secrets, without their values.
    List,
    /// Forget a secret.
    Delete {
        /// The secret.
        name: String,
        /// Also while component versions are granted it.
        #[arg(long)]
        force: bool,
    },
    /// Have the server make a new key and seal every secret again with it.
    Rotate,
    /// Write a new key into a file, before those that it holds. Needs no server.
    NewKey {
        /// The file; made for its owner only if there is none.
        #[arg(value_hint = clap::ValueHint::FilePath)]
        file: PathBuf,
    },
}

/// Arguments of `secret set`.
#[derive(Debug, Args)]
pub(crate) struct SecretSetArgs {
    /// The secret.
    pub(crate) name: String,
    /// File that holds the value, instead of standard input.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) from_file: Option<PathBuf>,
}
