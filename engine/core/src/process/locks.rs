//! What a process, a phase or an activity must hold before it begins.

use crate::limits::LOCK_NAME_BYTES_MAX;

/// Before the name of a process in the name of the lock that bounds its running releases.
pub const CONCURRENCY_PREFIX: &str = "process/";

/// What is wrong with `name` as the name of a lock, if anything is.
pub fn fault(name: &str) -> Option<String> {
    let printable = name.chars().all(|c| !c.is_control() && !c.is_whitespace());
    if name.is_empty() || name.len() > LOCK_NAME_BYTES_MAX || !printable {
        return Some(format!(
            "the name of a lock has 1 to {LOCK_NAME_BYTES_MAX} bytes and no blanks"
        ));
    }
    name.starts_with(CONCURRENCY_PREFIX)
        .then(|| format!("`{CONCURRENCY_PREFIX}…` is taken by the engine, for `concurrency`"))
}
