//! The command line as clap reads it: every command and flag, nothing of what they do.

mod attempt;
mod component;
mod definition;
mod notifier;
mod people;
mod policy;
mod process;
mod rehearse;
mod release;
mod secret;
mod server;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use attempt::{AttemptCommand, ExportArgs};
pub(crate) use component::{
    ComponentCommand, GrantArgs, GrantOptions, Language, Listed, NewArgs, PublishArgs,
    PublishSource, PullArgs, PullSource, PushArgs, PushSource, QuarantineArgs, RegistryArgs,
    TestArgs,
};
pub(crate) use definition::DefinitionCommand;
pub(crate) use notifier::{DeliveriesArgs, NotifierCommand, NotifierSetArgs};
pub(crate) use people::{AttachArgs, CommentArgs, InboxArgs, TaskArgs};
pub(crate) use policy::{PolicyCommand, PolicySetArgs, PolicyTryArgs};
pub(crate) use process::{
    CheckArgs, InputSetArgs, InputSetCommand, ProcessCommand, ProcessGrantArgs, ProcessListArgs,
    ProcessShowArgs,
};
pub(crate) use rehearse::RehearseArgs;
pub(crate) use release::{
    ActivityArgs, AmendArgs, CreateArgs, EventsArgs, LaunchArgs, LogsArgs, ReleaseCommand,
    ReleaseListArgs, SignalArgs, StartArgs, WatchArgs,
};
pub(crate) use secret::{SecretCommand, SecretSetArgs};
pub(crate) use server::{
    BackupArgs, LedgerArgs, LockCommand, LogFormat, PersonBackupArgs, PrincipalCommand,
    RestoreArgs, ServeArgs, TokenCommand, TokenCreateArgs,
};

use crate::exit;

/// Where the server is unless told otherwise.
pub(crate) const SERVER_DEFAULT: &str = "http://127.0.0.1:7717";

/// Release orchestration: plan, run, prove and undo software releases.
#[derive(Debug, Parser)]
#[command(
    name = "fermata",
    version,
    propagate_version = false,
    after_help = exit::HELP,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    /// What every command understands.
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the server is, who asks, and how answers are written.
#[derive(Clone, Debug, Args)]
pub(crate) struct GlobalArgs {
    /// Address of the server.
    #[arg(long, global = true, env = "FERMATA_SERVER", default_value = SERVER_DEFAULT, value_name = "URL")]
    pub(crate) server: String,
    /// API token. Visible to other users of this machine in the list of processes; prefer a file.
    #[arg(
        long,
        global = true,
        env = "FERMATA_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub(crate) token: Option<String>,
    /// File that holds the API token [without it: ./fermata-data/bootstrap-token, if it exists].
    #[arg(
        long,
        global = true,
        env = "FERMATA_TOKEN_FILE",
        value_name = "FILE",
        value_hint = clap::ValueHint::FilePath
    )]
    pub(crate) token_file: Option<PathBuf>,
    /// How answers are written.
    #[arg(
        long,
        short,
        global = true,
        env = "FERMATA_OUTPUT",
        value_enum,
        default_value = "table",
        value_name = "FORMAT"
    )]
    pub(crate) output: Format,
    /// How long to wait for one answer of the server, such as `30s`.
    #[arg(long, global = true, default_value = "30s", value_parser = duration, value_name = "SPAN")]
    pub(crate) timeout: Duration,
}

/// How answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns, or a tree, for people.
    #[value(alias = "tree")]
    Table,
    /// JSON for programs.
    Json,
}

/// What can be asked of `fermata`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server.
    Serve(ServeArgs),
    /// Check, publish and read process documents.
    #[command(subcommand)]
    Process(ProcessCommand),
    /// Write, build and test components, upload and read them, and grant what they may reach.
    #[command(subcommand)]
    Component(ComponentCommand),
    /// Activities that are set up once and used by name.
    #[command(subcommand)]
    Definition(DefinitionCommand),
    /// Play a release through before it is started: what starts when, who approves, what may fail.
    Rehearse(Box<RehearseArgs>),
    /// Start releases, watch them, and decide what waits on people.
    #[command(subcommand)]
    Release(ReleaseCommand),
    /// Take home what an attempt asked its host, and was answered.
    #[command(subcommand)]
    Attempt(AttemptCommand),
    /// Show what waits on you, nearest deadline first.
    Inbox(InboxArgs),
    /// Show what is deployed where.
    Ledger(LedgerArgs),
    /// Show who holds which lock and who waits for it, and set how many may hold it.
    #[command(subcommand)]
    Lock(LockCommand),
    /// Set what is asked before a process is published, a release starts or an activity begins.
    #[command(subcommand)]
    Policy(Box<PolicyCommand>),
    /// Keep what components may use and never see.
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Say who outside is told of what, and see how it went.
    #[command(subcommand)]
    Notifier(NotifierCommand),
    /// Create, list and revoke API tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Say who is in which groups.
    #[command(subcommand)]
    Principal(PrincipalCommand),
    /// Write a backup of the server's data into a new directory.
    Backup(BackupArgs),
    /// Put a backup into a new data directory. The server must not be running on it.
    Restore(RestoreArgs),
    /// Check that the server can be reached and used from here.
    Doctor,
    /// Write a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Show the version of this program.
    Version,
    /// Compile the component on standard input. The server starts this itself.
    #[command(hide = true)]
    CompileComponent,
}

