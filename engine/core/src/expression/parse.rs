//! From the text of an expression to its checked form.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use cel::{Env, ParseErrors, Program};

use super::names::{Guard, Link, ROOTS, reads_status};
use super::walk::{Walk, asks_status};
use super::{Compiled, Names, Read};
use crate::defect::{Fault, Place};
use crate::json::shown;
use crate::limits::{EXPRESSION_BYTES_MAX, EXPRESSIONS_BYTES_MAX};

/// The functions that expressions may call: CEL's own, and those over strings.
pub(super) static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    env.add_extension(cel::extensions::strings)
        .expect("nothing was declared twice");
    Arc::new(env)
});

/// An expression that was checked.
pub(crate) struct Checked {
    /// The expression.
    pub(crate) compiled: Compiled,
    /// What it reads.
    pub(crate) reads: Vec<Read>,
    /// What is certain wherever it is true.
    pub(crate) guards: Vec<Guard>,
}

/// Parses expressions, each text once: a process repeats many.
#[derive(Default)]
pub(crate) struct Parser {
    parsed: BTreeMap<String, Result<Arc<Program>, Vec<Fault>>>,
    bytes: usize,
}

impl Parser {
    /// Checks `text` against `names`. Places of faults count from the start of `text`.
    pub(crate) fn compile(&mut self, text: &str, names: &Names<'_>) -> Result<Checked, Vec<Fault>> {
        if text.len() > EXPRESSION_BYTES_MAX {
            let message = format!("the expression is longer than {EXPRESSION_BYTES_MAX} bytes");
            return Err(vec![Fault::new("too-long", Place::new(0, 0), message)]);
        }
        if let Some(chain) = path(text) {
            return compile_path(&chain, names).map_err(|fault| vec![fault]);
        }
        let program = self.parsed(text)?;
        Walk::new(&program, names).run()
    }

    /// Whether a condition asks how needs ended. What is wrong with it is found when it is compiled.
    pub(crate) fn asks_status(&mut self, text: &str) -> bool {
        if text.len() > EXPRESSION_BYTES_MAX {
            return false;
        }
        match path(text) {
            Some(chain) => {
                let names: Vec<&str> = chain.iter().map(|link| link.name.as_str()).collect();
                reads_status(&names)
            }
            None => self.parsed(text).is_ok_and(|program| asks_status(&program)),
        }
    }

    fn parsed(&mut self, text: &str) -> Result<Arc<Program>, Vec<Fault>> {
        if let Some(parsed) = self.parsed.get(text) {
            return parsed.clone();
        }
        self.bytes += text.len();
        if self.bytes > EXPRESSIONS_BYTES_MAX {
            let message = format!(
                "the document holds more than {EXPRESSIONS_BYTES_MAX} bytes of different expressions"
            );
            return Err(vec![Fault::new("too-many", Place::new(0, 0), message)]);
        }
        let parsed = parse(text);
        self.parsed.insert(text.to_owned(), parsed.clone());
        parsed
    }
}

fn compile_path(chain: &[Link], names: &Names<'_>) -> Result<Checked, Fault> {
    let meaning = names.resolve(chain)?;
    names.check_certain(chain, &meaning, &[])?;
    let rest = chain[meaning.taken..].iter().map(|link| link.name.clone());
    let path = meaning.canonical.into_iter().chain(rest);
    let path = path.map(String::into_boxed_str).collect();
    Ok(Checked {
        compiled: Compiled::Path(path),
        reads: vec![meaning.read],
        guards: Vec::new(),
    })
}

/// The chain of names that `text` is, if it is no more than that and starts from a root:
/// `root.name["name"]`.
fn path(text: &str) -> Option<Vec<Link>> {
    let mut chain = Vec::new();
    let end = text.trim_end().len();
    let mut at = end - text[..end].trim_start().len();
    loop {
        let rest = &text[at..end];
        let (name, length) = match rest.as_bytes().first() {
            Some(b'[') if !chain.is_empty() => index(rest)?,
            Some(b'.') if !chain.is_empty() => {
                let name = identifier(&rest[1..])?;
                (name, 1 + name.len())
            }
            Some(_) if chain.is_empty() => {
                let name = identifier(rest).filter(|name| ROOTS.contains(name))?;
                (name, name.len())
            }
            None if !chain.is_empty() => return Some(chain),
            _ => return None,
        };
        let start = at + rest.find(name)?;
        chain.push(Link {
            name: name.to_owned(),
            place: Place::new(start, start + name.len()),
        });
        at += length;
    }
}

