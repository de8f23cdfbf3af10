//! Where the keys of secrets come from, and the one place where the server keeps a key itself.
//!
//! The first source that there is holds all keys: a file that was named, the environment, a credential
//! of the service manager, and else a file of the server's own in the data directory. Only that last one is
//! ever written: keys that were given are managed by whoever gave them.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use fermata_service::secrets::{Key, KeyFault, KeyRing};
use zeroize::Zeroizing;

/// The server's own file of keys, within the data directory.
const OWN_FILE: &str = "secrets.key";
/// The variable that holds keys.
pub(crate) const VARIABLE: &str = "FERMATA_SECRETS_KEY";
/// The variable with the folder of credentials, as systemd sets it.
pub(crate) const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
/// The credential that holds keys.
const CREDENTIAL: &str = "fermata-secrets-key";
/// Longest text of keys: sixteen of them, and remarks.
const TEXT_BYTES_MAX: u64 = 16 * 1024;
/// The bits of a mode that give rights to others than owner and group.
const WORLD: u32 = 0o007;
/// The bits of a mode that give rights to others than the owner.
const OTHERS: u32 = 0o077;

/// Where keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file that was named.
    File(PathBuf),
    /// The variable of the environment.
    Environment,
    /// A credential of the service manager.
    Credential(PathBuf),
    /// The server's own file.
    Own(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) | Self::Credential(path) | Self::Own(path) => {
                write!(f, "{}", path.display())
            }
            Self::Environment => f.write_str(VARIABLE),
        }
    }
}

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// The file cannot be read.
    #[error("the keys of secrets, {source_of_keys}, cannot be read: {error}")]
    Read {
        /// Which.
        source_of_keys: Source,
        /// Why.
        error: io::Error,
    },
    /// The file cannot be written.
    #[error("the keys of secrets, {source_of_keys}, cannot be written: {error}")]
    Write {
        /// Which.
        source_of_keys: Source,
        /// Why.
        error: io::Error,
    },
    /// It holds something else, or too much.
    #[error("the keys of secrets, {source_of_keys}, cannot be used: {fault}")]
    Content {
        /// Which.
        source_of_keys: Source,
        /// What is wrong.
        fault: KeyFault,
    },
}

