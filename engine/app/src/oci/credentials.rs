//! With whose name a registry is asked: what the user says, else what `docker login` has kept.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::error::Error;

/// Longest configuration of docker that is read, in bytes: it holds a few lines for each registry.
const CONFIG_BYTES_MAX: u64 = 1024 * 1024;
/// Docker's own registry, as people write it.
pub(super) const DOCKER_HUB: &str = "docker.io";
/// Under which `docker login` keeps the login of its own registry.
const DOCKER_HUB_KEYS: [&str; 3] = [DOCKER_HUB, "index.docker.io", "registry-1.docker.io"];

/// Name and password.
#[derive(Clone)]
pub(crate) struct Login {
    /// The name.
    pub(crate) user: String,
    /// The password, or a token in its place.
    pub(crate) password: Zeroizing<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// What is known about a registry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credentials {
    /// What to log in with, if anything.
    pub(crate) login: Option<Login>,
    /// What keeps a login that is not read: a program of docker's, or an identity token.
    pub(crate) out_of_reach: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: BTreeMap<String, Kept>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Kept {
    auth: Option<Zeroizing<String>>,
    username: Option<String>,
    password: Option<Zeroizing<String>>,
    identitytoken: Option<Value>,
}

impl Credentials {
    /// What the user gave.
    pub(crate) fn given(login: Login) -> Self {
        Self {
            login: Some(login),
            out_of_reach: None,
        }
    }

    /// What docker's configuration at `path` keeps for `registry`; nothing if there is no such file.
    pub(crate) fn kept(path: &Path, registry: &str) -> Result<Self, Error> {
        let wrong = |why: String| Error::Config {
            path: path.display().to_string(),
            why,
        };
        let length = match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            read => read.map_err(|error| wrong(error.to_string()))?.len(),
        };
        if length > CONFIG_BYTES_MAX {
            return Err(wrong(format!("it has more than {CONFIG_BYTES_MAX} bytes")));
        }
        let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let text = Zeroizing::new(text);
        // Only the place of a fault: what is there is secret.
        let config: Config = serde_json::from_slice(&text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            wrong(format!("no configuration of docker, at {line}:{column}"))
        })?;
        config.credentials(registry).map_err(wrong)
    }
}

impl Config {
    fn credentials(mut self, registry: &str) -> Result<Credentials, String> {
        let key = |keys: Vec<&String>| keys.into_iter().find(|it| names(it, registry)).cloned();
        let helper = key(self.cred_helpers.keys().collect());
        let helper = helper.and_then(|key| self.cred_helpers.remove(&key));
        let kept = key(self.auths.keys().collect()).and_then(|key| self.auths.remove(&key));
        let is_known = kept.is_some();
        let kept = kept.unwrap_or_default();
        let login = kept.login(registry)?;
        let token = kept.identitytoken.map(|_| "an identity token".to_owned());
        // Docker leaves an empty entry behind when its store keeps the login.
        let store = self.creds_store.filter(|_| is_known);
        let program = helper.or(store);
        let program = program.map(|it| format!("the program docker-credential-{it}"));
        Ok(Credentials {
            out_of_reach: program.or(token).filter(|_| login.is_none()),
            login,
        })
    }
}

impl Kept {
    fn login(&self, registry: &str) -> Result<Option<Login>, String> {
        if let (Some(user), Some(password)) = (&self.username, &self.password) {
            let (user, password) = (user.clone(), password.clone());
            return Ok(Some(Login { user, password }));
        }
        let Some(auth) = self.auth.as_ref().filter(|auth| !auth.is_empty()) else {
            return Ok(None);
        };
        let wrong = || format!("`auth` of {registry} is not a name and a password in base64");
        let bytes = STANDARD.decode(auth.trim()).map_err(|_| wrong())?;
        let text = String::from_utf8(bytes).map_err(|_| wrong())?;
        let text = Zeroizing::new(text);
        let (user, password) = text.split_once(':').ok_or_else(wrong)?;
        // Some tools pad what they encode.
        let password = Zeroizing::new(password.trim_end_matches('\0').to_owned());
        let login = Login {
            user: user.to_owned(),
            password,
        };
        // An identity token stands beside a name without a password.
        Ok(Some(login).filter(|login| !login.password.is_empty()))
    }
}

