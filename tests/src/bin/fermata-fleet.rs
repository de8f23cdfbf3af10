//! The fleet of the demo and the tests: a small platform that runs services as processes on this machine.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use fermata_core::id::Name;
use fermata_tests::fleet::{self, Config};

/// A small platform that runs services as processes on this machine. Versions that end in -slow, -crashing or -unhealthy misbehave.
#[derive(Debug, Parser)]
struct Cli {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:7790")]
    listen: SocketAddr,
    /// The environments.
    #[arg(long, value_delimiter = ',', default_value = "staging,production")]
    environments: Vec<Name>,
    #[command(subcommand)]
    part: Option<Part>,
}

/// What the fleet starts itself as.
#[derive(Debug, Subcommand)]
enum Part {
    /// Serves one version of one service until standard input closes.
    #[command(hide = true)]
    ServeService {
        #[arg(long)]
        name: String,
        #[arg(long)]
        version: String,
        #[arg(long)]
        port: u16,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where standard error is closed there is nobody to tell.
            drop(writeln!(std::io::stderr(), "{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(async {
        match cli.part {
            Some(Part::ServeService {
                name,
                version,
                port,
            }) => fleet::serve_service(name, version, port).await,
            None => {
                let config = Config {
                    environments: cli.environments,
                    program: std::env::current_exe()?,
                    patience: fleet::PATIENCE_DEFAULT,
                };
                fleet::serve(config, cli.listen, announce).await
            }
        }
    });
    // A thread may be reading standard input, which nothing can interrupt.
    runtime.shutdown_background();
    ended
}

fn announce(address: SocketAddr) {
    let mut stdout = std::io::stdout();
    // Where standard output is closed nobody waits for this line.
    drop(writeln!(
        stdout,
        "fermata-fleet listens on http://{address}"
    ));
    drop(stdout.flush());
}
