//! RocksDB, built once into the cache.
//!
//! The `-sys` crate compiles 343 files one by one, which takes half an hour on two cores. The same sources, a
//! few dozen to a translation unit, take a few minutes. A plain `cargo build` still builds the bundled way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::{place, run, say};

/// Changes whenever the flags or the way of building change.
const RECIPE: &str = "u1";
/// Small enough for 2 GiB of memory each, large enough that headers are read few times.
const PARTS: usize = 8;
/// Compilers at once: each takes up to 1.5 GiB.
const AT_ONCE_MAX: usize = 4;
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Made afresh by the `-sys` crate with its own version.
const LEFT_OUT: &str = "util/build_version.cc";

const FLAGS: [&str; 16] = [
    "-std=c++20",
    "-O2",
    "-fPIC",
    "-ffunction-sections",
    "-fdata-sections",
    "-w",
    "-DNDEBUG",
    "-DLZ4=1",
    "-DOS_LINUX",
    "-DROCKSDB_PLATFORM_POSIX",
    "-DROCKSDB_LIB_IO_POSIX",
    "-DROCKSDB_SCHED_GETCPU_PRESENT",
    "-DROCKSDB_AUXV_GETAUXVAL_PRESENT",
    "-DROCKSDB_FALLOCATE_PRESENT",
    "-DROCKSDB_RANGESYNC_PRESENT",
    "-DROCKSDB_SUPPORT_THREAD_LOCAL",
];
const FLAGS_X86_64: [&str; 4] = ["-DHAVE_SSE42", "-msse4.2", "-DHAVE_PCLMUL", "-mpclmul"];

/// A RocksDB that cargo can link.
#[derive(Debug)]
pub(crate) struct Prebuilt {
    library: PathBuf,
    headers: PathBuf,
}

