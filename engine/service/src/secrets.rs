//! Secrets: sealed in the store, opened for a run, shown to nobody.
//!
//! All of them are in memory as they are stored, sealed, so that no run waits for the disk. A change is
//! first stored and then learned, like every other; a value is open only while somebody uses it.

mod envelope;
mod key;

use std::collections::BTreeMap;
use std::io;
use std::sync::{PoisonError, RwLock};

use fermata_core::actor::Actor;
use fermata_core::id::Name;
use fermata_core::limits::{SECRET_BYTES_MAX, SECRET_BYTES_MIN, SECRETS_MAX};
use fermata_core::time::Timestamp;
use fermata_store::codec::encode;
use fermata_store::{Batch, Expect, Scan, Store, Table, Write};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use envelope::{Envelope, OpenFault};
pub use key::{KEYS_MAX, Key, KeyFault, KeyId, KeyRing};

use envelope::{Drawn, NONCE_BYTES, Place};
use key::random;

use crate::error::{Error, RecordError};
use crate::records;
use crate::records_access::Records;
use crate::watch::blocking;

/// What keys of secrets in [`Table::Access`] begin with.
const PREFIX: &[u8] = b"s/";

/// A secret as it is stored, under its name and nowhere else with it: a record under another name does
/// not open. The order of fields is the stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SecretRecord {
    revision: u64,
    set_at: Timestamp,
    set_by: Actor,
    envelope: Envelope,
}

impl SecretRecord {
    fn place<'a>(&self, name: &'a Name) -> Place<'a> {
        Place {
            name,
            revision: self.revision,
        }
    }
}

fn write(name: &Name, record: Option<&SecretRecord>) -> Write {
    Write {
        table: Table::Access,
        key: [PREFIX, name.as_str().as_bytes()].concat(),
        value: record.map(encode),
        expect: Expect::Anything,
    }
}

/// The name of the secret that is stored under `key`.
fn name_in(key: &[u8]) -> Result<Name, Error> {
    let name = key.strip_prefix(PREFIX).unwrap_or_default();
    let name = std::str::from_utf8(name)
        .ok()
        .and_then(|name| name.parse().ok());
    name.ok_or_else(|| Error::Corrupt {
        what: "a secret".to_owned(),
        reason: "it is stored under a key that is no name".to_owned(),
    })
}

/// Everything about a secret but its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretView {
    /// The name.
    pub name: Name,
    /// Counts how often it was set.
    pub revision: u64,
    /// When it was last set.
    pub set_at: Timestamp,
    /// By whom.
    pub set_by: Actor,
    /// The key that it is sealed with.
    pub key: KeyId,
    /// Why it cannot be opened, if so.
    pub fault: Option<OpenFault>,
}

/// A value to be kept under a name.
#[derive(Debug)]
pub struct SecretOrder {
    /// The name.
    pub name: Name,
    /// The value.
    pub value: Zeroizing<String>,
    /// The revision that it replaces, if the caller knows one.
    pub expected: Option<u64>,
    /// Who sets it.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// Why a secret was not changed.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There is no such secret.
    #[error("there is no such secret")]
    Unknown,
    /// It has been set since the caller looked.
    #[error("the secret is at revision {found}, not {expected}")]
    Stale {
        /// The revision the caller knew.
        expected: u64,
        /// The revision there is; 0 for none.
        found: u64,
    },
    /// The value is too short to be kept out of other text, or too long.
    #[error("a secret has {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes, and this one has {0}")]
    Length(usize),
    /// There is no key to seal it with.
    #[error("the server has no key to seal secrets with")]
    NoKey,
    /// The ring has no place for another key.
    #[error("there are {KEYS_MAX} keys already")]
    TooManyKeys,
    /// The new key could not be kept.
    #[error("the new key could not be written: {0}")]
    KeyFile(io::Error),
    /// The machine gives no randomness.
    #[error("the system gives no randomness: {0}")]
    Randomness(io::Error),
    /// The machine failed.
    #[error(transparent)]
    Error(#[from] Error),
}

impl From<RecordError> for SecretError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Error(error) => Self::Error(error),
            RecordError::Exists => unreachable!("nothing had to be absent"),
        }
    }
}

