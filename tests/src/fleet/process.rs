//! A child process, as the platform sees it: where it listens, and why it ended. Dropping it ends it.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use fermata_core::id::Name;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{oneshot, watch};

/// Most that is read of what a child writes: enough for its last words.
const OUTPUT_BYTES_MAX: u64 = 16 * 1024;
/// How long a child may take to end once it was asked to.
const GOODBYE_MAX: Duration = Duration::from_secs(2);

/// A running child process.
#[derive(Debug)]
pub(super) struct Process {
    /// Where it listens.
    pub(super) url: String,
    exit: Exit,
    /// Its supervisor ends the child when this is dropped.
    _stop: oneshot::Sender<()>,
}

/// Why a child ended; nothing while it runs.
#[derive(Clone, Debug)]
pub(super) struct Exit(watch::Receiver<Option<String>>);

impl Exit {
    /// Waits until the child has ended, and says why.
    pub(super) async fn reason(mut self) -> String {
        let ended = self.0.wait_for(Option::is_some).await;
        ended
            .ok()
            .and_then(|reason| reason.clone())
            .unwrap_or_else(|| "the fleet is ending".to_owned())
    }
}

impl Process {
    /// Starts a child and waits until it says where it listens. The error is for people.
    pub(super) async fn start(
        program: &Path,
        service: &Name,
        version: &str,
    ) -> Result<Self, String> {
        let mut child = Command::new(program)
            .args(["serve-service", "--port", "0", "--name", service.as_str()])
            .args(["--version", version])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("the process cannot be started: {error}"))?;
        let stdout = child.stdout.take().expect("it is piped");
        let (stop, stopped) = oneshot::channel();
        let (exited, exit) = watch::channel(None);
        tokio::spawn(supervise(child, stopped, exited));
        let exit = Exit(exit);
        match url(stdout).await {
            Some(url) => Ok(Self {
                url,
                exit,
                _stop: stop,
            }),
            None => Err(exit.reason().await),
        }
    }

    /// What tells when and why it ends.
    pub(super) fn exit(&self) -> Exit {
        self.exit.clone()
    }
}

/// The URL in the first line that a child writes.
async fn url(stdout: impl AsyncRead + Unpin) -> Option<String> {
    let mut line = String::new();
    let mut stdout = BufReader::new(stdout).take(OUTPUT_BYTES_MAX);
    stdout.read_line(&mut line).await.ok()?;
    let start = line.find("http://")?;
    Some(line[start..].trim_end().to_owned())
}

/// Waits until the child ends or shall end.
async fn supervise(
    mut child: Child,
    stopped: oneshot::Receiver<()>,
    exited: watch::Sender<Option<String>>,
) {
    // Held here, because waiting would close it, and a child ends when its standard input does.
    let stdin = child.stdin.take();
    let stderr = child.stderr.take().expect("it is piped");
    let ended = async { tokio::join!(child.wait(), last_words(stderr)) };
    let reason = tokio::select! {
        (status, words) = ended => match status {
            Ok(status) => epitaph(status, &words),
            Err(error) => format!("the process was lost: {error}"),
        },
        _ = stopped => {
            drop(stdin);
            if tokio::time::timeout(GOODBYE_MAX, child.wait()).await.is_err() {
                // It may have ended in this very moment, which is just as well.
                drop(child.kill().await);
            }
            "it was stopped".to_owned()
        }
    };
    exited.send_replace(Some(reason));
}

/// The last line that is not empty.
async fn last_words(stderr: impl AsyncRead + Unpin) -> String {
    let mut bytes = Vec::new();
    // What was read before an error is still the last that is known.
    drop(stderr.take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes).await);
    let text = String::from_utf8_lossy(&bytes);
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    last.unwrap_or_default().to_owned()
}

fn epitaph(status: ExitStatus, words: &str) -> String {
    let how = match status.code() {
        Some(code) => format!("the process exited with status {code}"),
        None => format!("the process was killed ({status})"),
    };
    if words.is_empty() {
        how
    } else {
        format!("{how}: {words}")
    }
}
