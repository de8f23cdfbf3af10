//! A notifier that misbehaves as its settings say: proves that it fails alone.

use fermata_sdk::prelude::*;

/// Longer than any message should be, in bytes.
const LONG_BYTES: usize = 1024 * 1024;

/// How to misbehave.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The way.
    way: Way,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Way {
    /// Never returns.
    Spin,
    /// Asks for ever more memory.
    Hungry,
    /// Crashes.
    Panic,
    /// Fails with much to say.
    LongFailure,
    /// Calls a host that nobody granted.
    Forbidden,
}

struct BadNotifier;

impl Notifier for BadNotifier {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Settings = Settings;

    fn summary() -> &'static str {
        "Misbehaves as it is told."
    }

    fn notify(_: &Notification, settings: Settings) -> Result<(), Failure> {
        match settings.way {
            Way::Spin => spin(),
            Way::Hungry => hungry(),
            Way::Panic => panic!("as it was told"),
            Way::LongFailure => Err(Failure::permanent("long\n".repeat(LONG_BYTES / 5))),
            Way::Forbidden => {
                http::Request::post("https://forbidden.example.com/").send()?;
                Ok(())
            }
        }
    }
}

fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

fn hungry() -> ! {
    let mut kept = Vec::new();
    loop {
        kept.push(std::hint::black_box(vec![1_u8; LONG_BYTES]));
    }
}

fermata_sdk::notifier!(BadNotifier);
