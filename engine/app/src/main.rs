//! The `fermata` program: the server and its command line in one binary.

mod cli;
mod client;
mod exit;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
