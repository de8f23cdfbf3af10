//! `fermata component …`.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{Args, Subcommand, ValueEnum};
use fermata_core::component::Version;
use fermata_core::id::Name;

use crate::cli::grant::Grant;
use crate::oci::{Reference, SCHEME};

/// What can be done with components.
#[derive(Debug, Subcommand)]
pub(crate) enum ComponentCommand {
    /// Write a small project to begin with, which builds and passes its tests.
    New(NewArgs),
    /// Build the project with the usual tool of its language, into NAME.wasm.
    Build {
        /// The project.
        #[arg(default_value = ".", value_hint = clap::ValueHint::DirPath)]
        folder: PathBuf,
    },
    /// Run the cases of the project's tests.json in a sandbox on this machine, with prepared answers to its calls.
    Test(TestArgs),
    /// Upload components. Name and version come from what each says about itself.
    Push(PushArgs),
    /// Get the bytes of a component, from the server or from an OCI registry, into a file.
    Pull(PullArgs),
    /// Put a component into an OCI registry, for others to push from there.
    Publish(PublishArgs),
    /// List the components.
    List,
    /// Show a component: its versions, or one version with its schemas and grants.
    Show {
        /// Name, or NAME@VERSION.
        component: String,
    },
    /// Check files as an upload would, down to machine code and descriptor. Nothing is kept.
    Verify {
        /// WebAssembly files: components, or core modules built with the SDK.
        #[arg(required = true, value_hint = clap::ValueHint::FilePath)]
        files: Vec<PathBuf>,
    },
    /// Replace what a component version may reach.
    Grant(GrantArgs),
    /// Say that a component version should not be used any more. It runs as before; users are told.
    Deprecate {
        /// NAME@VERSION, such as deploy@1.0.0.
        component: String,
        /// Why, and what to use instead.
        #[arg(long)]
        notice: String,
    },
    /// Say that a component version may be used again.
    Undeprecate {
        /// NAME@VERSION, such as deploy@1.0.0.
        component: String,
    },
    /// Stop a component everywhere at once: it does not run any more, and releases hold.
    Quarantine(QuarantineArgs),
    /// Lift the quarantine of a component. What it held is tried again by people.
    Lift(QuarantineArgs),
    /// List every quarantine there ever was, the newest first.
    Quarantined,
    /// Show which process versions and open releases use a component.
    UsedBy {
        /// Name, or NAME@VERSION.
        component: String,
    },
    /// Take a component version out of the registry, if nothing uses it.
    Delete {
        /// NAME@VERSION, such as deploy@1.0.0.
        component: String,
    },
}

/// Arguments of `component test`.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// The project.
    #[arg(default_value = ".", value_hint = clap::ValueHint::DirPath)]
    pub(crate) folder: PathBuf,
    /// Run a recorded attempt again instead of the cases, and tell whether it ends the same way.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) replay: Option<PathBuf>,
    /// The component to run again, instead of the project's.
    #[arg(long, value_name = "FILE", requires = "replay", value_hint = clap::ValueHint::FilePath)]
    pub(crate) component: Option<PathBuf>,
    /// Show every limit and every call, also of what went well.
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// Arguments of `component new`.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// The language.
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    pub(crate) lang: Language,
    /// The folder to make; its last part names the component.
    #[arg(value_hint = clap::ValueHint::DirPath)]
    pub(crate) folder: PathBuf,
}

/// Languages that there is an SDK for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// Rust.
    Rust,
    /// JavaScript.
    #[value(alias = "javascript")]
    Js,
    /// TypeScript.
    #[value(alias = "typescript")]
    Ts,
    /// Python.
    #[value(alias = "py")]
    Python,
    /// Go.
    #[value(alias = "golang")]
    Go,
    /// C.
    C,
    /// Zig.
    Zig,
}

impl Language {
    /// For people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Js => "JavaScript",
            Self::Ts => "TypeScript",
            Self::Python => "Python",
            Self::Go => "Go",
            Self::C => "C",
            Self::Zig => "Zig",
        }
    }
}

/// Arguments of `component push`.
#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    /// WebAssembly files, components or core modules built with the SDK, or `oci://REGISTRY/REPO:TAG` or
    /// `…@sha256:…` [without any: that of the project in this folder].
    #[arg(value_hint = clap::ValueHint::FilePath, value_parser = OsStringValueParser::new().try_map(PushSource::read))]
    pub(crate) components: Vec<PushSource>,
    /// What to grant to each of them.
    #[command(flatten)]
    pub(crate) grants: GrantOptions,
    /// How to come into the registry.
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
}

