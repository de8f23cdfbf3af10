//! Deploys one version of a service through the platform's API, and puts the previous version back on undo.
//!
//! The first run asks the platform to deploy and suspends itself; later runs look how it is doing. So a deployment that
//! takes an hour costs nothing while it lasts, and goes on if the engine is restarted meanwhile.

use fermata_sdk::prelude::*;

mod platform;
#[cfg(test)]
mod tests;

use platform::{Service, State, Status};

/// Wait before the first look: most deployments of a small service are over by then.
const FIRST_LOOK: Duration = Duration::from_millis(200);
/// Wait between later looks.
const NEXT_LOOK: Duration = Duration::from_millis(500);
/// Most looks at one deployment: ten minutes.
const LOOKS_MAX: u32 = 1_200;
/// Looks at an unhealthy service before giving up: a few seconds to recover.
const UNHEALTHY_LOOKS_MAX: u32 = 6;

/// What to deploy, and where.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Inputs {
    /// The service, as the platform calls it.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9-]*$"))]
    service: String,
    /// The environment, as the platform calls it.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9-]*$"))]
    environment: String,
    /// The version to deploy.
    #[schemars(length(min = 1, max = 64))]
    version: String,
    /// Where the platform's API is.
    #[serde(default = "platform::default_url")]
    url: String,
}

/// What was deployed.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Outputs {
    service: String,
    environment: String,
    version: String,
    /// The version that ran before, if one did.
    previous: Option<String>,
    /// Where the service answers.
    url: Option<String>,
    /// The platform's own name for the deployment.
    deployment: String,
}

/// What is remembered between two looks.
#[derive(Debug, Serialize, Deserialize)]
struct Checkpoint {
    deployment: String,
    /// The version that is being deployed: on undo not the one in the inputs.
    version: String,
    previous: Option<String>,
    looks: u32,
    unhealthy_looks: u32,
}

struct Deploy;

impl Activity for Deploy {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn summary() -> &'static str {
        "Deploys one version of a service and waits until it is healthy; undo puts the previous version back."
    }

    fn retry() -> Option<Retry> {
        Some(Retry {
            attempts: 3,
            backoff: Duration::from_secs(1),
        })
    }

    fn timeout() -> Option<Duration> {
        Some(Duration::from_mins(15))
    }

    fn idempotency() -> Option<Idempotency> {
        Some(Idempotency::Key)
    }

    fn capabilities() -> Capabilities {
        Capabilities::none()
            .http("*", &["GET", "PUT", "DELETE"])
            .evidence("deployment")
    }

    fn run(attempt: &Attempt, inputs: Inputs) -> Result<Outcome<Outputs>, Failure> {
        let service = Service::new(&inputs);
        let Some(checkpoint) = attempt.checkpoint()? else {
            log::info!("deploying {service} {}", inputs.version);
            return start(&service, attempt, &inputs.version);
        };
        match look(&service, checkpoint)? {
            Look::Again(outcome) => Ok(outcome),
            Look::Running(status, checkpoint) => {
                record(&inputs, &status, &checkpoint)?;
                log::info!("{service} runs {}", inputs.version);
                Ok(Outcome::Done(Outputs {
                    service: inputs.service,
                    environment: inputs.environment,
                    version: inputs.version,
                    previous: checkpoint.previous,
                    url: status.url,
                    deployment: checkpoint.deployment,
                }))
            }
        }
    }
}

impl Undo for Deploy {
    fn undo(
        attempt: &Attempt,
        inputs: Inputs,
        outputs: Option<Outputs>,
    ) -> Result<Outcome<()>, Failure> {
        let service = Service::new(&inputs);
        let Some(checkpoint) = attempt.checkpoint()? else {
            return start_undo(&service, attempt, &inputs, outputs);
        };
        match look(&service, checkpoint)? {
            Look::Again(outcome) => Ok(outcome),
            Look::Running(status, checkpoint) => {
                record(&inputs, &status, &checkpoint)?;
                log::info!("{service} runs {} again", checkpoint.version);
                Ok(Outcome::Done(()))
            }
        }
    }
}

