//! Connections: accepted up to a bound, with time limits, and drained when the server stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

/// Longest time for the head of a request to arrive; also how long an idle connection is kept.
const HEAD_WAIT: Duration = Duration::from_secs(30);
/// Largest head of a request, in bytes: a token, an idempotency key and what browsers send fit.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Most headers of a request.
const HEADERS_MAX: usize = 100;
/// Pause after the machine could not accept a connection: it is out of files or memory, and at
/// once it would be so again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(SocketAddr);

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self(address)
    }
}

impl Peer {
    /// Whether it is this machine.
    pub(crate) fn is_loopback(self) -> bool {
        self.0.ip().to_canonical().is_loopback()
    }
}

/// What serves connections.
#[derive(Debug)]
pub(crate) struct Server {
    /// Where they come in.
    pub(crate) listener: TcpListener,
    /// What answers.
    pub(crate) router: Router,
    /// Most connections at a time; further ones wait in the backlog of the machine.
    pub(crate) connections: usize,
    /// How many are open.
    pub(crate) open: Gauge,
}

impl Server {
    /// Serves until `stop` is ready, then lets what is under way end for at most `grace`.
    pub(crate) async fn run(self, stop: impl Future<Output = ()>, grace: Duration) {
        let graceful = GracefulShutdown::new();
        let seats = Arc::new(Semaphore::new(self.connections));
        let http = protocol();
        tokio::pin!(stop);
        loop {
            let accepted = async {
                let seat = Arc::clone(&seats).acquire_owned().await;
                (self.listener.accept().await, seat)
            };
            let (accepted, seat) = tokio::select! {
                accepted = accepted => accepted,
                () = &mut stop => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!("cannot accept a connection: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let connection = graceful.watch(connect(&http, self.router.clone(), stream, peer));
            let open = self.open.clone();
            open.inc();
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%peer, "connection ended: {error}");
                }
                open.dec();
                drop(seat);
            });
        }
        drop(self.listener);
        if tokio::time::timeout(grace, graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("some requests did not end in time and are cut off");
        }
    }
}

fn protocol() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT)
        .max_header_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    http
}

fn connect(
    http: &http1::Builder,
    router: Router,
    stream: TcpStream,
    peer: SocketAddr,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send + 'static {
    // An answer is written whole; waiting for more of it would only add delay.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, "cannot set TCP_NODELAY: {error}");
    }
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        router.clone().oneshot(request)
    });
    http.serve_connection(TokioIo::new(stream), service)
}
