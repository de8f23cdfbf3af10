//! What people do about manual activities, besides deciding.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `inbox`.
#[derive(Debug, Args)]
pub(crate) struct InboxArgs {
    /// Most rows to show.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
}

/// Arguments of `release task`.
#[derive(Debug, Args)]
pub(crate) struct TaskArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE/ACTIVITY.
    pub(crate) activity: String,
    /// Name of the task.
    pub(crate) task: String,
    /// `open`, `in-progress`, `done`, `blocked` or `not-applicable`.
    pub(crate) state: String,
    /// What to say with it.
    #[arg(long, short)]
    pub(crate) comment: Option<String>,
}

/// Arguments of `release comment`.
#[derive(Debug, Args)]
pub(crate) struct CommentArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE/ACTIVITY.
    pub(crate) activity: String,
    /// What to say.
    pub(crate) text: String,
    /// About this task.
    #[arg(long, short)]
    pub(crate) task: Option<String>,
    /// Change the comment with this number, from 0, which is yours.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) edit: Option<u32>,
}

/// Arguments of `release attach`.
#[derive(Debug, Args)]
pub(crate) struct AttachArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE/ACTIVITY.
    pub(crate) activity: String,
    /// The file.
    #[arg(value_hint = clap::ValueHint::FilePath, conflicts_with = "url", required_unless_present = "url")]
    pub(crate) file: Option<PathBuf>,
    /// Where it is, if it stays where it is.
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// To this task.
    #[arg(long, short)]
    pub(crate) task: Option<String>,
    /// What people know it as [default: the name of the file].
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// What kind of content it is.
    #[arg(long, default_value = "application/octet-stream", value_name = "TYPE")]
    pub(crate) media_type: String,
}
