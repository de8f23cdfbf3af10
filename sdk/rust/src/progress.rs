//! How far a run is: shown live, never stored.

use crate::imports;

/// Says what the run is doing now, and how far it is (0 to 100), if it knows: `report(40, "copying")` or
/// `report(None, "waiting for the platform")`.
pub fn report(percent: impl Into<Option<u8>>, message: &str) {
    imports::progress(percent.into().map(|percent| percent.min(100)), message);
}
