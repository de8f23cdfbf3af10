//! How a component lies in a registry: a manifest, a small configuration, and the bytes as the only layer.
//!
//! It is written as the CNCF's *Wasm OCI Artifact* says. The same component always gives the same manifest, so
//! there are no times in it. Read is everything with one layer of WebAssembly, whatever else it says.

use fermata_core::id::Digest;
use serde::Deserialize;
use serde_json::{Value, json};

/// Of the manifest.
pub(crate) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_TYPE: &str = "application/vnd.wasm.config.v0+json";
const LAYER_TYPE: &str = "application/wasm";
/// What came before the common layout, and is still in registries.
const LAYER_TYPE_BEFORE: &str = "application/vnd.wasm.content.layer.v1+wasm";
/// The time that reproducible artifacts bear.
const CREATED: &str = "1970-01-01T00:00:00Z";
/// What a component begins with; a core module has another version there.
const COMPONENT_MAGIC: &[u8] = b"\0asm\x0d\0\x01\0";
/// Longest piece of somebody else's text that is shown.
const SHOWN_CHARS_MAX: usize = 100;
/// Most media types of layers that are shown.
const SHOWN_LAYERS_MAX: usize = 5;

/// What is written about a component beside its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// The registry name that it gives itself.
    pub(crate) name: String,
    /// `MAJOR.MINOR.PATCH`.
    pub(crate) version: String,
    /// One sentence.
    pub(crate) summary: String,
    /// The interfaces that it imports; not looked at for a core module.
    pub(crate) imports: Vec<String>,
    /// What it exports; likewise.
    pub(crate) exports: Vec<String>,
}

/// Everything that is put into a registry for one component, apart from its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Artifact {
    /// The configuration.
    pub(crate) config: Vec<u8>,
    /// The manifest.
    pub(crate) manifest: Vec<u8>,
    /// Of the component.
    pub(crate) layer: Digest,
}

impl Artifact {
    /// The artifact of a component.
    pub(crate) fn of(component: &[u8], facts: &Facts) -> Self {
        let layer = Digest::of(component);
        let config = config(component, layer, facts).to_string().into_bytes();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {
                "mediaType": CONFIG_TYPE,
                "digest": Digest::of(&config).to_string(),
                "size": config.len(),
            },
            "layers": [{
                "mediaType": LAYER_TYPE,
                "digest": layer.to_string(),
                "size": component.len(),
                // The name of the file that general clients write.
                "annotations": { "org.opencontainers.image.title": format!("{}.wasm", facts.name) },
            }],
            "annotations": {
                "org.opencontainers.image.title": facts.name,
                "org.opencontainers.image.version": facts.version,
                "org.opencontainers.image.description": facts.summary,
            },
        });
        Self {
            manifest: manifest.to_string().into_bytes(),
            config,
            layer,
        }
    }

    /// Of the manifest: what the artifact is pinned by.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.manifest)
    }
}

fn config(component: &[u8], layer: Digest, facts: &Facts) -> Value {
    let is_component = component.starts_with(COMPONENT_MAGIC);
    let mut config = json!({
        "created": CREATED,
        "architecture": "wasm",
        // What there is for a core module, whether it uses WASI or not.
        "os": if is_component { "wasip2" } else { "wasip1" },
        "layerDigests": [layer.to_string()],
    });
    if is_component {
        config["component"] = json!({ "exports": facts.exports, "imports": facts.imports });
    }
    config
}

/// The bytes that a manifest points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    /// Of the bytes.
    pub(crate) digest: Digest,
    /// How many there are.
    pub(crate) size: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    media_type: Option<String>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
}

/// The component in a manifest, or why there is none in it.
pub(super) fn layer(manifest: &[u8]) -> Result<Layer, String> {
    let read: Manifest = serde_json::from_slice(manifest)
        .map_err(|error| format!("its manifest cannot be read: {error}"))?;
    let kind = shown(read.media_type.as_deref().unwrap_or("no media type"));
    if let Some(manifests) = read.manifests {
        return Err(format!(
            "it is an index of {} manifests ({kind})",
            manifests.len()
        ));
    }
    let layers = read.layers.unwrap_or_default();
    let [layer] = layers.as_slice() else {
        return Err(match layers.len() {
            0 => format!("its manifest ({kind}) has no layers"),
            count => format!("it has {count} layers: {}", kinds(&layers)),
        });
    };
    if ![LAYER_TYPE, LAYER_TYPE_BEFORE].contains(&layer.media_type.as_str()) {
        return Err(format!("its layer is {}", shown(&layer.media_type)));
    }
    let digest = layer.digest.parse().map_err(|_| {
        let digest = shown(&layer.digest);
        format!("its layer has the digest `{digest}`, and only sha256 is understood")
    })?;
    let size = layer.size;
    Ok(Layer { digest, size })
}

