//! The benchmark, one subject in each file. Figures, never assertions.

pub mod approvals;
pub mod fan_out;
pub mod figure;
pub mod graph;
pub mod languages;
pub mod rehearsal;
pub mod sandbox;
pub mod server;
