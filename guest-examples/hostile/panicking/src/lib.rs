//! Panics: proves that the message and the back-trace reach people.

use fermata_sdk::prelude::*;

/// What to say.
#[derive(Deserialize, JsonSchema)]
struct Inputs {
    /// The message of the panic.
    #[serde(default = "default_message")]
    message: String,
}

fn default_message() -> String {
    "the ledger does not add up".to_owned()
}

struct Panicking;

impl Activity for Panicking {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Inputs = Inputs;
    type Outputs = ();

    fn summary() -> &'static str {
        "Panics."
    }

    fn run(_: &Attempt, inputs: Inputs) -> Result<Outcome<()>, Failure> {
        balance_the_ledger(&inputs.message);
        Ok(Outcome::Done(()))
    }
}

/// A function of its own, to be found in the back-trace.
#[inline(never)]
fn balance_the_ledger(message: &str) {
    assert!(message.is_empty(), "{message}");
}

fermata_sdk::activity!(Panicking);

#[cfg(test)]
mod tests {
    use super::*;
    use fermata_sdk::testing;

    #[test]
    #[should_panic(expected = "the ledger does not add up")]
    fn it_panics() {
        let _ = testing::finish::<Panicking>(json!({}));
    }
}
