//! The settings of a server: flag, then `FERMATA_*`, then the TOML file, then the default.
//!
//! clap reads flags and environment together; this file adds the other two and checks the whole.
//! It is the one place that knows what can be set.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fermata_core::time::Span;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::cli::args::{LogFormat, ServeArgs};
use crate::keyring::{CREDENTIALS, Surroundings, VARIABLE};

/// Where everything is kept, unless told otherwise.
pub(crate) const DATA_DIR_DEFAULT: &str = "./fermata-data";
/// Where the server listens, unless told otherwise: loopback only.
const LISTEN_DEFAULT: &str = "127.0.0.1:7717";
/// What is logged, unless told otherwise.
const LOG_DEFAULT: &str = "info";
/// Longest configuration file that is read: it holds a dozen lines.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// Most connections at a time, unless told otherwise: below the usual limit of 1,024 open files,
/// with room for the store.
const CONNECTIONS_DEFAULT: usize = 768;
/// How long a stop waits for requests and runs, unless told otherwise.
const GRACE_DEFAULT: Span = Span(10_000);
/// Most runs that the sandbox can be set to have at a time: each reserves address space.
const RUNS_MAX: usize = 1_000;

/// Most bytes of compiled code that can be asked for: more than any disk has to spare for it.
const CACHE_BYTES_MAX: usize = 1 << 44;

/// Everything a server needs to know before it starts.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Where everything is kept.
    pub(crate) data_dir: PathBuf,
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// What to log.
    pub(crate) log: String,
    /// How to write the log; by default text on a terminal and JSON elsewhere.
    pub(crate) log_format: Option<LogFormat>,
    /// Most connections at a time.
    pub(crate) connections: usize,
    /// How long a stop waits for requests and runs.
    pub(crate) grace: Duration,
    /// Most runs at a time; by default the service's own number.
    pub(crate) runs: Option<usize>,
    /// Most bytes of compiled code on disk; by default the sandbox's own number.
    pub(crate) cache_bytes: Option<u64>,
    /// Which attempts leave a recording behind.
    pub(crate) recordings: RecordingsKept,
    /// The component that runs scripts, if it is not beside the program.
    pub(crate) interpreter: Option<PathBuf>,
    /// File with the keys that seal secrets, if one is named.
    pub(crate) secrets_key_file: Option<PathBuf>,
    /// What the environment says about these keys.
    pub(crate) surroundings: Surroundings,
    /// Host names under which the server is known, beside the address it listens on.
    pub(crate) hosts: Vec<String>,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is larger than any configuration.
    #[error("the configuration {} is larger than {FILE_BYTES_MAX} bytes", path.display())]
    Large {
        /// Which.
        path: PathBuf,
    },
    /// The file is not what it should be.
    #[error("the configuration {} cannot be used: {reason}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// Why, with the place.
        reason: String,
    },
    /// A value is out of range.
    #[error("{setting}: {reason}")]
    Value {
        /// Which setting.
        setting: &'static str,
        /// Why.
        reason: String,
    },
}

/// The file, as it is written. An unknown key is an error, so that a misspelt one is noticed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    data_dir: Option<PathBuf>,
    listen: Option<SocketAddr>,
    log: Option<String>,
    log_format: Option<Format>,
    connections: Option<usize>,
    grace: Option<String>,
    runs: Option<usize>,
    cache_bytes: Option<usize>,
    #[serde(default)]
    recordings: RecordingsKept,
    interpreter: Option<PathBuf>,
    secrets_key_file: Option<PathBuf>,
    #[serde(default)]
    hosts: Vec<String>,
}

/// Which attempts leave a recording behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RecordingsKept {
    /// None.
    None,
    /// Those that did not succeed.
    #[default]
    Failed,
    /// All of them.
    All,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Format {
    Text,
    Json,
}

impl Config {
    /// The settings of a server that was started with `args`.
    pub(crate) fn load(args: &ServeArgs) -> Result<Self, ConfigError> {
        let file = match &args.config {
            Some(path) => read(path)?,
            None => Written::default(),
        };
        let mut config = merge(args, file)?;
        config.surroundings = surroundings();
        Ok(config)
    }
}

/// Keys in the environment, which are no flag: other users can read those.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
fn surroundings() -> Surroundings {
    Surroundings {
        keys: std::env::var(VARIABLE).ok().map(Zeroizing::new),
        credentials: std::env::var_os(CREDENTIALS).map(PathBuf::from),
    }
}

