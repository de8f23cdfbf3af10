//! Logs far more than anybody keeps, then succeeds: proves the limit on logs.

use fermata_sdk::prelude::*;

/// How much to log.
#[derive(Deserialize, JsonSchema)]
struct Inputs {
    /// How many lines.
    #[serde(default = "default_lines")]
    lines: u32,
    /// How long each of them is.
    #[serde(default = "default_bytes")]
    bytes: usize,
}

fn default_lines() -> u32 {
    100_000
}

fn default_bytes() -> usize {
    1_000
}

/// What was logged.
#[derive(Debug, Serialize, JsonSchema)]
struct Outputs {
    lines: u32,
}

struct LogFlood;

impl Activity for LogFlood {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn summary() -> &'static str {
        "Logs far more than anybody keeps."
    }

    fn run(_: &Attempt, inputs: Inputs) -> Result<Outcome<Outputs>, Failure> {
        let filler = "x".repeat(inputs.bytes);
        for line in 1..=inputs.lines {
            log::info!("line {line} {filler}");
        }
        Ok(Outcome::Done(Outputs {
            lines: inputs.lines,
        }))
    }
}

fermata_sdk::activity!(LogFlood);

#[cfg(test)]
mod tests {
    use super::*;
    use fermata_sdk::testing::{self, Host};

    #[test]
    fn every_line_is_numbered() {
        let host = Host::install();
        testing::finish::<LogFlood>(json!({ "lines": 3, "bytes": 2 })).expect("succeeds");
        assert_eq!(host.log()[2], "info: line 3 xx");
    }
}
