//! The key of this installation, and what is sealed with it.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::Error;

/// Bytes of a key and of a seal.
pub(crate) const KEY_BYTES: usize = 32;

/// A secret key for sealing.
#[derive(Clone)]
pub(crate) struct Key([u8; KEY_BYTES]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// A key from the system's random source.
    pub(crate) fn random() -> Result<Self, Error> {
        let mut key = [0; KEY_BYTES];
        let source = Path::new("/dev/urandom");
        File::open(source)
            .and_then(|mut file| file.read_exact(&mut key))
            .map_err(|error| file("reading", source, error))?;
        Ok(Self(key))
    }

    /// The key in the file at `path`, made and written there if there is none.
    pub(crate) fn of_installation(path: &Path) -> Result<Self, Error> {
        match File::open(path) {
            Ok(mut open) => {
                private(&open, path)?;
                let mut key = [0; KEY_BYTES];
                open.read_exact(&mut key)
                    .map_err(|error| file("reading the key", path, error))?;
                Ok(Self(key))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Self::random()?.written(path),
            Err(error) => Err(file("opening the key", path, error)),
        }
    }

    fn written(self, path: &Path) -> Result<Self, Error> {
        let write = || -> std::io::Result<()> {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)?;
            file.write_all(&self.0)?;
            file.sync_all()
        };
        write().map_err(|error| file("writing the key", path, error))?;
        Ok(self)
    }

    /// The seal over `parts`, one after the other.
    pub(crate) fn seal(&self, parts: &[&[u8]]) -> [u8; KEY_BYTES] {
        self.mac(parts).finalize().into_bytes().into()
    }

    /// Whether `seal` is the one over `parts`; takes equally long for every wrong one.
    pub(crate) fn opens(&self, seal: &[u8], parts: &[&[u8]]) -> bool {
        self.mac(parts).verify_slice(seal).is_ok()
    }

    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("a MAC takes keys of every length");
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

/// The bits of a mode that give rights to others than the owner.
const OTHERS: u32 = 0o077;

/// Refuses a file that others than its owner may read.
fn private(open: &File, path: &Path) -> Result<(), Error> {
    let metadata = open
        .metadata()
        .map_err(|error| file("reading the mode of", path, error))?;
    if metadata.permissions().mode() & OTHERS == 0 {
        return Ok(());
    }
    let reason = std::io::Error::new(
        ErrorKind::PermissionDenied,
        "others may read it; set its mode to 0600",
    );
    Err(file("using", path, reason))
}

/// A failure with a file.
pub(crate) fn file(what: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::File {
        what,
        path: path.into(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_stays_and_is_not_readable_by_others() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys/cache.key");
        let seal = Key::of_installation(&path).unwrap().seal(&[b"a", b"b"]);
        assert!(Key::of_installation(&path).unwrap().opens(&seal, &[b"ab"]));
        assert!(!Key::of_installation(&path).unwrap().opens(&seal, &[b"ac"]));
        assert!(!Key::random().unwrap().opens(&seal, &[b"ab"]));
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(
            Key::of_installation(&path)
                .unwrap_err()
                .to_string()
                .contains("0600")
        );
    }
}
