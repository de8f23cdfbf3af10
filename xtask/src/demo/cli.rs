//! The command line, called as a user would.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::engine::{self, Profile};

/// `fermata` with a server and a token.
#[derive(Clone)]
pub(crate) struct Cli {
    server: String,
    token: (&'static str, String),
}

impl Cli {
    /// With the token of a file.
    pub(crate) fn new(server: &str, token_file: &Path) -> Self {
        Self {
            server: server.to_owned(),
            token: ("FERMATA_TOKEN_FILE", token_file.display().to_string()),
        }
    }

    /// The same server as somebody else.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self {
            token: ("FERMATA_TOKEN", token.to_owned()),
            ..self.clone()
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(engine::program("fermata", Profile::Dev));
        command
            .args(args)
            .env_remove("FERMATA_TOKEN")
            .env_remove("FERMATA_TOKEN_FILE");
        command
            .env("FERMATA_SERVER", &self.server)
            .env(self.token.0, &self.token.1);
        command
    }

    /// Runs it silently; what it says is in the error if it fails.
    pub(crate) fn run(&self, args: &[&str]) -> Result<String> {
        let output = self
            .command(args)
            .stdin(Stdio::null())
            .output()
            .context("cannot run fermata")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            bail!("fermata {}: {}", args.join(" "), said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs it and reads what it prints as JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Result<Value> {
        let text = self.run(&[args, &["--output", "json"]].concat())?;
        serde_json::from_str(&text)
            .with_context(|| format!("fermata {} printed no JSON: {text}", args.join(" ")))
    }

    /// Runs it on the screen, and gives its exit code.
    pub(crate) fn shown(&self, args: &[&str]) -> Result<i32> {
        let status = self.command(args).status().context("cannot run fermata")?;
        status.code().context("fermata was ended by a signal")
    }
}