/// Why there is no value for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// There is no such secret.
    #[error("there is no such secret")]
    Unknown,
    /// It does not open.
    #[error(transparent)]
    Fault(#[from] OpenFault),
}

/// What a change of the current key came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The key that seals from now on.
    pub key: KeyId,
    /// How many secrets were sealed again.
    pub resealed: usize,
    /// Those that did not open, and stay as they were.
    pub left: Vec<Name>,
}

/// The secrets of an installation.
#[derive(Debug)]
pub struct Vault {
    known: RwLock<Known>,
    /// Held while a change is checked, stored and learned, so that changes do not overtake each other.
    changing: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Known {
    keys: KeyRing,
    secrets: Secrets,
}

type Secrets = BTreeMap<Name, SecretRecord>;

impl Vault {
    /// Reads every secret, and seals again what an older key of the ring has sealed: whoever puts a new
    /// key before the old one has changed keys with the next start.
    pub fn open(store: &dyn Store, keys: KeyRing) -> Result<Self, SecretError> {
        let scan = Scan {
            prefix: PREFIX.to_vec(),
            limit: SECRETS_MAX,
            ..Scan::default()
        };
        let stored = store.scan(Table::Access, &scan).map_err(Error::from)?;
        let mut secrets = Secrets::new();
        for (key, bytes) in stored {
            let record = records::read(&bytes, "a secret").map_err(Error::from)?;
            secrets.insert(name_in(&key)?, record);
        }
        let mut known = Known { keys, secrets };
        let (resealed, _) = known.resealed(&known.keys)?;
        if !resealed.is_empty() {
            let batch = Batch {
                writes: writes(&resealed),
                ..Batch::default()
            };
            store.commit(batch).map_err(Error::from)?;
            known.secrets.extend(resealed);
        }
        Ok(Self {
            known: RwLock::new(known),
            changing: tokio::sync::Mutex::default(),
        })
    }

    /// The value of a secret.
    pub fn value(&self, name: &str) -> Result<Zeroizing<String>, ValueError> {
        let name: Name = name.parse().map_err(|_| ValueError::Unknown)?;
        self.read(|known| {
            let record = known.secrets.get(&name).ok_or(ValueError::Unknown)?;
            Ok(record.envelope.open(&known.keys, record.place(&name))?)
        })
    }

    /// All secrets, by name.
    pub fn list(&self) -> Vec<SecretView> {
        self.read(|known| {
            let all = known.secrets.iter();
            all.map(|(name, record)| known.view(name, record)).collect()
        })
    }

    /// One secret.
    pub fn find(&self, name: &Name) -> Option<SecretView> {
        self.read(|known| {
            let record = known.secrets.get(name);
            record.map(|record| known.view(name, record))
        })
    }

    /// Whether there is a key to seal with.
    pub fn has_key(&self) -> bool {
        self.read(|known| known.keys.current().is_some())
    }

    /// Keeps a value under its name; runs that begin from now on get it.
    pub async fn set(
        &self,
        records: &Records,
        order: SecretOrder,
    ) -> Result<SecretView, SecretError> {
        let length = order.value.len();
        if !(SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&length) {
            return Err(SecretError::Length(length));
        }
        let drawn = Drawn::new().map_err(SecretError::Randomness)?;
        let _turn = self.changing.lock().await;
        let record = self.read(|known| known.sealed(&order, &drawn))?;
        let name = order.name;
        records.write(vec![write(&name, Some(&record))]).await?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let view = known.view(&name, &record);
        known.secrets.insert(name, record);
        Ok(view)
    }

