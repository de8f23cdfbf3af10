//! `fermata release …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{AttachArgs, CommentArgs, TaskArgs};
use crate::cli::values::Pair;

/// What can be done with releases.
#[derive(Debug, Subcommand)]
pub(crate) enum ReleaseCommand {
    /// Start a release of a process, or start a draft.
    Start(StartArgs),
    /// Create a release without starting it.
    Draft(CreateArgs),
    /// List releases, newest first.
    List(ReleaseListArgs),
    /// Follow a release live until it ends.
    Watch(WatchArgs),
    /// Show a release with its phases and activities.
    Show {
        /// The release.
        release: String,
    },
    /// Say why each thing that does not move does not move, and who can move it.
    Why {
        /// The release.
        release: String,
    },
    /// Approve a manual activity.
    Approve(ApproveArgs),
    /// Reject a manual activity.
    Reject(RejectArgs),
    /// Take an approval back, or with --question the question itself.
    Withdraw(WithdrawArgs),
    /// Bring a task of a manual activity into another state.
    Task(TaskArgs),
    /// Say something about a manual activity or one of its tasks.
    Comment(CommentArgs),
    /// Attach evidence to a manual activity or one of its tasks.
    Attach(AttachArgs),
    /// Skip the approvals of an activity in an emergency; somebody else has to review that.
    BreakGlass(BreakGlassArgs),
    /// Say that you have looked at approvals that were skipped.
    Review(ReviewArgs),
    /// Try an activity again that is on hold; ask people again.
    Retry(RetryArgs),
    /// Give the outputs of an activity that is on hold, and go on as if it had succeeded.
    Supply(SupplyArgs),
    /// Do without an activity, a phase, or one item of it, such as `PHASE[ITEM]`.
    Skip(ActivityArgs),
    /// Open no further batch of a phase or activity that is fanned out; what runs goes on.
    HaltWave(WaveArgs),
    /// Let a halted wave go on.
    ResumeWave(ResumeWaveArgs),
    /// Take back what the last open batch did, once its instances have ended.
    RollbackWave(RollbackWaveArgs),
    /// Open no further batch, ever: what was not released is skipped.
    EndWave(WaveArgs),
    /// Let an activity that is on hold fail for good.
    Fail(ActivityArgs),
    /// Change the inputs of a release, the outputs of an activity, or how often one is tried.
    Amend(AmendArgs),
    /// Start another process as a child: to retry an activity on hold, or while people decide one.
    Launch(LaunchArgs),
    /// Say that what an activity waits for outside has happened.
    Signal(SignalArgs),
    /// Start nothing new; what runs goes on.
    Pause(PauseArgs),
    /// Go on after a pause.
    Resume {
        /// The release.
        release: String,
    },
    /// Give a release up.
    Abort(ReasonArgs),
    /// Take everything back that a release did, the last first; also after it has ended.
    Rollback(RollbackArgs),
    /// Try again to undo an activity.
    RetryUndo(UndoArgs),
    /// Say that an activity was undone by hand.
    MarkUndone(ActivityArgs),
    /// Accept that the effect of an activity stays.
    AcceptNotUndone(ActivityArgs),
    /// Close the task that a rollback leaves behind: say why it was needed.
    RootCause(RootCauseArgs),
    /// Show what the attempts of an activity logged.
    Logs(LogsArgs),
    /// Show the events of a release.
    Events(EventsArgs),
}

/// What a new release needs.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Name of the process, or NAME@VERSION.
    pub(crate) process: String,
    /// One input, KEY=VALUE; the value is JSON if it parses, else text. May be repeated.
    #[arg(long = "input", short = 'i', value_name = "KEY=VALUE")]
    pub(crate) input: Vec<Pair>,
    /// File with the inputs, YAML or JSON; `--input` goes before it.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) inputs_file: Option<PathBuf>,
    /// Input set of the process; `--input` and `--inputs-file` go before it.
    #[arg(long, value_name = "NAME")]
    pub(crate) input_set: Option<String>,
    /// What people will see in lists.
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// Makes it an emergency, which goes ahead of others for locks; says why.
    #[arg(long, value_name = "REASON")]
    pub(crate) emergency: Option<String>,
    /// Makes the request safe to repeat: the same key creates the same release.
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
}

/// Arguments of `release start`.
#[derive(Debug, Args)]
pub(crate) struct StartArgs {
    /// The process, or the id of a draft, and its inputs.
    #[command(flatten)]
    pub(crate) create: CreateArgs,
    /// Follow it live until it ends.
    #[arg(long, conflicts_with = "wait")]
    pub(crate) watch: bool,
    /// Wait silently until it ends, then show it.
    #[arg(long)]
    pub(crate) wait: bool,
    /// With --watch or --wait: stop with exit code 1 when something is on hold and nothing else moves.
    #[arg(long)]
    pub(crate) exit_on_hold: bool,
}

