//! The keys that seal the secrets of an installation.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};

use fermata_core::id::Digest;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::service::lists::{hex, of_hex};

/// Most keys of a ring: one a month for a year, and some.
pub const KEYS_MAX: usize = 16;
/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;
/// Bytes of the name of a key: enough to tell sixteen of them apart.
const ID_BYTES: usize = 8;
/// What names of keys are hashed with, so that a name is the hash of nothing else.
const ID_CONTEXT: &[u8] = b"fermata secrets key\0";

/// Names a key without telling it: the beginning of a hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyId(pub(crate) [u8; ID_BYTES]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// A key. Its `Debug` does not show it, and its memory is wiped.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; KEY_BYTES]>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id())
    }
}

impl Key {
    /// The key with these bytes, which must be random.
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A new key, from the randomness of the operating system.
    pub fn draw() -> io::Result<Self> {
        random().map(Self::new)
    }

    /// What it is named by.
    pub fn id(&self) -> KeyId {
        let text = Zeroizing::new([ID_CONTEXT, &*self.0].concat());
        let digest = Digest::of(&text).0;
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&digest[..ID_BYTES]);
        KeyId(id)
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

/// Bytes from the randomness of the operating system.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Why a text holds no keys. Never says what it holds instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Nothing, or comments only.
    #[error("it holds no key")]
    None,
    /// Something else than a key.
    #[error("line {0} holds something else than keys of 64 hexadecimal digits")]
    Form(usize),
    /// More than a ring has.
    #[error("it holds more than {KEYS_MAX} keys")]
    TooMany,
}

/// The current key, which seals, and those before it, which still open.
#[derive(Clone, Debug, Default)]
pub struct KeyRing(Vec<Key>);

impl KeyRing {
    /// Keys of 64 hexadecimal digits, apart by white space, the current one first. What follows a `#` in
    /// a line is for people.
    pub fn parse(text: &str) -> Result<Self, KeyFault> {
        let mut keys = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default();
            for word in line.split_whitespace() {
                keys.push(key(word).ok_or(KeyFault::Form(number))?);
            }
        }
        match keys.len() {
            0 => Err(KeyFault::None),
            1..=KEYS_MAX => Ok(Self(keys)),
            _ => Err(KeyFault::TooMany),
        }
    }

    /// The text that [`Self::parse`] reads.
    pub fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        for key in &self.0 {
            text.push_str(&Zeroizing::new(hex(key.bytes())));
            text.push('\n');
        }
        text
    }

    /// The same behind a new current key.
    pub fn led_by(&self, key: Key) -> Result<Self, KeyFault> {
        if self.0.len() >= KEYS_MAX {
            return Err(KeyFault::TooMany);
        }
        let mut keys = vec![key];
        keys.extend(self.0.iter().cloned());
        Ok(Self(keys))
    }

    /// The key that seals; none where there is no key at all.
    pub fn current(&self) -> Option<&Key> {
        self.0.first()
    }

    /// The names of all keys, the current one first.
    pub fn ids(&self) -> Vec<KeyId> {
        self.0.iter().map(Key::id).collect()
    }

    pub(crate) fn find(&self, id: KeyId) -> Option<&Key> {
        self.0.iter().find(|key| key.id() == id)
    }
}

fn key(word: &str) -> Option<Key> {
    let bytes = Zeroizing::new(of_hex(word).ok()?);
    let bytes = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).ok()?;
    Some(Key::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_read_back_and_show_their_keys_to_nobody() {
        let old = KeyRing::default().led_by(Key::new([7; 32])).unwrap();
        let ring = old.led_by(Key::draw().unwrap()).unwrap();
        let read = KeyRing::parse(&ring.text()).unwrap();
        assert_eq!(read.ids(), ring.ids());
        assert_eq!(read.ids()[1], Key::new([7; 32]).id());
        assert!(!format!("{ring:?}").contains(&ring.text()[..64]));
        // Worked out with Python's hashlib.
        assert_eq!(Key::new([7; 32]).id().to_string(), "f546e05972dad8ef");
    }

    #[test]
    fn keys_stand_apart_by_white_space_with_remarks() {
        let (a, b) = ("0a".repeat(32), "0B".repeat(32));
        for text in [
            format!("{a} {b}"),
            format!("{a}\r\n{b}\r\n"),
            format!("# of May\n{a}  # current\n\n\t{b}"),
        ] {
            let ring = KeyRing::parse(&text).unwrap();
            let expected = [Key::new([10; 32]).id(), Key::new([11; 32]).id()];
            assert_eq!(ring.ids(), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_ring_is_refused_without_showing_it() {
        let good = "0a".repeat(32);
        let many = format!("{good} ").repeat(KEYS_MAX + 1);
        for (text, expected) in [
            ("", KeyFault::None),
            ("# nothing\n", KeyFault::None),
            ("hunter22", KeyFault::Form(1)),
            (&format!("{good}\n{}", &good[2..]), KeyFault::Form(2)),
            (&format!("{good}00"), KeyFault::Form(1)),
            (&good.replace('a', "g"), KeyFault::Form(1)),
            (&many, KeyFault::TooMany),
        ] {
            let fault = KeyRing::parse(text).unwrap_err();
            assert_eq!(fault, expected, "{text:?}");
            assert!(!fault.to_string().contains("hunter"));
        }
        let full = KeyRing::parse(&format!("{good} ").repeat(KEYS_MAX)).unwrap();
        assert!(full.led_by(Key::new([1; 32])).is_err());
    }
}
