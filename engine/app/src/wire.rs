//! The wiring: the one file that knows which store, which sandbox and which clock there are.

mod token;
mod trial;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use axum::body::Bytes;
use fermata_core::attempt::{Invocation, Ran};
use fermata_core::component::Grants;
use fermata_core::extension::{Judged, Notification, Notified, Question};
use fermata_core::id::Digest;
use fermata_core::time::Timestamp;
use fermata_host::{
    AdmitError, Blobs, Compiler, Limits, NoSecret, Recordings, Sandbox, SandboxConfig, Secrets,
};
use fermata_service::clock::{Clock, SystemClock};
use fermata_service::directory::Directory;
use fermata_service::ids::IdSource;
use fermata_service::runner::{ProgressSink, Runner};
use fermata_service::secrets::{SecretError, ValueError, Vault};
use fermata_service::{Parts, Service};
use fermata_store::{Batch, DataDirectory, Record, Rocks, Scan, Store, Table};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use zeroize::Zeroizing;

use crate::access::signals::{self, Signals};
use crate::access::{Access, Change, Secret};
use crate::config::{Config, RecordingsKept};
use crate::http::dto::meta::LimitBody;
use crate::http::{Admission, Admitted, NativeCache, Rejected, Verified};
use crate::keyring::{self, KeyError, Source};
use crate::uploads::Uploads;
pub(crate) use token::write_token;
pub(crate) use trial::{Sandboxed, trial};

/// Where the first administrator's token is, within the data directory.
pub(crate) const TOKEN_FILE: &str = "bootstrap-token";
/// Where the key is that seals compiled components, within the data directory.
const CACHE_KEY_FILE: &str = "cache.key";
/// The hidden command that compiles a component in a process of its own.
const COMPILE_COMMAND: &str = "compile-component";
/// Where components are gathered that arrive in pieces, within the cache.
const UPLOADS_DIR: &str = "uploads";
/// Records of [`Table::Access`] that are read at a time.
const ACCESS_PER_READ: usize = 1_000;

