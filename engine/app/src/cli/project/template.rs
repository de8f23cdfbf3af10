//! What a new project holds: a small activity, the SDK of its language, the contract, and tests.

use crate::cli::args::Language;

/// A file of a project, or of an SDK: where it goes, and what is in it.
type File = (&'static str, &'static str);

/// Files as they lie in the repository, at their places in a project.
macro_rules! embedded {
    ($base:literal => $folder:literal: $($path:literal)+) => {
        &[$((concat!($folder, $path), include_str!(concat!("../../../../../", $base, $path)))),+]
    };
}

const CONTRACT: &[File] = embedded!("wit/" => "wit/": "activity.wit" "notifier.wit" "policy.wit");
const TESTS: &[File] = embedded!("engine/app/templates/" => "": "tests.json");

const RUST: &[File] = embedded!("engine/app/templates/rust/" => "": "Cargo.toml" "component.toml" "gitignore" "src/lib.rs");
const RUST_SDK: &[File] = embedded!("sdk/rust/" => "sdk/rust/":
    "Cargo.toml" "README.md" "src/activity.rs" "src/attempt.rs" "src/evidence.rs" "src/failure.rs" "src/guest.rs"
    "src/guest/imports.rs" "src/guest/notifier.rs" "src/guest/policy.rs" "src/http.rs" "src/http/error.rs" "src/lib.rs"
    "src/log.rs" "src/notifier.rs" "src/outcome.rs" "src/policy.rs" "src/prelude.rs" "src/progress.rs" "src/secrets.rs"
    "src/testing.rs" "src/testing/extension.rs" "src/testing/host.rs" "src/testing/imports.rs");

const JS: &[File] = embedded!("engine/app/templates/js/" => "": "activity.js" "component.toml" "gitignore" "package.json");
const TS: &[File] = embedded!("engine/app/templates/ts/" => "":
    "activity.ts" "component.toml" "gitignore" "package.json" "tsconfig.json");
const JS_SDK: &[File] = embedded!("sdk/js/" => "fermata/": "README.md" "fermata.d.ts" "fermata.js");

const PYTHON: &[File] = embedded!("engine/app/templates/python/" => "":
    "activity.py" "component.toml" "gitignore" "requirements.txt");
const PYTHON_SDK: &[File] = embedded!("sdk/python/fermata/" => "fermata/":
    "README.md" "__init__.py" "activity.py" "evidence.py" "exports.py" "http.py" "log.py" "outcome.py" "progress.py"
    "py.typed" "schema.py" "secrets.py");

const GO: &[File] = embedded!("engine/app/templates/go/" => "": "component.toml" "gitignore" "go.mod.template" "main.go");
const GO_SDK: &[File] = embedded!("sdk/go/" => "fermata/":
    "README.md" "evidence/evidence.go" "fermata.go" "go.mod" "http/http.go" "internal/abi/abi.go"
    "internal/abi/exports.go" "log/log.go" "progress/progress.go" "schema.go" "secrets/secrets.go" "undo/undo.go");

const C: &[File] =
    embedded!("engine/app/templates/c/" => "": "activity.c" "component.toml" "gitignore");
const C_SDK: &[File] = embedded!("sdk/c/" => "fermata/":
    "README.md" "fermata.c" "fermata.h" "fermata_abi.h" "fermata_json.c" "fermata_undo.c");

const ZIG: &[File] = embedded!("engine/app/templates/zig/" => "":
    "activity.zig" "component.toml" "gitignore" "requirements.txt");
const ZIG_SDK: &[File] = embedded!("sdk/zig/" => "fermata/":
    "README.md" "abi.zig" "fermata.zig" "http.zig" "schema.zig");

/// Every file of a new project called `name`: its path, and its text.
pub(super) fn files(language: Language, name: &str) -> Vec<(String, String)> {
    let (own, sdk) = match language {
        Language::Rust => (RUST, RUST_SDK),
        Language::Js => (JS, JS_SDK),
        Language::Ts => (TS, JS_SDK),
        Language::Python => (PYTHON, PYTHON_SDK),
        Language::Go => (GO, GO_SDK),
        Language::C => (C, C_SDK),
        Language::Zig => (ZIG, ZIG_SDK),
    };
    let fill = |text: &str| {
        text.replace("{{name}}", name)
            .replace("{{crate}}", &name.replace('-', "_"))
    };
    let filled = own.iter().map(|(path, text)| (place(path), fill(text)));
    let as_is = sdk.iter().chain(CONTRACT).chain(TESTS);
    filled
        .chain(as_is.map(|(path, text)| ((*path).to_owned(), (*text).to_owned())))
        .collect()
}

/// Some files have another name here, where they would mean something to git and to Go.
fn place(path: &str) -> String {
    match path {
        "gitignore" => ".gitignore".to_owned(),
        other => other.trim_end_matches(".template").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    fn below(folder: &Path, found: &mut BTreeSet<PathBuf>, base: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                below(&path, found, base);
            } else {
                found.insert(path.strip_prefix(base).unwrap().to_owned());
            }
        }
    }

    #[test]
    fn a_project_has_the_whole_sdk() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for (language, sdk, folder) in [
            (Language::Rust, "sdk/rust", "sdk/rust"),
            (Language::Js, "sdk/js", "fermata"),
            (Language::Python, "sdk/python/fermata", "fermata"),
            (Language::Go, "sdk/go", "fermata"),
            (Language::C, "sdk/c", "fermata"),
            (Language::Zig, "sdk/zig", "fermata"),
        ] {
            let mut expected = BTreeSet::new();
            below(&root.join(sdk), &mut expected, &root.join(sdk));
            let given: BTreeSet<PathBuf> = files(language, "hello")
                .iter()
                .filter_map(|(path, _)| Path::new(path).strip_prefix(folder).ok())
                .map(Path::to_owned)
                .collect();
            assert_eq!(given, expected, "{sdk}");
        }
    }

    #[test]
    fn nothing_is_left_to_fill_in() {
        for language in [
            Language::Rust,
            Language::Js,
            Language::Ts,
            Language::Python,
            Language::Go,
            Language::C,
            Language::Zig,
        ] {
            let files = files(language, "check-page");
            for path in [
                ".gitignore",
                "component.toml",
                "tests.json",
                "wit/activity.wit",
            ] {
                assert!(
                    files.iter().any(|(found, _)| found == path),
                    "{language:?}: {path}"
                );
            }
            for (path, text) in files {
                assert!(
                    !text.contains("{{name}}") && !text.contains("{{crate}}"),
                    "{path}"
                );
            }
        }
    }
}
