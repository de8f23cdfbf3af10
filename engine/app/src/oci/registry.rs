//! Reading and writing the artifact of one component.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use axum::body::Bytes;
use fermata_core::id::Digest;
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Method, Response, StatusCode, Url};

use super::credentials::Credentials;
use super::error::Error;
use super::layout::{self, Artifact, Layer, MANIFEST_TYPE};
use super::reference::Reference;
use super::session::{Ask, Purpose, Session, Settings};
use super::{COMPONENT_BYTES_MAX, MANIFEST_BYTES_MAX};

/// What is asked for: the manifests of an artifact, and those that only a good error comes of.
const MANIFEST_TYPES: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json";
/// The digest of a manifest, as the registry has it.
const CONTENT_DIGEST: &str = "docker-content-digest";
/// How much longer than other answers a component may take: a slow line.
const LONGER: Duration = Duration::from_mins(10);

/// One repository of one registry.
#[derive(Debug)]
pub(crate) struct Registry {
    session: Session,
    place: Reference,
}

/// A component from a registry: its bytes have the digest that the manifest says, and that the one it was asked by.
#[derive(Clone, Debug)]
pub(crate) struct Pulled {
    /// The bytes.
    pub(crate) component: Vec<u8>,
    /// Of the manifest.
    pub(crate) manifest: Digest,
}

/// What became of an artifact that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pushed {
    /// Of the manifest that the tag stands for.
    pub(crate) manifest: Digest,
    /// Whether something was written.
    pub(crate) is_new: bool,
}

/// A manifest, and its digest.
#[derive(Debug)]
struct Found {
    bytes: Vec<u8>,
    digest: Digest,
}

impl Registry {
    /// Prepares for the repository that `place` names; asks nothing yet.
    pub(crate) fn open(
        place: &Reference,
        purpose: Purpose,
        settings: Settings,
        credentials: Credentials,
    ) -> Result<Self, Error> {
        Ok(Self {
            session: Session::new(place, purpose, settings, credentials)?,
            place: place.clone(),
        })
    }

    /// Reads the component that tag or digest stand for. `got` counts the bytes of it that have arrived.
    pub(crate) async fn pull(&mut self, got: &AtomicUsize) -> Result<Pulled, Error> {
        let found = match self.manifest().await? {
            Ok(found) => found,
            Err((ask, response)) => {
                let what = format!("artifact {}", self.place);
                return Err(self.session.refusal(&ask, &what, response).await);
            }
        };
        let layer = layout::layer(&found.bytes).map_err(|why| Error::NoComponent {
            reference: self.place.to_string(),
            why,
        })?;
        let component = self.blob(layer, got).await?;
        Ok(Pulled {
            component,
            manifest: found.digest,
        })
    }

    /// What is under the tag or digest of the place; the answer if there is nothing.
    async fn manifest(&mut self) -> Result<Result<Found, (Ask, Response)>, Error> {
        let target = self.place.target().unwrap_or_default();
        let url = self.session.url(&format!("manifests/{target}"));
        let ask = Ask {
            accept: MANIFEST_TYPES,
            ..Ask::new(Method::GET, url, "read the manifest")
        };
        let response = self.session.ask(&ask).await?;
        let status = response.status();
        if status != StatusCode::OK {
            return Ok(Err((ask, response)));
        }
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        if header(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("text/html")) {
            return Err(self.session.foreign(status, "a page for people"));
        }
        let said = header(CONTENT_DIGEST);
        let what = format!("the manifest of {}", self.place);
        let none = AtomicUsize::new(0);
        let read = self
            .session
            .read(response, MANIFEST_BYTES_MAX, &what, &none);
        let bytes = read.await?;
        let digest = Digest::of(&bytes);
        let wanted = self.place.digest.as_ref().map(ToString::to_string);
        // A registry may name a digest of another kind, which is not compared.
        let said = said.filter(|said| said.starts_with("sha256:"));
        match wanted.or(said) {
            Some(expected) if expected != digest.to_string() => Err(Error::OtherBytes {
                what,
                expected,
                found: digest.to_string(),
            }),
            _ => Ok(Ok(Found { bytes, digest })),
        }
    }

