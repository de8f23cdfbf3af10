//! The words of a command, taken one after the other.

use fermata_core::actor::{Actor, Caller};
use fermata_core::id::Name;
use fermata_core::json::Json;
use fermata_core::time::Span;
use serde_json::{Deserializer, Value};

/// What is left of a command line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'a>(pub(crate) &'a str);

impl<'a> Words<'a> {
    /// The next word, which ends at a blank.
    pub(crate) fn word(&mut self) -> Option<&'a str> {
        let rest = self.0.trim_start();
        let end = rest.find(' ').unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.0 = rest;
        (!word.is_empty()).then_some(word)
    }

    /// The next word, which must be there.
    pub(crate) fn expect(&mut self, what: &str) -> Result<&'a str, String> {
        self.word().ok_or_else(|| format!("{what} is missing"))
    }

    /// Takes the next word if it is `word`.
    pub(crate) fn take(&mut self, word: &str) -> bool {
        let mut ahead = *self;
        let found = ahead.word() == Some(word);
        if found {
            *self = ahead;
        }
        found
    }

    /// The JSON value that comes next.
    pub(crate) fn json(&mut self) -> Result<Json, String> {
        self.value().map(|value| Json::of(&value))
    }

    /// The JSON value that comes next, as a value.
    pub(crate) fn value(&mut self) -> Result<Value, String> {
        let mut values = Deserializer::from_str(self.0).into_iter::<Value>();
        let value = values.next().ok_or("a JSON value is missing")?;
        let value = value.map_err(|error| format!("{error} in {}", self.0))?;
        self.0 = &self.0[values.byte_offset()..];
        Ok(value)
    }

    /// The quoted text that comes next.
    ///
    /// `xN` stands for a text of N bytes, where the length is what matters.
    pub(crate) fn text(&mut self) -> Result<String, String> {
        let mut ahead = *self;
        if let Some(length) = ahead.word().and_then(|word| word.strip_prefix('x')) {
            *self = ahead;
            let length = length.parse().map_err(|_| "expected xLENGTH".to_owned())?;
            return Ok("x".repeat(length));
        }
        match self.value()? {
            Value::String(text) => Ok(text),
            other => Err(format!("expected a quoted text, found {other}")),
        }
    }

    /// The quoted text after `word`, if that comes next.
    pub(crate) fn text_after(&mut self, word: &str) -> Result<Option<String>, String> {
        if self.take(word) {
            self.text().map(Some)
        } else {
            Ok(None)
        }
    }

    /// The JSON value after `word`, if that comes next.
    pub(crate) fn json_after(&mut self, word: &str) -> Result<Option<Json>, String> {
        if self.take(word) {
            self.json().map(Some)
        } else {
            Ok(None)
        }
    }

    /// The span that comes next.
    pub(crate) fn span(&mut self) -> Result<Span, String> {
        let word = self.expect("a span")?;
        word.parse().map_err(|error| format!("{word}: {error}"))
    }

    /// The name that comes next.
    pub(crate) fn name(&mut self) -> Result<Name, String> {
        let word = self.expect("a name")?;
        word.parse().map_err(|error| format!("{word}: {error}"))
    }

    /// The caller after `by`, as `ana` or `ana(qa,security)`; `root` if nobody is named.
    pub(crate) fn by(&mut self) -> Result<Caller, String> {
        let who = if self.take("by") {
            self.expect("who")?
        } else {
            "root"
        };
        caller(who)
    }

    /// The caller after `word`, if that comes next.
    pub(crate) fn caller_after(&mut self, word: &str) -> Result<Option<Caller>, String> {
        if self.take(word) {
            caller(self.expect("who")?).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Fails if something is left.
    pub(crate) fn end(self) -> Result<(), String> {
        match self.0.trim() {
            "" => Ok(()),
            rest => Err(format!("not understood: {rest}")),
        }
    }
}

/// `engine`, `ana`, or `ana(qa,security)`.
fn caller(who: &str) -> Result<Caller, String> {
    if who == "engine" {
        return Ok(Caller::engine());
    }
    let (name, groups) = who.split_once('(').unwrap_or((who, ")"));
    let name = name.parse().map_err(|error| format!("{name}: {error}"))?;
    Ok(Caller {
        actor: Actor::User(name),
        groups: names(groups.trim_end_matches(')'))?,
    })
}

/// Names with commas between them.
pub(crate) fn names(text: &str) -> Result<Vec<Name>, String> {
    let names = text.split(',').filter(|name| !name.is_empty());
    names
        .map(|name| name.parse().map_err(|error| format!("{name}: {error}")))
        .collect()
}
