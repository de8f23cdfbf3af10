//! The fleet: a small platform that really runs services, as processes on this machine, for the demo and the tests.
//!
//! `PUT /environments/staging/services/payment {"version":"1.1.0"}` is answered at once; then a new process is started,
//! and once it is healthy it takes the place of the old one. Versions that end in `-slow`, `-crashing` or `-unhealthy`
//! misbehave. Everything listens on loopback, and every process ends with the one that started it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fermata_core::id::Name;
use tokio::net::TcpListener;

mod http;
mod platform;
mod process;
mod service;
mod version;

pub use http::router;
pub use platform::{Platform, State, Status};
pub use service::serve_service;

/// How long a new process may take to become healthy, unless told otherwise.
pub const PATIENCE_DEFAULT: Duration = Duration::from_secs(5);

/// How a fleet is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// The environments; there are no others.
    pub environments: Vec<Name>,
    /// The program that serves one service when called with `serve-service`.
    pub program: PathBuf,
    /// How long a new process may take to become healthy.
    pub patience: Duration,
}

/// Listens on `address` until the process is asked to end. `say` is told where, once.
pub async fn serve(
    config: Config,
    address: SocketAddr,
    say: impl FnOnce(SocketAddr),
) -> Result<()> {
    ensure!(
        address.ip().is_loopback(),
        "the fleet starts whatever it is asked for, so it listens on loopback only, not on {address}"
    );
    let platform = Arc::new(Platform::new(config)?);
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))?;
    say(listener.local_addr()?);
    let app = router(Arc::clone(&platform));
    // Not gracefully: a call that waits for a deployment must not keep the fleet alive.
    tokio::select! {
        served = axum::serve(listener, app) => served?,
        ended = asked_to_end() => ended?,
    }
    platform.stop_all().await;
    Ok(())
}

/// Returns on SIGTERM or SIGINT.
async fn asked_to_end() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
