//! What a document gives to components, checked against what they say about themselves.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Registered, Registry};
use crate::component::{Descriptor, Uses, World};
use crate::defect::{Fault, Place};
use crate::limits::{ATTEMPTS_MAX, TIMEOUT_DEFAULT};
use crate::nearest::nearest;
use crate::process::Retry;
use crate::process::definition::{Definition, merged};
use crate::process::document::activity::{BACKOFF_DEFAULT, ComponentPart, plain_retry};
use crate::process::document::inputs;
use crate::process::read::quoted;
use crate::process::script::interpreter;
use crate::process::source::Findings;
use crate::process::tree::{Entry, Node, Tree};
use crate::schema::Schema;
use crate::time::Span;

/// The components of a document, each looked up once.
pub(in crate::process) struct Components<'r> {
    resolve: Option<&'r Registry<'r>>,
    known: BTreeMap<Uses, Found>,
}

impl<'r> Components<'r> {
    pub(in crate::process) fn new(resolve: Option<&'r Registry<'r>>) -> Self {
        Self {
            resolve,
            known: BTreeMap::new(),
        }
    }

    /// Checks `with`, and gives what is called and how.
    pub(in crate::process) fn check(
        &mut self,
        part: &ComponentPart<'_>,
        findings: &mut Findings<'_, '_>,
    ) -> Call {
        let definition = self.definition(part);
        let merged = definition.as_ref().map(|it| merged(part, it));
        let uses = definition.as_ref().map(|it| it.uses.clone());
        let given = Given {
            with: merged.as_ref().or(part.with),
            uses: uses.as_ref().or(part.uses.as_ref()),
            uses_place: part.uses_place,
        };
        let known = self.lookup(&given, findings);
        // What a script is given is between it and the process: its interpreter takes anything.
        if let Some(known) = known
            && part.script.is_none()
        {
            known.check_with(&given, true, findings);
        }
        let retry = definition.as_ref().and_then(|it| it.retry);
        let retry = part.retry.or(retry).or(known.and_then(|known| known.retry));
        let timeout = definition.as_ref().and_then(|it| it.timeout);
        let timeout = part.timeout.or(timeout);
        let timeout = timeout.or(known.and_then(|known| known.timeout));
        Call {
            retry: retry.unwrap_or(plain_retry(1, BACKOFF_DEFAULT)),
            timeout: timeout.unwrap_or(TIMEOUT_DEFAULT),
            uses,
            merged,
        }
    }

    /// Checks what a definition sets: what it leaves out is given by who uses it.
    pub(in crate::process) fn check_preset(
        &mut self,
        part: &ComponentPart<'_>,
        findings: &mut Findings<'_, '_>,
    ) {
        if self.definition(part).is_some() {
            let message = "a definition is of a component, not of another definition";
            findings.add(Fault::new("nested-definition", part.uses_place, message));
            return;
        }
        let given = Given {
            with: part.with,
            uses: part.uses.as_ref(),
            uses_place: part.uses_place,
        };
        if let Some(known) = self.lookup(&given, findings) {
            known.check_with(&given, false, findings);
        }
    }

    fn definition(&mut self, part: &ComponentPart<'_>) -> Option<Definition> {
        match self.find(part.uses.as_ref()?)? {
            Found::Definition(definition) => Some(Definition::clone(definition)),
            Found::Component(_) | Found::Extension(_) | Found::Nothing => None,
        }
    }

    fn lookup(&mut self, given: &Given<'_>, findings: &mut Findings<'_, '_>) -> Option<&Known> {
        let uses = given.uses?;
        let fault = match self.find(uses)? {
            Found::Component(known) => return Some(known),
            Found::Extension(world) => {
                let message = format!("`{uses}` is {}, not an activity", world.one());
                let hint = format!("{}, and name an activity here", world.place());
                Fault::new("not-an-activity", given.uses_place, message).hint(hint)
            }
            Found::Definition(_) | Found::Nothing => {
                let message = format!("there is no component `{uses}` in the registry");
                let hint = if *uses == interpreter() {
                    "scripts are run by this component: push it first"
                } else {
                    "check its name and version, or push it first"
                };
                Fault::new("unknown-component", given.uses_place, message).hint(hint)
            }
        };
        findings.add(fault);
        None
    }

