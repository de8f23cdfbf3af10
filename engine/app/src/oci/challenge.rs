//! What a registry asks for when it does not answer: `WWW-Authenticate`, as Basic or as the token protocol of
//! distribution (<https://distribution.github.io/distribution/spec/auth/token/>).

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// What to come back with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Name and password themselves.
    Basic,
    /// A token from somewhere else.
    Bearer {
        /// Where tokens are given out.
        realm: String,
        /// For whom.
        service: Option<String>,
    },
}

impl Challenge {
    /// The first challenge that is understood.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let mut texts = headers.get_all(WWW_AUTHENTICATE).into_iter();
        texts.find_map(|value| Self::parse(value.to_str().ok()?))
    }

    fn parse(text: &str) -> Option<Self> {
        let challenges = http_auth::parse_challenges(text).ok()?;
        challenges.iter().find_map(|challenge| {
            let param = |name: &str| {
                let mut params = challenge.params.iter();
                let found = params.find(|(key, _)| key.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.to_unescaped())
            };
            if challenge.scheme.eq_ignore_ascii_case("basic") {
                Some(Self::Basic)
            } else if challenge.scheme.eq_ignore_ascii_case("bearer") {
                let service = param("service");
                param("realm").map(|realm| Self::Bearer { realm, service })
            } else {
                None
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let bearer = |realm: &str, service: Option<&str>| {
            let (realm, service) = (realm.to_owned(), service.map(str::to_owned));
            Some(Challenge::Bearer { realm, service })
        };
        for (text, expected) in [
            ("Basic realm=\"basic-realm\"", Some(Challenge::Basic)),
            ("basic", Some(Challenge::Basic)),
            (
                "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:a/b:pull\"",
                bearer("https://auth.docker.io/token", Some("registry.docker.io")),
            ),
            (
                "bearer realm=\"https://h/t?x=1\"",
                bearer("https://h/t?x=1", None),
            ),
            ("Negotiate, Basic realm=\"a, b\"", Some(Challenge::Basic)),
            ("Bearer service=\"s\"", None),
            ("Digest realm=\"x\"", None),
            ("", None),
            ("=\"", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(WWW_AUTHENTICATE, text.parse().unwrap());
            assert_eq!(Challenge::read(&headers), expected, "{text}");
        }
        assert_eq!(Challenge::read(&HeaderMap::new()), None);
    }
}
