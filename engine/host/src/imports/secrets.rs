//! `fermata:activity/secrets`: stand-ins for what a guest may use and never see.

use fermata_core::id::Name;
use fermata_core::recording::SecretAnswer;
use serde_json::json;

use crate::egress::Denial;
use crate::guest::Context;
use crate::guest::fermata::activity::secrets::{Error, Host};
use crate::secrets::{NoSecret, Sealed};

impl Host for Context {
    fn handle(&mut self, name: String) -> wasmtime::Result<Result<String, Error>> {
        match self.held.handle(&name) {
            Some(Ok(stand_in)) => {
                let stand_in = stand_in.to_owned();
                self.note_secret(&name, SecretAnswer::StandIn(stand_in.clone()));
                Ok(Ok(stand_in))
            }
            Some(Err(NoSecret::Unknown)) => {
                self.note_secret(&name, SecretAnswer::Unknown);
                self.unset = Some(name.clone());
                Ok(Err(Error::Unknown(name)))
            }
            // Nothing that the guest could do about it would be right.
            Some(Err(NoSecret::Sealed(why))) => {
                let why = why.clone();
                self.note_secret(&name, SecretAnswer::Sealed(why.clone()));
                Err(Sealed { name, why }.into())
            }
            // What cannot name a secret cannot be granted either.
            None if name.parse::<Name>().is_err() => {
                self.note_secret(&name, SecretAnswer::Denied);
                Ok(Err(Error::Unknown(
                    "its name is no name of a secret".into(),
                )))
            }
            None => {
                self.note_secret(&name, SecretAnswer::Denied);
                let what = format!("the secret `{name}` is not granted");
                let grant = json!({ "secrets": [{ "name": name, "hosts": ["api.example.com"] }] });
                Ok(Err(Error::Denied(
                    self.calls.deny(Denial::new(what, &grant)),
                )))
            }
        }
    }
}

impl Context {
    fn note_secret(&self, name: &str, answer: SecretAnswer) {
        self.calls.recorder().secret(&self.held, name, answer);
    }
}
