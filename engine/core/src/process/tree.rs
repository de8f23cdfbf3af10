//! A YAML or JSON document as a tree of values, each with its place.
//!
//! The tree is built from parser events without recursion, and every bound is checked while it
//! grows, so that neither depth nor aliases can exhaust anything.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};
use serde_saphyr::granit_parser::{self, Event, Parser, ScanError, Span, Tag};

use super::source::Findings;
use crate::defect::{Fault, Place};
use crate::json::shown;
use crate::limits::{DOCUMENT_EXPANDED_BYTES_MAX, DOCUMENT_VALUES_MAX, NESTING_MAX};

mod scalar;

/// Longest part of a document that a message quotes, in characters.
pub(super) const QUOTED_CHARS_MAX: usize = 60;

/// One value with its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) tree: Tree,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// Something that was reported already.
    Broken,
}

/// One key of a mapping and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) node: Node,
}

impl Node {
    /// What the value is, for messages.
    pub(super) fn describe(&self) -> &'static str {
        match &self.tree {
            Tree::Null => "nothing",
            Tree::Bool(_) => "true or false",
            Tree::Number(_) => "a number",
            Tree::Text(_) => "text",
            Tree::List(_) => "a list",
            Tree::Map(_) => "a mapping",
            Tree::Broken => "broken",
        }
    }

    /// The text, if it is text.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.tree {
            Tree::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value without its places. Recursion is bounded by the depth of the document.
    pub(super) fn to_json(&self) -> Value {
        match &self.tree {
            Tree::Null | Tree::Broken => Value::Null,
            Tree::Bool(bool) => Value::Bool(*bool),
            Tree::Number(number) => Value::Number(number.clone()),
            Tree::Text(text) => Value::String(text.clone()),
            Tree::List(items) => items.iter().map(Self::to_json).collect(),
            Tree::Map(entries) => entries
                .iter()
                .map(|entry| (entry.key.clone(), entry.node.to_json()))
                .collect::<Map<_, _>>()
                .into(),
        }
    }

    /// The value as if it stood at `place`. Recursion is bounded by the depth of the document.
    pub(super) fn of_json(place: Place, value: &Value) -> Self {
        let tree = match value {
            Value::Null => Tree::Null,
            Value::Bool(bool) => Tree::Bool(*bool),
            Value::Number(number) => Tree::Number(number.clone()),
            Value::String(text) => Tree::Text(text.clone()),
            Value::Array(items) => {
                let items = items.iter().map(|item| Self::of_json(place, item));
                Tree::List(items.collect())
            }
            Value::Object(entries) => {
                let entries = entries.iter().map(|(key, value)| Entry {
                    key: key.clone(),
                    place,
                    node: Self::of_json(place, value),
                });
                Tree::Map(entries.collect())
            }
        };
        Self { place, tree }
    }

    /// Calls `visit` with every text in the value.
    pub(super) fn texts<'n>(&'n self, visit: &mut impl FnMut(&'n Self, &'n str)) {
        match &self.tree {
            Tree::Text(text) => visit(self, text),
            Tree::List(items) => items.iter().for_each(|item| item.texts(visit)),
            Tree::Map(entries) => entries.iter().for_each(|entry| entry.node.texts(visit)),
            Tree::Null | Tree::Bool(_) | Tree::Number(_) | Tree::Broken => {}
        }
    }
}

/// Reads the one document in the source; `None` if it cannot be read to its end. Keys that occur
/// twice, unknown tags and the like are noted, and reading goes on.
pub(super) fn parse(findings: &mut Findings<'_, '_>) -> Option<Node> {
    let text = findings.source.text;
    let options = granit_parser::options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        disallow_directives: true,
        // One more than we allow, so that our own check speaks first.
        flow_nesting_limit: NESTING_MAX + 1,
        block_nesting_limit: NESTING_MAX + 1,
    };
    let mut builder = Builder {
        findings,
        open: Vec::new(),
        anchors: BTreeMap::new(),
        values: 0,
        bytes: 0,
        root: None,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let read = match event {
            Ok((event, span)) => builder.event(event, &span),
            Err(error) => Err(syntax(text, &error)),
        };
        if let Err(fault) = read {
            builder.findings.add(fault);
            return None;
        }
    }
    let root = builder.root.filter(|root| !matches!(root.tree, Tree::Null));
    if root.is_none() {
        findings.add(
            Fault::new("empty", Place::default(), "the document is empty")
                .hint("a process starts with `process: NAME`"),
        );
    }
    root
}