fn read(path: &Path) -> Result<Written, ConfigError> {
    let cannot = |source| ConfigError::Read {
        path: path.into(),
        source,
    };
    if std::fs::metadata(path).map_err(cannot)?.len() > FILE_BYTES_MAX {
        return Err(ConfigError::Large { path: path.into() });
    }
    let text = std::fs::read_to_string(path).map_err(cannot)?;
    let mut file = parse(&text).map_err(|reason| ConfigError::Content {
        path: path.into(),
        reason,
    })?;
    // A path in a file is meant from where the file is, wherever the server was started.
    let folder = path.parent().unwrap_or(Path::new("."));
    for entry in [
        &mut file.data_dir,
        &mut file.secrets_key_file,
        &mut file.interpreter,
    ] {
        *entry = entry.take().map(|path| folder.join(path));
    }
    Ok(file)
}

fn parse(text: &str) -> Result<Written, String> {
    toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
}

fn merge(args: &ServeArgs, file: Written) -> Result<Config, ConfigError> {
    let grace = match &file.grace {
        None => GRACE_DEFAULT,
        Some(text) => text.parse().map_err(|error| ConfigError::Value {
            setting: "grace",
            reason: format!("{error}"),
        })?,
    };
    let listen = args.listen.or(file.listen).unwrap_or_else(|| {
        LISTEN_DEFAULT
            .parse()
            .expect("the default is an address and a port")
    });
    let log_format = file.log_format.map(|format| match format {
        Format::Text => LogFormat::Text,
        Format::Json => LogFormat::Json,
    });
    Ok(Config {
        data_dir: args
            .data_dir
            .clone()
            .or(file.data_dir)
            .unwrap_or_else(|| DATA_DIR_DEFAULT.into()),
        listen,
        log: args
            .log
            .clone()
            .or(file.log)
            .unwrap_or_else(|| LOG_DEFAULT.into()),
        log_format: args.log_format.or(log_format),
        connections: positive("connections", file.connections, 1 << 20)?
            .unwrap_or(CONNECTIONS_DEFAULT),
        grace: Duration::from_millis(grace.0),
        runs: positive("runs", file.runs, RUNS_MAX)?,
        cache_bytes: positive("cache-bytes", file.cache_bytes, CACHE_BYTES_MAX)?
            .map(|bytes| bytes as u64),
        recordings: file.recordings,
        interpreter: args.interpreter.clone().or(file.interpreter),
        secrets_key_file: args.secrets_key_file.clone().or(file.secrets_key_file),
        surroundings: Surroundings::default(),
        hosts: file.hosts,
    })
}

fn positive(
    setting: &'static str,
    value: Option<usize>,
    most: usize,
) -> Result<Option<usize>, ConfigError> {
    match value {
        Some(number) if !(1..=most).contains(&number) => Err(ConfigError::Value {
            setting,
            reason: format!("expected 1 to {most}"),
        }),
        value => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(args: &ServeArgs, text: &str) -> Result<Config, String> {
        merge(args, parse(text)?).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_go_before_the_file_and_the_file_before_defaults() {
        let text = "listen = \"127.0.0.1:1\"\nlog = \"debug\"\nlog-format = \"json\"\ngrace = \"3s\"\nruns = 8\nrecordings = \"all\"";
        let args = ServeArgs {
            listen: Some("127.0.0.1:2".parse().unwrap()),
            ..ServeArgs::default()
        };
        let config = merged(&args, text).unwrap();
        assert_eq!(config.listen.port(), 2);
        assert_eq!((config.log.as_str(), config.runs), ("debug", Some(8)));
        assert_eq!(config.log_format, Some(LogFormat::Json));
        assert_eq!(config.grace, Duration::from_secs(3));
        assert_eq!(config.recordings, RecordingsKept::All);
        let config = merged(&ServeArgs::default(), "").unwrap();
        assert_eq!(config.listen.to_string(), LISTEN_DEFAULT);
        assert_eq!(config.data_dir, Path::new(DATA_DIR_DEFAULT));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_place() {
        for (text, expected) in [
            ("lisen = \"127.0.0.1:1\"", "lisen"),
            ("listen = \"nowhere\"", "line 1"),
            ("grace = \"soon\"", "grace"),
            ("runs = 0", "runs"),
            ("cache-bytes = 0", "cache-bytes"),
            ("recordings = \"some\"", "some"),
            ("connections = -1", "line 1"),
            ("listen = ", "line 1"),
        ] {
            let error = merged(&ServeArgs::default(), text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn paths_of_a_file_are_meant_from_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.toml");
        std::fs::write(&path, "data-dir = \"data\"\nsecrets-key-file = \"/s.key\"").unwrap();
        let args = ServeArgs {
            config: Some(path),
            ..ServeArgs::default()
        };
        let config = Config::load(&args).unwrap();
        assert_eq!(config.data_dir, folder.path().join("data"));
        let key_file = config.secrets_key_file.as_deref();
        assert_eq!(key_file, Some(Path::new("/s.key")));
    }
}