/// Words that cannot be selected with a dot.
const RESERVED: [&str; 4] = ["false", "in", "null", "true"];

fn identifier(text: &str) -> Option<&str> {
    let letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let length = text.bytes().take_while(inner).count();
    let name = &text[..length];
    let good = text.as_bytes().first().is_some_and(letter) && !RESERVED.contains(&name);
    good.then_some(name)
}

/// The name in `["name"]`, and how long that is.
fn index(text: &str) -> Option<(&str, usize)> {
    let quote = text[1..]
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\''))?;
    let inner = &text[2..];
    let name = &inner[..inner.find(quote)?];
    let plain = !name.is_empty() && !name.contains(['\\', '\n', '\r']);
    let closed = inner[name.len() + 1..].starts_with(']');
    (plain && closed).then_some((name, name.len() + 4))
}

fn parse(text: &str) -> Result<Arc<Program>, Vec<Fault>> {
    let whole = Place::new(0, text.len());
    if text.trim().is_empty() {
        return Err(vec![Fault::new(
            "bad-expression",
            whole,
            "the expression is empty",
        )]);
    }
    super::cost::check_text(text).map_err(|fault| vec![fault])?;
    // The parser is a foreign one, and a document is foreign input.
    match catch_unwind(AssertUnwindSafe(|| ENVIRONMENT.compile(text))) {
        Ok(Ok(program)) => Ok(Arc::new(program)),
        Ok(Err(errors)) => Err(syntax(text, &errors)),
        Err(_) => Err(vec![Fault::new(
            "bad-expression",
            whole,
            "the expression cannot be read",
        )]),
    }
}

/// The first error; it usually causes the others.
fn syntax(text: &str, errors: &ParseErrors) -> Vec<Fault> {
    let first = errors.errors.iter().min_by_key(|error| error.pos);
    let at = first.map_or(0, |error| offset(text, error.pos));
    let message = first.map_or("the expression cannot be read", |error| error.msg.as_str());
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let fault = Fault::new("bad-expression", Place::new(at, at), shown(message, 200));
    if message.starts_with("invalid argument to has()") {
        return vec![fault.hint("it is written `has(VALUE.FIELD)`")];
    }
    if message == "argument must be a simple name" {
        return vec![fault.hint("the first argument names the item, as in `LIST.map(x, VALUE)`")];
    }
    vec![match text.as_bytes()[at..] {
        [b'=', ..] => fault.hint("equality is written `==`"),
        [b'&' | b'|', ..] => fault.hint("logic is written `&&` and `||`"),
        [b'$', ..] => fault.hint("expressions are not nested in expressions"),
        _ => fault,
    }]
}

/// The byte at a line and column, counted from 1.
fn offset(text: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line).unwrap_or(1).max(1) - 1;
    let column = usize::try_from(column).unwrap_or(1).max(1) - 1;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let mut at = (start + column).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_names_is_read_without_the_parser() {
        let names = |text| -> Option<Vec<String>> {
            path(text).map(|chain| chain.into_iter().map(|link| link.name).collect())
        };
        assert_eq!(
            names(" inputs.version "),
            Some(vec!["inputs".into(), "version".into()])
        );
        assert_eq!(
            names("needs.uat.activities[\"sign-off\"].outputs['x y']").map(|names| names.len()),
            Some(6)
        );
        for text in [
            "",
            "version",
            "inputs.",
            "inputs.a-b",
            "inputs[0]",
            "inputs.a + 1",
            "inputs.in",
            "inputs[\"a\\\"b\"]",
            "inputs[\"a\"",
            "inputs .a",
            "[\"inputs\"]",
            "inputs[é",
            ".inputs",
            "inputs[]",
            "inputs[\"\"]",
        ] {
            assert_eq!(names(text), None, "{text}");
        }
    }
}
