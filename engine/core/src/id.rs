//! Names and identifiers: parsed here, generated elsewhere.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Longest [`Name`], in bytes: fits a DNS label, so that names can appear in host names and paths.
pub const NAME_BYTES_MAX: usize = 63;

/// A name that a person chose: lower-case letters, digits and inner hyphens, 1 to 63 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<str>);

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Text that is not a [`Name`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError;

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a name has 1 to 63 lower-case letters, digits and hyphens, and starts and ends with a letter or digit",
        )
    }
}

impl std::error::Error for NameError {}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let sized = (1..=NAME_BYTES_MAX).contains(&text.len());
        let framed = !text.starts_with('-') && !text.ends_with('-');
        if sized && framed && text.bytes().all(inner) {
            Ok(Self(text.into()))
        } else {
            Err(NameError)
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A release: 48 bits of milliseconds and 80 bits of randomness, so that ids sort by age.
///
/// Written as `rel-` and 26 characters of Crockford's base 32 (<https://www.crockford.com/base32.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReleaseId(pub u128);

const RELEASE_PREFIX: &str = "rel-";
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const BASE32_DIGITS: usize = 26;

impl ReleaseId {
    /// The id as 16 bytes whose order is the order of age.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The id whose [`Self::to_bytes`] are `bytes`.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(RELEASE_PREFIX)?;
        for place in (0..BASE32_DIGITS).rev() {
            let digit = (self.0 >> (place * 5)) & 31;
            write!(
                f,
                "{}",
                char::from(BASE32[usize::try_from(digit).expect("five bits fit")])
            )?;
        }
        Ok(())
    }
}

/// Text that is not an identifier of the kind asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdError {
    expected: &'static str,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)
    }
}

impl std::error::Error for IdError {}

impl FromStr for ReleaseId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = IdError {
            expected: "`rel-` and 26 base-32 characters",
        };
        let digits = text
            .strip_prefix(RELEASE_PREFIX)
            .filter(|d| d.len() == BASE32_DIGITS)
            .ok_or(error.clone())?;
        let mut value: u128 = 0;
        for byte in digits.bytes() {
            let digit = BASE32
                .iter()
                .position(|b| *b == byte)
                .ok_or(error.clone())?;
            value = value.checked_mul(32).ok_or(error.clone())? | digit as u128;
        }
        Ok(Self(value))
    }
}

/// The SHA-256 of some content; the address of components and process documents.
///
/// Written as `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

const DIGEST_PREFIX: &str = "sha256:";
const HEX: &[u8; 16] = b"0123456789abcdef";

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// The 64 hexadecimal digits alone.
    pub fn hex(&self) -> String {
        self.0
            .iter()
            .fold(String::with_capacity(64), |mut hex, byte| {
                hex.push(char::from(HEX[usize::from(byte >> 4)]));
                hex.push(char::from(HEX[usize::from(byte & 15)]));
                hex
            })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{DIGEST_PREFIX}{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = IdError {
            expected: "`sha256:` and 64 hexadecimal digits",
        };
        let hex = text
            .strip_prefix(DIGEST_PREFIX)
            .filter(|h| h.len() == 64 && h.is_ascii())
            .ok_or(error.clone())?;
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).map_err(|_| error.clone())?;
        }
        Ok(Self(bytes))
    }
}

/// Implements serde for an identifier: its text where people read, its bytes where machines do.
macro_rules! serde_text_or_bytes {
    ($type:ident, $bytes:ty, $to:expr, $from:expr) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    $to(self).serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    String::deserialize(deserializer)?
                        .parse()
                        .map_err(de::Error::custom)
                } else {
                    <$bytes>::deserialize(deserializer).map($from)
                }
            }
        }
    };
}

serde_text_or_bytes!(
    ReleaseId,
    [u8; 16],
    |id: &ReleaseId| id.to_bytes(),
    ReleaseId::from_bytes
);
serde_text_or_bytes!(Digest, [u8; 32], |digest: &Digest| digest.0, Digest);

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_ids_read_back_and_sort_by_age() {
        let old = ReleaseId(1 << 80);
        let new = ReleaseId(2 << 80);
        assert_eq!(old.to_string().parse(), Ok(old));
        assert!(old < new && old.to_string() < new.to_string());
        assert_eq!(
            ReleaseId(u128::MAX).to_string().parse(),
            Ok(ReleaseId(u128::MAX))
        );
    }

    #[test]
    fn hostile_text_is_no_identifier() {
        for text in [
            "",
            "rel-",
            "rel-zzzzzzzzzzzzzzzzzzzzzzzzzz",
            "rel-0000000000000000000000000u",
            "x",
        ] {
            assert!(text.parse::<ReleaseId>().is_err(), "{text}");
        }
        for text in [
            "",
            "sha256:",
            "sha256:zz",
            &format!("sha256:{}é", "0".repeat(62)),
        ] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
        for text in ["", "-a", "a-", "A", "a b", "ä", &"a".repeat(64)] {
            assert!(text.parse::<Name>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_digest_is_that_of_sha256sum() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), empty);
        assert_eq!(empty.parse(), Ok(Digest::of(b"")));
    }
}
