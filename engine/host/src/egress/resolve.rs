//! Looking host names up, and judging every address before anything connects to it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::egress::address::{Reach, judge};

/// Looks host names up.
pub trait Resolver: fmt::Debug + Send + Sync + 'static {
    /// All addresses of `host`.
    fn resolve(&self, host: &str) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>>;
}

/// The resolver of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(&self, host: &str) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        let host = host.to_owned();
        async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        }
        .boxed()
    }
}

/// The resolver of an HTTP client: it gives out judged addresses only, so that the client connects to nothing else.
#[derive(Clone, Debug)]
pub(crate) struct Judging {
    pub(crate) resolver: Arc<dyn Resolver>,
    /// Whether addresses of this network are good.
    pub(crate) private: bool,
}

/// A host has an address that the call must not reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forbidden(pub(crate) Reach);

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Reach::Public => f.write_str("a public address"),
            Reach::Private(what) | Reach::Never(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Forbidden {}

impl Judging {
    /// One forbidden address spoils them all: a name that points both ways is an attack or a mistake.
    fn check(&self, addresses: &[IpAddr]) -> Result<(), Forbidden> {
        let forbidden = addresses
            .iter()
            .map(|address| judge(*address))
            .find(|reach| match reach {
                Reach::Public => false,
                Reach::Private(_) => !self.private,
                Reach::Never(_) => true,
            });
        forbidden.map_or(Ok(()), |reach| Err(Forbidden(reach)))
    }
}

impl Resolve for Judging {
    fn resolve(&self, name: Name) -> Resolving {
        let judging = self.clone();
        let looked_up = self.resolver.resolve(name.as_str());
        Box::pin(async move {
            let addresses = looked_up.await?;
            judging.check(&addresses)?;
            // The client puts the port of the URL in place of 0.
            let addresses = addresses
                .into_iter()
                .map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_forbidden_address_spoils_them_all() {
        let addresses = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| text.parse().unwrap())
                .collect::<Vec<IpAddr>>()
        };
        let judging = |private| Judging {
            resolver: Arc::new(SystemResolver),
            private,
        };
        assert!(
            judging(false)
                .check(&addresses(&["1.1.1.1", "2606:4700::1"]))
                .is_ok()
        );
        assert!(
            judging(false)
                .check(&addresses(&["1.1.1.1", "10.0.0.1"]))
                .is_err()
        );
        assert!(
            judging(true)
                .check(&addresses(&["1.1.1.1", "10.0.0.1"]))
                .is_ok()
        );
        assert!(
            judging(true)
                .check(&addresses(&["10.0.0.1", "169.254.169.254"]))
                .is_err()
        );
    }
}
