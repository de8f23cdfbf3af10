//! What end-to-end tests, chaos, benchmark and demo share.

pub mod api;
pub mod bench;
pub mod chaos;
pub mod fleet;
pub mod hostile;
pub mod registry;
pub mod server;
pub mod simulation;