    fn find(&mut self, uses: &Uses) -> Option<&Found> {
        let resolve = self.resolve?;
        let found = self.known.entry(uses.clone());
        Some(found.or_insert_with(|| match resolve(uses) {
            Some(Registered::Component(descriptor)) if !descriptor.world.is_activity() => {
                Found::Extension(descriptor.world)
            }
            Some(Registered::Component(descriptor)) => {
                Found::Component(Box::new(Known::new(descriptor)))
            }
            Some(Registered::Definition(definition)) => Found::Definition(Box::new(definition)),
            None => Found::Nothing,
        }))
    }
}

/// What is behind a `uses`.
enum Found {
    Component(Box<Known>),
    /// A component that is no activity.
    Extension(World),
    Definition(Box<Definition>),
    Nothing,
}

/// What is called and how, with what a definition adds to the document.
pub(in crate::process) struct Call {
    pub(in crate::process) retry: Retry,
    pub(in crate::process) timeout: Span,
    /// The component, where the document names a definition of it.
    pub(in crate::process) uses: Option<Uses>,
    merged: Option<Node>,
}

impl Call {
    /// The inputs, with those that a definition sets.
    pub(in crate::process) fn with<'c>(&'c self, part: &ComponentPart<'c>) -> Option<&'c Node> {
        self.merged.as_ref().or(part.with)
    }
}

/// What a component is given.
struct Given<'g> {
    with: Option<&'g Node>,
    uses: Option<&'g Uses>,
    uses_place: Place,
}

/// What is known about a component.
struct Known {
    retry: Option<Retry>,
    timeout: Option<Span>,
    required: Vec<String>,
    /// The declared inputs, each with its schema, if that is one.
    properties: BTreeMap<String, Option<Schema>>,
    /// Whether it takes inputs that it does not declare.
    open: bool,
    whole: Option<Schema>,
}

/// Keywords through which an object schema speaks of properties that `properties` does not name.
const OPENING: [&str; 10] = [
    "$ref",
    "allOf",
    "anyOf",
    "dependentSchemas",
    "if",
    "not",
    "oneOf",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
];

impl Known {
    fn new(descriptor: Descriptor) -> Self {
        let inputs = descriptor.inputs;
        let properties = inputs.get("properties").and_then(Value::as_object);
        let closed = match inputs.get("additionalProperties") {
            Some(additional) => *additional == json!(false),
            None => properties.is_some() && !OPENING.iter().any(|key| inputs.get(key).is_some()),
        };
        let properties = properties.into_iter().flatten();
        let required = inputs.get("required").and_then(Value::as_array);
        let texts = |items: &Vec<Value>| {
            items
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        };
        Self {
            retry: descriptor.retry.map(|hint| {
                let backoff = hint.backoff.and_then(|text| text.parse().ok());
                let attempts = hint.attempts.clamp(1, ATTEMPTS_MAX);
                plain_retry(attempts, backoff.unwrap_or(BACKOFF_DEFAULT))
            }),
            timeout: descriptor
                .timeout
                .and_then(|text| text.parse().ok())
                .filter(|span| *span > Span(0)),
            required: required.map(texts).unwrap_or_default(),
            properties: properties
                .map(|(name, schema)| (name.clone(), property(schema, &inputs)))
                .collect(),
            open: !closed,
            whole: Schema::compile(&inputs).ok(),
        }
    }

