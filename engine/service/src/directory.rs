//! The port to whoever knows the people.

use std::fmt;

use fermata_core::id::Name;

/// Knows who is in which group. Must not wait: it is asked between turns.
pub trait Directory: fmt::Debug + Send + Sync + 'static {
    /// Who is in `group` now, sorted.
    fn members(&self, group: &Name) -> Vec<Name>;
}

/// Knows nobody.
#[derive(Debug)]
pub struct Nobody;

impl Directory for Nobody {
    fn members(&self, _: &Name) -> Vec<Name> {
        Vec::new()
    }
}
