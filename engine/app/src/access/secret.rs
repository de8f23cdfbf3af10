//! The secret of a token: `fmt_`, 256 random bits in base 62, `_`, and a checksum.
//!
//! The checksum tells a misspelt token from an unknown one without a look-up, and lets scanners
//! for leaked secrets recognise one.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};

use fermata_core::id::Digest;

/// The SHA-256 of a secret. A secret of 256 bits needs no slow hash.
pub(crate) type Hash = [u8; 32];

const PREFIX: &str = "fmt_";
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Digits that hold 256 bits.
const BODY_DIGITS: usize = 43;
/// Digits that hold 32 bits.
const CHECK_DIGITS: usize = 6;

/// A token as its owner holds it. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// A new secret, from the randomness of the operating system.
    pub(crate) fn draw() -> io::Result<Self> {
        let mut bytes = [0; 32];
        // The device never blocks once the machine has started, and needs no further crate.
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Self::of(bytes))
    }

    fn of(bytes: [u8; 32]) -> Self {
        let body = base62(bytes.to_vec(), BODY_DIGITS);
        let check = checksum(&body);
        Self(format!("{PREFIX}{body}_{check}"))
    }

    /// The secret that `text` spells, if its form and checksum are right.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (body, check) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric());
        let formed = body.len() == BODY_DIGITS && digits(body) && check == checksum(body);
        formed.then(|| Self(text.into()))
    }

    /// What is stored of it.
    pub(crate) fn hash(&self) -> Hash {
        Digest::of(self.0.as_bytes()).0
    }

    /// The text to hand out, once.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// A big-endian number in base 62, with leading zeros.
fn base62(mut number: Vec<u8>, digits: usize) -> String {
    let mut text = vec![b'0'; digits];
    for digit in text.iter_mut().rev() {
        let mut rest: u32 = 0;
        for byte in &mut number {
            let part = rest << 8 | u32::from(*byte);
            *byte = u8::try_from(part / 62)
                .expect("the rest is below 62, so the quotient is below 256");
            rest = part % 62;
        }
        *digit = BASE62[rest as usize];
    }
    text.into_iter().map(char::from).collect()
}

/// CRC-32 (<https://www.rfc-editor.org/rfc/rfc1952#section-8>) in base 62.
fn checksum(body: &str) -> String {
    let crc = body.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    });
    base62((!crc).to_be_bytes().to_vec(), CHECK_DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_read_back_and_show_themselves_to_nobody() {
        let secret = Secret::draw().unwrap();
        assert_eq!(Secret::parse(secret.expose()), Some(secret.clone()));
        assert_ne!(Secret::draw().unwrap(), secret);
        assert!(!format!("{secret:?}").contains(secret.expose()));
        assert_eq!(secret.expose().len(), 54);
    }

    #[test]
    fn every_bit_counts() {
        let all = Secret::of([0xff; 32]);
        let less = Secret::of([0xfe; 32]);
        assert_ne!(all, less);
        assert!(Secret::parse(all.expose()).is_some());
        // 2^256 - 1 in base 62 and its CRC-32, worked out with Python's integers and zlib.
        let expected = "fmt_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1_3sRzl1";
        assert_eq!(all.expose(), expected);
    }

    #[test]
    fn misspelt_secrets_are_noticed() {
        let secret = Secret::of([7; 32]);
        let text = secret.expose();
        let other = |at: usize| {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'a' { b'b' } else { b'a' };
            String::from_utf8(bytes).unwrap()
        };
        for text in [
            String::new(),
            "fmt_".into(),
            "fmt_0000".into(),
            other(0),
            other(10),
            other(47),
            other(53),
            text.replace("fmt_", "ghp_"),
            format!("{text} "),
            "fmt_é_0".into(),
        ] {
            assert_eq!(Secret::parse(&text), None, "{text}");
        }
    }
}
