//! Values that people give on the command line or in files.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::str::FromStr;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::cli::error::Error;

/// Largest file read for inputs, documents or grants: above every limit of the server, so that it
/// is the server that explains, yet small enough to read by mistake.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Largest component that is read: above the server's limit, likewise.
const COMPONENT_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// Largest recording that is read: what one release may keep, with room for the spelling of JSON and for logs.
const RECORDING_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// `KEY=VALUE`; the value is JSON if it parses, else text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    /// What is set.
    pub(crate) key: String,
    /// To what.
    pub(crate) value: Value,
}

impl FromStr for Pair {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok(Self {
                key: key.trim().to_owned(),
                value: serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.into())),
            }),
            _ => Err("expected KEY=VALUE"),
        }
    }
}

/// What a file and pairs say together; pairs go before the file. `None` if neither is given.
pub(crate) fn object(file: Option<&Path>, pairs: &[Pair]) -> Result<Option<Value>, Error> {
    if file.is_none() && pairs.is_empty() {
        return Ok(None);
    }
    let mut object = match file {
        Some(path) => object_file(path)?,
        None => Map::new(),
    };
    for pair in pairs {
        object.insert(pair.key.clone(), pair.value.clone());
    }
    Ok(Some(Value::Object(object)))
}

/// The object in a YAML or JSON file; JSON is YAML as well.
fn object_file(path: &Path) -> Result<Map<String, Value>, Error> {
    let bytes = read(path)?;
    let text =
        String::from_utf8(bytes).map_err(|_| Error::in_file(path, "it is not UTF-8 text"))?;
    match serde_saphyr::from_str::<Value>(&text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Error::in_file(
            path,
            "expected an object: `key: value` lines, or JSON in braces",
        )),
        Err(error) => Err(Error::in_file(path, error.to_string())),
    }
}

/// The bytes of a file; of standard input if it is `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    read_up_to(path, FILE_BYTES_MAX)
}

/// A secret in a file, or on standard input if it is `-`, without the line break that most programs end text with.
pub(crate) fn confidential(path: &Path) -> Result<Zeroizing<String>, Error> {
    let bytes = Zeroizing::new(read(path)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        Error::in_file(
            path,
            "it is not UTF-8 text: encode it, for example with base64",
        )
    })?;
    Ok(Zeroizing::new(without_break(text).to_owned()))
}

fn without_break(text: &str) -> &str {
    let line = text.strip_suffix('\n').unwrap_or(text);
    line.strip_suffix('\r').unwrap_or(line)
}

/// The bytes of a recording, which may be larger than other files.
pub(crate) fn read_recording(path: &Path) -> Result<Vec<u8>, Error> {
    read_up_to(path, RECORDING_BYTES_MAX)
}

/// The same for a component, which may be larger.
pub(crate) fn read_component(path: &Path) -> Result<Vec<u8>, Error> {
    let file = read_up_to(path, COMPONENT_BYTES_MAX)?;
    if file.starts_with(b"\0asm") {
        Ok(file)
    } else {
        let what = "this is no WebAssembly: it does not begin with `\\0asm`";
        Err(Error::in_file(path, what))
    }
}

fn read_up_to(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(bytes_max + 1)
            .read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes))
    };
    read.map_err(|source| Error::File {
        path: path.into(),
        source,
    })?;
    if bytes.len() as u64 > bytes_max {
        let what = format!("it is larger than {} MiB", bytes_max / (1024 * 1024));
        return Err(Error::in_file(path, what));
    }
    Ok(bytes)
}

/// `NAME@VERSION` or `NAME`.
pub(crate) fn versioned(text: &str) -> (&str, Option<&str>) {
    match text.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_line_break_at_the_end_is_not_part_of_a_secret() {
        for (text, value) in [
            ("hunter22", "hunter22"),
            ("hunter22\n", "hunter22"),
            ("hunter22\r\n", "hunter22"),
            ("hunter22\n\n", "hunter22\n"),
            (" hunter22 ", " hunter22 "),
            ("", ""),
        ] {
            assert_eq!(without_break(text), value, "{text:?}");
        }
    }

    #[test]
    fn pairs_are_json_if_they_parse() {
        for (text, key, value) in [
            ("version=1.2.3", "version", json!("1.2.3")),
            ("count=3", "count", json!(3)),
            ("flag=true", "flag", json!(true)),
            ("regions=[\"a\",\"b\"]", "regions", json!(["a", "b"])),
            ("query=a=b", "query", json!("a=b")),
            ("empty=", "empty", json!("")),
            ("text=\"3\"", "text", json!("3")),
        ] {
            assert_eq!(
                text.parse(),
                Ok(Pair {
                    key: key.into(),
                    value
                }),
                "{text}"
            );
        }
        for text in ["", "key", "=value", " =x"] {
            assert!(text.parse::<Pair>().is_err(), "{text}");
        }
    }

    #[test]
    fn pairs_go_before_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("inputs.yaml");
        fs::write(&file, "version: 1.0.0\nregions: [a, b]\n").expect("written");
        let pairs = ["version=2.0.0".parse().expect("a pair")];
        let both = object(Some(&file), &pairs).expect("read");
        assert_eq!(
            both,
            Some(json!({"version": "2.0.0", "regions": ["a", "b"]}))
        );
        assert_eq!(object(None, &[]).expect("nothing to read"), None);
    }

    #[test]
    fn files_that_hold_no_object_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("inputs.yaml");
        for text in ["- a\n- b\n", "a: [", "plain"] {
            fs::write(&file, text).expect("written");
            let error = object(Some(&file), &[]).expect_err(text).to_string();
            assert!(error.contains("inputs.yaml"), "{error}");
        }
        let missing = read(&folder.path().join("absent"))
            .expect_err("absent")
            .to_string();
        assert!(missing.contains("absent"), "{missing}");
    }
}
