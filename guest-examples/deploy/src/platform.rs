//! The platform's API, as far as a deployment needs it.

use std::fmt;

use fermata_sdk::prelude::*;

use crate::Inputs;

/// Longest time for one call. The platform answers at once; what takes long happens behind it.
const CALL_MAX: Duration = Duration::from_secs(10);

/// Where the demo's platform listens.
pub fn default_url() -> String {
    "http://127.0.0.1:7790".to_owned()
}

/// One service in one environment.
pub struct Service {
    shown: String,
    url: String,
}

/// The platform's answer to a request for a version.
#[derive(Deserialize)]
pub struct Accepted {
    pub deployment: String,
    pub previous: Option<String>,
}

/// How a service is doing.
#[derive(Debug, Serialize, Deserialize)]
pub struct Status {
    /// The version that runs, if one does.
    pub version: Option<String>,
    /// The version that ran before it.
    pub previous: Option<String>,
    /// The version that was asked for last.
    pub wanted: String,
    pub state: State,
    pub healthy: bool,
    /// Why it is not running, in the platform's words.
    pub reason: Option<String>,
    /// Where the service answers.
    pub url: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Deploying,
    Running,
    Crashed,
    Unhealthy,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deploying => "being deployed",
            Self::Running => "running",
            Self::Crashed => "crashed",
            Self::Unhealthy => "unhealthy",
        })
    }
}

impl Status {
    /// Whether `version` is the one that runs.
    pub fn runs(&self, version: &str) -> bool {
        self.version.as_deref() == Some(version)
    }

    /// Whether a deployment of `version` is what brought the service here.
    pub fn concerns(&self, version: &str) -> bool {
        self.wanted == version
    }
}

impl Service {
    pub fn new(inputs: &Inputs) -> Self {
        Self {
            shown: format!("{} in {}", inputs.service, inputs.environment),
            url: format!(
                "{}/environments/{}/services/{}",
                inputs.url.trim_end_matches('/'),
                inputs.environment,
                inputs.service
            ),
        }
    }

    /// Asks for `version`. Asking again for a version that is on its way changes nothing.
    pub fn put(&self, version: &str, idempotency_key: &str) -> Result<Accepted, Failure> {
        Ok(http::Request::put(&self.url)
            .header("idempotency-key", idempotency_key)
            .json(&json!({ "version": version }))
            .timeout(CALL_MAX)
            .send()?
            .success()?
            .json()?)
    }

    /// How the service is doing; `None` if the platform does not know it.
    pub fn get(&self) -> Result<Option<Status>, Failure> {
        let response = http::Request::get(&self.url).timeout(CALL_MAX).send()?;
        if response.status() == 404 {
            return Ok(None);
        }
        Ok(Some(response.success()?.json()?))
    }

    /// Removes the service.
    pub fn delete(&self) -> Result<(), Failure> {
        http::Request::delete(&self.url)
            .timeout(CALL_MAX)
            .send()?
            .success()?;
        Ok(())
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}