/// Arguments of `release list`.
#[derive(Debug, Args)]
pub(crate) struct ReleaseListArgs {
    /// Only releases of this process.
    #[arg(long)]
    pub(crate) process: Option<String>,
    /// Only releases in this state.
    #[arg(long)]
    pub(crate) state: Option<String>,
    /// Most rows to show.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
}

/// Arguments of `release watch`.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The release.
    pub(crate) release: String,
    /// Stop with exit code 1 when something is on hold and nothing else moves.
    #[arg(long)]
    pub(crate) exit_on_hold: bool,
    /// Stop with exit code 8 when people must decide and nothing else moves.
    #[arg(long)]
    pub(crate) exit_on_people: bool,
}

/// Arguments of `release approve`.
#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE/ACTIVITY.
    pub(crate) activity: String,
    /// What to say with it.
    #[arg(long, short)]
    pub(crate) comment: Option<String>,
    /// One answer to the form, KEY=VALUE. May be repeated.
    #[arg(long = "form", short, value_name = "KEY=VALUE")]
    pub(crate) form: Vec<Pair>,
    /// File with the answers to the form, YAML or JSON.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) form_file: Option<PathBuf>,
    /// What was shown, as `release show` has it: nothing is approved if it is another by now.
    #[arg(long, value_name = "DIGEST")]
    pub(crate) content: Option<String>,
    /// In whose place, whose backup you are.
    #[arg(long = "for", value_name = "NAME")]
    pub(crate) absent: Option<String>,
}

/// Arguments of `release break-glass`.
#[derive(Debug, Args)]
pub(crate) struct BreakGlassArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE/ACTIVITY.
    pub(crate) activity: String,
    /// Why.
    #[arg(long, short)]
    pub(crate) reason: String,
    /// One answer to the form, KEY=VALUE. May be repeated.
    #[arg(long = "form", short, value_name = "KEY=VALUE")]
    pub(crate) form: Vec<Pair>,
}

/// Arguments of `release withdraw`.
#[derive(Debug, Args)]
pub(crate) struct WithdrawArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE/ACTIVITY.
    pub(crate) activity: String,
    /// Take the whole question back, as who started the release.
    #[arg(long, requires = "reason")]
    pub(crate) question: bool,
    /// Why.
    #[arg(long, short, visible_alias = "comment")]
    pub(crate) reason: Option<String>,
}

/// Arguments of `release reject`.
#[derive(Debug, Args)]
pub(crate) struct RejectArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE/ACTIVITY.
    pub(crate) activity: String,
    /// Why.
    #[arg(long, short)]
    pub(crate) comment: String,
    /// In whose place, whose backup you are.
    #[arg(long = "for", value_name = "NAME")]
    pub(crate) absent: Option<String>,
}

/// Arguments of `release review`.
#[derive(Debug, Args)]
pub(crate) struct ReviewArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE/ACTIVITY.
    pub(crate) activity: String,
    /// What you found.
    #[arg(long, short)]
    pub(crate) comment: String,
}

/// Arguments of `release retry`.
#[derive(Debug, Args)]
pub(crate) struct RetryArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE/ACTIVITY.
    pub(crate) activity: String,
    /// One value that replaces an input of the activity, KEY=VALUE. May be repeated; the others stay.
    #[arg(long = "with", value_name = "KEY=VALUE")]
    pub(crate) with: Vec<Pair>,
    /// File with the values, YAML or JSON.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) with_file: Option<PathBuf>,
}

/// Arguments of `release supply`.
#[derive(Debug, Args)]
pub(crate) struct SupplyArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE/ACTIVITY.
    pub(crate) activity: String,
    /// One output, KEY=VALUE. May be repeated.
    #[arg(long = "outputs", visible_alias = "set", value_name = "KEY=VALUE")]
    pub(crate) outputs: Vec<Pair>,
    /// File with the outputs, YAML or JSON.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) outputs_file: Option<PathBuf>,
}

/// Arguments of `release launch`.
#[derive(Debug, Args)]
pub(crate) struct LaunchArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE/ACTIVITY.
    pub(crate) activity: String,
    /// Name of the process, or NAME@VERSION.
    pub(crate) process: String,
    /// One input, KEY=VALUE; the value is JSON if it parses, else text. May be repeated.
    #[arg(long = "input", short = 'i', value_name = "KEY=VALUE")]
    pub(crate) input: Vec<Pair>,
    /// File with the inputs, YAML or JSON; `--input` goes before it.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) inputs_file: Option<PathBuf>,
}

/// Arguments of `release signal`.
#[derive(Debug, Args)]
pub(crate) struct SignalArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE/ACTIVITY.
    pub(crate) activity: String,
    /// One value of the payload, KEY=VALUE. May be repeated.
    #[arg(long = "payload", value_name = "KEY=VALUE")]
    pub(crate) payload: Vec<Pair>,
    /// File with the payload, YAML or JSON.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) payload_file: Option<PathBuf>,
    /// The secret of the signal [without it: as `why` shows it].
    #[arg(long, env = "FERMATA_SIGNAL_SECRET", hide_env_values = true)]
    pub(crate) secret: Option<String>,
    /// Names the delivery, so that it can be repeated.
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
}

