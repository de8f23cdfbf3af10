//! Fails a number of times and then succeeds: proves retries.

use fermata_sdk::prelude::*;

/// How often to fail.
#[derive(Deserialize, JsonSchema)]
struct Inputs {
    /// How many attempts fail before one succeeds.
    #[serde(default = "default_failures")]
    failures: u32,
    /// Milliseconds that must pass before the next attempt; 0 leaves it to the engine.
    #[serde(default)]
    delay_ms: u64,
}

fn default_failures() -> u32 {
    2
}

/// What it took.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct Outputs {
    /// How many attempts, the last one included.
    attempts: u32,
}

struct Flaky;

impl Activity for Flaky {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn summary() -> &'static str {
        "Fails a number of times and then succeeds."
    }

    fn run(attempt: &Attempt, inputs: Inputs) -> Result<Outcome<Outputs>, Failure> {
        let attempts = attempt.number;
        if attempts > inputs.failures {
            return Ok(Outcome::Done(Outputs { attempts }));
        }
        let message = format!("attempt {attempts} fails, as was asked for");
        let failure = Failure::retryable(message).code("flaky");
        Err(if inputs.delay_ms == 0 {
            failure
        } else {
            failure.after(Duration::from_millis(inputs.delay_ms))
        })
    }
}

fermata_sdk::activity!(Flaky);

#[cfg(test)]
mod tests {
    use super::*;
    use fermata_sdk::testing;

    #[test]
    fn the_attempt_after_the_last_failure_succeeds() {
        for (number, delay_ms, expected) in [
            (1, 0, Err(None)),
            (2, 250, Err(Some(Duration::from_millis(250)))),
            (3, 0, Ok(Outputs { attempts: 3 })),
        ] {
            let mut attempt = testing::attempt();
            attempt.number = number;
            let inputs = json!({ "failures": 2, "delay_ms": delay_ms });
            let ended = testing::finish_attempt::<Flaky>(attempt, inputs);
            assert_eq!(ended.map_err(|failure| failure.delay()), expected);
        }
    }
}
