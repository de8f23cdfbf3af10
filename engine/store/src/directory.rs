//! The data directory: who may use it, and in which format it is.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::{Error, files};

/// Format of the data directory that this build reads and writes. A change that older builds cannot
/// read counts it up.
pub const FORMAT: u32 = 1;

pub(crate) const DATABASE: &str = "db";
pub(crate) const FORMAT_FILE: &str = "FORMAT";
pub(crate) const FORMAT_PREFIX: &str = "fermata-data ";
const CACHE: &str = "cache";
const LOCK_FILE: &str = "LOCK";
const TOKEN_FILE: &str = "bootstrap-token";

/// A data directory that belongs to this process for as long as this value lives.
///
/// It holds `db/` (the database), `cache/` (compiled components, which may be deleted while no server
/// runs and are not backed up), `bootstrap-token`, `FORMAT` and `LOCK`.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    /// Closing the file, as the end of the process does, gives the lock back.
    _lock: File,
}

impl DataDirectory {
    /// Takes the directory; makes it, for its owner only, if there is none.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let lock = take(path)?;
        if !is_formatted(path)? {
            write_format(path)?;
        }
        let directory = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        for part in [directory.db(), directory.cache()] {
            files::create_private(&part).map_err(|error| unusable(&part, &error))?;
        }
        Ok(directory)
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the database is.
    pub fn db(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Where compiled components are kept.
    pub fn cache(&self) -> PathBuf {
        self.path.join(CACHE)
    }

    /// The file of the first administrator's token.
    pub fn bootstrap_token(&self) -> PathBuf {
        self.path.join(TOKEN_FILE)
    }
}

/// Makes the directory if there is none, looks whether it may be used, and locks it.
pub(crate) fn take(path: &Path) -> Result<File, Error> {
    files::create_private(path).map_err(|error| unusable(path, &error))?;
    // Names before the format: another process that is just making the directory writes the format
    // before anything that is not known here.
    let names = files::names(path).map_err(|error| unusable(path, &error))?;
    let unfinished = format!("{FORMAT_FILE}{}", files::UNFINISHED);
    let foreign = names
        .iter()
        .find(|name| **name != LOCK_FILE && **name != unfinished);
    if let Some(foreign) = foreign
        && !is_formatted(path)?
    {
        return Err(Error::Directory(format!(
            "{} is not empty and not a data directory: it holds `{foreign}` and no `{FORMAT_FILE}`; \
             name an empty or new directory, or delete what an interrupted restore left there",
            path.display()
        )));
    }
    lock(path)
}

/// Makes a locked, empty directory the home of a database that was gathered inside of it. Until the
/// last write it is none, and is refused as such.
pub(crate) fn furnish(path: &Path, database: &Path) -> Result<(), Error> {
    let placed = path.join(DATABASE);
    fs::rename(database, &placed)
        .and_then(|()| files::sync_parent(&placed))
        .map_err(|error| unusable(path, &error))?;
    write_format(path)
}

fn write_format(path: &Path) -> Result<(), Error> {
    let text = format!("{FORMAT_PREFIX}{FORMAT}\n");
    files::write_whole(&path.join(FORMAT_FILE), text.as_bytes())
        .map_err(|error| unusable(path, &error))
}

/// Whether the directory is one that this build wrote or may write to.
pub(crate) fn is_formatted(path: &Path) -> Result<bool, Error> {
    let text = match fs::read_to_string(path.join(FORMAT_FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(unusable(path, &error)),
    };
    let place = path.display();
    let format = text
        .strip_prefix(FORMAT_PREFIX)
        .and_then(|rest| rest.trim_end().parse().ok());
    match format {
        Some(FORMAT) => Ok(true),
        Some(newer @ FORMAT..) => Err(Error::Directory(format!(
            "{place} was written by a newer Fermata: it has format {newer} and this version reads \
             format {FORMAT}; start the newer version, or restore a backup that this version made"
        ))),
        Some(older) => Err(Error::Directory(format!(
            "{place} was written by an older Fermata: it has format {older} and this version reads \
             format {FORMAT}; start the version that wrote it"
        ))),
        None => Err(Error::Directory(format!(
            "{} does not name a format; restore a backup",
            path.join(FORMAT_FILE).display()
        ))),
    }
}

/// Locks the directory against other processes and notes who has it.
fn lock(path: &Path) -> Result<File, Error> {
    let mut file =
        files::open_private(&path.join(LOCK_FILE)).map_err(|error| unusable(path, &error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use(path, &mut file)),
        Err(TryLockError::Error(error)) => return Err(unusable(path, &error)),
    }
    let noted = file
        .set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    noted.map_err(|error| unusable(path, &error))?;
    Ok(file)
}

fn in_use(path: &Path, file: &mut File) -> Error {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    let holder = match text.trim() {
        pid if read.is_ok() && pid.parse::<u32>().is_ok() => format!("process {pid}"),
        _ => "another process".to_owned(),
    };
    Error::Directory(format!(
        "{} is in use by {holder}; stop it first, or name another data directory",
        path.display()
    ))
}

fn unusable(path: &Path, error: &io::Error) -> Error {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => "let the user who runs Fermata own it",
        io::ErrorKind::ReadOnlyFilesystem => "mount it for writing",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free space on its disk",
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "name a path that is a directory or is free"
        }
        _ => "name a directory that can be written to",
    };
    Error::Directory(format!(
        "{} cannot be used: {error}; {remedy}",
        path.display()
    ))
}
