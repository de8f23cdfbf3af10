//! Attacks on the sandbox: each with the answer that it has to get, beside a neighbour that behaves.
//!
//! `tests/hostile.rs` runs each attack once and checks the answers; `cargo xtask hostile` also measures what the host
//! and the neighbour notice of them.

#![expect(
    clippy::too_many_lines,
    reason = "a table of attacks is one thing however long it is"
)]

pub mod attack;
mod bombs;
mod egress;
mod evil;
pub(crate) mod http;
pub(crate) mod memory;
mod module;
mod neighbour;
mod outputs;
mod resources;
mod secrets;
#[path = "../../engine/host/tests/sandbox/source.rs"]
#[expect(
    clippy::unwrap_used,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "what cannot be assembled is a fault of the catalogue"
)]
mod source;
mod stage;
mod uploads;
pub mod verdict;
mod wasi;
mod wasi_http;
#[path = "../../engine/host/tests/sandbox/wasi_http_source.rs"]
mod wasi_http_source;

use attack::Attack;

/// Every attack.
pub fn catalogue() -> Vec<Attack> {
    [
        resources::attacks(),
        outputs::attacks(),
        http::attacks(),
        wasi_http::attacks(),
        egress::attacks(),
        secrets::attacks(),
        uploads::attacks(),
        bombs::attacks(),
    ]
    .concat()
}
