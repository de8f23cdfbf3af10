//! Debian's OCI registry as a child process: on a free port of this machine, with a storage of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// What people log in with where a login is wanted.
pub const LOGIN: (&str, &str) = ("ana", "sesame");
/// The same as bcrypt has it.
const HTPASSWD: &str = "ana:$2y$05$abcdefghijklmnopqrstuuKcS.CYWVYVaLiiCKrrc0A5s3mGesJ9O\n";
/// What the program says once it listens, before its address.
const LISTENS: &str = "listening on ";

/// A running registry; it ends and is forgotten with its value.
#[derive(Debug)]
pub struct Registry {
    child: Child,
    folder: TempDir,
    /// `127.0.0.1:PORT`.
    pub host: String,
}

impl Registry {
    /// Starts a registry that lets everybody in.
    pub fn open() -> Result<Self> {
        Self::start("")
    }

    /// Starts a registry that wants [`LOGIN`].
    pub fn closed() -> Result<Self> {
        Self::start("auth: { htpasswd: { realm: test, path: htpasswd } }\n")
    }

    fn start(further: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
        write("htpasswd", HTPASSWD)?;
        write(
            "config.yml",
            &format!(
                "version: 0.1\nlog: {{ formatter: json, accesslog: {{ disabled: true }} }}\n\
                 storage: {{ filesystem: {{ rootdirectory: storage }} }}\n\
                 http: {{ addr: '127.0.0.1:0', secret: test }}\n{further}"
            ),
        )?;
        let mut child = Command::new(program()?)
            .args(["serve", "config.yml"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start docker-registry")?;
        let said = child.stderr.take().expect("it was piped");
        let host = host(BufReader::new(said));
        match host {
            Ok(host) => Ok(Self {
                child,
                folder,
                host,
            }),
            Err(error) => {
                drop(child.kill());
                drop(child.wait());
                Err(error)
            }
        }
    }

    /// Where it keeps what it was sent.
    pub fn storage(&self) -> std::path::PathBuf {
        self.folder.path().join("storage")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // Already gone is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn program() -> Result<&'static str> {
    let paths = ["/usr/bin/docker-registry", "/usr/local/bin/docker-registry"];
    let found = paths.into_iter().find(|path| Path::new(path).is_file());
    found.context(
        "docker-registry is not installed: run `cargo xtask test`, which installs it, or `apt-get install docker-registry`",
    )
}

/// Where it says that it listens. What it says later is read as well, so that it can go on.
fn host(said: impl BufRead + Send + 'static) -> Result<String> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for line in said.lines().map_while(std::io::Result::ok) {
            // Nobody listens once the address is known.
            drop(tell.send(line));
        }
    });
    let mut before = Vec::new();
    for line in told {
        if let Some((_, rest)) = line.split_once(LISTENS) {
            let host = rest.split('"').next().unwrap_or_default();
            return Ok(host.to_owned());
        }
        before.push(line);
    }
    bail!(
        "docker-registry ended before it listened: {}",
        before.join("\n")
    )
}