/// Asks for `version` and suspends until the first look.
fn start<T>(service: &Service, attempt: &Attempt, version: &str) -> Result<Outcome<T>, Failure> {
    let accepted = service.put(version, &attempt.idempotency_key)?;
    let checkpoint = Checkpoint {
        deployment: accepted.deployment,
        version: version.to_owned(),
        previous: accepted.previous,
        looks: 0,
        unhealthy_looks: 0,
    };
    let status = format!("deploying {service} {version}");
    progress::report(10, &status);
    Ok(pending(&checkpoint, FIRST_LOOK)?.status(status))
}

/// Finds out what ran before and asks for it. What somebody else has deployed since is left alone.
fn start_undo(
    service: &Service,
    attempt: &Attempt,
    inputs: &Inputs,
    outputs: Option<Outputs>,
) -> Result<Outcome<()>, Failure> {
    let Some(status) = service.get()? else {
        log::info!("{service} is not there, so there is nothing to undo");
        return Ok(Outcome::Done(()));
    };
    if !status.concerns(&inputs.version) {
        log::warn!(
            "{service} was deployed again since: it stays at {}",
            status.wanted
        );
        return Ok(Outcome::Done(()));
    }
    let previous = match outputs {
        Some(outputs) => outputs.previous,
        // The run never finished: the platform knows what it found.
        None if status.runs(&inputs.version) => status.previous,
        None => status.version,
    };
    let Some(version) = previous else {
        log::info!("{service} did not exist before: removing it");
        service.delete()?;
        return Ok(Outcome::Done(()));
    };
    log::info!("putting {service} {version} back");
    // The key of an undo is another one than that of the run: this is another request.
    start(service, attempt, &version)
}

/// What a look at a deployment found.
enum Look<T> {
    Running(Status, Checkpoint),
    Again(Outcome<T>),
}

/// Looks how the deployment is doing.
fn look<T>(service: &Service, mut checkpoint: Checkpoint) -> Result<Look<T>, Failure> {
    let status = service.get()?.or_fail(|| {
        Failure::permanent(format!("{service} was removed while it was deployed")).code("removed")
    })?;
    let version = &checkpoint.version;
    if status.wanted != *version {
        let message = format!(
            "{service} was to run {version}, but {} was asked for since",
            status.wanted
        );
        return Err(Failure::permanent(message)
            .code("superseded")
            .details(&status));
    }
    let reason = status.reason.as_deref().unwrap_or("no reason was given");
    match status.state {
        State::Running if status.healthy && status.runs(version) => {
            return Ok(Look::Running(status, checkpoint));
        }
        State::Crashed => {
            return Err(
                Failure::permanent(format!("{service} {version} crashed: {reason}"))
                    .code("crashed")
                    .details(&status),
            );
        }
        State::Unhealthy => checkpoint.unhealthy_looks += 1,
        State::Running | State::Deploying => {}
    }
    checkpoint.looks += 1;
    if checkpoint.unhealthy_looks >= UNHEALTHY_LOOKS_MAX {
        return Err(
            Failure::retryable(format!("{service} {version} is unhealthy: {reason}"))
                .code("unhealthy")
                .details(&status),
        );
    }
    if checkpoint.looks >= LOOKS_MAX {
        return Err(
            Failure::retryable(format!("{service} {version} is still being deployed"))
                .code("not-finished")
                .details(&status),
        );
    }
    let shown = format!("{service} {version} is {}", status.state);
    progress::report(50, &shown);
    Ok(Look::Again(pending(&checkpoint, NEXT_LOOK)?.status(shown)))
}

fn record(inputs: &Inputs, status: &Status, checkpoint: &Checkpoint) -> Result<(), Failure> {
    evidence::deployment(&inputs.service, &inputs.environment, &checkpoint.version)
        .previous(checkpoint.previous.as_deref())
        .url(status.url.as_deref())
        .record()?;
    Ok(())
}

fermata_sdk::reversible_activity!(Deploy);