/// Why what is stored cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The data directory or the database in it.
    #[error("{0}")]
    Store(#[from] fermata_store::Error),
    /// The sandbox.
    #[error("the sandbox cannot be set up: {0}")]
    Sandbox(#[from] fermata_host::Error),
    /// A component that is not admitted.
    #[error("it is not admitted: {}", chain(.0))]
    Admission(#[from] AdmitError),
    /// The engine.
    #[error("the engine cannot be started: {}", chain(.0))]
    Service(#[from] fermata_service::Error),
    /// The keys of secrets.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The secrets.
    #[error("the secrets cannot be read: {}", chain(.0))]
    Secrets(#[from] SecretError),
    /// A file of our own.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl OpenError {
    /// What to do next, where that is known.
    pub(crate) fn next(&self) -> Option<String> {
        match self {
            Self::Admission(AdmitError::Rejected(rejection)) => Some(rejection.remedy().to_owned()),
            _ => None,
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}

/// A data directory that belongs to this process.
#[derive(Debug)]
pub(crate) struct Data {
    /// Keeps others out for as long as it lives.
    pub(crate) directory: DataDirectory,
    /// What is in it.
    pub(crate) store: Arc<dyn Store>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
}

impl Data {
    /// Takes a data directory; makes it if there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, fermata_store::Error> {
        let directory = DataDirectory::open(path)?;
        let store = Arc::new(Rocks::open(&directory.db())?);
        Ok(Self {
            directory,
            store,
            clock: Arc::new(SystemClock::default()),
        })
    }

    /// Everybody who may call.
    pub(crate) fn access(&self) -> Result<Access, fermata_store::Error> {
        let mut records: Vec<Record> = Vec::new();
        loop {
            let scan = Scan {
                after: records.last().map(|(key, _)| key.clone()),
                limit: ACCESS_PER_READ,
                ..Scan::default()
            };
            let found = self.store.scan(Table::Access, &scan)?;
            if found.is_empty() {
                break;
            }
            records.extend(found);
        }
        Access::load(&records).map_err(|error| error.of("a token or principal"))
    }
}

/// Everything that a server works with.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The engine, running.
    pub(crate) service: Service,
    /// What it stores in.
    pub(crate) data: Data,
    /// Who looks at uploads.
    pub(crate) sandbox: Arc<dyn Admission>,
    /// Who may call.
    pub(crate) access: Arc<Access>,
    /// The secrets of signals.
    pub(crate) signals: Signals,
    /// Components that arrive in pieces.
    pub(crate) uploads: Arc<Uploads>,
    /// The secrets that runs use.
    pub(crate) secrets: Arc<Vault>,
    /// Where the keys of secrets come from.
    pub(crate) keys_from: Source,
    /// The first token, if this is the first start.
    pub(crate) first_token: Option<Secret>,
}

/// Opens the data directory and starts the engine on it, within a runtime. Blocks until every open
/// release is loaded.
pub(crate) fn open(config: &Config) -> Result<Opened, OpenError> {
    let data = Data::open(&config.data_dir)?;
    let mut limits = fermata_service::config::Config::default();
    if let Some(runs) = config.runs {
        limits.runs_max = runs;
    }
    let (secrets, keys_from) = secrets(config, &data)?;
    let opener = Opener(Arc::clone(&secrets));
    let sandbox = sandbox(config, &data, opener, limits.runs_max)?;
    let access = Arc::new(data.access()?);
    let first_token = if access.is_new() {
        Some(first_token(&data, &access)?)
    } else {
        None
    };
    let signals = signals(&data)?;
    let uploads = uploads(&data)?;
    let runner = Arc::new(Runs(sandbox.clone()));
    let parts = Parts {
        store: Arc::clone(&data.store),
        runner,
        clock: Arc::clone(&data.clock),
        directory: Arc::clone(&access) as Arc<dyn Directory>,
        ids: IdSource::random(),
        runtime: Handle::current(),
    };
    let service = Service::open(parts, limits)?;
    Ok(Opened {
        service,
        data,
        sandbox: Arc::new(Admits(sandbox)),
        access,
        signals,
        uploads,
        secrets,
        keys_from,
        first_token,
    })
}

/// The secrets, and where their keys come from. The first start makes a key if none is given; a later
/// one without its key does not, since that one may only be mislaid.
fn secrets(config: &Config, data: &Data) -> Result<(Arc<Vault>, Source), OpenError> {
    let named = config.secrets_key_file.as_deref();
    let folder = data.directory.path();
    let (source, keys) = keyring::find(named, &config.surroundings, folder)?;
    let mut vault = Vault::open(&*data.store, keys)?;
    if let Source::Own(path) = &source
        && !vault.has_key()
        && vault.list().is_empty()
    {
        let failed = |source| OpenError::File {
            path: path.clone(),
            source,
        };
        let keys = keyring::fresh().map_err(failed)?;
        keyring::write(path, &keys).map_err(failed)?;
        vault = Vault::open(&*data.store, keys)?;
    }
    for secret in vault.list() {
        if let Some(fault) = secret.fault {
            let name = secret.name;
            tracing::error!(
                "the secret `{name}` cannot be opened: {fault}. The keys are from {source}: \
                 add the missing one and restart, or set the secret again"
            );
        }
    }
    Ok((Arc::new(vault), source))
}

/// Components are compiled by this program, in a process of its own.
fn compiler() -> Result<Compiler, OpenError> {
    let own = std::env::current_exe().map_err(|source| OpenError::File {
        path: "/proc/self/exe".into(),
        source,
    })?;
    Ok(Compiler::Child {
        program: own,
        args: vec![OsString::from(COMPILE_COMMAND)],
    })
}

fn sandbox(
    config: &Config,
    data: &Data,
    secrets: Opener,
    runs: usize,
) -> Result<Sandbox, OpenError> {
    let compiler = compiler()?;
    let clock = Arc::clone(&data.clock);
    let key = data.directory.path().join(CACHE_KEY_FILE);
    let clock = Arc::new(move || clock.now());
    let mut settings = SandboxConfig::new(data.directory.cache(), key, compiler, clock);
    settings.limits.concurrent_runs = runs as u64;
    settings.cache_bytes = config.cache_bytes.unwrap_or(settings.cache_bytes);
    settings.secrets = Arc::new(secrets);
    settings.recordings = match config.recordings {
        RecordingsKept::None => Recordings::None,
        RecordingsKept::Failed => Recordings::Failed,
        RecordingsKept::All => Recordings::All,
    };
    set_up(settings, Arc::new(StoredBlobs(Arc::clone(&data.store))))
}

fn set_up(settings: SandboxConfig, blobs: Arc<dyn Blobs>) -> Result<Sandbox, OpenError> {
    Ok(Sandbox::new(settings, blobs)?)
}

/// What has arrived of components that are sent in pieces. It may be lost, so it is in the cache.
fn uploads(data: &Data) -> Result<Arc<Uploads>, OpenError> {
    let path = data.directory.cache().join(UPLOADS_DIR);
    let loaded = Uploads::load(path.clone(), data.clock.now());
    let uploads = loaded.map_err(|source| OpenError::File { path, source })?;
    Ok(Arc::new(uploads))
}

/// The key of signals; made by the first start.
fn signals(data: &Data) -> Result<Signals, OpenError> {
    if let Some(stored) = data.store.get(Table::Meta, signals::RECORD)? {
        let read = Signals::read(&stored);
        return Ok(read.map_err(|error| error.of("the key of signals"))?);
    }
    let signals = Signals::draw().map_err(|source| OpenError::File {
        path: "/dev/urandom".into(),
        source,
    })?;
    data.store.commit(Batch {
        writes: vec![signals.write()],
        ..Batch::default()
    })?;
    Ok(signals)
}

/// Makes the first administrator. The file comes first: a token that is stored and not known to
/// anybody would lock everybody out.
fn first_token(data: &Data, access: &Access) -> Result<Secret, OpenError> {
    let secret = write_token(data.directory.path())?;
    let changes = Access::first(&secret, data.clock.now());
    data.store.commit(Batch {
        writes: changes.iter().map(Change::write).collect(),
        ..Batch::default()
    })?;
    for change in changes {
        access.learn(change);
    }
    Ok(secret)
}

/// The time, for the ages that people see.
pub(crate) fn now() -> Timestamp {
    SystemClock::default().now()
}

/// The compiling process; see [`fermata_host::compile_child_main`].
pub(crate) fn compile_component() -> ExitCode {
    fermata_host::compile_child_main()
}

/// The components in the store.
#[derive(Debug)]
struct StoredBlobs(Arc<dyn Store>);

impl Blobs for StoredBlobs {
    fn component(&self, digest: &Digest) -> Option<Vec<u8>> {
        match fermata_service::blob(&*self.0, digest) {
            Ok(found) => found,
            Err(error) => {
                tracing::error!("cannot read component {digest}: {error}");
                None
            }
        }
    }
}

/// The vault as what opens secrets for runs.
#[derive(Debug)]
struct Opener(Arc<Vault>);

impl Secrets for Opener {
    fn open(&self, name: &str) -> Result<Zeroizing<String>, NoSecret> {
        self.0.value(name).map_err(|error| match error {
            ValueError::Unknown => NoSecret::Unknown,
            ValueError::Fault(fault) => NoSecret::Sealed(fault.to_string()),
        })
    }
}

/// The sandbox as what the engine runs attempts with.
#[derive(Debug)]
struct Runs(Sandbox);

impl Runner for Runs {
    fn run(
        &self,
        invocation: Invocation,
        grants: Arc<Grants>,
        progress: ProgressSink,
    ) -> BoxFuture<'static, Ran> {
        self.0.run(invocation, grants, progress)
    }

    fn notify(
        &self,
        notification: Notification,
        grants: Arc<Grants>,
    ) -> BoxFuture<'static, Notified> {
        self.0.notify(notification, grants)
    }

    fn judge(&self, question: Question, grants: Arc<Grants>) -> BoxFuture<'static, Judged> {
        self.0.judge(question, grants)
    }
}

/// The sandbox as what looks at uploads.
#[derive(Debug)]
struct Admits(Sandbox);

impl Admission for Admits {
    fn admit(&self, upload: Bytes) -> BoxFuture<'static, Result<Admitted, Rejected>> {
        let sandbox = self.0.clone();
        async move {
            let admitted = sandbox.admit(upload.into()).await.map_err(rejected)?;
            Ok(Admitted {
                descriptor: admitted.descriptor,
                digest: admitted.digest,
                bytes: admitted.component,
            })
        }
        .boxed()
    }

    fn verify(&self, upload: Bytes) -> BoxFuture<'static, Result<Verified, Rejected>> {
        let sandbox = self.0.clone();
        async move {
            let verified = sandbox.verify(upload.into()).await.map_err(rejected)?;
            Ok(Verified {
                descriptor: verified.descriptor,
                digest: verified.digest,
                imports: verified.imports,
                upload_bytes: verified.upload_bytes,
                component_bytes: verified.component_bytes,
                native_bytes: verified.native_bytes,
            })
        }
        .boxed()
    }

    fn native_cache(&self) -> NativeCache {
        let now = self.0.cache();
        NativeCache {
            files: now.files,
            bytes: now.bytes,
            bytes_max: now.bytes_max,
            hits: now.hits,
            misses: now.misses,
            removed: now.removed,
        }
    }

    fn limits(&self) -> Vec<LimitBody> {
        limits_of_guests(self.0.limits())
    }
}