    async fn blob(&mut self, layer: Layer, got: &AtomicUsize) -> Result<Vec<u8>, Error> {
        let what = format!("the component of {}", self.place);
        let size = usize::try_from(layer.size).unwrap_or(usize::MAX);
        if size > COMPONENT_BYTES_MAX {
            let bytes_max = COMPONENT_BYTES_MAX as u64;
            return Err(Error::TooLarge { what, bytes_max });
        }
        let url = self.session.url(&format!("blobs/{}", layer.digest));
        let ask = Ask {
            longer: LONGER,
            ..Ask::new(Method::GET, url, "read the component")
        };
        let response = self.session.ask(&ask).await?;
        if response.status() != StatusCode::OK {
            let of = format!("layer {} of {}", layer.digest, self.place);
            return Err(self.session.refusal(&ask, &of, response).await);
        }
        let bytes = self.session.read(response, size, &what, got).await?;
        let found = Digest::of(&bytes);
        if found != layer.digest {
            return Err(Error::OtherBytes {
                what,
                expected: layer.digest.to_string(),
                found: format!("{found} ({} of {size} bytes)", bytes.len()),
            });
        }
        if !bytes.starts_with(b"\0asm") {
            return Err(Error::NoComponent {
                reference: self.place.to_string(),
                why: "its layer does not begin with `\\0asm`".into(),
            });
        }
        Ok(bytes)
    }

    /// Writes a component under the tag of the place. A version that is there with other content stays unless
    /// `force` is set; other tags move. `sent` counts the bytes of the component that have left.
    pub(crate) async fn push(
        &mut self,
        artifact: &Artifact,
        component: Bytes,
        force: bool,
        sent: &Arc<AtomicUsize>,
    ) -> Result<Pushed, Error> {
        if let Some(there) = self.there(artifact, force).await? {
            return Ok(there);
        }
        self.keep(component, sent).await?;
        let config = Bytes::from(artifact.config.clone());
        self.keep(config, &Arc::default()).await?;
        let target = self.place.target().unwrap_or_default();
        let url = self.session.url(&format!("manifests/{target}"));
        let manifest = Bytes::from(artifact.manifest.clone());
        let ask = Ask {
            body: Some((MANIFEST_TYPE, manifest)),
            ..Ask::new(Method::PUT, url, "write the manifest")
        };
        self.expect(&ask, StatusCode::CREATED).await?;
        Ok(Pushed {
            manifest: artifact.digest(),
            is_new: true,
        })
    }

    /// What is under the tag, if it is the same component.
    async fn there(&mut self, artifact: &Artifact, force: bool) -> Result<Option<Pushed>, Error> {
        let found = match self.manifest().await? {
            Ok(found) => found,
            Err((_, response)) if response.status() == StatusCode::NOT_FOUND => return Ok(None),
            Err((ask, response)) => {
                let what = format!("repository {}", self.place);
                return Err(self.session.refusal(&ask, &what, response).await);
            }
        };
        let layer = layout::layer(&found.bytes).ok();
        if layer.is_some_and(|layer| layer.digest == artifact.layer) {
            return Ok(Some(Pushed {
                manifest: found.digest,
                is_new: false,
            }));
        }
        if force || !self.place.names_version() {
            return Ok(None);
        }
        Err(Error::Taken {
            reference: self.place.to_string(),
            found: found.digest,
        })
    }

    /// Writes a blob, unless it is there.
    async fn keep(&mut self, bytes: Bytes, sent: &Arc<AtomicUsize>) -> Result<(), Error> {
        let digest = Digest::of(&bytes).to_string();
        let url = self.session.url(&format!("blobs/{digest}"));
        let look = Ask::new(Method::HEAD, url, "look for a part");
        if self.session.ask(&look).await?.status() == StatusCode::OK {
            return Ok(());
        }
        let begin = Ask::new(
            Method::POST,
            self.session.url("blobs/uploads/"),
            "begin an upload",
        );
        let begun = self.expect(&begin, StatusCode::ACCEPTED).await?;
        let mut place = self.location(&begun)?;
        place.query_pairs_mut().append_pair("digest", &digest);
        let ask = Ask {
            body: Some(("application/octet-stream", bytes)),
            sent: Arc::clone(sent),
            longer: LONGER,
            ..Ask::new(Method::PUT, place, "write a part")
        };
        self.expect(&ask, StatusCode::CREATED).await?;
        Ok(())
    }

    fn location(&self, begun: &Response) -> Result<Url, Error> {
        let given = begun.headers().get(LOCATION);
        let given = given.and_then(|value| value.to_str().ok());
        let place = given.and_then(|given| begun.url().join(given).ok());
        place.ok_or_else(|| {
            let why = "it does not say where the upload goes on";
            self.session.foreign(begun.status(), why)
        })
    }

    async fn expect(&mut self, ask: &Ask, status: StatusCode) -> Result<Response, Error> {
        let response = self.session.ask(ask).await?;
        if response.status() == status {
            return Ok(response);
        }
        let what = format!("repository {} to write to", self.place);
        Err(self.session.refusal(ask, &what, response).await)
    }
}
