//! Everything that admission does with an upload, without keeping anything of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use fermata_core::component::Descriptor;
use fermata_core::id::Digest;
use wasmparser::{ComponentExternalKind, ComponentTypeRef, Parser, Payload};

use super::{component, sound};
use crate::cache;
use crate::error::AdmitError;
use crate::rejection::Rejection;
use crate::sandbox::Inner;

/// An upload that would be admitted.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The address of the bytes.
    pub digest: Digest,
    /// What the component says about itself.
    pub descriptor: Descriptor,
    /// Whether it can take its effect back.
    pub exports_undo: bool,
    /// The interfaces that it imports, sorted.
    pub imports: Vec<String>,
    /// What it exports, sorted.
    pub exports: Vec<String>,
    /// Bytes of the upload.
    pub upload_bytes: u64,
    /// Bytes of the component; more than the upload has if that is a core module.
    pub component_bytes: u64,
    /// Bytes of its native code.
    pub native_bytes: u64,
}

impl Inner {
    /// Looks at an upload, compiles it, and asks it for its descriptor.
    pub(crate) async fn verify(self: &Arc<Self>, upload: Vec<u8>) -> Result<Verified, AdmitError> {
        let upload_bytes = upload.len() as u64;
        let limits = self.shared.limits.clone();
        let look = move || {
            let (component, exports_undo) = component(&upload, &limits)?;
            let interfaces = interfaces(&component)?;
            Ok((Digest::of(&upload), component, exports_undo, interfaces))
        };
        let (digest, component, exports_undo, interfaces) = self.look(look).await?;
        let (imports, exports) = interfaces;
        let component_bytes = component.len() as u64;
        let native = self.compilation.compile(component).await?;
        let (native, native_bytes) = cache::loaded(&self.engine, &native)?;
        let loaded = self.bind(&native, native_bytes).await?;
        Ok(Verified {
            digest,
            descriptor: sound(loaded.descriptor)?,
            exports_undo,
            imports,
            exports,
            upload_bytes,
            component_bytes,
            native_bytes,
        })
    }
}

/// What a component imports, and what it exports, without types, sorted.
fn interfaces(component: &[u8]) -> Result<(Vec<String>, Vec<String>), Rejection> {
    let (mut imports, mut exports) = (BTreeSet::new(), BTreeSet::new());
    let mut depth = 0_u32;
    let invalid = |error: wasmparser::BinaryReaderError| Rejection::Invalid {
        reason: error.to_string(),
    };
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(invalid)? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    let import = import.map_err(invalid)?;
                    if !matches!(import.ty, ComponentTypeRef::Type(_)) {
                        imports.insert(import.name.name.to_owned());
                    }
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    let export = export.map_err(invalid)?;
                    if export.kind != ComponentExternalKind::Type {
                        exports.insert(export.name.name.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    Ok((imports.into_iter().collect(), exports.into_iter().collect()))
}