fn limits_of_guests(limits: &Limits) -> Vec<LimitBody> {
    let body = |limit: fermata_host::Limit| LimitBody {
        name: limit.name.into(),
        value: limit.value,
        unit: limit.unit.into(),
        beyond: limit.beyond.into(),
        remedy: limit.remedy.into(),
    };
    limits.table().into_iter().map(body).collect()
}

fn rejected(error: AdmitError) -> Rejected {
    match error {
        AdmitError::Rejected(rejection) => Rejected::Faulty {
            code: rejection.code(),
            may_pass: rejection.may_pass(),
            detail: rejection.to_string(),
            remedy: rejection.remedy(),
        },
        AdmitError::Failed(error) => Rejected::Error(chain(&error)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The tables of engine/docs/limits.md, as they have to be.
    fn tables() -> String {
        let limits = Limits {
            concurrent_runs: fermata_service::config::Config::default().runs_max as u64,
            ..Limits::default()
        };
        let head = "| limit | value | beyond | what to do |\n|---|---:|---|---|\n";
        let table = |rows: Vec<LimitBody>| {
            let lines = rows.iter().map(|row| {
                let value = format!("{} {}", grouped(row.value), row.unit);
                format!(
                    "| `{}` | {value} | {} | {} |\n",
                    row.name, row.beyond, row.remedy
                )
            });
            lines.collect::<String>()
        };
        let guests = table(limits_of_guests(&limits));
        let others = table(crate::http::meta::limits_of_the_server());
        format!(
            "## Guests and their components\n\n{head}{guests}\n## Documents, rehearsals and requests\n\n{head}{others}"
        )
    }

    /// With commas between thousands.
    fn grouped(number: u64) -> String {
        let digits = number.to_string();
        let groups = digits.as_bytes().rchunks(3).rev();
        let groups: Vec<_> = groups.map(String::from_utf8_lossy).collect();
        groups.join(",")
    }

    #[test]
    fn the_documentation_shows_every_limit_as_it_is() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/limits.md");
        let text = fs::read_to_string(&path).unwrap();
        let begins = text.find("## Guests and their components");
        let begins = begins.unwrap_or(text.len());
        let current = format!("{}{}", &text[..begins], tables());
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &current).unwrap();
            return;
        }
        assert!(
            text == current,
            "engine/docs/limits.md is behind: run this test with UPDATE=1"
        );
    }

    #[test]
    fn the_first_token_is_issued_once() {
        let folder = tempfile::tempdir().unwrap();
        let data = Data::open(folder.path()).unwrap();
        let access = data.access().unwrap();
        assert!(access.is_new());
        let secret = first_token(&data, &access).unwrap();
        let now = data.clock.now();
        assert!(access.authenticate(secret.expose(), now).is_ok());
        let again = data.access().unwrap();
        assert!(!again.is_new());
        assert!(again.authenticate(secret.expose(), now).is_ok());
    }
}
