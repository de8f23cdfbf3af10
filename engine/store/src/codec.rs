//! How stored values become bytes: one leading schema version, then [postcard](https://postcard.jamesmunns.com/wire-format).
//!
//! Postcard writes neither names nor lengths of structures, so old bytes can only be read if a
//! stored type never changes: enums may get further variants at their end, and nothing else. Any
//! other change needs a further schema version, and a reader for the old one.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The first byte of every value that this build writes.
pub const SCHEMA_VERSION: u8 = 1;

/// Why bytes are not a stored value of the type asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Not even a schema version.
    #[error("it is empty")]
    Empty,
    /// Another schema than this build knows.
    #[error("it has schema version {0}, and this version of Fermata reads {SCHEMA_VERSION}")]
    Version(u8),
    /// The bytes after the version do not fit the type.
    #[error("it does not have the expected form: {0}")]
    Form(postcard::Error),
    /// There is more than one value.
    #[error("{0} bytes follow the value")]
    Trailing(usize),
}

/// The bytes of `value`.
///
/// # Panics
/// If the type is one that postcard cannot write, such as a flattened structure: the first use
/// of a new stored type shows it.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    postcard::to_extend(value, vec![SCHEMA_VERSION])
        .expect("stored types are plain structures, enums and sequences, which postcard can write")
}

/// The value that [`encode`] made `bytes` of.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let (version, value) = bytes.split_first().ok_or(CodecError::Empty)?;
    if *version != SCHEMA_VERSION {
        return Err(CodecError::Version(*version));
    }
    match postcard::take_from_bytes(value) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(CodecError::Trailing(rest.len())),
        Err(error) => Err(CodecError::Form(error)),
    }
}

impl CodecError {
    /// The error of a store whose record `what` holds such bytes.
    pub fn of(&self, what: impl Into<String>) -> crate::Error {
        crate::Error::Corrupt {
            what: what.into(),
            reason: self.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_back() {
        for value in [
            None,
            Some((7_u64, String::from("ü"))),
            Some((u64::MAX, String::new())),
        ] {
            assert_eq!(decode(&encode(&value)), Ok(value));
        }
    }

    #[test]
    fn bytes_of_something_else_are_refused() {
        let good = encode("four");
        assert_eq!(decode::<String>(&[]), Err(CodecError::Empty));
        let mut other = good.clone();
        other[0] = 9;
        assert_eq!(decode::<String>(&other), Err(CodecError::Version(9)));
        let longer = [good.as_slice(), &[0, 0]].concat();
        assert_eq!(decode::<String>(&longer), Err(CodecError::Trailing(2)));
        for cut in 1..good.len() {
            let short = decode::<String>(&good[..cut]);
            assert!(
                matches!(short, Err(CodecError::Form(_))),
                "{cut}: {short:?}"
            );
        }
        let huge = [SCHEMA_VERSION, 0xff, 0xff, 0xff, 0xff, 0x0f];
        assert!(matches!(
            decode::<Vec<u64>>(&huge),
            Err(CodecError::Form(_))
        ));
    }
}
