//! Secrets: kept elsewhere, sent for the guest, never shown to it.

mod forms;

use std::fmt;

use fermata_core::component::SecretGrant;
use fermata_core::recording::SecretAnswer;
use memchr::memmem;
use reqwest::Url;
use serde_json::Value;
use zeroize::Zeroizing;

/// What stands where a secret stood.
const REDACTED: &str = "[secret]";

/// Opens the secrets of the installation.
pub trait Secrets: fmt::Debug + Send + Sync + 'static {
    /// The value of the secret with this name. Asked when a run begins; must not wait.
    fn open(&self, name: &str) -> Result<Zeroizing<String>, NoSecret>;
}

/// Why there is no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoSecret {
    /// There is no such secret.
    Unknown,
    /// There is one, and it cannot be opened; the text says why and never holds a value.
    Sealed(String),
}

/// An installation without secrets.
#[derive(Debug)]
pub(crate) struct NoSecrets;

impl Secrets for NoSecrets {
    fn open(&self, _: &str) -> Result<Zeroizing<String>, NoSecret> {
        Err(NoSecret::Unknown)
    }
}

/// A secret that a run asked for and that cannot be opened; the guest is trapped with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) name: String,
    pub(crate) why: String,
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the secret `{}` cannot be opened: {}",
            self.name, self.why
        )
    }
}

impl std::error::Error for Sealed {}

/// The secrets that one run was granted, as they were when it began: whether or not it asks for them, none
/// of them gets out by another way than to a granted host.
#[derive(Default)]
pub(crate) struct Held {
    secrets: Vec<Secret>,
    missing: Vec<(String, NoSecret)>,
    /// What to look for, the longest first: a value may begin with another one.
    forms: Vec<Form>,
}

/// A granted secret.
pub(crate) struct Secret {
    pub(crate) name: String,
    pub(crate) stand_in: String,
    value: Zeroizing<String>,
}

struct Form {
    bytes: Zeroizing<Vec<u8>>,
    /// Which of the secrets it shows.
    of: usize,
}

impl Held {
    /// Opens what is granted. `stand_in` makes what stands for the secret with this name.
    pub(crate) fn granted(
        grants: &[SecretGrant],
        secrets: &dyn Secrets,
        stand_in: impl Fn(&str) -> String,
    ) -> Self {
        let mut held = Self::default();
        for grant in grants {
            let name = &grant.name;
            if held.handle(name).is_none() {
                match secrets.open(name) {
                    Ok(value) => held.hold(name, stand_in(name), value),
                    Err(none) => held.missing.push((name.clone(), none)),
                }
            }
        }
        held
    }

    /// The stand-ins of a run that is run again. There is nothing behind them, and so nothing to hide.
    pub(crate) fn given(
        grants: &[SecretGrant],
        answers: &[(String, SecretAnswer)],
        stand_in: impl Fn(&str) -> String,
    ) -> Self {
        let mut held = Self::default();
        for SecretGrant { name, .. } in grants {
            if held.handle(name).is_some() {
                continue;
            }
            let answer = answers.iter().find(|(given, _)| given == name);
            let stand_in = match answer.map(|(_, answer)| answer) {
                Some(SecretAnswer::StandIn(stand_in)) => stand_in.clone(),
                Some(SecretAnswer::Unknown) => {
                    held.missing.push((name.clone(), NoSecret::Unknown));
                    continue;
                }
                Some(SecretAnswer::Sealed(why)) => {
                    let sealed = NoSecret::Sealed(why.clone());
                    held.missing.push((name.clone(), sealed));
                    continue;
                }
                Some(SecretAnswer::Denied) | None => stand_in(name),
            };
            held.secrets.push(Secret {
                name: name.clone(),
                value: Zeroizing::new(stand_in.clone()),
                stand_in,
            });
        }
        held
    }

    fn hold(&mut self, name: &str, stand_in: String, value: Zeroizing<String>) {
        let of = self.secrets.len();
        let forms = forms::of(&value);
        self.forms
            .extend(forms.into_iter().map(|bytes| Form { bytes, of }));
        self.forms
            .sort_by_key(|form| std::cmp::Reverse(form.bytes.len()));
        self.secrets.push(Secret {
            name: name.into(),
            stand_in,
            value,
        });
    }

