//! `fermata component …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::grant::Grant;

/// What can be done with components.
#[derive(Debug, Subcommand)]
pub(crate) enum ComponentCommand {
    /// Upload components. Name and version come from what each says about itself.
    Push(PushArgs),
    /// List the components.
    List,
    /// Show a component: its versions, or one version with its schemas and grants.
    Show {
        /// Name, or NAME@VERSION.
        component: String,
    },
    /// Replace what a component version may reach.
    Grant(GrantArgs),
    /// Show which process versions and open releases use a component.
    UsedBy {
        /// Name, or NAME@VERSION.
        component: String,
    },
    /// Take a component version out of the registry, if nothing uses it.
    Delete {
        /// NAME@VERSION, such as deploy@1.0.0.
        component: String,
    },
}

/// Arguments of `component push`.
#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    /// WebAssembly files: components, or core modules built with the SDK.
    #[arg(required = true, value_hint = clap::ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
    /// What to grant to each of them.
    #[command(flatten)]
    pub(crate) grants: GrantOptions,
}

/// Arguments of `component grant`.
#[derive(Debug, Args)]
pub(crate) struct GrantArgs {
    /// NAME@VERSION, such as deploy@1.0.0.
    pub(crate) component: String,
    /// What it may reach; nothing at all if none is given.
    #[command(flatten)]
    pub(crate) grants: GrantOptions,
}

/// What a component may reach.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct GrantOptions {
    /// `http=HOST[:PORT][;methods=GET,PUT][;private]` or `secret=NAME@HOST`; may be repeated.
    #[arg(long = "grant", value_name = "GRANT")]
    pub(crate) grant: Vec<Grant>,
    /// JSON file with grants, as the API writes them; `--grant` adds to it.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) grants_file: Option<PathBuf>,
}
