//! The `fermata` program: the server and its command line in one binary.

mod access;
mod cli;
mod client;
mod config;
mod exit;
mod http;
mod interpreter;
mod keyring;
mod oci;
mod offline;
mod recording;
mod serve;
mod trial;
mod uploads;
mod view;
mod wire;

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// For Rust and for RocksDB. It gives memory back little by little and behind everybody's back: see ADR 12.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    cli::main()
}
