//! Document to [`Process`], or every defect at once.

use std::collections::BTreeMap;

use crate::component::{Descriptor, Uses};
use crate::defect::Defect;
use crate::process::Process;

/// What the registry knows of the components that a document may use.
pub type Catalog = BTreeMap<Uses, Descriptor>;

/// Checks a YAML or JSON document. `resolve` gives the descriptor behind a `uses`, if the registry
/// has one; without it (`None` from `catalog`), component inputs are not checked.
pub fn validate(
    _source: &[u8],
    _resolve: Option<&dyn Fn(&Uses) -> Option<Descriptor>>,
) -> Result<Process, Vec<Defect>> {
    todo!()
}