    /// Forgets a secret.
    pub async fn delete(
        &self,
        records: &Records,
        name: &Name,
        expected: Option<u64>,
    ) -> Result<(), SecretError> {
        let _turn = self.changing.lock().await;
        let found = self.find(name).ok_or(SecretError::Unknown)?;
        check(expected, found.revision)?;
        records.write(vec![write(name, None)]).await?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.secrets.remove(name);
        Ok(())
    }

    /// Makes a new key current, and seals every secret again with it. `keep` has to put the ring where
    /// the next start finds it: only then is anything sealed with the new key.
    pub async fn rotate(
        &self,
        records: &Records,
        keep: impl FnOnce(&KeyRing) -> io::Result<()> + Send + 'static,
    ) -> Result<Rotated, SecretError> {
        let _turn = self.changing.lock().await;
        let key = Key::draw().map_err(SecretError::Randomness)?;
        let id = key.id();
        let keys = self
            .read(|known| known.keys.led_by(key))
            .map_err(|_| SecretError::TooManyKeys)?;
        let kept = keys.clone();
        blocking(move || keep(&kept))
            .await?
            .map_err(SecretError::KeyFile)?;
        let (resealed, left) = self.read(|known| known.resealed(&keys))?;
        // From here on the old keys open and the new one seals, whatever becomes of the writes.
        self.known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .keys = keys;
        if !resealed.is_empty() {
            records.write(writes(&resealed)).await?;
        }
        let rotated = Rotated {
            key: id,
            resealed: resealed.len(),
            left,
        };
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.secrets.extend(resealed);
        Ok(rotated)
    }

    fn read<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drawn {
    fn new() -> io::Result<Self> {
        Ok(Self {
            data_key: Key::draw()?,
            nonces: [random()?, random()?],
        })
    }
}

impl Known {
    fn view(&self, name: &Name, record: &SecretRecord) -> SecretView {
        SecretView {
            name: name.clone(),
            revision: record.revision,
            set_at: record.set_at,
            set_by: record.set_by.clone(),
            key: record.envelope.key,
            fault: record.envelope.open(&self.keys, record.place(name)).err(),
        }
    }

    /// The record that an order makes, if nothing forbids it.
    fn sealed(&self, order: &SecretOrder, drawn: &Drawn) -> Result<SecretRecord, SecretError> {
        let found = self.secrets.get(&order.name);
        let revision = found.map_or(0, |record| record.revision);
        check(order.expected, revision)?;
        if found.is_none() && self.secrets.len() >= SECRETS_MAX {
            return Err(Error::Busy("secrets").into());
        }
        let by = self.keys.current().ok_or(SecretError::NoKey)?;
        let place = Place {
            name: &order.name,
            revision: revision + 1,
        };
        Ok(SecretRecord {
            revision: place.revision,
            envelope: Envelope::seal(by, place, &order.value, drawn),
            set_at: order.at,
            set_by: order.by.clone(),
        })
    }

    /// The secrets that the current key of `keys` has to seal again, and the names of those that do not open.
    fn resealed(&self, keys: &KeyRing) -> Result<(Secrets, Vec<Name>), SecretError> {
        let (mut resealed, mut left) = (Secrets::new(), Vec::new());
        for (name, record) in &self.secrets {
            let nonce: [u8; NONCE_BYTES] = random().map_err(SecretError::Randomness)?;
            match record.envelope.resealed(keys, record.place(name), &nonce) {
                Ok(None) => {}
                Ok(Some(envelope)) => {
                    let record = SecretRecord {
                        envelope,
                        ..record.clone()
                    };
                    resealed.insert(name.clone(), record);
                }
                Err(_) => left.push(name.clone()),
            }
        }
        Ok((resealed, left))
    }
}

fn writes(secrets: &Secrets) -> Vec<Write> {
    let each = secrets.iter();
    each.map(|(name, record)| write(name, Some(record)))
        .collect()
}

fn check(expected: Option<u64>, found: u64) -> Result<(), SecretError> {
    match expected {
        Some(expected) if expected != found => Err(SecretError::Stale { expected, found }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
