//! The secrets of signals: none is stored, each follows from the key of the installation.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};

use fermata_core::id::{Digest, ReleaseId};

use fermata_store::{Expect, Table, Write, codec};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// Where the key is, in [`Table::Meta`]: a restored backup knows the secrets that were given out.
pub(crate) const RECORD: &[u8] = b"signals-key";

/// Knows the secret of every signal. Its `Debug` does not show the key.
#[derive(Clone)]
pub(crate) struct Signals([u8; 32]);

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signals(…)")
    }
}

impl Signals {
    /// With a new key, from the randomness of the operating system.
    pub(crate) fn draw() -> io::Result<Self> {
        let mut key = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut key)?;
        Ok(Self(key))
    }

    /// With the key of an installation, as [`Self::write`] stored it.
    pub(crate) fn read(stored: &[u8]) -> Result<Self, codec::CodecError> {
        codec::decode(stored).map(Self)
    }

    /// The record that stores the key.
    pub(crate) fn write(&self) -> Write {
        Write {
            table: Table::Meta,
            key: RECORD.to_vec(),
            value: Some(codec::encode(&self.0)),
            expect: Expect::Absent,
        }
    }

    /// The secret of the signal to `activity` (`phase/activity`) of `release`: 64 hexadecimal digits.
    pub(crate) fn secret(&self, release: ReleaseId, activity: &str) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("a MAC takes keys of every length");
        mac.update(&release.to_bytes());
        mac.update(activity.as_bytes());
        Digest(mac.finalize().into_bytes().into()).hex()
    }

    /// Whether `secret` is that of the signal; takes equally long for every wrong one.
    pub(crate) fn opens(&self, secret: &str, release: ReleaseId, activity: &str) -> bool {
        let right = self.secret(release, activity);
        right.as_bytes().ct_eq(secret.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_one_signal_of_one_release_of_one_installation() {
        let ours = Signals::draw().unwrap();
        let secret = ours.secret(ReleaseId(1), "a/b");
        assert!(ours.opens(&secret, ReleaseId(1), "a/b"));
        assert!(!ours.opens(&secret, ReleaseId(2), "a/b"));
        assert!(!ours.opens(&secret, ReleaseId(1), "a/c"));
        assert!(!ours.opens("", ReleaseId(1), "a/b"));
        assert!(!Signals::draw().unwrap().opens(&secret, ReleaseId(1), "a/b"));
        let again = Signals::read(&ours.write().value.unwrap()).unwrap();
        assert!(again.opens(&secret, ReleaseId(1), "a/b"));
    }
}
