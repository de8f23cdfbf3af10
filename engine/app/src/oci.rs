//! Registries of the Open Container Initiative, as far as components need them: to read and write one artifact.
//!
//! The protocol is the OCI Distribution Specification 1.1 (<https://github.com/opencontainers/distribution-spec>),
//! the artifact the one that the CNCF's TAG Runtime describes
//! (<https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/>). Only the command line speaks to
//! registries, with what its user may do there; the server never does.

mod challenge;
mod credentials;
mod error;
mod layout;
mod reference;
mod registry;
mod session;

pub(crate) use credentials::{Credentials, Login, docker_config};
pub(crate) use error::Error;
pub(crate) use layout::{Artifact, Facts};
pub(crate) use reference::{Reference, SCHEME};
pub(crate) use registry::{Pulled, Registry};
pub(crate) use session::{Purpose, Settings};

/// Largest manifest that is read, in bytes: that of a component has less than a thousandth of it.
const MANIFEST_BYTES_MAX: usize = 1024 * 1024;
/// Largest component that is read, in bytes: the most that the server takes.
const COMPONENT_BYTES_MAX: usize = 64 * 1024 * 1024;
