//! The time, for the ages that people see.

use fermata_core::time::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The current instant.
#[expect(
    clippy::disallowed_methods,
    reason = "replaced by the service's clock as soon as that is public"
)]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp(since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }))
}
