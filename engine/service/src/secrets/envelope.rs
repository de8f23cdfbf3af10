//! A sealed secret: the value under a key of its own, and that key under a key of the installation.
//!
//! Both are sealed with XChaCha20-Poly1305 (<https://datatracker.ietf.org/doc/draft-irtf-cfrg-xchacha/>). Name and revision
//! of the secret are bound to both, so that no envelope opens in the place of another one. Another key of
//! the installation seals the small key again, and leaves the value as it is.

use std::fmt;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use fermata_core::id::Name;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::secrets::key::{KEY_BYTES, Key, KeyId, KeyRing};

/// Bytes of a nonce: so many that drawn ones do not repeat.
pub(crate) const NONCE_BYTES: usize = 24;
/// What is bound to a sealed value, before name and revision.
const VALUE_CONTEXT: &[u8] = b"fermata secret value\0";
/// What is bound to a sealed key, before name and revision.
const DATA_KEY_CONTEXT: &[u8] = b"fermata secret key\0";

/// Which secret an envelope is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) name: &'a Name,
    pub(crate) revision: u64,
}

impl Place<'_> {
    /// No name holds a zero byte, so that different places are different bytes.
    fn bound(self, context: &[u8]) -> Vec<u8> {
        let revision = self.revision.to_be_bytes();
        [context, self.name.as_str().as_bytes(), b"\0", &revision].concat()
    }
}

/// The randomness of one envelope.
pub(crate) struct Drawn {
    pub(crate) data_key: Key,
    pub(crate) nonces: [[u8; NONCE_BYTES]; 2],
}

/// A sealed value. The order of fields is the stored format; sealed bytes are nonce, text and tag.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The key of the installation that opens `data_key`.
    pub(crate) key: KeyId,
    /// The key that opens `value`, sealed.
    pub(crate) data_key: Vec<u8>,
    /// The value, sealed.
    pub(crate) value: Vec<u8>,
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envelope(by {})", self.key)
    }
}

/// Why an envelope does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenFault {
    /// The key that sealed it is not there.
    #[error("it was sealed with the key {0}, which the server was not given")]
    NoKey(KeyId),
    /// Its bytes, or its name or revision, are not those that were sealed.
    #[error("its stored bytes are damaged or were tampered with")]
    Damaged,
}

impl Envelope {
    /// Seals `value` for `place` with the key `by`.
    pub(crate) fn seal(by: &Key, place: Place<'_>, value: &str, drawn: &Drawn) -> Self {
        let [for_key, for_value] = &drawn.nonces;
        let data_key = &drawn.data_key;
        Self {
            key: by.id(),
            data_key: seal(
                by,
                for_key,
                data_key.bytes(),
                &place.bound(DATA_KEY_CONTEXT),
            ),
            value: seal(
                data_key,
                for_value,
                value.as_bytes(),
                &place.bound(VALUE_CONTEXT),
            ),
        }
    }

