//! A server on this machine that answers as the path says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server that lasts as long as the test.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// Each request, as it came.
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
}

pub(crate) async fn start() -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&seen)));
        }
    });
    Server { address, requests }
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Vec<String>>>) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
            .unwrap_or(0);
        let mut body = vec![0; length];
        if stream.read_exact(&mut body).await.is_err() {
            return;
        }
        let body = String::from_utf8(body).unwrap();
        seen.lock().unwrap().push(format!("{head}{body}"));
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let answer = match path.as_str() {
            "/slow" => return std::future::pending().await,
            "/redirect" => "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 2\r\n\r\n42".into(),
            "/large" => "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n".into(),
            "/endless" => format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(200_000)),
            "/headers" => format!("HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 0\r\n\r\n", "x".repeat(40_000)),
            // What came in the header `authorization`, as JSON.
            _ => {
                let secret = head.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or("");
                let body = format!("{{\"got\":\"{secret}\"}}");
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            }
        };
        if stream.write_all(answer.as_bytes()).await.is_err() || path == "/endless" {
            return;
        }
    }
}
