//! Tests of the store: one conformance suite for every implementation, then what only a disk can do.
//!
//! One binary, because linking RocksDB is what takes time.

/// Runs each function of a topic as a test on every implementation.
macro_rules! conformance {
    ($($name:ident),+ $(,)?) => {
        mod memory {
            $(#[test] fn $name() { super::$name(&mut crate::subject::Subject::memory()); })+
        }
        mod rocks {
            $(#[test] fn $name() { super::$name(&mut crate::subject::Subject::rocks()); })+
        }
    };
}

mod append;
mod atomic;
mod backup;
mod conflict;
mod crash;
mod differential;
mod directory;
mod expect;
mod faulty;
mod full_disk;
mod golden;
mod reopen;
mod scan;
mod subject;
mod values;