fn syntax(text: &str, error: &ScanError) -> Fault {
    let at = error.marker().byte_offset().unwrap_or(text.len());
    let kind = error.kind();
    if *kind == granit_parser::ErrorKind::RecursionLimitExceeded {
        return too_deep(Place::new(at, at));
    }
    let fault = Fault::new("syntax", Place::new(at, at), kind.to_string());
    match kind {
        granit_parser::ErrorKind::TabInBlockIndentation
        | granit_parser::ErrorKind::TabInIndentation
        | granit_parser::ErrorKind::TabNotAllowed => fault.hint("indent with spaces"),
        granit_parser::ErrorKind::MappingValueNotAllowed => {
            fault.hint("text that holds `: ` must be quoted; otherwise check the indentation")
        }
        granit_parser::ErrorKind::UnexpectedCharacter { .. } => {
            fault.hint("put text that starts with a special character in quotes")
        }
        _ => fault,
    }
}

fn too_deep(place: Place) -> Fault {
    Fault::new(
        "too-deep",
        place,
        format!("the document is nested deeper than {NESTING_MAX} levels"),
    )
}

fn place(span: &Span) -> Place {
    span.byte_range()
        .map_or(Place::default(), |range| Place::new(range.start, range.end))
}

/// A list or mapping that is still being read.
struct Open {
    place: Place,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        /// The key whose value comes next; without text if it was reported already.
        key: Option<(Option<String>, Place)>,
    },
}

/// A finished value that aliases may repeat, with what it costs to repeat it.
struct Anchored {
    node: Node,
    values: usize,
    bytes: usize,
}

struct Builder<'f, 's, 'a> {
    findings: &'f mut Findings<'s, 'a>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Anchored>,
    values: usize,
    bytes: usize,
    root: Option<Node>,
}

