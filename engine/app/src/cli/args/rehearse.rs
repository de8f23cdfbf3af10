//! `fermata rehearse …`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use fermata_core::time::{Span, Timestamp};

use crate::cli::values::Pair;

/// Arguments of `rehearse`.
#[derive(Debug, Args)]
pub(crate) struct RehearseArgs {
    /// The document, YAML or JSON (`-` reads standard input), or the NAME or NAME@VERSION of a
    /// published process.
    #[arg(value_hint = clap::ValueHint::FilePath)]
    pub(crate) process: PathBuf,
    /// Ask no server: nothing is known of components and of past releases.
    #[arg(long)]
    pub(crate) offline: bool,
    /// One input, KEY=VALUE; the value is JSON if it parses, else text. May be repeated.
    #[arg(long = "input", short = 'i', value_name = "KEY=VALUE")]
    pub(crate) input: Vec<Pair>,
    /// File with the inputs, YAML or JSON; `--input` goes before it.
    #[arg(long, alias = "inputs-file", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) inputs: Option<PathBuf>,
    /// An activity of which every attempt fails, or that people reject. May be repeated.
    #[arg(long, value_name = "ACTIVITY")]
    pub(crate) fail: Vec<String>,
    /// How long people take to decide [default: an hour, or half of the time they have].
    #[arg(long, value_name = "SPAN")]
    pub(crate) approve_after: Option<Span>,
    /// How long runs of an activity take, ACTIVITY=SPAN. May be repeated.
    #[arg(long, value_name = "ACTIVITY=SPAN")]
    pub(crate) duration: Vec<Lasting>,
    /// How long everything takes of which nothing is known.
    #[arg(long, default_value = "1m", value_name = "SPAN")]
    pub(crate) duration_default: Span,
    /// Do not let past releases tell how long activities take.
    #[arg(long)]
    pub(crate) no_history: bool,
    /// What an activity gives back, ACTIVITY=JSON; for a manual one, the answers to its form. May be
    /// repeated.
    #[arg(long, value_name = "ACTIVITY=JSON")]
    pub(crate) outputs: Vec<Pair>,
    /// When it would start, such as 2026-01-31T09:00:00Z [default: now].
    #[arg(long, value_name = "TIME")]
    pub(crate) starts_at: Option<Timestamp>,
}

/// `ACTIVITY=SPAN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lasting {
    /// The activity.
    pub(crate) activity: String,
    /// How long it takes.
    pub(crate) span: Span,
}

impl FromStr for Lasting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((activity, span)) if !activity.trim().is_empty() => Ok(Self {
                activity: activity.trim().to_owned(),
                span: span
                    .parse()
                    .map_err(|error| format!("{activity}: {error}"))?,
            }),
            _ => Err("expected ACTIVITY=SPAN, such as staging/payment=5m".to_owned()),
        }
    }
}
