//! Does anything but judge: proves that the limits hold for policies as well.

use fermata_sdk::prelude::*;

/// What to do.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    deed: Deed,
}

/// What a policy should not do.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Deed {
    /// Never returns.
    Spin,
    /// Takes all the memory there is.
    Hungry,
    /// Panics.
    Panic,
    /// Says more than anybody can read.
    Talk,
    /// Calls a host that nobody granted.
    Call,
}

/// Far more than a sentence.
const TALK_BYTES: usize = 4 * 1024 * 1024;
/// One mebibyte at a time.
const CHUNK_BYTES: usize = 1024 * 1024;

struct Unjust;

impl Policy for Unjust {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Settings = Settings;

    fn summary() -> &'static str {
        "Does anything but judge."
    }

    fn judge(_: &Question, settings: Settings) -> Result<Verdict, Failure> {
        match settings.deed {
            Deed::Spin => {
                let mut turns = 0_u64;
                loop {
                    turns = std::hint::black_box(turns.wrapping_add(1));
                }
            }
            Deed::Hungry => {
                let mut kept = Vec::new();
                loop {
                    kept.push(std::hint::black_box(vec![1_u8; CHUNK_BYTES]));
                }
            }
            Deed::Panic => panic!("there is no justice"),
            Deed::Talk => Ok(Verdict::Warn("blah ".repeat(TALK_BYTES / 5))),
            Deed::Call => {
                http::Request::get("https://example.com/")
                    .send()?
                    .success()?;
                Ok(Verdict::Allow)
            }
        }
    }
}

fermata_sdk::policy!(Unjust);
