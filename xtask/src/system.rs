//! System packages: what is missing, why it is needed, and how it gets here.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::{place, run, say};

/// Something of the system that a build needs.
pub(crate) struct Need {
    /// What it is for.
    pub(crate) why: &'static str,
    /// Debian packages that bring it.
    pub(crate) packages: &'static [&'static str],
    /// Whether it is there.
    pub(crate) present: fn() -> bool,
}

/// What the native build needs.
pub(crate) const NATIVE: [Need; 3] = [
    Need {
        why: "a C++ compiler for RocksDB",
        packages: &["g++"],
        present: || run::exists("g++"),
    },
    Need {
        why: "make, for the memory allocator",
        packages: &["make"],
        present: || run::exists("make"),
    },
    Need {
        why: "libclang, which reads RocksDB's C header",
        packages: &["libclang-dev"],
        present: has_libclang,
    },
];

/// What building guests needs where rustup cannot provide the wasm target.
pub(crate) const WASM: [Need; 1] = [Need {
    why: "a Rust toolchain that can build for WebAssembly",
    packages: &["rustc-web", "cargo-web", "rust-web-src", "lld-19"],
    present: has_debian_wasm,
}];

/// What the toolchains of other languages than Rust stand on.
pub(crate) const LANGUAGES: [Need; 3] = [
    Need {
        why: "a C compiler for WebAssembly, with its libraries",
        packages: &[
            "clang-19",
            "lld-19",
            "libclang-rt-19-dev-wasm32",
            "wasi-libc",
        ],
        present: has_clang_for_wasm,
    },
    Need {
        why: "Node.js and npm, for activities in JavaScript",
        packages: &["nodejs", "npm"],
        present: || run::exists("npm") && run::exists("node"),
    },
    Need {
        why: "Python with pip and venv, for activities in Python, and for the Go toolchain",
        packages: &["python3", "python3-pip", "python3-venv"],
        present: || run::output("python3", &["-c", "import ensurepip, venv"]).is_some(),
    },
];

/// What tests need beside that. Where systemd runs, the package starts a service of its own, which nobody needs:
/// `systemctl disable --now docker-registry`.
pub(crate) const TESTS: [Need; 1] = [Need {
    why: "an OCI registry to test against",
    packages: &["docker-registry"],
    present: || run::exists("docker-registry"),
}];

/// Folders below which distributions put libclang.
const LIBRARY_FOLDERS: [&str; 5] = [
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib",
];

fn has_libclang() -> bool {
    if std::env::var_os("LIBCLANG_PATH").is_some() {
        return true;
    }
    let llvm = std::fs::read_dir("/usr/lib")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("lib"));
    llvm.chain(
        LIBRARY_FOLDERS
            .iter()
            .map(|folder| Path::new(folder).to_owned()),
    )
    .any(|folder| holds_libclang(&folder))
}

fn holds_libclang(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name())
        .any(|name| is_libclang(&name.to_string_lossy()))
}

/// Whether bindgen would take the file: the C library, which is not the C++ one (`libclang-cpp`).
fn is_libclang(name: &str) -> bool {
    let versioned = name.starts_with("libclang-") && !name.starts_with("libclang-cpp");
    name == "libclang.so" || name.starts_with("libclang.so.") || (versioned && name.contains(".so"))
}

fn has_clang_for_wasm() -> bool {
    let libraries = [
        "/usr/lib/wasm32-wasi/libc.a",
        "/usr/lib/llvm-19/lib/clang/19/lib/wasi/libclang_rt.builtins-wasm32.a",
    ];
    run::exists("clang-19")
        && run::exists("wasm-ld-19")
        && libraries.iter().all(|path| Path::new(path).exists())
}

fn has_debian_wasm() -> bool {
    let sources = run::output("/usr/bin/rustc", &["--print", "sysroot"])
        .map(|root| Path::new(&root).join("lib/rustlib/src/rust/library/std"));
    run::exists("wasm-ld-19")
        && run::exists("/usr/bin/cargo")
        && sources.is_some_and(|path| path.exists())
}

/// Installs what is missing of `needs`, or says how.
pub(crate) fn provide(needs: &[Need]) -> Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for need in &missing {
        say::line(&format!(
            "   missing: {} — Debian packages: {}",
            need.why,
            need.packages.join(" ")
        ));
    }
    let packages: Vec<&str> = missing
        .iter()
        .flat_map(|need| need.packages)
        .copied()
        .collect();
    let prefix = prefix(&packages)?;
    apt("apt-get update", &prefix, &["update", "-q"])?;
    let install: Vec<&str> = ["install", "-y", "-q", "--no-install-recommends"]
        .into_iter()
        .chain(packages)
        .collect();
    apt("apt-get install", &prefix, &install)?;
    if let Some(need) = missing.iter().find(|need| !(need.present)()) {
        bail!(
            "{} is still not found after installing {}",
            need.why,
            need.packages.join(" ")
        );
    }
    Ok(())
}

/// The words before `apt-get`: none for root, `sudo` where it asks nothing.
fn prefix(packages: &[&str]) -> Result<Vec<&'static str>> {
    let by_hand = format!("apt-get install -y {}", packages.join(" "));
    if !run::exists("apt-get") {
        bail!(
            "this is not a Debian-like machine: install what is missing with its own tools (Debian: {by_hand})"
        );
    }
    if run::output("id", &["-u"]).as_deref() == Some("0") {
        return Ok(Vec::new());
    }
    if run::exists("sudo") && run::output("sudo", &["-n", "true"]).is_some() {
        return Ok(vec!["sudo", "-n"]);
    }
    bail!("root is needed once; run this and try again: sudo {by_hand}")
}

fn apt(label: &str, prefix: &[&str], args: &[&str]) -> Result<()> {
    let mut words: Vec<&str> = prefix.to_vec();
    words.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).args(args);
    run::quietly(label, &mut command, &place::logs()?.join("apt.log"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_c_library_of_clang_is_told_from_its_neighbours() {
        for (name, expected) in [
            ("libclang.so", true),
            ("libclang.so.1", true),
            ("libclang-14.so.1", true),
            ("libclang-14.so.14.0.6", true),
            ("libclang-cpp.so.14", false),
            ("libclang-cpp.so", false),
            ("libclang_rt.builtins.a", false),
            ("libclangAST.a", false),
        ] {
            assert_eq!(is_libclang(name), expected, "{name}");
        }
    }
}
