//! `fermata serve`: from settings to a listening server, and in order to its end.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::access::Secret;
use crate::cli::args::{LogFormat, ServeArgs};
use crate::config::{Config, ConfigError};
use crate::exit::Exit;
use crate::http::request::{Hosts, RequestIds};
use crate::http::server::Server;
use crate::http::stopping::Stopping;
use crate::http::wasm::Downloads;
use crate::http::{self, Api};
use crate::interpreter::{self, InterpreterError};
use crate::wire::{self, Data, OpenError, Opened};

/// Where the server says on which address it listens, for programs that let it choose the port.
const ADDRESS_FILE: &str = "address";
/// Most threads for what blocks: reads of the store, uploads, backups. Idle ones end.
const BLOCKING_THREADS_MAX: usize = 64;
/// How long what still blocks at the end is waited for: all of it has had its time before.
const LEFTOVERS: Duration = Duration::from_secs(2);

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// What to log makes no sense.
    #[error("log: `{0}` is not a filter such as `info` or `fermata=debug`")]
    Log(String),
    /// It cannot listen where it should.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// What is stored cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Scripts cannot be run.
    #[error(transparent)]
    Interpreter(#[from] InterpreterError),
    /// The machine does not give what every program needs.
    #[error("cannot start: {0}")]
    Machine(#[from] io::Error),
}

impl ServeError {
    fn exit(&self) -> Exit {
        match self {
            Self::Config(_) | Self::Log(_) => Exit::Usage,
            Self::Listen { .. } | Self::Open(_) | Self::Interpreter(_) | Self::Machine(_) => {
                Exit::Failure
            }
        }
    }

    fn next(&self) -> Option<&'static str> {
        match self {
            Self::Listen { source, .. } => match source.kind() {
                io::ErrorKind::AddrInUse => {
                    Some("stop what listens there, or choose another port with --listen")
                }
                io::ErrorKind::PermissionDenied => Some("choose a port above 1023 with --listen"),
                _ => Some("choose an address of this machine with --listen"),
            },
            _ => None,
        }
    }
}

/// Runs the server until a signal ends it.
pub(crate) fn serve(args: &ServeArgs) -> Exit {
    match start(args) {
        Ok(()) => Exit::Ok,
        Err(error) => {
            let next = error.next().map(|next| format!("  next: {next}\n"));
            let text = format!("error: {error}\n{}", next.unwrap_or_default());
            // If even standard error is closed, the exit code still tells.
            drop(io::stderr().write_all(text.as_bytes()));
            error.exit()
        }
    }
}

fn start(args: &ServeArgs) -> Result<(), ServeError> {
    let config = Config::load(args)?;
    log_to_stderr(&config)?;
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()?;
    let outcome = runtime.block_on(run(config));
    // Threads that still ran while the process ends could meet a store that is being taken down.
    runtime.shutdown_timeout(LEFTOVERS);
    outcome
}

fn log_to_stderr(config: &Config) -> Result<(), ServeError> {
    let filter =
        EnvFilter::try_new(&config.log).map_err(|_| ServeError::Log(config.log.clone()))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    let terminal = io::stderr().is_terminal();
    let set = match config.log_format {
        Some(LogFormat::Json) => log.json().try_init(),
        None if !terminal => log.json().try_init(),
        Some(LogFormat::Text) | None => log.try_init(),
    };
    set.map_err(|error| ServeError::Machine(io::Error::other(error)))
}

async fn run(config: Config) -> Result<(), ServeError> {
    let stopping = Stopping::default();
    watch_signals(stopping.clone())?;
    let listen = |source| ServeError::Listen {
        address: config.listen,
        source,
    };
    // First of all, since it is what most often fails.
    let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "listening to other machines without TLS: tokens can be read on the way; put a proxy with TLS in front");
    }
    let settings = config.clone();
    let opened = tokio::task::spawn_blocking(move || wire::open(&settings))
        .await
        .map_err(io::Error::other)??;
    let first_token = opened.first_token.clone();
    let hosts = Hosts::new(address.ip().is_loopback(), config.hosts.clone());
    let (api, data) = api(opened, hosts, stopping.clone());
    if let Some(path) = interpreter::find(config.interpreter.as_deref()) {
        interpreter::take_in(&api, &path).await?;
    }
    let place = write_address(&config.data_dir, address)?;
    announce(&config, address, first_token.as_ref())?;
    let server = Server {
        listener,
        router: http::router(Arc::clone(&api)),
        connections: config.connections,
        open: api.metrics.connections.clone(),
    };
    server.run(stopping.begun(), config.grace).await;
    drop(fs::remove_file(place));
    api.service.stop(config.grace).await;
    tracing::info!("stopped");
    // Until here the data directory is ours.
    drop(data);
    Ok(())
}

/// What the routes work with, and the data directory, to be kept until the end.
fn api(opened: Opened, hosts: Hosts, stopping: Stopping) -> (Arc<Api>, Data) {
    let clock = Arc::clone(&opened.data.clock);
    let start = u64::try_from(clock.now().0).unwrap_or(0);
    let api = Api {
        service: opened.service,
        sandbox: opened.sandbox,
        clock,
        access: opened.access,
        signals: opened.signals,
        uploads: opened.uploads,
        downloads: Downloads::default(),
        secrets: opened.secrets,
        keys_from: opened.keys_from,
        hosts,
        request_ids: RequestIds::new(start),
        metrics: http::metrics::Metrics::default(),
        stopping,
        description: http::description(),
    };
    (Arc::new(api), opened.data)
}

/// The first signal begins the end, the second ends at once.
fn watch_signals(stopping: Stopping) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        either(&mut terminate, &mut interrupt).await;
        tracing::info!("stopping; a second signal stops at once");
        stopping.begin();
        either(&mut terminate, &mut interrupt).await;
        tracing::warn!("stopped at once; what was acknowledged is on disk");
        std::process::exit(Exit::Failure as i32);
    });
    Ok(())
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Says where the server listens, and where the token is to call it with.
fn announce(config: &Config, address: SocketAddr, first: Option<&Secret>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if let Some(token) = first {
        writeln!(out, "first token, shown only now: {}", token.expose())?;
    }
    write!(out, "fermata listens on http://{address}")?;
    let token_file = config.data_dir.join(wire::TOKEN_FILE);
    if token_file.exists() {
        write!(out, ", token in {}", token_file.display())?;
    }
    writeln!(out)?;
    out.flush()
}

/// Writes the address into the data directory; whole, since others wait for the file.
fn write_address(data_dir: &Path, address: SocketAddr) -> io::Result<PathBuf> {
    let place = data_dir.join(ADDRESS_FILE);
    let draft = data_dir.join(format!("{ADDRESS_FILE}.new"));
    fs::write(&draft, format!("{address}\n"))?;
    fs::rename(&draft, &place)?;
    Ok(place)
}
