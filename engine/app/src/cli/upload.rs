//! Uploads that show how far they are.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::stream;
use reqwest::Body;
use tokio::time::{Instant, MissedTickBehavior};

use super::error::Error;
use super::text::bytes;
use super::{Context, text};
use crate::client::{Answer, Call, Client};

/// Size of the pieces that are sent: small enough to see them go.
const PIECE_BYTES: usize = 64 * 1024;
/// How long an upload is quiet before it shows how far it is.
const QUIET: Duration = Duration::from_secs(1);
/// How often it shows that.
const TICK: Duration = Duration::from_millis(250);
/// How much longer than other calls an upload may take: a slow line, and the server compiles.
const LONGER: Duration = Duration::from_mins(10);

/// Uploads a component; its name and version are what it says itself.
pub(super) async fn send(
    context: &mut Context,
    client: &Client,
    path: &Path,
    file: &[u8],
) -> Result<Answer, Error> {
    let total = file.len();
    let sent = Arc::new(AtomicUsize::new(0));
    let call = Call::post(&["components"])
        .bytes("application/wasm", pieces(file, Arc::clone(&sent)), total)
        .longer(LONGER);
    let answer = client.send(call);
    tokio::pin!(answer);
    let mut ticks = tokio::time::interval_at(Instant::now() + QUIET, TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut shown = false;
    loop {
        tokio::select! {
            answer = &mut answer => {
                if shown {
                    context.out.ticker("")?;
                }
                return Ok(answer?);
            }
            _ = ticks.tick() => {
                shown = true;
                let line = progress(path, sent.load(Ordering::Relaxed), total);
                context.out.ticker(&line)?;
            }
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