    /// What stands for the secret, or why nothing does; `None` if it is not granted.
    pub(crate) fn handle(&self, name: &str) -> Option<Result<&str, &NoSecret>> {
        let held = self.secrets.iter().find(|secret| secret.name == name);
        if let Some(secret) = held {
            return Some(Ok(&secret.stand_in));
        }
        let missing = self.missing.iter().find(|(missing, _)| missing == name);
        missing.map(|(_, none)| Err(none))
    }

    /// The secrets whose stand-ins occur in `bytes`.
    pub(crate) fn named_in<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = &'a Secret> {
        self.secrets
            .iter()
            .filter(|secret| memmem::find(bytes, secret.stand_in.as_bytes()).is_some())
    }

    /// Puts the values where the stand-ins are.
    pub(crate) fn reveal(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.secrets.iter().fold(bytes, |bytes, secret| {
            replace(bytes, secret.stand_in.as_bytes(), secret.value.as_bytes())
        })
    }

    /// Puts the stand-ins where the values are: for what a server sends back.
    pub(crate) fn hide(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.forms.iter().fold(bytes, |bytes, form| {
            let stand_in = self.secrets[form.of].stand_in.as_bytes();
            replace(bytes, &form.bytes, stand_in)
        })
    }

    /// Takes the values out of text for people.
    pub(crate) fn redact(&self, text: String) -> String {
        if !self.is_shown_in(text.as_bytes()) {
            return text;
        }
        String::from_utf8_lossy(&self.redact_bytes(text.into_bytes())).into_owned()
    }

    /// Takes the values out of every text of a JSON value, names included.
    pub(crate) fn redact_json(&self, value: &mut Value) {
        if self.is_empty() {
            return;
        }
        match value {
            Value::String(text) => *text = self.redact(std::mem::take(text)),
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_json(item)),
            Value::Object(fields) => {
                let old = std::mem::take(fields);
                fields.extend(old.into_iter().map(|(name, mut value)| {
                    self.redact_json(&mut value);
                    (self.redact(name), value)
                }));
            }
            Value::Number(number) if self.is_shown_in(number.to_string().as_bytes()) => {
                *value = Value::String(REDACTED.to_owned());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Takes the values out of what is stored.
    pub(crate) fn redact_bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.forms.iter().fold(bytes, |bytes, form| {
            replace(bytes, &form.bytes, REDACTED.as_bytes())
        })
    }

    /// Whether a value is in `bytes`, in any of its forms.
    pub(crate) fn is_shown_in(&self, bytes: &[u8]) -> bool {
        let mut forms = self.forms.iter();
        forms.any(|form| memmem::find(bytes, &form.bytes).is_some())
    }

    /// Whether a URL holds a value, however it is spelled: reading a URL drops, escapes and lowers letters.
    pub(crate) fn is_shown_in_url(&self, url: &str) -> bool {
        if self.is_empty() {
            return false;
        }
        let read = Url::parse(url).map(String::from).unwrap_or_default();
        [url, &read].into_iter().any(|url| {
            let plain = forms::percent_decoded(url.as_bytes());
            self.is_shown_in(url.as_bytes())
                || self.is_shown_in(&plain)
                || self.is_shown_in(&plain.to_ascii_lowercase())
        })
    }

    /// Whether there is nothing to hide.
    pub(crate) fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }
}

