//! What an unquoted scalar is: the core schema of YAML 1.2, minus what JSON cannot hold.

use serde_json::Number;
use serde_saphyr::granit_parser::{ScalarStyle, Tag};

use super::{QUOTED_CHARS_MAX, Tree};
use crate::defect::{Fault, Place};
use crate::json::shown;

/// Why a scalar has no value here.
pub(super) struct Wrong {
    code: &'static str,
    message: String,
    hint: &'static str,
}

impl Wrong {
    /// A tag that says nothing here.
    pub(super) fn tag(tag: &Tag) -> Self {
        let tag = shown(&tag.to_string(), QUOTED_CHARS_MAX);
        Self {
            code: "bad-tag",
            message: format!("the tag `{tag}` does not fit here"),
            hint: "leave the tag out",
        }
    }

    fn number(text: &str) -> Self {
        let text = shown(text, QUOTED_CHARS_MAX);
        Self {
            code: "bad-number",
            message: format!("`{text}` is not a number that fits 64 bits"),
            hint: "put it in quotes to keep it as text",
        }
    }

    /// The same, as a fault at `place`.
    pub(super) fn at(self, place: Place) -> Fault {
        Fault::new(self.code, place, self.message).hint(self.hint)
    }
}

/// The value that a scalar spells.
pub(super) fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Tree, Wrong> {
    let is = |suffix| tag.is_some_and(|tag| tag.is_yaml_core_schema_tag(suffix));
    if is("str") || tag.is_none() && style != ScalarStyle::Plain {
        return Ok(Tree::Text(text.to_owned()));
    }
    let tree = plain(text)?;
    match (tag, &tree) {
        (None, _) => Ok(tree),
        (Some(_), Tree::Null) if is("null") => Ok(tree),
        (Some(_), Tree::Bool(_)) if is("bool") => Ok(tree),
        (Some(_), Tree::Number(number)) if is("int") && !number.is_f64() => Ok(tree),
        (Some(_), Tree::Number(_)) if is("float") => Ok(tree),
        (Some(tag), _) => Err(Wrong::tag(tag)),
    }
}

fn plain(text: &str) -> Result<Tree, Wrong> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Tree::Null,
        "true" | "True" | "TRUE" => Tree::Bool(true),
        "false" | "False" | "FALSE" => Tree::Bool(false),
        _ => number(text)?.map_or_else(|| Tree::Text(text.to_owned()), Tree::Number),
    })
}

/// The number that `text` spells, if it spells one. Leading zeros make text, as in JSON: nobody
/// who writes `007` means 7.
fn number(text: &str) -> Result<Option<Number>, Wrong> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let first = unsigned.bytes().next();
    if !first.is_some_and(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Ok(None);
    }
    if matches!(
        unsigned,
        ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN"
    ) {
        return Err(Wrong::number(text));
    }
    if let Some(number) = radix(unsigned) {
        let number = number.map_err(|()| Wrong::number(text))?;
        // A sign before a radix is not in the core schema.
        return Ok((unsigned.len() == text.len()).then(|| number.into()));
    }
    match shape(unsigned) {
        Shape::Text => Ok(None),
        Shape::Integer => integer(text).map(Some).ok_or_else(|| Wrong::number(text)),
        Shape::Decimal => decimal(text).map(Some).ok_or_else(|| Wrong::number(text)),
    }
}

fn radix(text: &str) -> Option<Result<u64, ()>> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x', ..] => (&text[2..], 16),
        [b'0', b'o', ..] => (&text[2..], 8),
        _ => return None,
    };
    let whole = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    whole.then(|| u64::from_str_radix(digits, radix).map_err(|_| ()))
}

fn integer(text: &str) -> Option<Number> {
    let text = text.strip_prefix('+').unwrap_or(text);
    text.parse::<i64>()
        .map(Number::from)
        .or_else(|_| text.parse::<u64>().map(Number::from))
        .ok()
}

fn decimal(text: &str) -> Option<Number> {
    text.parse().ok().and_then(Number::from_f64)
}

enum Shape {
    Text,
    Integer,
    Decimal,
}

/// Whether an unsigned text is `digits`, or `digits[.digits][e[sign]digits]`.
fn shape(text: &str) -> Shape {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    let rest = &text[whole..];
    if whole > 1 && text.starts_with('0') {
        return Shape::Text;
    }
    if rest.is_empty() {
        return Shape::Integer;
    }
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => (digits(rest), &rest[digits(rest)..]),
        None => (0, rest),
    };
    let exponent = match rest.strip_prefix(['e', 'E']) {
        None => rest.is_empty(),
        Some(rest) => {
            let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
            !rest.is_empty() && digits(rest) == rest.len()
        }
    };
    if exponent && whole + fraction > 0 {
        Shape::Decimal
    } else {
        Shape::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        match plain(text).ok()? {
            Tree::Null => Some("null".into()),
            Tree::Bool(bool) => Some(bool.to_string()),
            Tree::Number(number) => Some(number.to_string()),
            Tree::Text(text) => Some(format!("{text:?}")),
            Tree::List(_) | Tree::Map(_) | Tree::Broken => None,
        }
    }

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        for (text, value) in [
            ("", "null"),
            ("~", "null"),
            ("True", "true"),
            ("yes", "\"yes\""),
            ("on", "\"on\""),
            ("0", "0"),
            ("-17", "-17"),
            ("+17", "17"),
            ("18446744073709551615", "18446744073709551615"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("0x1F", "31"),
            ("0o17", "15"),
            ("-0x1F", "\"-0x1F\""),
            ("1.10", "1.1"),
            (".5", "0.5"),
            ("1e3", "1000.0"),
            ("1.5E-3", "0.0015"),
            ("007", "\"007\""),
            ("1.2.3", "\"1.2.3\""),
            ("1e", "\"1e\""),
            (".", "\".\""),
            ("-", "\"-\""),
            ("1_000", "\"1_000\""),
            ("12:30", "\"12:30\""),
            ("2026-01-31", "\"2026-01-31\""),
        ] {
            assert_eq!(read(text).as_deref(), Some(value), "{text}");
        }
    }

    #[test]
    fn numbers_that_would_change_are_refused() {
        for text in [
            "18446744073709551616",
            "-9223372036854775809",
            "0xFFFFFFFFFFFFFFFFF",
            ".inf",
            "-.INF",
            ".nan",
            "1e999",
            &"9".repeat(1000),
        ] {
            assert!(plain(text).is_err(), "{text}");
        }
    }
}
