//! `fermata serve`, and what operators do around it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Arguments of `serve`. What is absent comes from the configuration file, else from the defaults.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ServeArgs {
    /// Where everything is kept [default: ./fermata-data].
    #[arg(long, env = "FERMATA_DATA_DIR", value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) data_dir: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:7717].
    #[arg(long, env = "FERMATA_LISTEN", value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Configuration file, TOML. Flags and environment go before it.
    #[arg(long, env = "FERMATA_CONFIG", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    /// Component that runs scripts [default: javascript.wasm beside this program, if it is there].
    #[arg(long, env = "FERMATA_INTERPRETER", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) interpreter: Option<PathBuf>,
    /// File with the keys that seal secrets [default: secrets.key in the data directory].
    #[arg(long, env = "FERMATA_SECRETS_KEY_FILE", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) secrets_key_file: Option<PathBuf>,
    /// What to log, such as `info` or `fermata=debug`.
    #[arg(long, env = "FERMATA_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// How to write the log [default: text].
    #[arg(long, env = "FERMATA_LOG_FORMAT", value_enum, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
}

/// How the server writes its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object for each line.
    Json,
}

/// Arguments of `backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// New directory on the server's machine.
    #[arg(value_hint = clap::ValueHint::DirPath)]
    pub(crate) directory: PathBuf,
    /// If no server answers, read this data directory directly.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) data_dir: Option<PathBuf>,
}

/// Arguments of `restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// What `fermata backup` wrote.
    #[arg(value_hint = clap::ValueHint::DirPath)]
    pub(crate) backup: PathBuf,
    /// New data directory.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) data_dir: PathBuf,
}

/// What can be done with locks.
#[derive(Debug, Subcommand)]
pub(crate) enum LockCommand {
    /// List the locks that somebody holds or waits for.
    List,
    /// Show who holds a lock, and who waits for it, the next one first.
    Show {
        /// The lock.
        name: String,
    },
    /// Set how many may hold a lock at a time.
    Set {
        /// The lock.
        name: String,
        /// How many.
        #[arg(long)]
        capacity: u32,
    },
}

/// Arguments of `ledger`.
#[derive(Debug, Args)]
pub(crate) struct LedgerArgs {
    /// Only this environment.
    #[arg(long, short)]
    pub(crate) environment: Option<String>,
    /// Only this service.
    #[arg(long, short)]
    pub(crate) service: Option<String>,
}

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Create a token. It is shown once.
    Create(TokenCreateArgs),
    /// List the tokens, without their secrets.
    List,
    /// Revoke a token: it stops working at once.
    Revoke {
        /// Id of the token, as `token list` shows it.
        id: String,
    },
}

/// Arguments of `token create`.
#[derive(Debug, Args)]
pub(crate) struct TokenCreateArgs {
    /// Who acts with it.
    pub(crate) principal: String,
    /// What it may do.
    #[arg(long, default_value = "member")]
    pub(crate) role: String,
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    pub(crate) label: Option<String>,
    /// How long it works, such as `90d` [default: until it is revoked].
    #[arg(long, value_name = "SPAN")]
    pub(crate) expires: Option<String>,
}

/// What can be done with principals.
#[derive(Debug, Subcommand)]
pub(crate) enum PrincipalCommand {
    /// Say in which groups somebody is. Replaces what was said before.
    Set {
        /// The person or machine account.
        name: String,
        /// A group, without `group:`. May be repeated; none at all empties the list.
        #[arg(long = "group", short, value_name = "GROUP")]
        groups: Vec<String>,
    },
    /// Name who acts in your place for a while; without a name, show who does.
    Backup(PersonBackupArgs),
    /// Show in which groups somebody is; without a name, yourself.
    Show {
        /// The person or machine account.
        name: Option<String>,
    },
}

/// Arguments of `principal backup`.
#[derive(Debug, Args)]
pub(crate) struct PersonBackupArgs {
    /// The person.
    #[arg(requires = "until")]
    pub(crate) name: Option<String>,
    /// Until when: a time, or a span from now such as `7d`.
    #[arg(long, requires = "name")]
    pub(crate) until: Option<String>,
    /// From when on [default: now].
    #[arg(long, requires = "name")]
    pub(crate) from: Option<String>,
    /// Nobody any more.
    #[arg(long, conflicts_with = "name")]
    pub(crate) none: bool,
}