fn kinds(layers: &[Descriptor]) -> String {
    let first = layers.iter().take(SHOWN_LAYERS_MAX);
    let mut kinds: Vec<String> = first.map(|layer| shown(&layer.media_type)).collect();
    if layers.len() > SHOWN_LAYERS_MAX {
        kinds.push("…".into());
    }
    kinds.join(", ")
}

/// Somebody else's text, short and without what could draw on a terminal.
pub(super) fn shown(text: &str) -> String {
    let shown = text.chars().filter(|c| !c.is_control());
    shown.take(SHOWN_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            name: "deploy".into(),
            version: "1.2.3".into(),
            summary: "Puts it out".into(),
            imports: vec!["fermata:activity/http@0.1.0".into()],
            exports: vec!["run".into()],
        }
    }

    fn json(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn an_artifact_has_the_common_layout() {
        let component = b"\0asm\x0d\0\x01\0rest";
        let artifact = Artifact::of(component, &facts());
        let (manifest, config) = (json(&artifact.manifest), json(&artifact.config));
        let digest = Digest::of(component).to_string();
        assert_eq!(
            config,
            json!({
                "created": "1970-01-01T00:00:00Z",
                "architecture": "wasm",
                "os": "wasip2",
                "layerDigests": [digest],
                "component": { "exports": ["run"], "imports": ["fermata:activity/http@0.1.0"] },
            })
        );
        assert_eq!(manifest["schemaVersion"], 2);
        assert_eq!(
            manifest["mediaType"],
            "application/vnd.oci.image.manifest.v1+json"
        );
        assert_eq!(
            manifest["config"]["mediaType"],
            "application/vnd.wasm.config.v0+json"
        );
        assert_eq!(
            manifest["config"]["digest"],
            Digest::of(&artifact.config).to_string()
        );
        assert_eq!(manifest["config"]["size"], artifact.config.len());
        assert_eq!(manifest["layers"][0]["mediaType"], "application/wasm");
        assert_eq!(manifest["layers"][0]["digest"], digest);
        assert_eq!(manifest["layers"][0]["size"], 12);
        assert_eq!(
            manifest["annotations"]["org.opencontainers.image.version"],
            "1.2.3"
        );
        let found = layer(&artifact.manifest).unwrap();
        assert_eq!((found.digest, found.size), (artifact.layer, 12));
        assert_eq!(
            artifact.digest(),
            Artifact::of(component, &facts()).digest()
        );
    }

    #[test]
    fn a_core_module_says_that_it_is_one() {
        let config = Artifact::of(b"\0asm\x01\0\0\0", &facts()).config;
        assert_eq!(json(&config)["os"], "wasip1");
        assert_eq!(json(&config).get("component"), None);
    }

    #[test]
    fn what_others_make_is_read_and_what_is_no_component_is_named() {
        let digest = Digest::of(b"").to_string();
        let one = |kind: &str| json!({ "mediaType": kind, "digest": digest, "size": 3 });
        let wasm = one("application/wasm");
        for manifest in [
            json!({ "layers": [wasm] }),
            json!({ "schemaVersion": 2, "layers": [one("application/vnd.wasm.content.layer.v1+wasm")],
                    "config": one("application/vnd.wasm.config.v1+json") }),
            json!({ "artifactType": "application/wasm", "layers": [wasm], "config": one("application/vnd.oci.empty.v1+json") }),
        ] {
            let found = layer(manifest.to_string().as_bytes()).unwrap();
            assert_eq!(found.size, 3, "{manifest}");
        }
        let tar = one("application/vnd.oci.image.layer.v1.tar+gzip");
        let sha512 = json!({ "mediaType": "application/wasm", "digest": "sha512:00", "size": 3 });
        for (manifest, why) in [
            ("", "cannot be read"),
            ("[]", "cannot be read"),
            ("{}", "(no media type) has no layers"),
            (&json!({ "layers": [] }).to_string(), "has no layers"),
            (&json!({ "layers": [tar] }).to_string(), "its layer is application/vnd.oci.image.layer.v1.tar+gzip"),
            (&json!({ "layers": [wasm, tar] }).to_string(), "2 layers: application/wasm, application/vnd.oci"),
            (&json!({ "layers": [sha512] }).to_string(), "only sha256"),
            (&json!({ "layers": [{ "mediaType": "application/wasm", "digest": digest, "size": -1 }] }).to_string(), "cannot be read"),
            (&json!({ "layers": [one("a\u{1b}[2J")] }).to_string(), "its layer is a[2J"),
            (
                &json!({ "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [{}, {}] }).to_string(),
                "an index of 2 manifests (application/vnd.oci.image.index.v1+json)",
            ),
        ] {
            let found = layer(manifest.as_bytes()).expect_err(manifest);
            assert!(found.contains(why), "{manifest}: {found}");
        }
        let many = vec![wasm; 1000];
        let found = layer(json!({ "layers": many }).to_string().as_bytes()).unwrap_err();
        assert!(found.len() < 200, "{found}");
    }
}