    /// The value, if the ring has the key and the envelope is the one that was sealed for `place`.
    pub(crate) fn open(
        &self,
        ring: &KeyRing,
        place: Place<'_>,
    ) -> Result<Zeroizing<String>, OpenFault> {
        let data_key = self.data_key(ring, place)?;
        let value = open(&data_key, &self.value, &place.bound(VALUE_CONTEXT))?;
        let text = std::str::from_utf8(&value).map_err(|_| OpenFault::Damaged)?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// The same value under the current key of the ring; `None` if it is that already, or there is none.
    pub(crate) fn resealed(
        &self,
        ring: &KeyRing,
        place: Place<'_>,
        nonce: &[u8; NONCE_BYTES],
    ) -> Result<Option<Self>, OpenFault> {
        let Some(current) = ring.current().filter(|key| key.id() != self.key) else {
            return Ok(None);
        };
        let data_key = self.data_key(ring, place)?;
        let bound = place.bound(DATA_KEY_CONTEXT);
        Ok(Some(Self {
            key: current.id(),
            data_key: seal(current, nonce, data_key.bytes(), &bound),
            value: self.value.clone(),
        }))
    }

    fn data_key(&self, ring: &KeyRing, place: Place<'_>) -> Result<Key, OpenFault> {
        let key = ring.find(self.key).ok_or(OpenFault::NoKey(self.key))?;
        let opened = open(key, &self.data_key, &place.bound(DATA_KEY_CONTEXT))?;
        let bytes = <[u8; KEY_BYTES]>::try_from(opened.as_slice());
        bytes.map(Key::new).map_err(|_| OpenFault::Damaged)
    }
}

fn seal(key: &Key, nonce: &[u8; NONCE_BYTES], msg: &[u8], aad: &[u8]) -> Vec<u8> {
    let cipher = XChaCha20Poly1305::new(key.bytes().into());
    let sealed = cipher
        .encrypt(&XNonce::from(*nonce), Payload { msg, aad })
        .expect("only texts of gigabytes cannot be sealed");
    [nonce.as_slice(), &sealed].concat()
}

fn open(key: &Key, sealed: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenFault> {
    let (nonce, msg) = sealed
        .split_first_chunk::<NONCE_BYTES>()
        .ok_or(OpenFault::Damaged)?;
    let cipher = XChaCha20Poly1305::new(key.bytes().into());
    let opened = cipher.decrypt(&XNonce::from(*nonce), Payload { msg, aad });
    opened.map(Zeroizing::new).map_err(|_| OpenFault::Damaged)
}

#[cfg(test)]
mod tests {
    use fermata_store::codec;

    use super::*;

    fn ring(first_bytes: &[u8]) -> KeyRing {
        let keys = first_bytes.iter().rev();
        keys.fold(KeyRing::default(), |ring, byte| {
            ring.led_by(Key::new([*byte; KEY_BYTES])).unwrap()
        })
    }

    fn drawn() -> Drawn {
        Drawn {
            data_key: Key::new([3; KEY_BYTES]),
            nonces: [[4; NONCE_BYTES], [5; NONCE_BYTES]],
        }
    }

    fn sealed(name: &Name, revision: u64) -> Envelope {
        let place = Place { name, revision };
        let by = Key::new([1; KEY_BYTES]);
        Envelope::seal(&by, place, "correct-horse", &drawn())
    }

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn an_envelope_opens_with_its_key_in_its_place_only() {
        let token = name("token");
        let envelope = sealed(&token, 7);
        let mut missing = OpenFault::NoKey(Key::new([1; KEY_BYTES]).id());
        for (keys, at, revision, expected) in [
            (ring(&[1]), "token", 7, None),
            (ring(&[2, 1]), "token", 7, None),
            (ring(&[2]), "token", 7, Some(missing)),
            (ring(&[]), "token", 7, Some(missing)),
            (ring(&[1]), "token", 8, Some(OpenFault::Damaged)),
            (ring(&[1]), "token", 6, Some(OpenFault::Damaged)),
            (ring(&[1]), "other", 7, Some(OpenFault::Damaged)),
            (ring(&[1]), "toke", 7, Some(OpenFault::Damaged)),
        ] {
            let place = Place {
                name: &name(at),
                revision,
            };
            let opened = envelope.open(&keys, place);
            assert_eq!(opened.as_ref().err(), expected.as_ref(), "{at} {revision}");
            assert!(opened.is_err() || *opened.unwrap() == "correct-horse");
        }
        // A key under the name of another one opens nothing either.
        let mut renamed = envelope;
        renamed.key = Key::new([2; KEY_BYTES]).id();
        missing = OpenFault::Damaged;
        let place = Place {
            name: &token,
            revision: 7,
        };
        assert_eq!(renamed.open(&ring(&[2]), place), Err(missing));
    }

    type Part = fn(&mut Envelope) -> &mut Vec<u8>;

    #[test]
    fn no_changed_cut_or_longer_byte_opens() {
        let token = name("token");
        let place = Place {
            name: &token,
            revision: 7,
        };
        let (keys, good) = (ring(&[1]), sealed(&token, 7));
        let parts: [Part; 2] = [
            |envelope| &mut envelope.data_key,
            |envelope| &mut envelope.value,
        ];
        for part in parts {
            let length = part(&mut good.clone()).len();
            for at in 0..length {
                let mut changed = good.clone();
                part(&mut changed)[at] ^= 1;
                assert_eq!(changed.open(&keys, place), Err(OpenFault::Damaged), "{at}");
                let mut cut = good.clone();
                part(&mut cut).truncate(at);
                assert_eq!(cut.open(&keys, place), Err(OpenFault::Damaged), "{at}");
            }
            let mut longer = good.clone();
            part(&mut longer).push(0);
            assert_eq!(longer.open(&keys, place), Err(OpenFault::Damaged));
        }
        let mut swapped = good.clone();
        std::mem::swap(&mut swapped.data_key, &mut swapped.value);
        assert_eq!(swapped.open(&keys, place), Err(OpenFault::Damaged));
    }

    #[test]
    fn sealed_again_it_needs_the_new_key_only() {
        let token = name("token");
        let place = Place {
            name: &token,
            revision: 7,
        };
        let nonce = [6; NONCE_BYTES];
        let old = sealed(&token, 7);
        assert_eq!(old.resealed(&ring(&[1, 2]), place, &nonce), Ok(None));
        assert_eq!(old.resealed(&ring(&[]), place, &nonce), Ok(None));
        let lost = old.resealed(&ring(&[2]), place, &nonce);
        assert_eq!(lost, Err(OpenFault::NoKey(old.key)));
        let new = old.resealed(&ring(&[2, 1]), place, &nonce);
        let new = new.unwrap().unwrap();
        assert_eq!(*new.open(&ring(&[2]), place).unwrap(), "correct-horse");
        assert_eq!(new.open(&ring(&[1]), place), Err(OpenFault::NoKey(new.key)));
        assert_eq!(new.value, old.value);
    }

    #[test]
    fn stored_bytes_are_read_for_ever() {
        let token = name("token");
        let bytes = codec::encode(&sealed(&token, 7));
        assert_eq!(crate::service::lists::hex(&bytes), GOLDEN);
        let read: Envelope =
            codec::decode(&crate::service::lists::of_hex(GOLDEN).unwrap()).unwrap();
        let place = Place {
            name: &token,
            revision: 7,
        };
        assert_eq!(*read.open(&ring(&[1]), place).unwrap(), "correct-horse");
    }

    /// Sealed by another implementation, which was written in Python from the draft and its test vectors.
    const GOLDEN: &str = "01b344b2b33d728e7b480404040404040404040404040404040404040404040404043c16a164ab85682bebe3baf33b7ca12289d171761234606db219b6c4d973bb80bde5fcf12b57a9765b758633048ae696350505050505050505050505050505050505050505050505054fa9b60a67cacc30727a21a88ffe282a2ac6bb3f48b623fae1a93cb441";
}
