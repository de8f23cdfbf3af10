//! Backups without a server: written from a data directory, and put into a new one.

use std::path::Path;

use fermata_service::secrets::{KeyRing, Vault};
use fermata_store::{Backup, Batch, Examination};

use crate::access::{Access, Change};
use crate::wire::{self, Data, OpenError};

/// Writes a backup of the data directory, which no server may be using, into a new directory.
pub(crate) fn backup(data_dir: &Path, directory: &Path) -> Result<(), OpenError> {
    if !data_dir.is_dir() {
        // Opening would make it, and back nothing up.
        return Err(OpenError::File {
            path: data_dir.into(),
            source: std::io::ErrorKind::NotFound.into(),
        });
    }
    let data = Data::open(data_dir)?;
    Ok(data.store.backup(directory, data.clock.now())?)
}

/// What was put into a new data directory.
#[derive(Debug)]
pub(crate) struct Restored {
    /// The backup.
    pub(crate) backup: Backup,
    /// What is in it.
    pub(crate) examination: Examination,
    /// How many secrets it holds, sealed.
    pub(crate) secrets: usize,
}

/// Puts a backup into a new data directory, and gives its administrator a token: whoever may
/// write there may rule there, and the tokens of the backup may be lost.
pub(crate) fn restore(backup: &Path, data_dir: &Path) -> Result<Restored, OpenError> {
    let (backup, examination) = fermata_store::restore(backup, data_dir)?;
    let data = Data::open(data_dir)?;
    let secret = wire::write_token(data.directory.path())?;
    let changes = Access::first(&secret, data.clock.now());
    data.store.commit(Batch {
        writes: changes.iter().map(Change::write).collect(),
        ..Batch::default()
    })?;
    // No key is needed to count them.
    let secrets = Vault::open(&*data.store, KeyRing::default())?.list().len();
    Ok(Restored {
        backup,
        examination,
        secrets,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restored_directory_has_an_administrator() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        let copy = folder.path().join("backup");
        drop(Data::open(&from).unwrap());
        backup(&from, &copy).unwrap();
        restore(&copy, &to).unwrap();
        let data = Data::open(&to).unwrap();
        let token = std::fs::read_to_string(data.directory.bootstrap_token()).unwrap();
        let access = data.access().unwrap();
        let asker = access.authenticate(token.trim(), data.clock.now()).unwrap();
        assert!(asker.is_administrator());
        assert!(restore(&copy, &to).is_err(), "it is in use and not empty");
    }

    #[test]
    fn a_directory_that_is_not_there_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("misspelt");
        assert!(backup(&from, &folder.path().join("backup")).is_err());
        assert!(!from.exists());
    }
}
