//! Secrets that an activity may use but never see.

use std::fmt;

use crate::{Failure, imports};

/// Why there is no handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// Not granted; the text says which grant is missing.
    Denied(String),
    /// There is no secret with this name.
    Unknown(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(why) => write!(f, "a secret is not granted: {why}"),
            Self::Unknown(name) => write!(f, "there is no secret `{name}`"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::Denied(_) => "secret-denied",
            Error::Unknown(_) => "secret-unknown",
        };
        Self::permanent(error.to_string()).code(code)
    }
}

/// An opaque stand-in for the secret `name`, to be put into header values or bodies. The host replaces it in requests
/// to the hosts that the grant names, and nowhere else.
///
/// ```
/// # use fermata_sdk::prelude::*;
/// # use fermata_sdk::testing::{Answer, Host};
/// # let host = Host::install();
/// # host.secret("token").answer("GET", "https://example.com/", Answer::status(204));
/// # fn sketch() -> Result<(), Failure> {
/// let token = secrets::handle("token")?;
/// http::Request::get("https://example.com/")
///     .header("authorization", format!("Bearer {token}"))
///     .send()?;
/// # Ok(())
/// # }
/// # sketch().unwrap();
/// # assert!(secrets::handle("other").is_err());
/// ```
pub fn handle(name: &str) -> Result<String, Error> {
    imports::secret(name)
}