fn replace(bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    let finder = memmem::Finder::new(from);
    if finder.find(&bytes).is_none() {
        return bytes;
    }
    let mut replaced = Vec::with_capacity(bytes.len() + to.len());
    let mut rest = 0;
    for at in finder.find_iter(&bytes) {
        replaced.extend_from_slice(&bytes[rest..at]);
        replaced.extend_from_slice(to);
        rest = at + from.len();
    }
    replaced.extend_from_slice(&bytes[rest..]);
    replaced
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A run that was granted these secrets, with `fsec_1`, `fsec_2`, … in their places.
    pub(crate) fn holding(values: &[&str]) -> Held {
        let mut held = Held::default();
        for (number, value) in (1..).zip(values) {
            let value = Zeroizing::new((*value).to_owned());
            held.hold(&format!("s{number}"), format!("fsec_{number}"), value);
        }
        held
    }

    #[test]
    fn values_and_stand_ins_change_places() {
        let held = holding(&["hunter22"]);
        assert_eq!(
            held.reveal(b"a fsec_1 b fsec_1".to_vec()),
            b"a hunter22 b hunter22"
        );
        assert_eq!(held.hide(b"hunter22hunter22".to_vec()), b"fsec_1fsec_1");
        assert_eq!(held.redact("x hunter22".into()), "x [secret]");
        let named = |bytes: &'static [u8]| -> Vec<String> {
            let named = held.named_in(bytes);
            named.map(|secret| secret.name.clone()).collect()
        };
        assert_eq!(named(b"Bearer fsec_1"), ["s1"]);
        assert!(named(b"Bearer").is_empty());
    }

    #[test]
    fn secrets_are_taken_out_of_names_values_and_numbers() {
        let held = holding(&["quote\"\n22", "1234567890"]);
        let mut value =
            serde_json::json!({ "a quote\"\n22": ["x quote\"\n22", 1, null, 1_234_567_890] });
        held.redact_json(&mut value);
        assert_eq!(
            value,
            serde_json::json!({ "a [secret]": ["x [secret]", 1, null, "[secret]"] })
        );
    }

    #[test]
    fn the_longest_value_goes_first() {
        for values in [
            ["hunter22", "hunter22-and-more"],
            ["hunter22-and-more", "hunter22"],
        ] {
            let held = holding(&values);
            assert_eq!(held.redact("hunter22-and-more!".into()), "[secret]!");
        }
    }

    #[test]
    fn encoded_values_are_values() {
        let held = holding(&["pass\"word/1\n+ü"]);
        for shown in [
            r#"{"a":"pass\"word/1\n+ü"}"#,
            "q=pass%22word%2F1%0A%2B%C3%BC&r",
            // By Python's base64.b64encode of the value alone, behind one byte, and behind two.
            "cGFzcyJ3b3JkLzEKK8O8",
            "OnBhc3Mid29yZC8xCivDvA==",
            "dTpwYXNzIndvcmQvMQorw7w=",
        ] {
            assert!(held.is_shown_in(shown.as_bytes()), "{shown}");
            let redacted = held.redact(shown.to_owned());
            assert!(redacted.contains("[secret]"), "{redacted}");
            assert!(!held.is_shown_in(redacted.as_bytes()), "{redacted}");
        }
    }

    #[test]
    fn urls_hold_a_value_in_every_spelling() {
        let held = holding(&["Correct-Horse"]);
        for (url, shown) in [
            ("https://a.example/Correct-Horse", true),
            ("https://a.example/?q=Correct%2DHorse", true),
            ("https://a.example/#Correct-Horse", true),
            ("https://Correct-Horse.example/", true),
            ("https://correct-horse.example/", true),
            ("https://a.example/Cor\trect-Horse", true),
            ("Correct-Horse://a.example/", true),
            ("Correct-Horse", true),
            ("https://a.example/horse", false),
            ("", false),
        ] {
            assert_eq!(held.is_shown_in_url(url), shown, "{url}");
        }
    }

    /// Knows `known`, and cannot open `sealed`.
    #[derive(Debug)]
    struct Two;

    impl Secrets for Two {
        fn open(&self, name: &str) -> Result<Zeroizing<String>, NoSecret> {
            match name {
                "known" => Ok(Zeroizing::new("hunter22".to_owned())),
                "sealed" => Err(NoSecret::Sealed("no key".to_owned())),
                _ => Err(NoSecret::Unknown),
            }
        }
    }

    #[test]
    fn what_is_granted_is_there_or_says_why_not() {
        let grants = ["known", "sealed", "other", "known"].map(|name| SecretGrant {
            name: name.to_owned(),
            hosts: Vec::new(),
        });
        let held = Held::granted(&grants, &Two, |name| format!("fsec_{name}"));
        assert_eq!(held.handle("known"), Some(Ok("fsec_known")));
        let sealed = NoSecret::Sealed("no key".to_owned());
        assert_eq!(held.handle("sealed"), Some(Err(&sealed)));
        assert_eq!(held.handle("other"), Some(Err(&NoSecret::Unknown)));
        assert_eq!(held.handle("not-granted"), None);
        assert_eq!(held.redact("hunter22".to_owned()), "[secret]");
    }
}
