//! What end-to-end tests, chaos, benchmark and demo share.

use tikv_jemallocator::Jemalloc;

pub mod api;
pub mod bench;
pub mod chaos;
pub mod fleet;
pub mod hostile;
pub mod registry;
pub mod server;
pub mod simulation;

/// That of the server, since these programs attack and measure its parts in their own process.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;
