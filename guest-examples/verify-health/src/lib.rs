//! Checks several times that a service is healthy, once per run, and suspends itself between checks.

use fermata_sdk::prelude::*;

/// Longest time for one call.
const CALL_MAX: Duration = Duration::from_secs(10);

/// What to check.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Inputs {
    /// The service, as the platform calls it.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9-]*$"))]
    service: String,
    /// The environment, as the platform calls it.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9-]*$"))]
    environment: String,
    /// The version that must run; empty if any will do.
    #[serde(default)]
    version: String,
    /// How many checks must pass in a row.
    #[serde(default = "default_checks")]
    #[schemars(range(min = 1, max = 1000))]
    checks: u32,
    /// Milliseconds between two checks.
    #[serde(default = "default_interval_ms")]
    #[schemars(range(min = 10, max = 3_600_000))]
    interval_ms: u64,
    /// Where the platform's API is.
    #[serde(default = "default_url")]
    url: String,
}

fn default_checks() -> u32 {
    3
}

fn default_interval_ms() -> u64 {
    200
}

fn default_url() -> String {
    "http://127.0.0.1:7790".to_owned()
}

/// What was found.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Outputs {
    service: String,
    environment: String,
    /// The version that runs.
    version: String,
    /// How many checks passed.
    checks: u32,
}

/// What the platform says about the service, as far as a check needs it.
#[derive(Serialize, Deserialize)]
struct Status {
    version: Option<String>,
    state: String,
    healthy: bool,
    reason: Option<String>,
}

struct VerifyHealth;

impl Activity for VerifyHealth {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn summary() -> &'static str {
        "Checks several times in a row that a service is healthy."
    }

    fn retry() -> Option<Retry> {
        Some(Retry {
            attempts: 3,
            backoff: Duration::from_secs(1),
        })
    }

    fn capabilities() -> Capabilities {
        Capabilities::none()
            .http("*", &["GET"])
            .evidence("test-report")
    }

    fn run(attempt: &Attempt, inputs: Inputs) -> Result<Outcome<Outputs>, Failure> {
        let passed = attempt.checkpoint::<u32>()?.unwrap_or(0);
        let version = check(&inputs)?;
        let passed = passed + 1;
        if passed < inputs.checks {
            let status = format!("{passed} of {} checks passed", inputs.checks);
            progress::report(percent(passed, inputs.checks), &status);
            let interval = Duration::from_millis(inputs.interval_ms);
            return Ok(pending(&passed, interval)?.status(status));
        }
        evidence::record(
            "test-report",
            &json!({
                "name": "health", "service": inputs.service, "environment": inputs.environment,
                "version": version, "passed": passed, "failed": 0,
            }),
        )?;
        log::info!(
            "{} {version} is healthy: {passed} checks passed",
            inputs.service
        );
        Ok(Outcome::Done(Outputs {
            service: inputs.service,
            environment: inputs.environment,
            version,
            checks: passed,
        }))
    }
}

fn percent(passed: u32, checks: u32) -> Option<u8> {
    u8::try_from(passed * 100 / checks).ok()
}

/// One check; gives the version that runs.
fn check(inputs: &Inputs) -> Result<String, Failure> {
    let url = format!(
        "{}/environments/{}/services/{}",
        inputs.url.trim_end_matches('/'),
        inputs.environment,
        inputs.service
    );
    let status: Status = http::Request::get(url)
        .timeout(CALL_MAX)
        .send()?
        .success()?
        .json()?;
    let shown = format!("{} in {}", inputs.service, inputs.environment);
    if !status.healthy {
        let reason = status.reason.as_deref().unwrap_or(&status.state);
        return Err(
            Failure::retryable(format!("{shown} is not healthy: {reason}"))
                .code("unhealthy")
                .details(&status),
        );
    }
    let version = status
        .version
        .or_fail(|| Failure::retryable(format!("{shown} runs no version")).code("unhealthy"))?;
    if !inputs.version.is_empty() && version != inputs.version {
        let message = format!("{shown} runs {version} instead of {}", inputs.version);
        return Err(Failure::permanent(message).code("wrong-version"));
    }
    Ok(version)
}

impl Undo for VerifyHealth {
    /// There is nothing to take back: it only looked.
    fn undo(_: &Attempt, _: Inputs, _: Option<Outputs>) -> Result<Outcome<()>, Failure> {
        Ok(Outcome::Done(()))
    }
}

fermata_sdk::reversible_activity!(VerifyHealth);

#[cfg(test)]
mod tests {
    use super::*;
    use fermata_sdk::testing::{self, Answer, Host};

    const URL: &str = "http://127.0.0.1:7790/environments/staging/services/payment";

    fn status(healthy: bool) -> Answer {
        let state = if healthy { "running" } else { "unhealthy" };
        Answer::json(
            200,
            &json!({ "version": "1.1.0", "state": state, "healthy": healthy, "reason": null }),
        )
    }

    fn finish(more: &Value, looks: impl IntoIterator<Item = Answer>) -> Result<Outputs, Failure> {
        let host = Host::install();
        for look in looks {
            host.answer("GET", URL, look);
        }
        let mut inputs = json!({ "service": "payment", "environment": "staging" });
        for (key, value) in more.as_object().expect("an object") {
            inputs[key] = value.clone();
        }
        let outputs = testing::finish::<VerifyHealth>(inputs)?;
        assert_eq!(
            host.calls().len(),
            usize::try_from(outputs.checks).expect("small")
        );
        assert_eq!(host.evidence()[0].1["passed"], outputs.checks);
        Ok(outputs)
    }

    #[test]
    fn every_check_must_pass() {
        assert_eq!(
            finish(&json!({}), [status(true)]).expect("healthy").checks,
            3
        );
        let once = finish(&json!({ "checks": 1, "version": "1.1.0" }), [status(true)]);
        assert_eq!(once.expect("healthy").version, "1.1.0");
    }

    #[test]
    fn one_check_that_fails_is_enough() {
        let failure = finish(&json!({}), [status(true), status(false)]).expect_err("unhealthy");
        assert_eq!(
            failure.message(),
            "payment in staging is not healthy: unhealthy"
        );
        assert!(failure.is_retryable());
        let wrong = finish(&json!({ "version": "1.2.0" }), [status(true)]).expect_err("wrong");
        assert_eq!(wrong.code_given(), Some("wrong-version"));
        assert!(!wrong.is_retryable());
    }
}
