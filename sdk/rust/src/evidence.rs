//! Typed facts that become part of the release's record.

use std::fmt;

use serde::Serialize;

use crate::{Failure, imports};

/// Why a fact was not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(pub(crate) String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the evidence was not recorded: {}", self.0)
    }
}

impl std::error::Error for Error {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::permanent(error.to_string()).code("evidence")
    }
}

/// Records `fact`, an object. `kind` is `commit`, `artifact`, `test-report`, `ticket`, `deployment`, `scan`, `link`, …
pub fn record(kind: &str, fact: &impl Serialize) -> Result<(), Error> {
    let json = serde_json::to_string(fact).map_err(|error| Error(error.to_string()))?;
    imports::record(kind, &json).map_err(Error)
}

/// Keeps `bytes` with the record and returns their digest, for use in a fact.
pub fn attach(name: &str, media_type: &str, bytes: &[u8]) -> Result<String, Error> {
    imports::attach(name, media_type, bytes).map_err(Error)
}

/// The fact that `version` of `service` now runs in `environment`; the ledger of what is deployed where is made of these.
///
/// ```
/// # use fermata_sdk::prelude::*;
/// # use fermata_sdk::testing::Host;
/// # let host = Host::install();
/// # fn sketch() -> Result<(), Failure> {
/// evidence::deployment("payment", "staging", "1.4.0").previous("1.3.9").record()?;
/// # Ok(())
/// # }
/// # sketch().unwrap();
/// # assert_eq!(host.evidence()[0].1["previous"], "1.3.9");
/// ```
pub fn deployment(service: &str, environment: &str, version: &str) -> Deployment {
    Deployment {
        service: service.to_owned(),
        environment: environment.to_owned(),
        version: version.to_owned(),
        previous: None,
        url: None,
    }
}

/// A fact of the kind `deployment`. [`deployment`] makes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[must_use = "call `record`"]
pub struct Deployment {
    service: String,
    environment: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl Deployment {
    /// The version that ran before, if one did.
    pub fn previous<'a>(mut self, version: impl Into<Option<&'a str>>) -> Self {
        self.previous = version.into().map(str::to_owned);
        self
    }

    /// Where to look at it.
    pub fn url<'a>(mut self, url: impl Into<Option<&'a str>>) -> Self {
        self.url = url.into().map(str::to_owned);
        self
    }

    /// Records it.
    pub fn record(&self) -> Result<(), Error> {
        record("deployment", self)
    }
}