/// Reads a span such as `30s` or `5m`.
fn duration(text: &str) -> Result<Duration, fermata_core::time::TimeError> {
    text.parse::<fermata_core::time::Span>()
        .map(|span| Duration::from_millis(span.0))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// Whether clap accepts the words, and its complaint if not.
    fn parse(line: &str) -> Result<Cli, String> {
        Cli::try_parse_from(line.split_whitespace()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }

    /// What the documentation tells people to type.
    const DOCUMENTED: [&str; 105] = [
        "fermata serve --data-dir d --listen 127.0.0.1:0 --config c.toml",
        "fermata process check p.yaml --offline",
        "fermata process publish p.yaml",
        "fermata rehearse p.yaml --offline --inputs i.yaml -i version=1.2.3 --fail uat/sign-off --approve-after 2h --output tree",
        "fermata rehearse bank-release@2 --duration staging/payment=5m --duration-default 1m --outputs uat/sign-off={} --no-history --starts-at 2026-01-31T09:00:00Z",
        "fermata process list",
        "fermata process show bank-release@3",
        "fermata component push a.wasm b.wasm --grant http=127.0.0.1:7790;methods=GET,PUT;private --grant secret=api@example.com",
        "fermata component new --lang js hello",
        "fermata component new --lang typescript a/hello",
        "fermata component build",
        "fermata component build a/hello",
        "fermata component test --output json",
        "fermata component test a/hello --verbose",
        "fermata component test --replay failed.json --component hello.wasm",
        "fermata attempt export rel-1 staging/payment --attempt 2 --to failed.json",
        "fermata component push",
        "fermata component push oci://ghcr.io/team/deploy:1.0.0 b.wasm --grant http=example.com",
        "fermata component pull deploy@1.0.0",
        "fermata component pull deploy@1.0.0 -",
        "fermata component pull oci://ghcr.io/team/deploy@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 d.wasm",
        "fermata component publish deploy.wasm oci://127.0.0.1:5000/team/deploy --username ana --password-stdin",
        "fermata component publish deploy@1.0.0 oci://registry.test/deploy:latest --force --plain-http --username ana --password-file p",
        "fermata component grant deploy@1.0.0 --grant http=example.com",
        "fermata component list",
        "fermata component verify a.wasm b.wasm",
        "fermata component grant deploy@1.1.0 --like 1.0.0",
        "fermata component grant deploy@1.1.0 --wanted --grant http=example.com",
        "fermata component deprecate deploy@1.0.0 --notice old",
        "fermata component undeprecate deploy@1.0.0",
        "fermata component quarantine deploy@1.0.0 --reason compromised",
        "fermata component lift deploy@1.0.0 --reason mended",
        "fermata component quarantined",
        "fermata component show deploy@1.0.0",
        "fermata release start bank-release@2 --input version=1.2.3 --title May --watch",
        "fermata release start bank-release --inputs-file i.yaml --wait",
        "fermata release draft bank-release",
        "fermata release list --state running",
        "fermata release watch rel-1 --exit-on-hold",
        "fermata release show rel-1",
        "fermata release why rel-1",
        "fermata release approve rel-1 uat/sign-off --comment ok --form verdict=pass",
        "fermata release reject rel-1 uat/sign-off --comment no",
        "fermata inbox",
        "fermata release approve rel-1 uat/sign-off --for ana",
        "fermata release task rel-1 uat/sign-off journey done --comment ok",
        "fermata release comment rel-1 uat/sign-off hello --task journey --edit 0",
        "fermata release attach rel-1 uat/sign-off report.pdf --task journey",
        "fermata release attach rel-1 uat/sign-off --url https://example.com --name report",
        "fermata release break-glass rel-1 uat/sign-off --reason down",
        "fermata release review rel-1 uat/sign-off --comment right",
        "fermata principal backup ben --until 7d",
        "fermata principal backup --none",
        "fermata release retry rel-1 staging/payment --with version=1.2.4",
        "fermata release supply rel-1 staging/payment --outputs url=x",
        "fermata release skip rel-1 staging/payment --reason later",
        "fermata release fail rel-1 staging/payment --reason broken",
        "fermata release launch rel-1 a/b repair@2 --input n=1",
        "fermata release signal rel-1 wait/go --payload ticket=OPS-7 --secret s",
        "fermata release pause rel-1",
        "fermata release resume rel-1",
        "fermata release abort rel-1 --reason wrong",
        "fermata release logs rel-1 staging/payment --attempt 2",
        "fermata release events rel-1 --follow",
        "fermata ledger --environment staging --service payment",
        "fermata lock list",
        "fermata lock show env/production",
        "fermata lock set env/production --capacity 2",
        "fermata release start hotfix --emergency burning",
        "fermata policy set window --component change-window@1 --at start,activity --process bank-* --set weekdays=[1] --on-failure warn --time-limit 1s",
        "fermata policy set window --component change-window@1.0.0 --at publish --settings-file s.yaml --disabled",
        "fermata policy list",
        "fermata policy show window",
        "fermata policy try window --process bank-release@2 --input version=1.2.3 --at start",
        "fermata policy remove window",
        "fermata secret set api-key",
        "fermata secret set api-key --from-file key.txt",
        "fermata secret list",
        "fermata secret delete api-key --force",
        "fermata secret rotate",
        "fermata secret new-key keys",
        "fermata notifier set chat --component chat-notifier@1 --on release-* --on test --process bank-* --setting url=https://chat.example.com/hook --settings-file s.yaml --disabled",
        "fermata notifier list",
        "fermata notifier show chat",
        "fermata notifier test chat",
        "fermata notifier deliveries chat --standing given-up --limit 10",
        "fermata notifier remove chat",
        "fermata token create ci --role member --expires 90d",
        "fermata token list",
        "fermata token revoke tok-1",
        "fermata principal set ana --group qa --group security",
        "fermata principal show ana",
        "fermata backup /b --data-dir d",
        "fermata restore /b --data-dir d",
        "fermata doctor",
        "fermata completions bash",
        "fermata version",
        "fermata compile-component",
        "fermata doctor --server http://h:1 --token t --output json --timeout 5s",
        "fermata release rollback rel-1 --dry-run",
        "fermata release rollback rel-1 --reason wrong",
        "fermata release rollback-wave rel-1 production --reason slow",
        "fermata release retry-undo rel-1 staging/payment",
        "fermata release mark-undone rel-1 staging/payment --reason hand",
        "fermata release accept-not-undone rel-1 staging/payment --reason stays",
    ];

    #[test]
    fn every_documented_command_is_understood() {
        for line in DOCUMENTED {
            if let Err(complaint) = parse(line) {
                panic!("{line}: {complaint}");
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "fermata",
            "fermata serve --listen nowhere",
            "fermata component new hello",
            "fermata component new --lang cobol hello",
            "fermata component push a.wasm --grant ftp=x",
            "fermata component push oci://ghcr.io",
            "fermata component pull deploy",
            "fermata component pull deploy.wasm",
            "fermata component pull oci://ghcr.io/Team/deploy:1",
            "fermata component publish deploy.wasm",
            "fermata component publish deploy.wasm ghcr.io/team/deploy",
            "fermata component publish a.wasm oci://r/a --password-stdin",
            "fermata component publish a.wasm oci://r/a --username u --password-stdin --password-file f",
            "fermata component quarantine deploy@1.0.0",
            "fermata component test --component hello.wasm",
            "fermata attempt export rel-1",
            "fermata component grant deploy@1.0.0 --wanted --like 1.0.0",
            "fermata policy set window --at start",
            "fermata policy try window",
            "fermata secret set api-key value-as-an-argument",
            "fermata notifier set chat --component chat-notifier@1",
            "fermata release abort rel-1",
            "fermata release reject rel-1 a/b",
            "fermata release start p --input novalue",
            "fermata release start p --watch --wait",
            "fermata doctor --timeout soon",
            "fermata doctor --output xml",
            "fermata restore /b",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_help_names_the_exit_codes() {
        let help = Cli::command().render_long_help().to_string();
        assert!(help.contains("Exit codes"), "{help}");
        assert!(help.contains("unreachable") || help.contains("cannot be reached"));
    }
}
