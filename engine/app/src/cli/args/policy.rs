//! `fermata policy …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::values::Pair;

/// What can be done with policies.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Set a policy, in place of what was set under its name. It is in force at once.
    Set(PolicySetArgs),
    /// List the policies.
    List,
    /// Show a policy with its settings.
    Show {
        /// The policy.
        name: String,
    },
    /// Remove a policy.
    Remove {
        /// The policy.
        name: String,
    },
    /// Ask a policy about something that does not happen. Exit code 1 if it would deny it.
    Try(PolicyTryArgs),
}

/// Arguments of `policy set`.
#[derive(Debug, Args)]
pub(crate) struct PolicySetArgs {
    /// The policy.
    pub(crate) name: String,
    /// Its component, such as `change-window@1`: the newest version that fits is pinned.
    #[arg(long, value_name = "NAME@VERSION")]
    pub(crate) component: String,
    /// Before what it is asked: publish, start, activity. May be repeated.
    #[arg(
        long = "at",
        required = true,
        value_delimiter = ',',
        value_name = "POINT"
    )]
    pub(crate) at: Vec<String>,
    /// A process that it is about, or a pattern such as `bank-*`. May be repeated [default: all].
    #[arg(long = "process", short, value_delimiter = ',', value_name = "PATTERN")]
    pub(crate) processes: Vec<String>,
    /// A setting. May be repeated, and goes before the file.
    #[arg(long = "set", short, value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<Pair>,
    /// File with the settings, YAML or JSON.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) settings_file: Option<PathBuf>,
    /// What it means if it fails: deny, warn or allow.
    #[arg(long, default_value = "deny", value_name = "VERDICT")]
    pub(crate) on_failure: String,
    /// How long it may take, such as `500ms` [default: 2s].
    #[arg(long, value_name = "SPAN")]
    pub(crate) time_limit: Option<String>,
    /// Keep it, and do not ask it.
    #[arg(long)]
    pub(crate) disabled: bool,
}

/// Arguments of `policy try`.
#[derive(Debug, Args)]
pub(crate) struct PolicyTryArgs {
    /// The policy.
    pub(crate) name: String,
    /// Before what: publish, start or activity [default: the first at which it is asked].
    #[arg(long, value_name = "POINT")]
    pub(crate) at: Option<String>,
    /// The process that would be published or started, such as `bank-release` or `bank-release@3`.
    #[arg(
        long,
        short,
        value_name = "PROCESS",
        required_unless_present = "subject_file"
    )]
    pub(crate) process: Option<String>,
    /// An input of the release. May be repeated, and goes before the file.
    #[arg(long = "input", short, value_name = "KEY=VALUE")]
    pub(crate) inputs: Vec<Pair>,
    /// File with the inputs, YAML or JSON.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) inputs_file: Option<PathBuf>,
    /// File with the whole of what the policy is told, YAML or JSON.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "process",
        value_hint = clap::ValueHint::FilePath
    )]
    pub(crate) subject_file: Option<PathBuf>,
}
