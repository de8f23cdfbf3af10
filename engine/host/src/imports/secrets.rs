//! `fermata:activity/secrets`: stand-ins for what a guest may use and never see.

use fermata_core::id::Digest;
use serde_json::json;

use crate::egress::Denial;
use crate::guest::Context;
use crate::guest::fermata::activity::secrets::{Error, Host};

/// Longest name of a secret that a denial repeats: it becomes part of the failure, which is kept.
const NAME_BYTES_MAX: usize = 200;
/// How a stand-in begins, so that people and scanners recognise one.
const STAND_IN_PREFIX: &str = "fsec_";
/// Hexadecimal digits of a stand-in: more than anybody can guess.
const STAND_IN_DIGITS: usize = 32;

impl Host for Context {
    fn handle(&mut self, name: String) -> wasmtime::Result<Result<String, Error>> {
        if name.len() > NAME_BYTES_MAX {
            let denial = Denial::for_good(format!(
                "a secret whose name has more than {NAME_BYTES_MAX} bytes is not granted"
            ));
            let text = denial.text();
            self.denial = Some(denial);
            return Ok(Err(Error::Denied(text)));
        }
        let Some(granted) = self.grants.secrets.iter().find(|grant| grant.name == name) else {
            let grant = json!({ "secrets": [{ "name": name, "hosts": ["api.example.com"] }] });
            let denial = Denial::new(
                format!("the secret `{}` is not granted", name.escape_debug()),
                &grant,
            );
            let text = denial.text();
            self.denial = Some(denial);
            return Ok(Err(Error::Denied(text)));
        };
        let Some(value) = self.shared.vault.get(&granted.name)? else {
            return Ok(Err(Error::Unknown(format!(
                "the secrets file of the server does not name `{name}`"
            ))));
        };
        let stand_in = self.stand_in(&name);
        Ok(Ok(self.held.hold(&name, stand_in, value)))
    }
}

impl Context {
    /// Differs from run to run, and cannot be guessed.
    fn stand_in(&mut self, name: &str) -> String {
        let seal = self
            .shared
            .stand_ins
            .seal(&[&self.salt.to_be_bytes(), name.as_bytes()]);
        let guess = Digest(seal).hex();
        format!("{STAND_IN_PREFIX}{}", &guess[..STAND_IN_DIGITS])
    }
}
