//! Asks for ever more memory and touches it: proves the limit on memory.

use fermata_sdk::prelude::*;

/// Nothing is read.
#[derive(Deserialize, JsonSchema)]
struct Inputs {}

struct Hungry;

impl Activity for Hungry {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Inputs = Inputs;
    type Outputs = ();

    fn summary() -> &'static str {
        "Asks for ever more memory."
    }

    fn run(_: &Attempt, _: Inputs) -> Result<Outcome<()>, Failure> {
        let mut kept = Vec::new();
        loop {
            kept.push(std::hint::black_box(vec![1_u8; CHUNK_BYTES]));
            log::debug!("holding {} MiB", kept.len());
        }
    }
}

/// One mebibyte at a time, so that the log shows where the limit was.
const CHUNK_BYTES: usize = 1024 * 1024;

fermata_sdk::activity!(Hungry);
