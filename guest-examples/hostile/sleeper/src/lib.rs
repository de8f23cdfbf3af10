//! Suspends itself for a while: stands for everything that waits.

use fermata_sdk::prelude::*;

/// How long to wait.
#[derive(Deserialize, JsonSchema)]
struct Inputs {
    /// Milliseconds of each suspension.
    #[serde(default = "default_ms")]
    ms: u64,
    /// How many suspensions.
    #[serde(default = "default_times")]
    times: u32,
}

fn default_ms() -> u64 {
    1_000
}

fn default_times() -> u32 {
    1
}

/// What it took.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct Outputs {
    /// How many suspensions.
    times: u32,
}

struct Sleeper;

impl Activity for Sleeper {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn summary() -> &'static str {
        "Waits for a while."
    }

    fn run(attempt: &Attempt, inputs: Inputs) -> Result<Outcome<Outputs>, Failure> {
        let slept = attempt.checkpoint::<u32>()?.unwrap_or(0);
        if slept >= inputs.times {
            return Ok(Outcome::Done(Outputs { times: slept }));
        }
        let status = format!("sleeping, {} more to go", inputs.times - slept);
        Ok(pending(&(slept + 1), Duration::from_millis(inputs.ms))?.status(status))
    }
}

fermata_sdk::activity!(Sleeper);

#[cfg(test)]
mod tests {
    use super::*;
    use fermata_sdk::testing;

    #[test]
    fn it_is_suspended_as_often_as_it_was_told() {
        let outputs = testing::finish::<Sleeper>(json!({ "times": 4 })).expect("wakes up");
        assert_eq!(outputs, Outputs { times: 4 });
        let first = testing::run::<Sleeper>(json!({ "ms": 250 })).expect("sleeps");
        assert!(
            matches!(first, Outcome::Pending(p) if p.resume == fermata_sdk::Resume::After(Duration::from_millis(250)))
        );
    }
}
