//! Uploads that show how far they are.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fermata_core::id::Digest;
use futures::stream;
use reqwest::Body;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior};

use super::error::Error;
use super::text::bytes;
use super::{Context, text};
use crate::client::{self, Answer, Call, Client};

/// Size of the pieces that are sent: small enough to see them go.
const PIECE_BYTES: usize = 64 * 1024;
/// How long an upload is quiet before it shows how far it is.
const QUIET: Duration = Duration::from_secs(1);
/// How often it shows that.
const TICK: Duration = Duration::from_millis(250);
/// How much longer than other calls an upload may take: a slow line, and the server compiles.
const LONGER: Duration = Duration::from_mins(10);

/// Largest file that is sent in one request: what a broken connection may cost.
const WHOLE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most bytes of one piece of a larger file.
const PIECE_OF_UPLOAD_BYTES: usize = 4 * 1024 * 1024;
/// Waits before a broken connection is tried again, without anything having arrived in between.
const WAITS: [Duration; 6] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
];

/// Uploads a component; its name and version are what it says itself. A large file is sent in pieces, and
/// goes on where it was when the connection breaks, in this call or a later one.
pub(super) async fn send(
    context: &mut Context,
    client: &Client,
    path: &Path,
    file: &[u8],
) -> Result<Answer, Error> {
    let total = file.len();
    let sent = Arc::new(AtomicUsize::new(0));
    let answer = async {
        if total > WHOLE_BYTES_MAX {
            in_pieces(client, file, &sent).await
        } else {
            let pieces = pieces(file, Arc::clone(&sent));
            let call = Call::post(&["components"]).bytes("application/wasm", pieces, total);
            client.send(call.longer(LONGER)).await
        }
    };
    let line = || progress(path, sent.load(Ordering::Relaxed), total);
    Ok(watched(context, answer, line).await??)
}

/// Does what may take long, and shows how far it is once it does.
pub(super) async fn watched<T>(
    context: &mut Context,
    work: impl Future<Output = T>,
    line: impl Fn() -> String,
) -> Result<T, Error> {
    tokio::pin!(work);
    let mut ticks = tokio::time::interval_at(Instant::now() + QUIET, TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut shown = false;
    loop {
        tokio::select! {
            done = &mut work => {
                if shown {
                    context.out.ticker("")?;
                }
                return Ok(done);
            }
            _ = ticks.tick() => {
                shown = true;
                context.out.ticker(&line())?;
            }
        }
    }
}

/// Sends a file piece by piece.
async fn in_pieces(
    client: &Client,
    file: &[u8],
    sent: &AtomicUsize,
) -> Result<Answer, client::Error> {
    let order = json!({ "length": file.len(), "digest": Digest::of(file).to_string() });
    let begun = insist(|| client.send(Call::post(&["uploads"]).json(&order))).await?;
    let id = begun
        .body
        .get("id")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let path = ["uploads", id];
    let mut offset = reached(&begun);
    let mut waits = WAITS.iter();
    while offset < file.len() {
        sent.store(offset, Ordering::Relaxed);
        let end = file.len().min(offset + PIECE_OF_UPLOAD_BYTES);
        let piece = file[offset..end].to_vec();
        let call = Call::patch(&path)
            .header("upload-offset", Some(offset))
            .bytes("application/partial-upload", piece, end - offset)
            .longer(LONGER);
        match client.send(call).await {
            Ok(_) => {
                offset = end;
                waits = WAITS.iter();
            }
            Err(error) if is_passing(&error) => {
                let Some(wait) = waits.next() else {
                    return Err(error);
                };
                tokio::time::sleep(*wait).await;
                // What arrived before the connection broke is known by the server alone.
                offset = reached(&insist(|| client.send(Call::get(&path))).await?);
            }
            Err(error) => return Err(error),
        }
    }
    sent.store(file.len(), Ordering::Relaxed);
    let finish = ["uploads", id, "finish"];
    insist(|| client.send(Call::post(&finish).longer(LONGER))).await
}

/// How far an upload is.
fn reached(answer: &Answer) -> usize {
    let offset = answer.body.get("offset").and_then(Value::as_u64);
    offset
        .and_then(|offset| usize::try_from(offset).ok())
        .unwrap_or(0)
}

/// Whether it may go on after an error: the connection broke, or a piece arrived whose answer did not.
fn is_passing(error: &client::Error) -> bool {
    let codes = ["upload-offset", "upload-busy"];
    match error {
        client::Error::Problem(problem) => {
            let code = problem.code.as_deref();
            // Too many uploads are not fewer a moment later.
            error.may_pass() && problem.status != 429
                || code.is_some_and(|code| codes.contains(&code))
        }
        _ => error.may_pass(),
    }
}

/// Asks until there is an answer, or it has been tried often enough.
async fn insist<F>(ask: impl Fn() -> F) -> Result<Answer, client::Error>
where
    F: Future<Output = Result<Answer, client::Error>>,
{
    let mut waits = WAITS.iter();
    loop {
        match ask().await {
            Err(error) if is_passing(&error) => match waits.next() {
                Some(wait) => tokio::time::sleep(*wait).await,
                None => return Err(error),
            },
            answer => return answer,
        }
    }
}

/// The file in pieces, counted as they leave.
fn pieces(file: &[u8], sent: Arc<AtomicUsize>) -> Body {
    let pieces: Vec<Vec<u8>> = file.chunks(PIECE_BYTES).map(<[u8]>::to_vec).collect();
    Body::wrap_stream(stream::iter(pieces.into_iter().map(move |piece| {
        sent.fetch_add(piece.len(), Ordering::Relaxed);
        Ok::<_, std::io::Error>(piece)
    })))
}

fn progress(path: &Path, sent: usize, total: usize) -> String {
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy();
    let size = |count: usize| bytes(u64::try_from(count).unwrap_or(u64::MAX));
    let what = if sent < total {
        format!("{} of {}", size(sent), size(total))
    } else {
        format!("{} sent, the server checks and compiles", size(total))
    };
    format!("{}: {what}", text::tidy(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_says_what_is_going_on() {
        let path = Path::new("/a/deploy.wasm");
        assert_eq!(progress(path, 1024, 2048), "deploy.wasm: 1 KiB of 2 KiB");
        assert!(progress(path, 2048, 2048).ends_with("the server checks and compiles"));
    }
}
