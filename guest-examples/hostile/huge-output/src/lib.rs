//! Returns more than is allowed: proves the limit on outputs.

use fermata_sdk::prelude::*;

/// How much to return.
#[derive(Deserialize, JsonSchema)]
struct Inputs {
    /// How many bytes.
    #[serde(default = "default_bytes")]
    bytes: usize,
}

fn default_bytes() -> usize {
    8 * 1024 * 1024
}

/// Much of nothing.
#[derive(Debug, Serialize, JsonSchema)]
struct Outputs {
    text: String,
}

struct HugeOutput;

impl Activity for HugeOutput {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn summary() -> &'static str {
        "Returns more than is allowed."
    }

    fn run(_: &Attempt, inputs: Inputs) -> Result<Outcome<Outputs>, Failure> {
        Ok(Outcome::Done(Outputs {
            text: "x".repeat(inputs.bytes),
        }))
    }
}

fermata_sdk::activity!(HugeOutput);

#[cfg(test)]
mod tests {
    use super::*;
    use fermata_sdk::testing;

    #[test]
    fn it_returns_as_much_as_it_is_told() {
        let outputs = testing::finish::<HugeOutput>(json!({ "bytes": 5 })).expect("succeeds");
        assert_eq!(outputs.text, "xxxxx");
    }
}
