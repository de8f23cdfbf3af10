//! Calls itself for ever: proves the limit on the stack.

use fermata_sdk::prelude::*;

/// Nothing is read.
#[derive(Deserialize, JsonSchema)]
struct Inputs {}

struct Recursive;

impl Activity for Recursive {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Inputs = Inputs;
    type Outputs = ();

    fn summary() -> &'static str {
        "Calls itself for ever."
    }

    fn run(_: &Attempt, _: Inputs) -> Result<Outcome<()>, Failure> {
        log::info!("{}", deeper(0));
        Ok(Outcome::Done(()))
    }
}

/// Works on what the call below it gives back, so that no compiler makes a loop of it.
#[expect(unconditional_recursion, reason = "this is what the activity is for")]
fn deeper(depth: u64) -> u64 {
    let below = deeper(std::hint::black_box(depth + 1));
    std::hint::black_box(below) + 1
}

fermata_sdk::activity!(Recursive);
