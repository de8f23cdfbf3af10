//! The two processes of the demo: the server and the fleet it releases to. Both end with the demo.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::engine::{self, Profile};
use crate::run;

const SERVER_PORT: u16 = 7717;
const FLEET_PORT: u16 = 7790;
/// How long the fleet may take to run an old version.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A port of loopback: the usual one, or a free one if it is taken.
fn listen(port: u16) -> String {
    let free = TcpListener::bind(("127.0.0.1", port)).is_ok();
    format!("127.0.0.1:{}", if free { port } else { 0 })
}

/// Starts a program and gives the `http://…` that it prints once it listens.
fn start(name: &str, args: &[&str], folder: &Path) -> Result<(Child, String)> {
    let log = folder.join(format!("{name}.log"));
    let mut child = Command::new(engine::program(name, Profile::Dev))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(File::create(&log)?)
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let mut stdout = BufReader::new(child.stdout.take().expect("it was piped"));
    let mut line = String::new();
    while stdout.read_line(&mut line)? > 0 {
        if let Some(from) = line.find("http://") {
            let url: String = line[from..]
                .chars()
                .take_while(|c| !c.is_whitespace() && *c != ',')
                .collect();
            drain(stdout);
            return Ok((child, url.trim_end_matches(['/', '.']).to_owned()));
        }
        line.clear();
    }
    child.wait()?;
    bail!(
        "{name} ended at once; the end of {}:\n{}",
        log.display(),
        run::tail(&log)
    )
}

/// Where the programs of the demo are.
pub(crate) fn folder_of_programs() -> PathBuf {
    let program = engine::program("fermata", Profile::Dev);
    program
        .parent()
        .expect("a program is in a folder")
        .to_owned()
}

/// Keeps the pipe empty, so that the child never waits for a reader.
fn drain(mut stdout: impl Read + Send + 'static) {
    std::thread::spawn(move || drop(std::io::copy(&mut stdout, &mut std::io::sink())));
}

/// The server.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) url: String,
    /// The administrator's token.
    pub(crate) token_file: PathBuf,
}

impl Server {
    /// Starts a server on a new data directory.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let data = folder.join("data");
        let shown = data.display().to_string();
        let (child, url) = start(
            "fermata",
            &[
                "serve",
                "--listen",
                &listen(SERVER_PORT),
                "--data-dir",
                &shown,
            ],
            folder,
        )?;
        Ok(Self {
            child,
            url,
            token_file: data.join("bootstrap-token"),
        })
    }

    /// Asks it to end in order.
    pub(crate) fn stop(&mut self) -> Result<()> {
        run::shown(Command::new("kill").args(["-TERM", &self.child.id().to_string()]))?;
        self.wait()
    }

    /// Waits until somebody ends it.
    pub(crate) fn wait(&mut self) -> Result<()> {
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The fleet.
pub(crate) struct Fleet {
    child: Child,
    /// Where its API is.
    pub(crate) url: String,
}

impl Fleet {
    /// Starts an empty fleet of these environments.
    pub(crate) fn start(folder: &Path, environments: &[&str]) -> Result<Self> {
        let environments = environments.join(",");
        let (child, url) = start(
            "fermata-fleet",
            &[
                "--listen",
                &listen(FLEET_PORT),
                "--environments",
                &environments,
            ],
            folder,
        )?;
        Ok(Self { child, url })
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Puts a version out and waits until it runs.
    pub(crate) fn deploy(&self, environment: &str, service: &str, version: &str) -> Result<()> {
        let path = format!("/environments/{environment}/services/{service}");
        self.call("PUT", &path, &format!("{{\"version\":\"{version}\"}}"))?;
        let began = Instant::now();
        while self.running(environment, service)? != version {
            if began.elapsed() > PATIENCE {
                bail!("the fleet does not get {service} {version} to run in {environment}");
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    /// The version that runs.
    pub(crate) fn running(&self, environment: &str, service: &str) -> Result<String> {
        let status = self.call(
            "GET",
            &format!("/environments/{environment}/services/{service}"),
            "",
        )?;
        let status: serde_json::Value = serde_json::from_str(&status)?;
        Ok(status["version"].as_str().unwrap_or("nothing").to_owned())
    }

    /// One HTTP/1.0 call: loopback, small bodies, no keep-alive, hence no library.
    fn call(&self, method: &str, path: &str, body: &str) -> Result<String> {
        let mut stream = TcpStream::connect(self.host()).context("the fleet does not answer")?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.host(),
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer
            .split_once("\r\n\r\n")
            .context("the fleet's answer is cut off")?;
        let status = head.split(' ').nth(1).unwrap_or_default();
        if !status.starts_with('2') {
            bail!("the fleet answered {status} to {method} {path}: {body}");
        }
        Ok(body.to_owned())
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        // Its children watch the pipe from us and end with it.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
