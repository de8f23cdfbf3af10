//! References to artifacts: `oci://REGISTRY/REPOSITORY[:TAG][@DIGEST]`.

use std::fmt;
use std::str::FromStr;

use fermata_core::component::Version;
use fermata_core::id::Digest;
use reqwest::Url;

/// What a reference begins with on the command line.
pub(crate) const SCHEME: &str = "oci://";
/// Longest repository name, as registries have it.
const REPOSITORY_BYTES_MAX: usize = 255;
/// Longest tag, from the specification.
const TAG_BYTES_MAX: usize = 128;

/// Where an artifact is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Host and port, as they were written.
    pub(crate) registry: String,
    /// The path below it.
    pub(crate) repository: String,
    /// A name that may move.
    pub(crate) tag: Option<String>,
    /// Of the manifest; goes before the tag.
    pub(crate) digest: Option<Digest>,
}

impl Reference {
    /// The same place, by the digest of a manifest alone: what never moves.
    pub(crate) fn pinned(&self, digest: Digest) -> Self {
        Self {
            tag: None,
            digest: Some(digest),
            ..self.clone()
        }
    }

    /// The same place under a tag.
    pub(crate) fn tagged(&self, tag: &str) -> Result<Self, String> {
        check_tag(tag)?;
        Ok(Self {
            tag: Some(tag.to_owned()),
            digest: None,
            ..self.clone()
        })
    }

    /// Whether the tag is a version, `1.2.3` or `v1.2.3`: such a tag stands for one content.
    pub(crate) fn names_version(&self) -> bool {
        let tag = self.tag.as_deref().unwrap_or_default();
        let version = tag.strip_prefix('v').unwrap_or(tag);
        version.parse::<Version>().is_ok()
    }

    /// What the registry is asked for: the digest, else the tag.
    pub(crate) fn target(&self) -> Option<String> {
        let digest = self.digest.as_ref().map(ToString::to_string);
        digest.or_else(|| self.tag.clone())
    }

    /// The last part of the repository, and the tag or the beginning of the digest: a name for a file.
    pub(crate) fn file_stem(&self) -> String {
        let last = self.repository.rsplit('/').next().unwrap_or_default();
        match (&self.tag, &self.digest) {
            (Some(tag), _) => format!("{last}-{tag}"),
            (None, Some(digest)) => format!("{last}-{}", &digest.hex()[..12]),
            (None, None) => last.to_owned(),
        }
    }
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: String| format!("`{text}` is no reference to an artifact: {why}");
        let rest = text
            .strip_prefix(SCHEME)
            .ok_or_else(|| wrong(format!("it does not begin with {SCHEME}")))?;
        parse(rest).map_err(wrong)
    }
}

fn parse(text: &str) -> Result<Reference, String> {
    let (text, digest) = match text.split_once('@') {
        None => (text, None),
        Some((text, digest)) => (text, Some(sha256(digest)?)),
    };
    let (registry, path) = text
        .split_once('/')
        .ok_or("it names no repository: oci://REGISTRY/REPOSITORY")?;
    let (repository, tag) = match path.split_once(':') {
        None => (path, None),
        Some((repository, tag)) => (repository, Some(tag)),
    };
    check_registry(registry)?;
    check_repository(repository)?;
    tag.map_or(Ok(()), check_tag)?;
    Ok(Reference {
        registry: registry.to_owned(),
        repository: repository.to_owned(),
        tag: tag.map(str::to_owned),
        digest,
    })
}

fn sha256(text: &str) -> Result<Digest, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is no digest: sha256: and 64 hexadecimal digits"))
}

/// Host and port, and nothing else that can stand in an address.
fn check_registry(text: &str) -> Result<(), String> {
    let url = Url::parse(&format!("https://{text}/")).ok();
    let is_plain = url.is_some_and(|url| {
        let [user, path] = [url.username(), url.path()];
        user.is_empty() && url.password().is_none() && path == "/" && url.host().is_some()
    });
    let host = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    if is_plain && text.chars().all(host) {
        Ok(())
    } else {
        Err(format!(
            "`{text}` is no host, or host and port, of a registry"
        ))
    }
}

/// Parts of lower-case letters and digits, with single separators between them.
fn check_repository(text: &str) -> Result<(), String> {
    let is_sound = |part: &str| {
        let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let mut between = part.split(alphanumeric).filter(|it| !it.is_empty());
        let ends = part.starts_with(alphanumeric) && part.ends_with(alphanumeric);
        ends && between.all(|it| matches!(it, "." | "_" | "__") || it.bytes().all(|b| b == b'-'))
    };
    if text.is_empty() {
        return Err("it names no repository: oci://REGISTRY/REPOSITORY".into());
    }
    if text.len() > REPOSITORY_BYTES_MAX {
        let told = format!("its repository has more than {REPOSITORY_BYTES_MAX} characters");
        return Err(told);
    }
    if text.split('/').all(is_sound) {
        Ok(())
    } else {
        Err(format!(
            "`{text}` is no repository: lower-case letters and digits, with `.`, `_`, `-` and `/` between them"
        ))
    }
}

