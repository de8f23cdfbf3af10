//! The `fermata` program: the server and its command line in one binary.

mod access;
mod cli;
mod client;
mod config;
mod exit;
mod http;
mod interpreter;
mod keyring;
mod offline;
mod recording;
mod serve;
mod trial;
mod uploads;
mod view;
mod wire;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