impl Prebuilt {
    /// The variables that make the `-sys` crate link it.
    pub(crate) fn variables(&self) -> [(&'static str, String); 3] {
        [
            ("ROCKSDB_LIB_DIR", self.library.display().to_string()),
            ("ROCKSDB_STATIC", "1".to_owned()),
            ("ROCKSDB_INCLUDE_DIR", self.headers.display().to_string()),
        ]
    }
}

/// The sources as cargo fetched them.
struct Sources {
    rocksdb: PathBuf,
    lz4: PathBuf,
    version: String,
}

/// The prebuilt library, if the cache has it.
pub(crate) fn find() -> Result<Option<Prebuilt>> {
    let sources = sources()?;
    let prebuilt = prebuilt(&sources)?;
    Ok(prebuilt
        .library
        .join("librocksdb.a")
        .exists()
        .then_some(prebuilt))
}

/// The prebuilt library, built now if the cache does not have it.
pub(crate) fn provide() -> Result<Prebuilt> {
    if let Some(prebuilt) = find()? {
        return Ok(prebuilt);
    }
    let sources = sources()?;
    let prebuilt = prebuilt(&sources)?;
    say::line(
        "   RocksDB is built once from the sources in cargo's registry and kept in the cache:",
    );
    say::line(&format!("   {}", prebuilt.library.display()));
    let work = prebuilt
        .library
        .with_extension(format!("{}.tmp", std::process::id()));
    fs::create_dir_all(&work)?;
    let units = write_units(&sources, &work)?;
    compile(&sources, &units)?;
    archive(&work, &units)?;
    // The rename publishes a complete library only; whoever came first wins.
    if fs::rename(&work, &prebuilt.library).is_err() {
        fs::remove_dir_all(&work)?;
    }
    Ok(prebuilt)
}

fn prebuilt(sources: &Sources) -> Result<Prebuilt> {
    let parent = place::folder(place::cache()?.join("rocksdb"))?;
    let library = parent.join(format!(
        "{}-{}-{RECIPE}",
        sources.version,
        std::env::consts::ARCH
    ));
    Ok(Prebuilt {
        library,
        headers: sources.rocksdb.join("rocksdb/include"),
    })
}

/// Asks cargo where it put the sources; fetches them first if need be.
fn sources() -> Result<Sources> {
    let output = Command::new(env!("CARGO"))
        .current_dir(place::root())
        .args(["metadata", "--format-version", "1", "--locked"])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: is the package registry reachable?");
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let package = |name: &str| -> Result<(PathBuf, String)> {
        let packages = metadata["packages"]
            .as_array()
            .context("cargo metadata lists no packages")?;
        let found = packages.iter().find(|package| package["name"] == name);
        let found = found.with_context(|| format!("the workspace does not use {name}"))?;
        let manifest = Path::new(
            found["manifest_path"]
                .as_str()
                .context("a package has a manifest")?,
        );
        let folder = manifest
            .parent()
            .context("a manifest has a folder")?
            .to_owned();
        Ok((
            folder,
            found["version"]
                .as_str()
                .context("a package has a version")?
                .to_owned(),
        ))
    };
    let (rocksdb, version) = package("librocksdb-sys")?;
    let (lz4, _) = package("lz4-sys")?;
    Ok(Sources {
        rocksdb,
        lz4: lz4.join("liblz4/lib"),
        version,
    })
}

/// Writes one file of `#include` lines for each part.
fn write_units(sources: &Sources, work: &Path) -> Result<Vec<PathBuf>> {
    let list = fs::read_to_string(sources.rocksdb.join("rocksdb_lib_sources.txt"))?;
    let files: Vec<&str> = list
        .split_whitespace()
        .filter(|file| *file != LEFT_OUT)
        .collect();
    let per_part = files.len().div_ceil(PARTS);
    let mut units = Vec::new();
    for (number, part) in files.chunks(per_part).enumerate() {
        let unit = work.join(format!("unity{number}.cc"));
        let includes: Vec<String> = part
            .iter()
            .map(|file| format!("#include \"{file}\""))
            .collect();
        fs::write(&unit, includes.join("\n"))?;
        units.push(unit);
    }
    let version = work.join("build_version.cc");
    fs::copy(sources.rocksdb.join("build_version.cc"), &version)?;
    units.push(version);
    Ok(units)
}

fn compile(sources: &Sources, units: &[PathBuf]) -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut waiting: Vec<&PathBuf> = units.iter().rev().collect();
    let mut running: Vec<(&PathBuf, Child)> = Vec::new();
    let mut progress = say::Progress::begin("compiling RocksDB");
    while !(waiting.is_empty() && running.is_empty()) {
        while running.len() < cores.min(AT_ONCE_MAX) {
            let Some(unit) = waiting.pop() else { break };
            running.push((
                unit,
                compiler(sources, unit).spawn().context("cannot run g++")?,
            ));
        }
        let mut going = Vec::new();
        for (unit, mut child) in running {
            match child.try_wait()? {
                None => going.push((unit, child)),
                Some(status) if status.success() => {}
                Some(_) => bail!(
                    "g++ failed on {}:\n{}",
                    unit.display(),
                    run::tail(&unit.with_extension("log"))
                ),
            }
        }
        running = going;
        let done = units.len() - waiting.len() - running.len();
        progress.tick(&format!("{done} of {} parts,", units.len()));
        std::thread::sleep(LOOK_AGAIN);
    }
    progress.end();
    Ok(())
}

fn compiler(sources: &Sources, unit: &Path) -> Command {
    let log = fs::File::create(unit.with_extension("log"));
    let mut command = Command::new("g++");
    command.args(FLAGS);
    if cfg!(target_arch = "x86_64") {
        command.args(FLAGS_X86_64);
    }
    for folder in [
        &sources.rocksdb.join("rocksdb/include"),
        &sources.rocksdb.join("rocksdb"),
        &sources.rocksdb,
        &sources.lz4,
    ] {
        command.arg("-I").arg(folder);
    }
    command
        .arg("-c")
        .arg(unit)
        .arg("-o")
        .arg(unit.with_extension("o"))
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command.stderr(log.map_or_else(|_| Stdio::inherit(), Stdio::from));
    command
}

fn archive(work: &Path, units: &[PathBuf]) -> Result<()> {
    let objects = units.iter().map(|unit| unit.with_extension("o"));
    run::shown(
        Command::new("ar")
            .arg("crs")
            .arg(work.join("librocksdb.a"))
            .args(objects),
    )?;
    for unit in units {
        for leftover in [
            unit.clone(),
            unit.with_extension("o"),
            unit.with_extension("log"),
        ] {
            fs::remove_file(leftover)?;
        }
    }
    Ok(())
}
