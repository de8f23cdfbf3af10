//! Checks that a page answers as it should.

use fermata_sdk::prelude::*;

/// What a process writes under `with:`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Inputs {
    /// The page to ask for.
    url: String,
    /// The status that it should answer with.
    #[serde(default = "ok")]
    status: u16,
}

fn ok() -> u16 {
    200
}

/// What later activities can read.
#[derive(Serialize, JsonSchema)]
struct Outputs {
    /// The status that it answered with.
    status: u16,
}

struct CheckPage;

impl Activity for CheckPage {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn summary() -> &'static str {
        "Checks that a page answers as it should."
    }

    fn retry() -> Option<Retry> {
        Some(Retry {
            attempts: 3,
            backoff: Duration::from_secs(5),
        })
    }

    fn capabilities() -> Capabilities {
        Capabilities::none().http("*", &["GET"])
    }

    fn run(_: &Attempt, inputs: Inputs) -> Result<Outcome<Outputs>, Failure> {
        let response = http::Request::get(&inputs.url).send()?;
        log::info!("{} answers {}", inputs.url, response.status());
        if response.status() != inputs.status {
            return Err(Failure::retryable(format!(
                "{} answers {}, not {}",
                inputs.url,
                response.status(),
                inputs.status
            ))
            .code("unexpected-status"));
        }
        Ok(Outcome::Done(Outputs {
            status: response.status(),
        }))
    }
}

fermata_sdk::activity!(CheckPage);
