//! Where the API token comes from.

use std::fmt;
use std::fs;
use std::path::Path;

use reqwest::Url;

use super::error::Error;

/// Where a server that is started here writes its first token.
pub(crate) const BOOTSTRAP_FILE: &str = "./fermata-data/bootstrap-token";
/// Longest token file that is read: a token has a few dozen characters.
const FILE_BYTES_MAX: u64 = 4096;

/// A token, and where it was found.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// The secret itself.
    pub(crate) text: String,
    /// For people.
    pub(crate) source: String,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(from {})", self.source)
    }
}

/// Finds the token: the one given, else the file given, else what a server started in this
/// directory wrote. The last is never sent to another machine.
pub(crate) fn find(
    given: Option<&str>,
    file: Option<&Path>,
    bootstrap: &Path,
    server: &str,
) -> Result<Option<Token>, Error> {
    if let Some(text) = given.filter(|text| !text.is_empty()) {
        return Ok(Some(Token {
            text: text.trim().into(),
            source: "--token or FERMATA_TOKEN".into(),
        }));
    }
    if let Some(path) = file.filter(|path| !path.as_os_str().is_empty()) {
        return read(path).map(Some);
    }
    let local = Url::parse(server).is_ok_and(|url| is_loopback(&url));
    if local && bootstrap.exists() {
        return read(bootstrap).map(Some);
    }
    Ok(None)
}

fn read(path: &Path) -> Result<Token, Error> {
    let from = path.display().to_string();
    let size = fs::metadata(path)
        .map_err(|error| Error::token(&from, error.to_string()))?
        .len();
    if size > FILE_BYTES_MAX {
        return Err(Error::token(
            &from,
            "the file is too large to hold only a token",
        ));
    }
    let text = fs::read_to_string(path).map_err(|error| Error::token(&from, error.to_string()))?;
    match text.trim() {
        "" => Err(Error::token(&from, "the file is empty")),
        text if text.lines().count() > 1 => {
            Err(Error::token(&from, "the file holds more than one line"))
        }
        text => Ok(Token {
            text: text.into(),
            source: from,
        }),
    }
}

/// Whether the address is this very machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "http://127.0.0.1:7717";

    #[test]
    fn what_is_given_goes_before_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("token");
        let bootstrap = folder.path().join("bootstrap-token");
        fs::write(&file, "from-file\n").expect("written");
        fs::write(&bootstrap, "from-bootstrap\n").expect("written");
        let absent = folder.path().join("absent");

        for (given, file, bootstrap, server, expected) in [
            (Some("given"), Some(&file), &bootstrap, HERE, Some("given")),
            (None, Some(&file), &bootstrap, HERE, Some("from-file")),
            (Some(""), Some(&file), &bootstrap, HERE, Some("from-file")),
            (None, None, &bootstrap, HERE, Some("from-bootstrap")),
            (
                None,
                None,
                &bootstrap,
                "http://[::1]:1",
                Some("from-bootstrap"),
            ),
            (
                None,
                None,
                &bootstrap,
                "http://localhost:1",
                Some("from-bootstrap"),
            ),
            (None, None, &bootstrap, "https://fermata.example.com", None),
            (None, None, &absent, HERE, None),
        ] {
            let found = find(
                given,
                file.map(std::path::PathBuf::as_path),
                bootstrap,
                server,
            )
            .expect("readable");
            assert_eq!(
                found.map(|token| token.text).as_deref(),
                expected,
                "{server}"
            );
        }
    }

    #[test]
    fn files_that_hold_no_token_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("token");
        let absent = folder.path().join("absent");
        assert!(find(None, Some(&absent), &absent, HERE).is_err());
        for text in ["", "\n", "a\nb\n", &"x".repeat(5_000)] {
            fs::write(&file, text).expect("written");
            let error = find(None, Some(&file), &absent, HERE).expect_err("no token");
            assert!(error.to_string().contains("token"), "{error}");
        }
    }

    #[test]
    fn a_token_is_never_printed() {
        let token = Token {
            text: "secret".into(),
            source: "x".into(),
        };
        assert!(!format!("{token:?}").contains("secret"));
    }
}