impl Builder<'_, '_, '_> {
    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), Fault> {
        let place = place(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.spend(1, text.len(), place)?;
                let tree = scalar::resolve(&text, style, tag.as_deref()).unwrap_or_else(|wrong| {
                    self.findings.add(wrong.at(place));
                    Tree::Broken
                });
                self.deliver(Node { place, tree }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq", place);
                self.begin(place, anchor, Content::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), "map", place);
                let entries = Vec::new();
                self.begin(place, anchor, Content::Map { entries, key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, place),
            Event::UnresolvedAlias(name) => {
                let name = shown(&name, QUOTED_CHARS_MAX);
                let message = format!("`*{name}` names no anchor above");
                self.findings
                    .add(Fault::new("unknown-anchor", place, message));
                let tree = Tree::Broken;
                self.deliver(Node { place, tree }, 0)
            }
            Event::DocumentStart(..) if self.root.is_some() => Err(Fault::new(
                "many-documents",
                place,
                "a second document starts here, but a file holds one process",
            )),
            _ => Ok(()),
        }
    }

    /// Counts what was read, so that aliases cannot multiply it without end.
    fn spend(&mut self, values: usize, bytes: usize, place: Place) -> Result<(), Fault> {
        self.values = self.values.saturating_add(values);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.values > DOCUMENT_VALUES_MAX || self.bytes > DOCUMENT_EXPANDED_BYTES_MAX {
            return Err(Fault::new(
                "too-large",
                place,
                format!(
                    "with its aliases expanded, the document holds more than {DOCUMENT_VALUES_MAX} values or {DOCUMENT_EXPANDED_BYTES_MAX} bytes of text"
                ),
            ));
        }
        Ok(())
    }

    fn check_tag(&mut self, tag: Option<&Tag>, expected: &str, place: Place) {
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema_tag(expected)) {
            self.findings.add(scalar::Wrong::tag(tag).at(place));
        }
    }

    fn begin(&mut self, place: Place, anchor: usize, content: Content) -> Result<(), Fault> {
        self.spend(1, 0, place)?;
        if self.open.len() >= NESTING_MAX {
            return Err(too_deep(place));
        }
        self.open.push(Open {
            // A collection is marked where it begins: its end may be pages away.
            place: Place::new(place.start, place.start),
            anchor,
            content,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let tree = match open.content {
            Content::List(items) => Tree::List(items),
            Content::Map { entries, .. } => Tree::Map(self.without_duplicates(entries)),
        };
        let place = open.place;
        self.deliver(Node { place, tree }, open.anchor)
    }

    /// The entries, each key once; every later occurrence is noted.
    fn without_duplicates(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut first: BTreeMap<&str, Place> = BTreeMap::new();
        let mut keep = vec![true; entries.len()];
        for (entry, keep) in entries.iter().zip(&mut keep) {
            if let Some(before) = first.get(entry.key.as_str()) {
                *keep = false;
                let key = shown(&entry.key, QUOTED_CHARS_MAX);
                let line = self.findings.source.line_number(before.start);
                let message = format!("`{key}` occurs twice in one mapping");
                self.findings.add(
                    Fault::new("duplicate-key", entry.place, message)
                        .hint(format!("the first is in line {line}")),
                );
            } else {
                first.insert(&entry.key, entry.place);
            }
        }
        let mut keep = keep.into_iter();
        let mut entries = entries;
        entries.retain(|_| keep.next().unwrap_or(true));
        entries
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), Fault> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(Fault::new(
                "alias-loop",
                place,
                "this alias stands inside the value that it repeats",
            ));
        };
        let (values, bytes) = (anchored.values, anchored.bytes);
        let depth = depth(&anchored.node);
        self.spend(values, bytes, place)?;
        if self.open.len() + depth > NESTING_MAX {
            return Err(too_deep(place));
        }
        let tree = self.anchors[&anchor].node.tree.clone();
        self.deliver(Node { place, tree }, 0)
    }

    /// Puts a finished value where it belongs.
    fn deliver(&mut self, node: Node, anchor: usize) -> Result<(), Fault> {
        if anchor != 0 {
            let (values, bytes) = size(&node);
            self.spend(values, bytes, node.place)?;
            let anchored = Anchored {
                node: node.clone(),
                values,
                bytes,
            };
            self.anchors.insert(anchor, anchored);
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, key } => match key.take() {
                Some((Some(key), place)) => entries.push(Entry { key, place, node }),
                Some((None, _)) => {}
                None => *key = Some((key_text(&node, self.findings), node.place)),
            },
        }
        Ok(())
    }
}

/// The key that `node` is; only text and what reads as text can be one.
fn key_text(node: &Node, findings: &mut Findings<'_, '_>) -> Option<String> {
    let (message, hint) = match &node.tree {
        Tree::Text(key) if key != "<<" => return Some(key.clone()),
        Tree::Number(number) => return Some(number.to_string()),
        Tree::Bool(bool) => return Some(bool.to_string()),
        Tree::Broken => return None,
        Tree::Text(_) => (
            "merge keys are not part of YAML 1.2".to_owned(),
            "repeat the keys, or give the whole value an alias",
        ),
        Tree::Null | Tree::List(_) | Tree::Map(_) => (
            format!("a key is text, not {}", node.describe()),
            "put the key in quotes",
        ),
    };
    findings.add(Fault::new("bad-key", node.place, message).hint(hint));
    None
}

/// How many values and bytes of text there are. Recursion is bounded by the depth.
fn size(node: &Node) -> (usize, usize) {
    let add = |(values, bytes), (more, text)| (values + more, bytes + text);
    match &node.tree {
        Tree::Text(text) => (1, text.len()),
        Tree::List(items) => items.iter().map(size).fold((1, 0), add),
        Tree::Map(entries) => entries
            .iter()
            .map(|entry| add(size(&entry.node), (1, entry.key.len())))
            .fold((1, 0), add),
        Tree::Null | Tree::Bool(_) | Tree::Number(_) | Tree::Broken => (1, 0),
    }
}

fn depth(node: &Node) -> usize {
    match &node.tree {
        Tree::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Tree::Map(entries) => {
            1 + entries
                .iter()
                .map(|entry| depth(&entry.node))
                .max()
                .unwrap_or(0)
        }
        _ => 0,
    }
}