/// An activity and the reason to change it.
#[derive(Debug, Args)]
pub(crate) struct ActivityArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE/ACTIVITY.
    pub(crate) activity: String,
    /// Why.
    #[arg(long, short)]
    pub(crate) reason: String,
}

/// Arguments of `release amend`. What has begun keeps what it was given.
#[derive(Debug, Args)]
pub(crate) struct AmendArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE/ACTIVITY, for its outputs or attempts.
    pub(crate) activity: Option<String>,
    /// One input of the release, KEY=VALUE. May be repeated; the others stay.
    #[arg(
        long = "input",
        short = 'i',
        value_name = "KEY=VALUE",
        conflicts_with = "activity"
    )]
    pub(crate) input: Vec<Pair>,
    /// File with inputs of the release, YAML or JSON; `--input` goes before it.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with = "activity")]
    pub(crate) inputs_file: Option<PathBuf>,
    /// One output of the activity, KEY=VALUE. May be repeated; these are all its outputs from then on.
    #[arg(
        long = "outputs",
        visible_alias = "set",
        value_name = "KEY=VALUE",
        requires = "activity"
    )]
    pub(crate) outputs: Vec<Pair>,
    /// File with the outputs of the activity, YAML or JSON.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, requires = "activity")]
    pub(crate) outputs_file: Option<PathBuf>,
    /// How many more attempts the activity has.
    #[arg(long, value_name = "COUNT", requires = "activity", conflicts_with_all = ["outputs", "outputs_file"])]
    pub(crate) attempts: Option<u32>,
    /// Why.
    #[arg(long, short)]
    pub(crate) reason: String,
}

/// What is fanned out, and the reason to stop it.
#[derive(Debug, Args)]
pub(crate) struct WaveArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE, or PHASE/ACTIVITY.
    pub(crate) wave: String,
    /// Why.
    #[arg(long, short)]
    pub(crate) reason: String,
}

/// Arguments of `release resume-wave`.
#[derive(Debug, Args)]
pub(crate) struct ResumeWaveArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE, or PHASE/ACTIVITY.
    pub(crate) wave: String,
    /// Why.
    #[arg(long, short)]
    pub(crate) reason: Option<String>,
}

/// A release and the reason to change it.
#[derive(Debug, Args)]
pub(crate) struct ReasonArgs {
    /// The release.
    pub(crate) release: String,
    /// Why.
    #[arg(long, short)]
    pub(crate) reason: String,
}

/// Arguments of `release rollback`.
#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// The release.
    pub(crate) release: String,
    /// Why.
    #[arg(long, short, required_unless_present = "dry_run")]
    pub(crate) reason: Option<String>,
    /// Show what would be taken back, in which order and how, and change nothing.
    #[arg(long, conflicts_with = "reason")]
    pub(crate) dry_run: bool,
}

/// Arguments of `release rollback-wave`.
#[derive(Debug, Args)]
pub(crate) struct RollbackWaveArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE, or PHASE/ACTIVITY.
    pub(crate) wave: String,
    /// Why.
    #[arg(long, short, required_unless_present = "dry_run")]
    pub(crate) reason: Option<String>,
    /// Show what would be taken back, in which order and how, and change nothing.
    #[arg(long, conflicts_with = "reason")]
    pub(crate) dry_run: bool,
}

/// Arguments of `release retry-undo`.
#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE/ACTIVITY.
    pub(crate) activity: String,
}

/// Arguments of `release root-cause`.
#[derive(Debug, Args)]
pub(crate) struct RootCauseArgs {
    /// The release.
    pub(crate) release: String,
    /// What it was.
    #[arg(long, short)]
    pub(crate) comment: String,
}

/// Arguments of `release logs`.
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// The release.
    pub(crate) release: String,
    /// PHASE/ACTIVITY; without it, every activity that has attempts.
    pub(crate) activity: Option<String>,
    /// Only this attempt [default: all].
    #[arg(long, requires = "activity")]
    pub(crate) attempt: Option<u32>,
}

/// Arguments of `release events`.
#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// The release.
    pub(crate) release: String,
    /// Only events after this number.
    #[arg(long)]
    pub(crate) after: Option<u64>,
    /// Go on as new events happen, until the release ends.
    #[arg(long, short)]
    pub(crate) follow: bool,
}

/// Arguments of `release pause`.
#[derive(Debug, Args)]
pub(crate) struct PauseArgs {
    /// The release.
    pub(crate) release: String,
    /// Why.
    #[arg(long, short)]
    pub(crate) reason: Option<String>,
}
