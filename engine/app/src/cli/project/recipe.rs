//! `component.toml`: how a project becomes a component.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cli::error::Error;
use crate::cli::values;

/// The file that makes a folder a project.
const FILE: &str = "component.toml";

/// How a project becomes a component: commands, each a program and its arguments, run in the project's folder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipe {
    /// The component's name, and that of the file that is made.
    pub(crate) name: String,
    /// For people.
    #[serde(rename = "language")]
    _language: String,
    /// Run before, if a program of `build` is missing.
    #[serde(default)]
    pub(crate) install: Vec<Vec<String>>,
    /// Make the component.
    pub(crate) build: Vec<Vec<String>>,
    /// What the build makes, if that is not `NAME.wasm`.
    #[serde(default)]
    pub(crate) artifact: Option<PathBuf>,
    /// Variables of the environment.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
}

impl Recipe {
    /// Reads the recipe of the project in `folder`.
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Err(Error::usage(
                format!("{} has no {FILE}", folder.display()),
                "`fermata component new --lang LANGUAGE NAME` makes a project",
            ));
        }
        let text = String::from_utf8(values::read(&path)?)
            .map_err(|_| Error::in_file(&path, "it is not UTF-8 text"))?;
        toml::from_str(&text).map_err(|error| Error::in_file(&path, error.to_string()))
    }

    /// The file that is made.
    pub(crate) fn output(&self) -> String {
        format!("{}.wasm", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_no_project_and_a_file_that_is_no_recipe_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let error = Recipe::read(folder.path()).unwrap_err();
        assert!(
            error.to_string().contains("has no component.toml"),
            "{error}"
        );
        assert!(error.next().unwrap().contains("component new"));
        let path = folder.path().join(FILE);
        for (text, complaint) in [
            ("name = 1", "name"),
            ("name = \"a\"\nlanguage = \"js\"\n", "build"),
            (
                "name = \"a\"\nlanguage = \"js\"\nbuild = []\nbiuld = []\n",
                "biuld",
            ),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Recipe::read(folder.path()).unwrap_err();
            assert!(error.to_string().contains(complaint), "{error}");
        }
    }
}
