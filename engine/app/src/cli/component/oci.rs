//! `fermata component pull` and `publish`, and where `push` takes components from: OCI registries, and the bytes of the
//! server. It is this program that speaks to registries, as its user; the server never does.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fermata_core::id::Digest;
use serde_json::json;
use zeroize::Zeroizing;

use crate::cli::args::{Listed, PublishArgs, PublishSource, PullArgs, PullSource, RegistryArgs};
use crate::cli::error::Error;
use crate::cli::text::{Tone, bytes};
use crate::cli::upload::watched;
use crate::cli::{Context, values};
use crate::client::Call;
use crate::oci::{
    Artifact, Credentials, Facts, Login, Pulled, Purpose, Reference, Registry, Settings,
    docker_config,
};
use crate::trial;

/// The password at the registry, if it is not in a file.
const PASSWORD_VARIABLE: &str = "FERMATA_OCI_PASSWORD";
/// How much longer than other calls the bytes of a component may take.
const LONGER: Duration = Duration::from_mins(10);

/// Reads a component from a registry. The second value is where it is for ever.
pub(super) async fn fetch(
    context: &mut Context,
    place: &Reference,
    args: &RegistryArgs,
) -> Result<(Vec<u8>, Reference), Error> {
    if place.target().is_none() {
        return Err(Error::usage(
            format!("{place} names neither a tag nor a digest"),
            format!(
                "add one: {place}:TAG, or {place}@sha256:…; there is no tag that is taken by itself"
            ),
        ));
    }
    let mut registry = open(context, place, Purpose::Pull, args)?;
    let got = AtomicUsize::new(0);
    let line = || format!("{place}: {} read", counted(&got));
    let Pulled {
        component,
        manifest,
    } = watched(context, registry.pull(&got), line).await??;
    Ok((component, place.pinned(manifest)))
}

/// Writes a component of a registry or of the server into a file.
pub(super) async fn pull(context: &mut Context, args: &PullArgs) -> Result<(), Error> {
    let (component, stem, source) = match &args.component {
        PullSource::Registry(place) => {
            let (component, pinned) = fetch(context, place, &args.registry).await?;
            (component, place.file_stem(), Some(pinned))
        }
        PullSource::Listed(listed) => {
            let stem = format!("{}-{}", listed.name, listed.version);
            (download(context, listed).await?, stem, None)
        }
    };
    let digest = Digest::of(&component);
    let file = args.file.clone();
    let file = file.unwrap_or_else(|| PathBuf::from(format!("{stem}.wasm")));
    let size = component.len() as u64;
    if file == Path::new("-") {
        context.out.bytes(&component)?;
    } else {
        std::fs::write(&file, &component).map_err(|source| Error::File {
            path: file.clone(),
            source,
        })?;
        if context.out.is_json() {
            let source = source.map(|source| source.to_string());
            return context.out.json(&json!({
                "file": file, "digest": digest.to_string(), "size": size, "source": source,
            }));
        }
        let line = format!("{}  {digest}  {}", file.display(), bytes(size));
        context.out.line(&line)?;
    }
    match source {
        Some(source) => context.out.remark(&format!("from {source}")),
        None => Ok(()),
    }
}

/// The bytes of a version from the server.
async fn download(context: &mut Context, listed: &Listed) -> Result<Vec<u8>, Error> {
    let client = context.client()?;
    let (name, version) = (listed.name.as_str(), listed.version.to_string());
    let path = ["components", name, "versions", &version, "wasm"];
    let got = AtomicUsize::new(0);
    let line = || format!("{name}@{version}: {} read", counted(&got));
    let answer = client.download(Call::get(&path).longer(LONGER), &got);
    let (tag, component) = watched(context, answer, line).await??;
    let found = Digest::of(&component).to_string();
    if tag.trim_matches('"') == found {
        return Ok(component);
    }
    Err(Error::Failed {
        what: format!("{name}@{version}: the server announced {tag} and sent {found}"),
        next: Some("repeat it; if that does not help, something between here and the server changes what it sends".into()),
    })
}