    /// `whole` says whether all that is required has to be there.
    fn check_with(&self, part: &Given<'_>, whole: bool, findings: &mut Findings<'_, '_>) {
        let entries = match part.with.map(|node| &node.tree) {
            Some(Tree::Map(entries)) => entries.as_slice(),
            _ => &[],
        };
        let uses = part.uses.map(Uses::to_string).unwrap_or_default();
        let place = part.with.map_or(part.uses_place, |node| node.place);
        let required: &[String] = if whole { &self.required } else { &[] };
        let mut good = self.check_presence((required, entries), (&uses, place), findings);
        for entry in entries {
            let Some(schema) = self.properties.get(&entry.key).and_then(Option::as_ref) else {
                continue;
            };
            if holds_expression(&entry.node) {
                continue;
            }
            for fault in schema.faults(&entry.node.to_json()) {
                good = false;
                let message = format!("{} of `{uses}`: {fault}", quoted(&entry.key));
                findings.add(wrong_input(entry, message, findings));
            }
        }
        let literal = !entries.iter().any(|entry| holds_expression(&entry.node));
        if let Some(whole) = self.whole.as_ref().filter(|_| whole && good && literal) {
            let value = part.with.map_or_else(|| Map::new().into(), Node::to_json);
            for fault in whole.faults(&value) {
                let message = format!("`with` of `{uses}`: {fault}");
                findings.add(Fault::new("wrong-input", place, message));
            }
        }
    }

    /// Notes what is missing and what is not known.
    fn check_presence(
        &self,
        (required, entries): (&[String], &[Entry]),
        (uses, place): (&str, Place),
        findings: &mut Findings<'_, '_>,
    ) -> bool {
        let mut good = true;
        for name in required {
            if !entries.iter().any(|entry| entry.key == *name) {
                good = false;
                let message = format!("`{uses}` needs the input {}", quoted(name));
                let hint = format!("add {} to `with`", quoted(name));
                findings.add(Fault::new("missing-input", place, message).hint(hint));
            }
        }
        for entry in entries {
            if !self.open && !self.properties.contains_key(&entry.key) {
                good = false;
                let message = format!("`{uses}` has no input {}", quoted(&entry.key));
                let near = nearest(&entry.key, self.properties.keys().map(String::as_str));
                findings.add(Fault::new("unknown-input", entry.place, message).near(near));
            }
        }
        good
    }
}

/// The schema of one property, with the definitions that it may refer to.
fn property(schema: &Value, root: &Value) -> Option<Schema> {
    let mut schema = schema.clone();
    if let Some(object) = schema.as_object_mut() {
        for key in ["$defs", "definitions"] {
            if let Some(definitions) = root.get(key).filter(|_| !object.contains_key(key)) {
                object.insert(key.to_owned(), definitions.clone());
            }
        }
    }
    Schema::compile(&schema).ok()
}

fn wrong_input(entry: &Entry, message: String, findings: &Findings<'_, '_>) -> Fault {
    let fault = Fault::new("wrong-input", entry.node.place, message);
    let place = entry.node.place;
    match (
        &entry.node.tree,
        findings.source.text.get(place.start..place.end),
    ) {
        (Tree::Number(_) | Tree::Bool(_), Some(written)) => {
            fault.hint(format!("if text is meant, put it in quotes: '{written}'"))
        }
        _ => fault,
    }
}

fn holds_expression(node: &Node) -> bool {
    let mut found = false;
    node.texts(&mut |_, text| found |= text.contains("${{"));
    found
}

/// The schema of a form. What people fill in becomes the outputs, and those are an object.
pub(super) fn form(node: &Node, findings: &mut Findings<'_, '_>) -> Option<Schema> {
    object(node, "the form", findings)
}

/// The schema of `what`, which becomes outputs.
pub(super) fn object(node: &Node, what: &str, findings: &mut Findings<'_, '_>) -> Option<Schema> {
    let Tree::Map(entries) = &node.tree else {
        if !matches!(node.tree, Tree::Broken) {
            findings.add(crate::process::read::wrong_type(
                node,
                what,
                "a JSON Schema",
            ));
        }
        return None;
    };
    let schema = inputs::schema(node, what, findings)?;
    match entries.iter().find(|entry| entry.key == "type") {
        Some(entry) if entry.node.text() == Some("object") => Some(schema),
        found => {
            let place = found.map_or(node.place, |entry| entry.node.place);
            findings.add(
                Fault::new(
                    "bad-schema",
                    place,
                    format!("{what} must have the type `object`"),
                )
                .hint("its properties become the outputs of the activity"),
            );
            None
        }
    }
}