/// Whether a key of the configuration names the registry: a host, or an address that begins with it.
fn names(key: &str, registry: &str) -> bool {
    let host = key.split_once("://").map_or(key, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    let is_hub = |host: &str| DOCKER_HUB_KEYS.contains(&host);
    host == registry || is_hub(host) && is_hub(registry)
}

/// Where docker keeps its configuration, from the variables that say so.
pub(crate) fn docker_config(folder: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let folder = folder.or_else(|| home.map(|home| home.join(".docker")));
    folder.map(|folder| folder.join("config.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(config: &str, registry: &str) -> Result<Credentials, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, config).unwrap();
        Credentials::kept(&path, registry).map_err(|error| error.to_string())
    }

    #[test]
    fn the_login_of_a_registry_is_found() {
        // ana:sesame, and ana:ses:ame
        let config = r#"{
            "auths": {
                "ghcr.io": { "auth": "YW5hOnNlc2FtZQ==" },
                "https://h:5000/v2/": { "auth": "YW5hOnNlczphbWU=" },
                "https://index.docker.io/v1/": { "username": "ben", "password": "p" },
                "empty.example": {},
                "azure.example": { "auth": "MDAwMDo=", "identitytoken": "t" }
            },
            "credHelpers": { "gcr.example": "gcloud" },
            "HttpHeaders": { "a": "b" }
        }"#;
        for (registry, expected) in [
            ("ghcr.io", Some(("ana", "sesame"))),
            ("h:5000", Some(("ana", "ses:ame"))),
            ("docker.io", Some(("ben", "p"))),
            ("h", None),
            ("io", None),
            ("empty.example", None),
            ("azure.example", None),
            ("gcr.example", None),
        ] {
            let login = kept(config, registry).unwrap().login;
            let found = login
                .as_ref()
                .map(|it| (it.user.as_str(), it.password.as_str()));
            assert_eq!(found, expected, "{registry}");
        }
        let program = kept(config, "gcr.example").unwrap().out_of_reach;
        assert_eq!(
            program.as_deref(),
            Some("the program docker-credential-gcloud")
        );
        let token = kept(config, "azure.example").unwrap().out_of_reach;
        assert_eq!(token.as_deref(), Some("an identity token"));
        let store = r#"{ "auths": { "ghcr.io": {} }, "credsStore": "desktop" }"#;
        assert!(kept(store, "ghcr.io").unwrap().out_of_reach.is_some());
        assert!(kept(store, "quay.io").unwrap().out_of_reach.is_none());
    }

    #[test]
    fn a_configuration_that_is_none_is_named_and_not_shown() {
        for config in [
            "",
            "hunter22",
            r#"{"auths": {"r": {"auth": 5}}}"#,
            r#"{"auths": {"r": {"auth": "hunter22!"}}}"#,
            r#"{"auths": {"r": {"auth": "aHVudGVyMjI="}}}"#,
        ] {
            let error = kept(config, "r").expect_err(config);
            assert!(error.contains("config.json"), "{error}");
            assert!(!error.contains("hunter22"), "{error}");
        }
        let absent = Credentials::kept(Path::new("/nowhere/config.json"), "r").unwrap();
        assert!(absent.login.is_none());
    }

    #[test]
    fn a_password_is_never_printed() {
        let login = Login {
            user: "ana".into(),
            password: Zeroizing::new("sesame".into()),
        };
        let shown = format!("{:?}", Credentials::given(login));
        assert!(
            shown.contains("ana") && !shown.contains("sesame"),
            "{shown}"
        );
    }

    #[test]
    fn the_place_of_dockers_configuration_can_be_said() {
        let (folder, home) = (PathBuf::from("/d"), PathBuf::from("/h"));
        let found = docker_config(Some(folder), Some(home.clone()));
        assert_eq!(found, Some("/d/config.json".into()));
        let found = docker_config(None, Some(home));
        assert_eq!(found, Some("/h/.docker/config.json".into()));
        assert_eq!(docker_config(None, None), None);
    }
}
