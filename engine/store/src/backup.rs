//! Copies of the database that can be checked, and the way back from them.
//!
//! A backup is a directory: `db/` is a checkpoint of the database, and `BACKUP` lists each file of it with
//! size and SHA-256. `BACKUP` is written last, so that a copy without it is known to be unfinished.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use fermata_core::id::Digest;
use fermata_core::time::Timestamp;
use rocksdb::DB;
use rocksdb::checkpoint::Checkpoint;
use sha2::{Digest as _, Sha256};

use crate::rocks::{Examination, Rocks};
use crate::{Error, directory, files};
use manifest::Unreadable;

pub use manifest::{Backup, BackupFile};

mod manifest;

/// The list of files, in the backup's directory.
const MANIFEST: &str = "BACKUP";

/// Where a restore gathers the database until it is whole.
const UNFINISHED: &str = "db.restoring";

/// What is read, hashed and written at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// Writes a backup of `db` into `directory`, which must not exist; nothing is left there on failure.
pub(crate) fn write(db: &DB, directory: &Path, at: Timestamp) -> Result<(), Error> {
    let failed = |error: &dyn std::fmt::Display| {
        let place = directory.display();
        Error::Directory(format!("the backup cannot be written to {place}: {error}"))
    };
    files::create_new_private(directory).map_err(|error| failed(&error))?;
    let database = directory.join(directory::DATABASE);
    let written = Checkpoint::new(db)
        .and_then(|checkpoint| checkpoint.create_checkpoint(&database))
        .map_err(|error| failed(&error))
        .and_then(|()| seal(directory, at).map_err(|error| failed(&error)));
    if written.is_err() {
        // The first error is the one that counts, and a copy without its list is refused anyhow.
        drop(fs::remove_dir_all(directory));
    }
    written
}

/// Lists the files of a checkpoint, and makes them and the list durable.
fn seal(directory: &Path, at: Timestamp) -> io::Result<()> {
    let database = directory.join(directory::DATABASE);
    let mut listed = Vec::new();
    for name in files::names(&database)? {
        let file = File::open(database.join(&name))?;
        let (size, digest) = copy(&file, &mut io::sink())?;
        file.sync_all()?;
        listed.push(BackupFile { name, size, digest });
    }
    let backup = Backup {
        created_at: at,
        files: listed,
    };
    files::sync_parent(&database.join("any"))?;
    files::write_whole(&directory.join(MANIFEST), backup.to_string().as_bytes())?;
    files::sync_parent(directory)
}

/// Checks that a backup is whole: its list, the size and SHA-256 of each file, and that there is no
/// file beside them. Says what is wrong with the first file that is not as it was.
pub fn verify_backup(directory: &Path) -> Result<Backup, Error> {
    let backup = read_manifest(directory)?;
    let database = directory.join(directory::DATABASE);
    let names = files::names(&database).map_err(|error| refused(directory, &error))?;
    let stray = names
        .iter()
        .find(|name| backup.files.iter().all(|file| file.name != **name));
    if let Some(stray) = stray {
        return Err(refused(
            directory,
            &format!("db/{stray} does not belong to it"),
        ));
    }
    for file in &backup.files {
        take_file(directory, file, &mut io::sink())?;
    }
    Ok(backup)
}

/// Makes a data directory of a backup: checks the backup, copies it, reads all that is in the copy,
/// and only then lets it be a data directory. `data_directory` must be new or empty.
pub fn restore(directory: &Path, data_directory: &Path) -> Result<(Backup, Examination), Error> {
    let backup = verify_backup(directory)?;
    let _lock = directory::take(data_directory)?;
    if directory::is_formatted(data_directory)? {
        return Err(Error::Directory(format!(
            "{} is not empty; name a new or empty directory to restore into",
            data_directory.display()
        )));
    }
    let unfinished = data_directory.join(UNFINISHED);
    let restored = gather(directory, &backup, &unfinished).and_then(|found| {
        directory::furnish(data_directory, &unfinished)?;
        Ok(found)
    });
    if restored.is_err() {
        // What is left without a format is refused as a data directory, so this is only tidiness.
        drop(fs::remove_dir_all(&unfinished));
    }
    restored.map(|found| (backup, found))
}

/// Copies the database of a backup to `target` and reads it whole.
fn gather(directory: &Path, backup: &Backup, target: &Path) -> Result<Examination, Error> {
    let failed = |error: &io::Error| {
        let place = target.display();
        Error::Directory(format!("the backup cannot be copied to {place}: {error}"))
    };
    files::create_new_private(target).map_err(|error| failed(&error))?;
    for file in &backup.files {
        let path = target.join(&file.name);
        let mut copied = files::open_private(&path).map_err(|error| failed(&error))?;
        take_file(directory, file, &mut copied)?;
        copied.sync_all().map_err(|error| failed(&error))?;
    }
    files::sync_parent(&target.join("any")).map_err(|error| failed(&error))?;
    Rocks::open(target)?.examine()
}

fn read_manifest(directory: &Path) -> Result<Backup, Error> {
    let path = directory.join(MANIFEST);
    let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            refused(directory, &"it has no BACKUP file, so it is unfinished")
        }
        _ => refused(directory, &error),
    })?;
    text.parse()
        .map_err(|error: Unreadable| refused(directory, &error))
}

/// Copies one file of a backup to `sink` and checks it.
fn take_file(directory: &Path, file: &BackupFile, sink: &mut dyn Write) -> Result<(), Error> {
    let name = &file.name;
    let path = directory.join(directory::DATABASE).join(name);
    let found = File::open(path)
        .and_then(|open| copy(&open, sink))
        .map_err(|error| refused(directory, &format!("db/{name}: {error}")))?;
    if found == (file.size, file.digest) {
        return Ok(());
    }
    let (size, _) = found;
    let detail = if size == file.size {
        "its content has changed".to_owned()
    } else {
        format!("it has {size} bytes where {} were written", file.size)
    };
    Err(refused(
        directory,
        &format!("db/{name} is damaged: {detail}"),
    ))
}

/// Copies what is left of `file` to `sink`; gives its length and digest.
fn copy(mut file: &File, sink: &mut dyn Write) -> io::Result<(u64, Digest)> {
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            return Ok((size, Digest(hash.finalize().into())));
        }
        hash.update(&chunk[..count]);
        sink.write_all(&chunk[..count])?;
        size += count as u64;
    }
}

fn refused(directory: &Path, reason: &dyn std::fmt::Display) -> Error {
    let place = directory.display();
    Error::Directory(format!("the backup {place} cannot be used: {reason}"))
}
