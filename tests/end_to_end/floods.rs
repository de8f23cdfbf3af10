//! Floods at the public door of the shipped server: it stays small and goes on serving others.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use fermata_tests::server::example;
use serde_json::json;

use crate::world::{World, run};

/// Connections that say nothing.
const IDLE_CONNECTIONS: usize = 400;
/// Longest wait for an answer that has to come.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a server may grow by under a flood.
const GROWTH_MAX_KIB: u64 = 64 * 1024;

fn connect(world: &World) -> TcpStream {
    let address = world.server.url.trim_start_matches("http://");
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// What the server answers to these bytes; nothing if it just hangs up.
fn answer(world: &World, parts: impl IntoIterator<Item = Vec<u8>>) -> String {
    let mut stream = connect(world);
    for part in parts {
        // Hanging up in the middle of a flood is an answer as well.
        if stream.write_all(&part).is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}

fn resident_kib(world: &World) -> u64 {
    let status = format!("/proc/{}/status", world.server.pid());
    let status = std::fs::read_to_string(status).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap().trim_end_matches("kB").trim().parse().unwrap()
}

async fn works(world: &World) {
    let id = world.api.start("noop-1", &json!({})).await.unwrap();
    let view = world.until(&id, |view| view["state"] != "running").await;
    assert_eq!(view["state"], "succeeded", "{view:#}");
}

async fn ready() -> World {
    let world = World::new();
    world.push(&["noop"]).await;
    let document = example("noop-1").unwrap();
    world.api.publish(&document).await.unwrap();
    works(&world).await;
    world
}

#[test]
fn connections_that_say_nothing_keep_nobody_waiting() {
    run(async {
        let world = ready().await;
        let before = resident_kib(&world);
        let idle: Vec<TcpStream> = (0..IDLE_CONNECTIONS).map(|_| connect(&world)).collect();
        works(&world).await;
        assert!(resident_kib(&world) < before + GROWTH_MAX_KIB);
        drop(idle);
        works(&world).await;
    });
}

#[test]
fn heads_and_bodies_without_end_are_cut_off() {
    run(async {
        let world = ready().await;
        let before = resident_kib(&world);
        let many = std::iter::once(b"GET /api/v1/version HTTP/1.1\r\n".to_vec())
            .chain((0..10_000).map(|number| format!("x{number}: y\r\n").into_bytes()));
        let long = [
            b"GET /api/v1/version HTTP/1.1\r\nx: ".to_vec(),
            vec![b'y'; 8 << 20],
        ];
        for head in [answer(&world, many), answer(&world, long)] {
            assert!(
                head.is_empty() || head.starts_with("HTTP/1.1 431"),
                "{head}"
            );
        }
        let head = format!(
            "POST /api/v1/processes HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ntransfer-encoding: chunked\r\n\r\n",
            world.server.url.trim_start_matches("http://"),
            world.server.token
        );
        let chunk = [
            b"100000\r\n".to_vec(),
            vec![b'x'; 1 << 20],
            b"\r\n".to_vec(),
        ]
        .concat();
        let body = std::iter::once(head.into_bytes()).chain((0..64).map(|_| chunk.clone()));
        let refused = answer(&world, body);
        assert!(
            refused.is_empty() || refused.starts_with("HTTP/1.1 413"),
            "{refused}"
        );
        works(&world).await;
        assert!(resident_kib(&world) < before + GROWTH_MAX_KIB);
    });
}

#[test]
fn what_is_not_http_is_refused() {
    run(async {
        let world = ready().await;
        for bytes in [
            b"\x16\x03\x01\x02\0\x01\0".to_vec(),
            vec![0; 10_000],
            b"GET / HTTP/9.9\r\n\r\n".to_vec(),
            b"GET http://[ HTTP/1.1\r\n\r\n".to_vec(),
            b"POST /api/v1/releases HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n".to_vec(),
            b"POST /api/v1/releases HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".to_vec(),
        ] {
            let answer = answer(&world, [bytes.clone()]);
            assert!(
                answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 5"),
                "{bytes:?}: {answer}"
            );
        }
        works(&world).await;
    });
}
