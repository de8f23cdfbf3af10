//! The shipped binary as a child process: started on a free port, stopped or killed at will.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// The bootstrap token of its data directory.
    pub token: String,
}

/// A program that the build put beside the running one, unless `variable` names another.
pub fn program(name: &str, variable: &str) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(path.into());
    }
    let here = std::env::current_exe()?;
    let found = here
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    found.with_context(|| {
        format!("{name} is not built: run `cargo xtask test`, or `cargo build --workspace` first")
    })
}

/// The module of a guest, as `cargo xtask` built it.
pub fn guest(name: &str) -> Result<Vec<u8>> {
    let path = guest_path(name);
    std::fs::read(&path)
        .with_context(|| format!("{} is not there: run `cargo xtask setup`", path.display()))
}

/// Where `cargo xtask` puts the module of a guest.
pub fn guest_path(name: &str) -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-examples/target/guests");
    let folder = std::env::var_os("FERMATA_GUESTS").map_or(built, PathBuf::from);
    folder.join(format!("{name}.wasm"))
}

/// A process document of the examples.
pub fn example(name: &str) -> Result<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-examples/processes");
    let path = folder.join(format!("{name}.yaml"));
    std::fs::read_to_string(&path).with_context(|| path.display().to_string())
}

impl Server {
    /// Starts a server on `data` and waits until it says where it listens.
    pub fn start(data: &Path) -> Result<Self> {
        Self::start_with(data, &[])
    }

    /// Starts a server with further arguments.
    pub fn start_with(data: &Path, args: &[&str]) -> Result<Self> {
        let address = data.join("address");
        drop(std::fs::remove_file(&address));
        let mut child = Command::new(program("fermata", "FERMATA_BIN")?)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start the server")?;
        let stdout = child.stdout.take().expect("it was piped");
        let mut said = Vec::new();
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            if let Some(url) = url_in(&line) {
                let token = std::fs::read_to_string(data.join("bootstrap-token"))?
                    .trim()
                    .to_owned();
                return Ok(Self { child, url, token });
            }
            said.push(line);
        }
        let status = child.wait()?;
        bail!(
            "the server ended ({status}) before it listened: {}",
            said.join("\n")
        )
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: nothing of the server runs on.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, and the exit status.
    pub fn stop(mut self) -> Result<std::process::ExitStatus> {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            .context("a process id")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        Ok(self.child.wait()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The first `http://…` of a line.
fn url_in(line: &str) -> Option<String> {
    let from = line.find("http://")?;
    let url: String = line[from..]
        .chars()
        .take_while(|c| !c.is_whitespace() && *c != ',')
        .collect();
    Some(url.trim_end_matches(['/', '.']).to_owned())
}
