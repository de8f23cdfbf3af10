//! The child: one version of one service, which answers `/health` and `/version` and ends with its parent.

use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};
use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::version::{Behaviour, LIFE_OF_CRASHING, SLOWNESS};

/// Serves `version` of the service `name` until standard input closes, which is when the parent is gone.
pub async fn serve_service(name: String, version: String, port: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "listening on http://{}", listener.local_addr()?)?;
    stdout.flush()?;

    let behaviour = Behaviour::of(&version);
    let healthy = Arc::new(AtomicBool::new(behaviour == Behaviour::Well));
    let app = router(&name, &version, Arc::clone(&healthy));
    tokio::select! {
        served = axum::serve(listener, app) => Ok(served?),
        () = closed(tokio::io::stdin()) => Ok(()),
        ended = super::asked_to_end() => Ok(ended?),
        crashed = misbehave(behaviour, &healthy) => crashed,
    }
}

fn router(name: &str, version: &str, healthy: Arc<AtomicBool>) -> Router {
    let about = json!({ "service": name, "version": version });
    let health = move || {
        let answer = if healthy.load(Ordering::Relaxed) {
            (StatusCode::OK, Json(json!({ "status": "healthy" })))
        } else {
            let body = json!({ "status": "unhealthy", "reason": "not ready to serve" });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body))
        };
        std::future::ready::<(StatusCode, Json<Value>)>(answer)
    };
    Router::new()
        .route("/health", get(health))
        .route("/version", get(move || std::future::ready(Json(about))))
}

/// Does what the version's name says, and then nothing more; returns only to crash.
async fn misbehave(behaviour: Behaviour, healthy: &AtomicBool) -> Result<()> {
    match behaviour {
        Behaviour::Crashing => {
            tokio::time::sleep(LIFE_OF_CRASHING).await;
            bail!("cannot open the ledger database: connection refused");
        }
        Behaviour::Slow => {
            tokio::time::sleep(SLOWNESS).await;
            healthy.store(true, Ordering::Relaxed);
        }
        Behaviour::Well | Behaviour::Unhealthy => {}
    }
    std::future::pending().await
}

/// Returns when the other end of `input` is closed, whatever is read before.
async fn closed(mut input: impl AsyncReadExt + Unpin) {
    let mut ignored = [0; 64];
    while matches!(input.read(&mut ignored).await, Ok(1..)) {}
}
