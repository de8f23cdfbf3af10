//! Why uploaded bytes are no component that this engine runs.

use fermata_core::component::World;
use serde::Serialize;

/// The limit that depends on what else the machine does.
pub(crate) const COMPILE_WALL: &str = "compile-wall";

/// Why an upload is refused. The text is for its author; [`Rejection::code`] is for programs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Rejection {
    /// The bytes do not begin as WebAssembly does.
    #[error("these bytes are not WebAssembly")]
    NotWasm,
    /// They do, but are cut off or broken.
    #[error("the WebAssembly is not valid: {reason}")]
    Invalid {
        /// What the validator says, with the place.
        reason: String,
    },
    /// The upload has more bytes than allowed.
    #[error("the component has {bytes} bytes, {max} are allowed")]
    TooLarge {
        /// The size of the upload.
        bytes: u64,
        /// The bound.
        max: u64,
    },
    /// Native code, which nothing can make safe.
    #[error("this is native code that was compiled elsewhere; only WebAssembly is accepted")]
    Precompiled,
    /// It imports something that this engine does not offer.
    #[error("the component imports `{name}`, which {} has no access to", world.one())]
    ForeignImport {
        /// What the component is.
        world: World,
        /// The import.
        name: String,
    },
    /// It lacks an export that the contract asks for, or has it with another type.
    #[error("the component does not export `{name}` as the contract asks: {reason}")]
    MissingExport {
        /// The export.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// It exports what belongs to different worlds.
    #[error("the component exports both `{interface}` and `{also}`, which no one world has")]
    ManyWorlds {
        /// An interface of a world.
        interface: &'static str,
        /// One that this world does not have.
        also: &'static str,
    },
    /// It is too much to compile.
    #[error("compiling the component reached the limit `{limit}`: {reason}")]
    CompileLimit {
        /// The name of the row in the limits table.
        limit: &'static str,
        /// What was counted.
        reason: String,
    },
    /// `describe` did not return.
    #[error("`describe` failed: {reason}")]
    DescribeFailed {
        /// The failure.
        reason: String,
    },
    /// `describe` returned something that is no descriptor.
    #[error("what `describe` returns is not a descriptor: {reason}")]
    BadDescriptor {
        /// What is wrong.
        reason: String,
    },
}

impl Rejection {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotWasm => "not-wasm",
            Self::Invalid { .. } => "invalid",
            Self::TooLarge { .. } => "too-large",
            Self::Precompiled => "precompiled",
            Self::ForeignImport { .. } => "foreign-import",
            Self::MissingExport { .. } => "missing-export",
            Self::ManyWorlds { .. } => "many-worlds",
            Self::CompileLimit { .. } => "compile-limit",
            Self::DescribeFailed { .. } => "describe-failed",
            Self::BadDescriptor { .. } => "bad-descriptor",
        }
    }

    /// Whether the same bytes may be admitted later: a busy machine took too long.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::CompileLimit { limit, .. } if *limit == COMPILE_WALL)
    }

    /// What the author does about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NotWasm => {
                "upload the .wasm file that the compiler wrote, a component or a core module"
            }
            Self::Invalid { .. } => "upload the file again; if it stays invalid, build it again",
            Self::TooLarge { .. } => {
                "build with optimisation for size, and strip debug information"
            }
            Self::Precompiled => "upload the .wasm file from which the .cwasm file was made",
            Self::ForeignImport { name, .. } => remedy_of_import(name),
            Self::MissingExport { .. } => {
                "build against one of the worlds in wit: `activity`, `policy` or `notifier`"
            }
            Self::ManyWorlds { .. } => {
                "make a component for each: activity, policy and notifier are three different things"
            }
            Self::CompileLimit { .. } if self.may_pass() => {
                "link less into the component, or try again later"
            }
            Self::CompileLimit { .. } => "link less into the component",
            Self::DescribeFailed { .. } => "return a constant from `describe`, without calling out",
            Self::BadDescriptor { .. } => "return the JSON that the guide to activities describes",
        }
    }
}

fn remedy_of_import(name: &str) -> &'static str {
    if name.starts_with("wasi:http") {
        "call out through `fermata:activity/http`"
    } else if name.starts_with("wasi:") && !name.contains("@0.2.") {
        "build for WASI 0.2 (JavaScript: componentize-qjs --sync)"
    } else if name.starts_with("wasi:") {
        "use WASI 0.2 clocks, random and io only"
    } else {
        "import only what wit/activity.wit names"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_in_json_is_the_code() {
        let all = [
            Rejection::NotWasm,
            Rejection::TooLarge { bytes: 2, max: 1 },
            Rejection::ForeignImport {
                world: World::Activity,
                name: "wasi:http/outgoing-handler@0.2.0".into(),
            },
            Rejection::BadDescriptor {
                reason: String::new(),
            },
        ];
        for rejection in all {
            let json = serde_json::to_value(&rejection).unwrap();
            assert_eq!(json["code"], rejection.code());
            assert!(!rejection.remedy().is_empty());
        }
    }
}
