//! A server that answers as badly as its paths say, and a resolver that lies. Both on this machine only.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use fermata_host::Resolver;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// Where nobody may ever come by an address of this machine that was not granted.
pub(crate) const TREASURE: &str = "/treasure";
/// Most bytes of a request that are read.
const HEAD_BYTES_MAX: usize = 256 * 1024;

/// The server, on a thread of its own, so that what it costs is not taken from the host's threads.
#[derive(Debug)]
pub(crate) struct Evil {
    pub(crate) address: SocketAddr,
    treasure: Arc<AtomicUsize>,
    _stop: oneshot::Sender<()>,
}

impl Evil {
    pub(crate) fn start() -> Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let treasure = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&treasure);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new()
            .name("evil".into())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = serve(listener, seen, address) => {}
                        _ = stopped => {}
                    }
                });
            })?;
        Ok(Self {
            address,
            treasure,
            _stop: stop,
        })
    }

    /// How often somebody came to the treasure.
    pub(crate) fn treasure_visits(&self) -> usize {
        self.treasure.load(Ordering::SeqCst)
    }
}

async fn serve(listener: std::net::TcpListener, treasure: Arc<AtomicUsize>, own: SocketAddr) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    while let Ok((stream, _)) = listener.accept().await {
        // A guest that goes away in the middle is what is wanted.
        let treasure = Arc::clone(&treasure);
        tokio::spawn(async move { drop(converse(stream, &treasure, own).await) });
    }
}

async fn converse(mut stream: TcpStream, treasure: &AtomicUsize, own: SocketAddr) -> Result<()> {
    while let Some(head) = head(&mut stream).await? {
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        if path.starts_with(TREASURE) {
            treasure.fetch_add(1, Ordering::SeqCst);
        }
        match path.as_str() {
            "/slow-head" => std::future::pending().await,
            "/slow-body" => drip(&mut stream).await?,
            "/endless" => flood(&mut stream, b"HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 8_192]).await?,
            "/interim" => flood(&mut stream, b"", b"HTTP/1.1 103 Early Hints\r\n\r\n").await?,
            "/chunks" => {
                let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                flood(
                    &mut stream,
                    head,
                    b"1;extension=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n",
                )
                .await?;
            }
            _ => stream.write_all(&answer(&path, &head, own)).await?,
        }
        if path == "/close" || path == "/short" {
            return Ok(());
        }
    }
    Ok(())
}

async fn head(stream: &mut TcpStream) -> Result<Option<String>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_BYTES_MAX {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return Ok(None),
        }
    }
    Ok(Some(String::from_utf8_lossy(&head).into_owned()))
}

/// One byte at a time, long after anybody has patience.
async fn drip(stream: &mut TcpStream) -> Result<()> {
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        .await?;
    loop {
        stream.write_all(b"x").await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn flood(stream: &mut TcpStream, head: &[u8], part: &[u8]) -> Result<()> {
    stream.write_all(head).await?;
    loop {
        stream.write_all(part).await?;
    }
}

fn answer(path: &str, head: &str, own: SocketAddr) -> Vec<u8> {
    let text = |body: &str| {
        let length = body.len();
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}")
    };
    match path {
        "/redirect" => format!(
            "HTTP/1.1 302 Found\r\nlocation: http://{own}{TREASURE}\r\ncontent-length: 2\r\n\r\n42"
        ),
        "/many-headers" => format!(
            "HTTP/1.1 200 OK\r\n{}content-length: 0\r\n\r\n",
            "x: y\r\n".repeat(50_000)
        ),
        "/long-header" => format!(
            "HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 0\r\n\r\n",
            "y".repeat(200_000)
        ),
        "/garbage" => "\0\u{1}\u{2} not HTTP at all \u{7f}\r\n\r\n".into(),
        "/short" => "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort".into(),
        "/two-lengths" => {
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".into()
        }
        "/huge-length" => "HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\n".into(),
        "/bad-chunk" => {
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n".into()
        }
        "/close" => "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}".into(),
        "/megabytes" => text(&"x".repeat(6 * 1024 * 1024)),
        "/echo" => echo(head),
        _ => text("{}"),
    }
    .into_bytes()
}

/// What came, in every place of the answer: reason, header, name of a header, body.
fn echo(head: &str) -> String {
    let secret = head
        .lines()
        .find_map(|line| line.strip_prefix("authorization: "))
        .unwrap_or_default();
    let body = serde_json::json!({ "secret": secret, "head": head }).to_string();
    let length = body.len();
    format!(
        "HTTP/1.1 200 {secret}\r\nx-echo: {secret}\r\n{secret}: 1\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// Names that lead to where nobody asked for.
#[derive(Debug, Default)]
pub(crate) struct Liar {
    rebound: AtomicUsize,
}

impl Resolver for Liar {
    fn resolve(&self, host: &str) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        let texts: &[&str] = match host {
            "mapped.example" => &["::ffff:127.0.0.1"],
            "both.example" => &["1.1.1.1", "127.0.0.1"],
            "metadata.example" => &["169.254.169.254"],
            "nowhere.example" => &[],
            // The first look-up is harmless, every later one is not.
            "rebind.example" if self.rebound.fetch_add(1, Ordering::SeqCst) % 2 == 1 => {
                &["169.254.169.254"]
            }
            _ => &["127.0.0.1"],
        };
        let addresses = texts.iter().filter_map(|text| text.parse().ok()).collect();
        async move { Ok(addresses) }.boxed()
    }
}