/// Puts a component into a registry.
pub(super) async fn publish(context: &mut Context, args: &PublishArgs) -> Result<(), Error> {
    if let Some(digest) = &args.reference.digest {
        return Err(Error::usage(
            format!("{digest} is what the registry will say, and not for you to choose"),
            "name a tag, or none: the version of the component is taken",
        ));
    }
    let (shown, component) = match &args.component {
        PublishSource::File(path) => (path.display().to_string(), values::read_component(path)?),
        PublishSource::Listed(listed) => (listed.to_string(), download(context, listed).await?),
    };
    let facts = examine(context, &shown, component.clone()).await?;
    let tag = args.reference.tag.as_ref().unwrap_or(&facts.version);
    let place = args.reference.tagged(tag).expect("a version is a tag");
    let artifact = Artifact::of(&component, &facts);
    let mut registry = open(context, &place, Purpose::Push, &args.registry)?;
    let (sent, total) = (Arc::new(AtomicUsize::new(0)), component.len() as u64);
    let counter = Arc::clone(&sent);
    let line = || format!("{shown}: {} of {}", counted(&counter), bytes(total));
    let push = registry.push(&artifact, component.into(), args.force, &sent);
    let pushed = watched(context, push, line).await??;
    let pinned = place.pinned(pushed.manifest).to_string();
    let what = format!("{}@{}", facts.name, facts.version);
    if context.out.is_json() {
        return context.out.json(&json!({
            "reference": pinned, "tag": tag, "manifest": pushed.manifest.to_string(),
            "component": what, "digest": artifact.layer.to_string(), "published": pushed.is_new,
        }));
    }
    let news = if pushed.is_new {
        "published"
    } else {
        "unchanged"
    };
    let shown = context.out.paint().tone(Tone::Strong, &what);
    context.out.remark(&format!("{shown} {news} as {place}"))?;
    context.out.line(&pinned)
}

/// What a component says about itself, asked in a sandbox on this machine as the server asks it.
async fn examine(context: &mut Context, shown: &str, component: Vec<u8>) -> Result<Facts, Error> {
    let scratch = tempfile::tempdir().map_err(|source| Error::File {
        path: std::env::temp_dir(),
        source,
    })?;
    let line = || format!("{shown}: is being checked");
    let examined = watched(context, trial::examine(component, scratch.path()), line).await?;
    let examined = examined.map_err(|error| Error::Failed {
        what: format!("{shown}: {error}"),
        next: error.next(),
    })?;
    let descriptor = examined.descriptor;
    Ok(Facts {
        name: descriptor.name.to_string(),
        version: descriptor.version.to_string(),
        summary: descriptor.summary,
        imports: examined.imports,
        exports: examined.exports,
    })
}

fn open(
    context: &Context,
    place: &Reference,
    purpose: Purpose,
    args: &RegistryArgs,
) -> Result<Registry, Error> {
    let settings = Settings {
        plain_http: args.plain_http,
        timeout: context.global.timeout,
    };
    let credentials = credentials(place, args)?;
    Ok(Registry::open(place, purpose, settings, credentials)?)
}

/// What the user gives, else what docker has kept.
fn credentials(place: &Reference, args: &RegistryArgs) -> Result<Credentials, Error> {
    let Some(user) = &args.username else {
        let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
        let home = std::env::var_os("HOME").map(PathBuf::from);
        return match docker_config(folder, home) {
            Some(path) => Ok(Credentials::kept(&path, &place.registry)?),
            None => Ok(Credentials::default()),
        };
    };
    if user.is_empty() || user.contains(':') {
        return Err(Error::usage(
            format!("`{user}` is no name that can be sent to a registry"),
            "a name has no colon, and is not empty",
        ));
    }
    let password = if args.password_stdin {
        values::confidential(Path::new("-"))?
    } else if let Some(path) = &args.password_file {
        values::confidential(path)?
    } else {
        let given = std::env::var_os(PASSWORD_VARIABLE);
        let given = given.and_then(|given| given.into_string().ok());
        Zeroizing::new(given.ok_or_else(|| {
            Error::usage(
                format!("there is no password for `{user}`"),
                format!(
                    "pass --password-stdin or --password-file FILE, or set {PASSWORD_VARIABLE}"
                ),
            )
        })?)
    };
    let user = user.clone();
    Ok(Credentials::given(Login { user, password }))
}

fn counted(bytes_done: &AtomicUsize) -> String {
    bytes(bytes_done.load(Ordering::Relaxed) as u64)
}
