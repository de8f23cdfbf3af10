//! What a URL really names: one spelling for every host.

use std::net::IpAddr;

use reqwest::Url;

/// Longest URL: what common servers accept.
pub(crate) const URL_BYTES_MAX: usize = 8 * 1024;

/// A host as the policy sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// Lower-case, in ASCII, without a trailing dot.
    Name(String),
    /// An address; a mapped IPv4 address is an IPv4 address.
    Address(IpAddr),
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

/// Where a call goes.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) host: Host,
    pub(crate) port: u16,
}

impl Target {
    /// Reads a URL the way the client will; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > URL_BYTES_MAX {
            return Err(format!("the URL has more than {URL_BYTES_MAX} bytes"));
        }
        let mut url = Url::parse(text).map_err(|error| format!("the URL is not valid: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!(
                "the scheme `{}` is neither http nor https",
                url.scheme()
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the URL holds a user name or password; use a header and a secret".into());
        }
        let host = host(&url).ok_or("the URL has no host")?;
        if url.host_str() != Some(&host.to_string()) {
            url.set_host(Some(&host.to_string()))
                .map_err(|error| format!("the host is not valid: {error}"))?;
        }
        url.set_fragment(None);
        let port = url.port_or_known_default().ok_or("the URL has no port")?;
        Ok(Self { url, host, port })
    }

    /// The host, with the port where it is not the usual one for the scheme.
    pub(crate) fn authority(&self) -> String {
        match self.url.port() {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.to_string(),
        }
    }

    /// For people: without the query, which may hold what is not theirs to see.
    pub(crate) fn shown(&self) -> String {
        format!(
            "{}://{}{}",
            self.url.scheme(),
            self.authority(),
            self.url.path()
        )
    }
}

/// The normalised host of `url`.
pub(crate) fn host(url: &Url) -> Option<Host> {
    let text = url.host_str()?;
    if let Some(address) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return address
            .parse::<IpAddr>()
            .ok()
            .map(|address| Host::Address(address.to_canonical()));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(Host::Address(address));
    }
    let name = text.trim_end_matches('.').to_ascii_lowercase();
    if name.is_empty() {
        None
    } else {
        Some(Host::Name(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_address_is_that_address() {
        for (url, host) in [
            ("http://127.0.0.1/", "127.0.0.1"),
            ("http://2130706433/", "127.0.0.1"),
            ("http://0x7f000001/", "127.0.0.1"),
            ("http://0x7f.1/", "127.0.0.1"),
            ("http://0177.0.0.1/", "127.0.0.1"),
            ("http://127.1/", "127.0.0.1"),
            ("http://127.0.0.1./", "127.0.0.1"),
            ("http://１２７.0.0.1/", "127.0.0.1"),
            ("http://127。0。0。1/", "127.0.0.1"),
            ("http://[::ffff:127.0.0.1]/", "127.0.0.1"),
            ("http://[::ffff:7f00:1]/", "127.0.0.1"),
            ("http://[0:0:0:0:0:0:0:1]/", "[::1]"),
            ("http:\\\\127.0.0.1\\x", "127.0.0.1"),
            ("http:127.0.0.1", "127.0.0.1"),
            ("http://%31%32%37.0.0.1/", "127.0.0.1"),
        ] {
            let target = Target::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
            assert_eq!(target.host.to_string(), host, "{url}");
            assert!(matches!(target.host, Host::Address(_)), "{url}");
            assert_eq!(target.url.host_str(), Some(host), "{url}");
        }
    }

    #[test]
    fn names_have_one_spelling() {
        for (url, authority) in [
            ("https://API.Example.COM./x", "api.example.com"),
            ("https://api.example.com:443/", "api.example.com"),
            ("http://api.example.com:8080#part", "api.example.com:8080"),
            ("http://bücher.example/", "xn--bcher-kva.example"),
        ] {
            assert_eq!(Target::parse(url).unwrap().authority(), authority, "{url}");
        }
        assert_eq!(
            Target::parse("https://a.b/c?token=x").unwrap().shown(),
            "https://a.b/c"
        );
    }

    #[test]
    fn hostile_urls_are_refused() {
        for url in [
            "",
            "/relative",
            "//host/",
            "ftp://a.b/",
            "file:///etc/passwd",
            "http://",
            "http:///",
            "http://./",
            "http://user@a.b/",
            "http://user:pass@a.b/",
            "http://a.b@127.0.0.1/",
            "http://:x@a.b/",
            "http://a b/",
            "http://[::1",
            "http://256.0.0.1/",
            "http://1.2.3.4.5/",
            "http://a.b:99999/",
            "http://[fe80::1%25eth0]/",
            "javascript:alert(1)",
            "data:text/plain,x",
            &format!("http://a.b/{}", "x".repeat(URL_BYTES_MAX)),
        ] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }
}
