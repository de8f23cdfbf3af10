//! Never returns: proves the limit on processor time.

use fermata_sdk::prelude::*;

/// Nothing is read.
#[derive(Deserialize, JsonSchema)]
struct Inputs {}

struct Spin;

impl Activity for Spin {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Inputs = Inputs;
    type Outputs = ();

    fn summary() -> &'static str {
        "Never returns."
    }

    fn run(_: &Attempt, _: Inputs) -> Result<Outcome<()>, Failure> {
        let mut turns = 0_u64;
        loop {
            turns = std::hint::black_box(turns.wrapping_add(1));
        }
    }
}

fermata_sdk::activity!(Spin);
