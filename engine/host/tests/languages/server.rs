//! A server on this machine that answers as a test has told it to.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// `METHOD /path`.
    pub(crate) line: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

type Answers = Arc<Mutex<VecDeque<(u16, Vec<u8>)>>>;

/// A server that lasts as long as the test.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    answers: Answers,
}

impl Server {
    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What the next call is answered with; without it, with what came in.
    pub(crate) fn answer(&self, status: u16, body: impl Into<Vec<u8>>) {
        self.answers
            .lock()
            .unwrap()
            .push_back((status, body.into()));
    }

    /// What came in since the last look.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

pub(crate) async fn start() -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server {
        address: listener.local_addr().unwrap(),
        requests: Arc::default(),
        answers: Arc::default(),
    };
    let (requests, answers) = (Arc::clone(&server.requests), Arc::clone(&server.answers));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&requests), Arc::clone(&answers)));
        }
    });
    server
}

async fn serve(stream: TcpStream, requests: Arc<Mutex<Vec<Request>>>, answers: Answers) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        let (status, body) = answers
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or_else(|| (200, request.body.clone().into_bytes()));
        requests.lock().unwrap().push(request);
        let head = format!(
            "HTTP/1.1 {status} X\r\nX-Answer: yes\r\nretry-after: 7\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let answer = [head.as_bytes(), &body].concat();
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        })
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let words: Vec<&str> = head.split(' ').take(2).collect();
    Some(Request {
        line: words.join(" "),
        body: String::from_utf8(body).unwrap(),
        head,
    })
}
