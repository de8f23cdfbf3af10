//! Does nothing, as fast as possible: what is left when it runs is the engine's own cost.

use fermata_sdk::prelude::*;

/// Anything; nothing is read.
#[derive(Deserialize, JsonSchema)]
struct Inputs {}

struct Noop;

impl Activity for Noop {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Inputs = Inputs;
    type Outputs = ();

    fn summary() -> &'static str {
        "Does nothing."
    }

    fn run(_: &Attempt, _: Inputs) -> Result<Outcome<()>, Failure> {
        Ok(Outcome::Done(()))
    }
}

impl Undo for Noop {
    /// There is nothing to take back.
    fn undo(_: &Attempt, _: Inputs, _: Option<()>) -> Result<Outcome<()>, Failure> {
        Ok(Outcome::Done(()))
    }
}

fermata_sdk::reversible_activity!(Noop);

#[cfg(test)]
mod tests {
    use super::*;
    use fermata_sdk::testing::{self, Host};

    #[test]
    fn it_succeeds_and_leaves_nothing_behind() {
        let host = Host::install();
        testing::finish::<Noop>(json!({ "anything": [1, 2, 3] })).expect("succeeds");
        assert!(host.log().is_empty() && host.calls().is_empty());
    }
}