/// Where a component to upload is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PushSource {
    /// In a file.
    File(PathBuf),
    /// In a registry.
    Registry(Reference),
}

impl PushSource {
    fn read(text: OsString) -> Result<Self, String> {
        match text.to_str().filter(|text| text.starts_with(SCHEME)) {
            Some(reference) => reference.parse().map(Self::Registry),
            None => Ok(Self::File(text.into())),
        }
    }
}

/// `NAME@VERSION`: a component of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The registry name.
    pub(crate) name: Name,
    /// Its version.
    pub(crate) version: Version,
}

impl FromStr for Listed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = text.split_once('@').and_then(|(name, version)| {
            let (name, version) = (name.parse().ok()?, version.parse().ok()?);
            Some(Self { name, version })
        });
        read.ok_or("expected NAME@VERSION, such as deploy@1.0.0, or oci://REGISTRY/REPO:TAG")
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

/// Arguments of `component pull`.
#[derive(Debug, Args)]
pub(crate) struct PullArgs {
    /// NAME@VERSION, of the server; or `oci://REGISTRY/REPO:TAG` or `…@sha256:…`, of a registry.
    pub(crate) component: PullSource,
    /// Where to write it; `-` is standard output [without it: NAME-VERSION.wasm].
    #[arg(value_hint = clap::ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
    /// How to come into the registry.
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
}

/// Where a component is that is wanted as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PullSource {
    /// On the server.
    Listed(Listed),
    /// In a registry.
    Registry(Reference),
}

impl FromStr for PullSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with(SCHEME) {
            return text.parse().map(Self::Registry);
        }
        Ok(Self::Listed(text.parse()?))
    }
}

/// Arguments of `component publish`.
#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    /// NAME@VERSION, of the server; anything else is a file.
    #[arg(value_hint = clap::ValueHint::FilePath, value_parser = OsStringValueParser::new().map(PublishSource::read))]
    pub(crate) component: PublishSource,
    /// `oci://REGISTRY/REPO[:TAG]` [without a tag: the version of the component].
    pub(crate) reference: Reference,
    /// Replace other content under the tag of a version.
    #[arg(long)]
    pub(crate) force: bool,
    /// How to come into the registry.
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
}

/// Where a component to publish is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PublishSource {
    /// In a file.
    File(PathBuf),
    /// On the server.
    Listed(Listed),
}

impl PublishSource {
    fn read(text: OsString) -> Self {
        let listed = text.to_str().and_then(|text| text.parse().ok());
        listed.map_or_else(|| Self::File(text.into()), Self::Listed)
    }
}

/// How to come into an OCI registry.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "OCI registries")]
pub(crate) struct RegistryArgs {
    /// Your name at the registry [without it: what `docker login` has kept].
    #[arg(long, env = "FERMATA_OCI_USERNAME", value_name = "NAME")]
    pub(crate) username: Option<String>,
    /// Read the password from standard input [without it: `FERMATA_OCI_PASSWORD`].
    #[arg(long, requires = "username", conflicts_with = "password_file")]
    pub(crate) password_stdin: bool,
    /// File that holds the password.
    #[arg(long, requires = "username", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) password_file: Option<PathBuf>,
    /// Do without TLS. A registry on this machine is always asked without it.
    #[arg(long)]
    pub(crate) plain_http: bool,
}

/// Arguments of `component quarantine` and `component lift`.
#[derive(Debug, Args)]
pub(crate) struct QuarantineArgs {
    /// NAME@VERSION, or the digest of a component: sha256:….
    pub(crate) component: String,
    /// Why. Everybody sees it whose release it concerns.
    #[arg(long)]
    pub(crate) reason: String,
}

/// Arguments of `component grant`.
#[derive(Debug, Args)]
pub(crate) struct GrantArgs {
    /// NAME@VERSION, such as deploy@1.0.0.
    pub(crate) component: String,
    /// Everything that it asks for; `--grant` adds the hosts that it does not name itself.
    #[arg(long, conflicts_with = "like")]
    pub(crate) wanted: bool,
    /// What another version of it may reach, as far as this one asks for it.
    #[arg(long, value_name = "VERSION")]
    pub(crate) like: Option<String>,
    /// What it may reach; nothing at all if none is given.
    #[command(flatten)]
    pub(crate) grants: GrantOptions,
}

/// What a component may reach.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct GrantOptions {
    /// `http=HOST[:PORT][;methods=GET,PUT][;private]` or `secret=NAME@HOST`; may be repeated.
    #[arg(long = "grant", value_name = "GRANT")]
    pub(crate) grant: Vec<Grant>,
    /// JSON file with grants, as the API writes them; `--grant` adds to it.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) grants_file: Option<PathBuf>,
}
