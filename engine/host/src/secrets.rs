//! Secrets: kept by the host, sent for the guest, never shown to it.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::error::Error;
use crate::key::{file, private};

/// Shortest value: a shorter one could not be told from other text, and so not be kept out of logs.
const VALUE_BYTES_MIN: usize = 8;
/// Largest secrets file: some thousand tokens.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// What stands where a secret stood.
const REDACTED: &str = "[secret]";

type Values = Arc<BTreeMap<String, Arc<str>>>;

/// The secrets of this installation. The file is read again once it has changed.
#[derive(Debug)]
pub(crate) struct Vault {
    path: Option<PathBuf>,
    read: Mutex<Contents>,
}

#[derive(Default)]
struct Contents {
    stamp: Option<(SystemTime, u64)>,
    values: Values,
}

impl std::fmt::Debug for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.values.keys()).finish()
    }
}

impl Vault {
    /// Reads the file, if there is one, so that a fault in it shows at start.
    pub(crate) fn open(path: Option<PathBuf>) -> Result<Self, Error> {
        let vault = Self {
            path,
            read: Mutex::default(),
        };
        vault.values()?;
        Ok(vault)
    }

    /// The secret with this name.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Arc<str>>, Error> {
        Ok(self.values()?.get(name).cloned())
    }

    fn values(&self) -> Result<Values, Error> {
        let Some(path) = &self.path else {
            return Ok(Values::default());
        };
        let metadata = std::fs::metadata(path).map_err(|error| file("reading", path, error))?;
        let stamp = stamp(&metadata);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.stamp.is_none() || read.stamp != stamp {
            *read = Contents {
                stamp,
                values: Arc::new(load(path)?),
            };
        }
        Ok(Arc::clone(&read.values))
    }
}

fn stamp(metadata: &Metadata) -> Option<(SystemTime, u64)> {
    metadata
        .modified()
        .ok()
        .map(|modified| (modified, metadata.len()))
}

fn load(path: &Path) -> Result<BTreeMap<String, Arc<str>>, Error> {
    let unusable = |reason: String| Error::Secrets {
        path: path.into(),
        reason,
    };
    let open = File::open(path).map_err(|error| file("opening", path, error))?;
    private(&open, path)?;
    let mut text = String::new();
    open.take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|error| file("reading", path, error))?;
    // The reader's own message would quote the line, and with it the secret.
    let values: BTreeMap<String, Arc<str>> = toml::from_str(&text).map_err(|error| {
        let line = error
            .span()
            .map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        unusable(format!("line {line} is not of the form `name = \"value\"`"))
    })?;
    match values
        .iter()
        .find(|(_, value)| value.len() < VALUE_BYTES_MIN)
    {
        Some((name, _)) => Err(unusable(format!(
            "`{name}` has less than {VALUE_BYTES_MIN} bytes, which cannot be kept out of logs"
        ))),
        None => Ok(values),
    }
}

/// The secrets that one run holds stand-ins for.
#[derive(Default)]
pub(crate) struct Held(Vec<Secret>);

pub(crate) struct Secret {
    pub(crate) name: String,
    pub(crate) stand_in: String,
    value: Arc<str>,
}

impl Held {
    /// Keeps a secret for the run, and returns what stands for it.
    pub(crate) fn hold(&mut self, name: &str, stand_in: String, value: Arc<str>) -> String {
        if !self.0.iter().any(|secret| secret.name == name) {
            self.0.push(Secret {
                name: name.into(),
                stand_in: stand_in.clone(),
                value,
            });
        }
        stand_in
    }

    /// The secrets whose stand-ins occur in `bytes`.
    pub(crate) fn named_in<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = &'a Secret> {
        self.0
            .iter()
            .filter(|secret| find(bytes, secret.stand_in.as_bytes()).is_some())
    }

    /// Puts the values where the stand-ins are.
    pub(crate) fn reveal(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.0.iter().fold(bytes, |bytes, secret| {
            replace(bytes, secret.stand_in.as_bytes(), secret.value.as_bytes())
        })
    }

    /// Puts the stand-ins where the values are: for what a server sends back.
    pub(crate) fn hide(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.0.iter().fold(bytes, |bytes, secret| {
            replace(bytes, secret.value.as_bytes(), secret.stand_in.as_bytes())
        })
    }

    /// The same for the name of a header, which is in lower case however it was sent.
    pub(crate) fn hide_in_name(&self, name: String) -> String {
        self.0.iter().fold(name, |name, secret| {
            name.replace(&secret.value.to_ascii_lowercase(), &secret.stand_in)
        })
    }

    /// Takes the values out of text for people.
    pub(crate) fn redact(&self, text: String) -> String {
        self.0.iter().fold(text, |text, secret| {
            if text.contains(&*secret.value) {
                text.replace(&*secret.value, REDACTED)
            } else {
                text
            }
        })
    }

    /// Whether there is nothing to hide.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

fn replace(bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    let Some(mut at) = find(&bytes, from) else {
        return bytes;
    };
    let mut replaced = Vec::with_capacity(bytes.len() + to.len());
    let mut rest = bytes.as_slice();
    loop {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(to);
        rest = &rest[at + from.len()..];
        match find(rest, from) {
            Some(next) => at = next,
            None => break,
        }
    }
    replaced.extend_from_slice(rest);
    replaced
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn secrets_file(dir: &tempfile::TempDir, text: &str, mode: u32) -> PathBuf {
        let path = dir.path().join("secrets.toml");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_changed_file_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = secrets_file(&dir, "token = \"old-value\"\n", 0o600);
        let vault = Vault::open(Some(path)).unwrap();
        assert_eq!(vault.get("token").unwrap().as_deref(), Some("old-value"));
        assert_eq!(vault.get("other").unwrap(), None);
        secrets_file(&dir, "token = \"another-value\"\n", 0o600);
        assert_eq!(
            vault.get("token").unwrap().as_deref(),
            Some("another-value")
        );
        assert!(!format!("{vault:?}").contains("another-value"));
    }

    #[test]
    fn unusable_files_are_refused_without_showing_what_is_in_them() {
        let dir = tempfile::tempdir().unwrap();
        for (text, mode, expected) in [
            ("token = \"hunter22hunter22\"", 0o644, "0600"),
            (
                "a = \"12345678\"\ntoken = hunter22hunter22",
                0o600,
                "line 2",
            ),
            (
                "[token]\nx = \"hunter22hunter22\"",
                0o600,
                "not of the form",
            ),
            ("token = \"hunter2\"", 0o600, "less than 8 bytes"),
        ] {
            let error = Vault::open(Some(secrets_file(&dir, text, mode)))
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(expected) && !error.contains("hunter"),
                "{error}"
            );
        }
        assert!(Vault::open(Some(dir.path().join("none.toml"))).is_err());
        assert!(Vault::open(None).unwrap().get("token").unwrap().is_none());
    }

    #[test]
    fn values_and_stand_ins_change_places() {
        let mut held = Held::default();
        held.hold("token", "fsec_1".into(), "hunter22".into());
        assert_eq!(
            held.reveal(b"a fsec_1 b fsec_1".to_vec()),
            b"a hunter22 b hunter22"
        );
        assert_eq!(held.hide(b"hunter22hunter22".to_vec()), b"fsec_1fsec_1");
        assert_eq!(held.redact("x hunter22".into()), "x [secret]");
        assert_eq!(
            held.named_in(b"Bearer fsec_1")
                .map(|secret| secret.name.as_str())
                .collect::<Vec<_>>(),
            ["token"]
        );
        assert_eq!(held.named_in(b"Bearer").count(), 0);
    }
}
