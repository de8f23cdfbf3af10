//! Returns outputs that its own schema forbids: proves that outputs are checked.

use fermata_sdk::prelude::*;

/// Nothing is read.
#[derive(Deserialize, JsonSchema)]
struct Inputs {}

/// The schema says a number.
#[derive(Debug, Serialize, JsonSchema)]
struct Outputs {
    #[schemars(with = "u32")]
    count: &'static str,
}

struct Liar;

impl Activity for Liar {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn summary() -> &'static str {
        "Returns outputs that its own schema forbids."
    }

    fn run(_: &Attempt, _: Inputs) -> Result<Outcome<Outputs>, Failure> {
        Ok(Outcome::Done(Outputs { count: "many" }))
    }
}

fermata_sdk::activity!(Liar);

#[cfg(test)]
mod tests {
    use super::*;
    use fermata_sdk::testing;

    #[test]
    fn it_says_one_thing_and_does_another() {
        let outputs = testing::finish::<Liar>(json!({})).expect("succeeds");
        assert_eq!(outputs.count, "many");
        let schema = &testing::describe::<Liar>()["outputs"];
        assert_eq!(schema["properties"]["count"]["type"], "integer");
    }
}