/// What the environment says about keys. Its `Debug` does not show them.
#[derive(Clone, Default)]
pub(crate) struct Surroundings {
    /// Keys themselves.
    pub(crate) keys: Option<Zeroizing<String>>,
    /// The folder of credentials.
    pub(crate) credentials: Option<PathBuf>,
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings")
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

/// The keys, and where they are from. The ring is empty where the server's own file is not there yet.
pub(crate) fn find(
    named: Option<&Path>,
    around: &Surroundings,
    data_dir: &Path,
) -> Result<(Source, KeyRing), KeyError> {
    if let Some(path) = named {
        let source = Source::File(path.into());
        return read(&source, path, WORLD).map(|ring| (source, ring));
    }
    if let Some(text) = &around.keys {
        let source = Source::Environment;
        return parse(&source, text).map(|ring| (source, ring));
    }
    let folder = around.credentials.as_ref();
    let credential = folder.map(|folder| folder.join(CREDENTIAL));
    if let Some(path) = credential.filter(|path| path.exists()) {
        // Who may read it is the service manager's business: it may show as the mask of a list of rights.
        let source = Source::Credential(path.clone());
        return read(&source, &path, 0).map(|ring| (source, ring));
    }
    let path = data_dir.join(OWN_FILE);
    let source = Source::Own(path.clone());
    if !path.exists() {
        return Ok((source, KeyRing::default()));
    }
    read(&source, &path, OTHERS).map(|ring| (source, ring))
}

/// Puts a new key into a file, before those that it holds. Gives the names of all of them.
pub(crate) fn renew(path: &Path) -> Result<Vec<String>, KeyError> {
    let source = Source::File(path.into());
    let present = if path.exists() {
        in_file(path)?
    } else {
        KeyRing::default()
    };
    let failed = |error| KeyError::Write {
        source_of_keys: source.clone(),
        error,
    };
    let ring = present.led_by(Key::draw().map_err(failed)?);
    let ring = ring.map_err(|fault| KeyError::Content {
        source_of_keys: source.clone(),
        fault,
    })?;
    write(path, &ring).map_err(failed)?;
    Ok(ring.ids().iter().map(ToString::to_string).collect())
}

/// The keys in a file.
pub(crate) fn in_file(path: &Path) -> Result<KeyRing, KeyError> {
    read(&Source::File(path.into()), path, WORLD)
}

fn read(source: &Source, path: &Path, forbidden: u32) -> Result<KeyRing, KeyError> {
    let cannot = |error| KeyError::Read {
        source_of_keys: source.clone(),
        error,
    };
    let file = File::open(path).map_err(cannot)?;
    let mode = file.metadata().map_err(cannot)?.permissions().mode();
    if mode & forbidden != 0 {
        let error = "others may read it; set its mode to 0600";
        return Err(cannot(io::Error::new(
            io::ErrorKind::PermissionDenied,
            error,
        )));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(TEXT_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(cannot)?;
    if text.len() as u64 > TEXT_BYTES_MAX {
        // Cut off, it would be written back without its last keys.
        let long = format!("it has more than {TEXT_BYTES_MAX} bytes");
        return Err(cannot(io::Error::other(long)));
    }
    parse(source, &text)
}

fn parse(source: &Source, text: &str) -> Result<KeyRing, KeyError> {
    KeyRing::parse(text).map_err(|fault| KeyError::Content {
        source_of_keys: source.clone(),
        fault,
    })
}

/// A ring of one new key.
pub(crate) fn fresh() -> io::Result<KeyRing> {
    let ring = KeyRing::default().led_by(Key::draw()?);
    Ok(ring.expect("an empty ring has a place"))
}

/// Puts a longer ring into the file of a shorter one. Keys that somebody put there meanwhile stay.
pub(crate) fn extend(path: &Path, ring: &KeyRing) -> io::Result<()> {
    if path.exists() {
        let present = in_file(path).map_err(io::Error::other)?;
        let known = ring.ids();
        if present.ids().iter().any(|id| !known.contains(id)) {
            let error = "it holds a key that the server has not read; restart the server first";
            return Err(io::Error::other(error));
        }
    }
    write(path, ring)
}

/// Puts keys into a file, for its owner only: whole, or not at all.
pub(crate) fn write(path: &Path, ring: &KeyRing) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    // A draft that was left behind may have other rights.
    drop(fs::remove_file(&draft));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(ring.text().as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(byte: &str) -> String {
        format!("{}\n", byte.repeat(32))
    }

    fn file(folder: &Path, name: &str, byte: &str, mode: u32) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, text(byte)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn the_first_source_that_there_is_holds_all_keys() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let found = |named: Option<&Path>, keys: Option<&str>, credentials: bool| {
            let around = Surroundings {
                keys: keys.map(|keys| Zeroizing::new(keys.to_owned())),
                credentials: credentials.then(|| dir.to_owned()),
            };
            let (source, ring) = find(named, &around, dir).unwrap();
            (source, ring.text().get(..2).map(str::to_owned))
        };
        let own = Source::Own(dir.join(OWN_FILE));
        assert_eq!(found(None, None, true), (own.clone(), None));
        file(dir, OWN_FILE, "aa", 0o600);
        assert_eq!(found(None, None, true), (own, Some("aa".into())));
        let credential = file(dir, CREDENTIAL, "bb", 0o440);
        let expected = (Source::Credential(credential), Some("bb".into()));
        assert_eq!(found(None, None, true), expected);
        let environment = (Source::Environment, Some("cc".into()));
        assert_eq!(found(None, Some(&text("cc")), true), environment);
        let named = file(dir, "named", "dd", 0o440);
        let expected = (Source::File(named.clone()), Some("dd".into()));
        assert_eq!(found(Some(&named), Some(&text("cc")), true), expected);
    }

    #[test]
    fn what_cannot_be_used_is_named_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let readable = file(dir, "readable", "aa", 0o644);
        let wrong = file(dir, "wrong", "hunter22", 0o600);
        for (path, expected) in [
            (&readable, "set its mode to 0600"),
            (&wrong, "line 1"),
            (&dir.join("absent"), "absent, cannot be read"),
        ] {
            let error = find(Some(path), &Surroundings::default(), dir).unwrap_err();
            let error = error.to_string();
            assert!(
                error.contains(expected) && !error.contains("hunter"),
                "{error}"
            );
        }
        file(dir, OWN_FILE, "aa", 0o640);
        assert!(find(None, &Surroundings::default(), dir).is_err());
        let around = Surroundings {
            keys: Some(Zeroizing::new("hunter22".into())),
            credentials: None,
        };
        let error = find(None, &around, dir).unwrap_err().to_string();
        assert!(
            error.contains(VARIABLE) && !error.contains("hunter"),
            "{error}"
        );
    }

    #[test]
    fn a_new_key_goes_before_those_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let first = renew(&path).unwrap();
        let second = renew(&path).unwrap();
        assert_eq!((first.len(), second.len()), (1, 2));
        assert_eq!(first[0], second[1]);
        fs::write(&path, "hunter22").unwrap();
        assert!(matches!(renew(&path), Err(KeyError::Content { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "hunter22");
        let nowhere = folder.path().join("none/keys");
        assert!(matches!(renew(&nowhere), Err(KeyError::Write { .. })));
    }

    #[test]
    fn a_written_file_is_for_its_owner_and_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        fs::write(folder.path().join("keys.new"), "half a k").unwrap();
        let first = fresh().unwrap();
        write(&path, &first).unwrap();
        let second = first.led_by(Key::draw().unwrap()).unwrap();
        extend(&path, &second).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(in_file(&path).unwrap().ids(), second.ids());
        assert!(!folder.path().join("keys.new").exists());
        // A key that was put there by hand is not lost.
        assert!(extend(&path, &first.led_by(Key::draw().unwrap()).unwrap()).is_err());
        assert_eq!(in_file(&path).unwrap().ids(), second.ids());
    }
}
