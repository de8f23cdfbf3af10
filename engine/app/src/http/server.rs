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

use crate::http::impatient::Impatient;

/// Longest time for the head of a request to arrive; also how long an idle connection is kept.
const HEAD_WAIT: Duration = Duration::from_secs(30);
/// Longest time for which a client may take nothing of what it is sent.
const SEND_WAIT: Duration = Duration::from_mins(1);
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
    http.serve_connection(TokioIo::new(Impatient::new(stream, SEND_WAIT)), service)
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::sync::{Notify, oneshot};

    use super::*;

    async fn exchange(stream: &TcpStream, request: &[u8]) -> String {
        stream.writable().await.unwrap();
        assert_eq!(stream.try_write(request).unwrap(), request.len());
        let mut answer = [0; 1_024];
        loop {
            stream.readable().await.unwrap();
            match stream.try_read(&mut answer) {
                Ok(read) => return String::from_utf8_lossy(&answer[..read]).into_owned(),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    #[tokio::test]
    async fn a_stop_lets_what_is_under_way_end() {
        let (entered, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (inside, leave) = (Arc::clone(&entered), Arc::clone(&go));
        let slow = get(|| async move {
            inside.notify_one();
            leave.notified().await;
            "done"
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server {
            listener,
            router: Router::new().route("/slow", slow),
            connections: 2,
            open: Gauge::default(),
        };
        let open = server.open.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async { drop(stopped.await) };
        let running = tokio::spawn(server.run(stopped, Duration::from_mins(1)));

        let client = TcpStream::connect(address).await.unwrap();
        let request = b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let answer = exchange(&client, request);
        let stopping = async {
            entered.notified().await;
            assert_eq!(open.get(), 1);
            stop.send(()).unwrap();
            go.notify_one();
        };
        let (answer, ()) = tokio::join!(answer, stopping);
        assert!(answer.ends_with("done"), "{answer}");
        running.await.unwrap();
        assert!(
            TcpStream::connect(address).await.is_err(),
            "nobody listens any more"
        );
    }

    #[tokio::test]
    async fn heads_without_end_are_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server {
            listener,
            router: Router::new(),
            connections: 2,
            open: Gauge::default(),
        };
        let running = tokio::spawn(server.run(std::future::pending(), Duration::ZERO));
        let lines = "x: y\r\n".repeat(HEADERS_MAX + 1);
        let long = format!("x: {}\r\n", "y".repeat(HEAD_BYTES_MAX));
        for headers in [lines, long] {
            let client = TcpStream::connect(address).await.unwrap();
            let request = format!("GET / HTTP/1.1\r\n{headers}\r\n");
            let answer = exchange(&client, request.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        }
        running.abort();
    }
}
