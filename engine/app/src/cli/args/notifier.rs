//! `fermata notifier …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::values::Pair;

/// What can be done with notifiers.
#[derive(Debug, Subcommand)]
pub(crate) enum NotifierCommand {
    /// Set a notifier, in place of what was there under its name.
    Set(NotifierSetArgs),
    /// List the notifiers, and how they are doing.
    List,
    /// Show a notifier.
    Show {
        /// The notifier.
        name: String,
    },
    /// Forget a notifier, and everything that it was to deliver.
    Remove {
        /// The notifier.
        name: String,
    },
    /// Let a notifier deliver a notification of kind `test` now. Exit code 1 if it does not get through.
    Test {
        /// The notifier.
        name: String,
    },
    /// List what a notifier has delivered, is to deliver, and gave up; the newest first.
    Deliveries(DeliveriesArgs),
}

/// Arguments of `notifier set`.
#[derive(Debug, Args)]
pub(crate) struct NotifierSetArgs {
    /// The notifier.
    pub(crate) name: String,
    /// The component, such as `chat-notifier@1`; its newest fitting version is pinned.
    #[arg(long, value_name = "NAME@VERSION")]
    pub(crate) component: String,
    /// A kind of notification, or a pattern such as `release-*`; may be repeated.
    #[arg(long, required = true, value_name = "KIND")]
    pub(crate) on: Vec<String>,
    /// A process, or a pattern such as `bank-*`; may be repeated [default: everything].
    #[arg(long, value_name = "PROCESS")]
    pub(crate) process: Vec<String>,
    /// A setting of the component; may be repeated.
    #[arg(long, short, value_name = "KEY=VALUE")]
    pub(crate) setting: Vec<Pair>,
    /// File with settings, YAML or JSON; `-` is standard input.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) settings_file: Option<PathBuf>,
    /// Set it, and tell nobody anything until it is set again without this.
    #[arg(long)]
    pub(crate) disabled: bool,
}

/// Arguments of `notifier deliveries`.
#[derive(Debug, Args)]
pub(crate) struct DeliveriesArgs {
    /// The notifier.
    pub(crate) name: String,
    /// Only `pending`, `delivered` or `given-up`.
    #[arg(long)]
    pub(crate) standing: Option<String>,
    /// Most entries.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
}