fn check_tag(text: &str) -> Result<(), String> {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let begins = text.bytes().next().is_some_and(is_word);
    let goes_on = text.bytes().all(|b| is_word(b) || b == b'.' || b == b'-');
    if begins && goes_on && text.len() <= TAG_BYTES_MAX {
        Ok(())
    } else {
        Err(format!(
            "`{text}` is no tag: at most {TAG_BYTES_MAX} letters, digits, `_`, `.` and `-`"
        ))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn references_are_read_and_written_alike() {
        let long = format!("oci://h/{}:{}", "a".repeat(255), "b".repeat(128));
        for (text, registry, repository, tag, stem) in [
            (
                "oci://ghcr.io/team/deploy:1.0.0",
                "ghcr.io",
                "team/deploy",
                Some("1.0.0"),
                "deploy-1.0.0",
            ),
            (
                "oci://127.0.0.1:5000/deploy",
                "127.0.0.1:5000",
                "deploy",
                None,
                "deploy",
            ),
            (
                "oci://[::1]:5000/a/b/c-d_e.f__g---h:v_1",
                "[::1]:5000",
                "a/b/c-d_e.f__g---h",
                Some("v_1"),
                "c-d_e.f__g---h-v_1",
            ),
            (
                &format!("oci://r/a@{DIGEST}"),
                "r",
                "a",
                None,
                "a-e3b0c44298fc",
            ),
            (&format!("oci://r/a:1@{DIGEST}"), "r", "a", Some("1"), "a-1"),
        ] {
            let read: Reference = text.parse().expect(text);
            assert_eq!(read.to_string(), text);
            let found = (
                read.registry.as_str(),
                read.repository.as_str(),
                read.tag.as_deref(),
            );
            assert_eq!(found, (registry, repository, tag), "{text}");
            assert_eq!(read.file_stem(), stem, "{text}");
        }
        assert!(long.parse::<Reference>().is_ok());
    }

    #[test]
    fn a_digest_goes_before_a_tag() {
        let read: Reference = format!("oci://r/a:1@{DIGEST}").parse().unwrap();
        assert_eq!(read.target().as_deref(), Some(DIGEST));
        let read: Reference = "oci://r/a:1".parse().unwrap();
        assert_eq!(read.target().as_deref(), Some("1"));
        assert_eq!(
            read.pinned(Digest::of(b"")).to_string(),
            format!("oci://r/a@{DIGEST}")
        );
        assert_eq!(read.tagged("2.0.0").unwrap().to_string(), "oci://r/a:2.0.0");
        assert!(read.tagged("a b").is_err());
    }

    #[test]
    fn versions_are_told_from_names_that_move() {
        for (tag, is_version) in [
            ("1.2.3", true),
            ("v1.2.3", true),
            ("1.2", false),
            ("latest", false),
            ("1.2.3-rc1", false),
        ] {
            let read: Reference = format!("oci://r/a:{tag}").parse().unwrap();
            assert_eq!(read.names_version(), is_version, "{tag}");
        }
    }

    #[test]
    fn what_is_none_says_why() {
        let tag = format!("oci://r/a:{}", "t".repeat(129));
        let repository = format!("oci://r/{}", "a".repeat(256));
        for (text, why) in [
            ("ghcr.io/a:1", "does not begin with oci://"),
            ("https://ghcr.io/a:1", "does not begin with oci://"),
            ("oci://", "names no repository"),
            ("oci://ghcr.io", "names no repository"),
            ("oci://ghcr.io/", "names no repository"),
            ("oci:///a", "no host"),
            ("oci://user:secret@ghcr.io/a", "no digest"),
            ("oci://a b/c", "no host"),
            ("oci://h:port/c", "no host"),
            ("oci://h?x/c", "no host"),
            ("oci://h/Team/a", "is no repository"),
            ("oci://h/a//b", "is no repository"),
            ("oci://h/a/", "is no repository"),
            ("oci://h/../a", "is no repository"),
            ("oci://h/a..b", "is no repository"),
            ("oci://h/-a", "is no repository"),
            ("oci://h/a___b", "is no repository"),
            ("oci://h/a?b", "is no repository"),
            ("oci://h/a%2fb", "is no repository"),
            ("oci://h/a:", "is no tag"),
            ("oci://h/a:.1", "is no tag"),
            ("oci://h/a:1/b", "is no tag"),
            ("oci://h/a:1:2", "is no tag"),
            ("oci://h/a@sha256:12", "is no digest"),
            ("oci://h/a@sha512:12", "is no digest"),
            ("oci://h/a@", "is no digest"),
            (&tag, "is no tag"),
            (&repository, "more than 255"),
        ] {
            let error = text.parse::<Reference>().expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
