//! Memory, tables and instances of one run.

use wasmtime::ResourceLimiter;

use crate::limits::{Limits, length};

/// Refuses growth beyond the limits, and remembers that it did: the guest will crash over it, and
/// the failure has to name the cause and not the crash.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory: usize,
    used: usize,
    table_used: usize,
    table_elements: usize,
    instances: usize,
    refused: Option<&'static str>,
}

impl Limiter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            memory: length(limits.memory_bytes),
            used: 0,
            table_used: 0,
            table_elements: length(limits.table_elements),
            instances: length(limits.instances),
            refused: None,
        }
    }

    /// Bytes in all memories; memories never shrink.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.used as u64
    }

    /// Elements in the largest table.
    pub(crate) fn table_elements(&self) -> u64 {
        self.table_used as u64
    }

    /// The limit that was refused to be passed last.
    pub(crate) fn refused(&self) -> Option<&'static str> {
        self.refused
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // The sum over all memories of the run counts, not each of them.
        let used = self.used.saturating_sub(current).saturating_add(desired);
        if used > self.memory {
            self.refused = Some("memory");
            return Ok(false);
        }
        self.used = used;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.table_elements {
            self.refused = Some("tables");
            return Ok(false);
        }
        self.table_used = self.table_used.max(desired);
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.instances
    }

    fn memories(&self) -> usize {
        self.instances
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memories_of_a_run_count_together() {
        let limits = Limits {
            memory_bytes: 100,
            table_elements: 5,
            ..Limits::default()
        };
        let mut limiter = Limiter::new(&limits);
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(limiter.memory_growing(60, 80, None).unwrap());
        assert_eq!(limiter.refused(), None);
        assert!(!limiter.memory_growing(0, 21, None).unwrap());
        assert_eq!(limiter.refused(), Some("memory"));
        assert!(!limiter.table_growing(0, 6, None).unwrap());
        assert_eq!(limiter.refused(), Some("tables"));
    }
}
