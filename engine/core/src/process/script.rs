//! Scripts: activities written into the process itself. An interpreter, which is a component like any
//! other, runs them; the engine only hands them over.

use serde::Deserialize;
use serde_json::json;

use super::source::Source;
use super::{Component, Kind, Process, Undo};
use crate::component::Uses;
use crate::defect::{Defect, Fault, Place};
use crate::id::Name;
use crate::json::Json;

/// The component that runs the scripts of this major version of their language.
const INTERPRETER: &str = "javascript";
/// Raised when what a script finds in scope changes.
const INTERPRETER_MAJOR: u32 = 1;

/// A script, and where it stands in the document of its process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The text.
    pub source: String,
    /// The line of the document that holds its first line, from 1.
    pub line: u32,
    /// Characters of the document before each of its lines.
    pub indent: u32,
}

/// A fault of a script, where an interpreter found it: both count from 1, within the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptFault {
    /// What is wrong.
    pub message: String,
    /// Line.
    pub line: u32,
    /// Column, in characters.
    pub column: u32,
}

/// What runs scripts.
pub fn interpreter() -> Uses {
    Uses {
        name: name(),
        major: INTERPRETER_MAJOR,
        minor: None,
        patch: None,
    }
}

fn name() -> Name {
    INTERPRETER
        .parse()
        .expect("the name of the interpreter is one")
}

/// What an interpreter is given to say what is wrong with scripts, each with what messages call it.
pub fn to_check(scripts: &[(String, &Script)]) -> Json {
    let told = scripts.iter().map(|(called, script)| script.told(called));
    Json::of(&json!({ "check": told.collect::<Vec<_>>() }))
}

/// What an interpreter has said: faults, each with the position of its script; nothing if that is not
/// what it says.
pub fn checked(outputs: &Json) -> Option<Vec<(usize, ScriptFault)>> {
    let answer: Answer = serde_json::from_str(outputs.as_str()).ok()?;
    let faults = answer.faults.into_iter();
    Some(faults.map(Told::split).collect())
}

#[derive(Deserialize)]
struct Answer {
    faults: Vec<Told>,
}

#[derive(Deserialize)]
struct Told {
    script: usize,
    message: String,
    line: u32,
    column: u32,
}

impl Told {
    fn split(self) -> (usize, ScriptFault) {
        let fault = ScriptFault {
            message: self.message,
            line: self.line,
            column: self.column,
        };
        (self.script, fault)
    }
}

impl ScriptFault {
    /// A fault of the script as a whole.
    pub fn at_start(message: String) -> Self {
        Self {
            message,
            line: 1,
            column: 1,
        }
    }
}

impl Script {
    /// What the interpreter is given: the script, what messages call it, and the inputs it asks for.
    pub(crate) fn handed_over(&self, called: &str, inputs: &Json) -> Json {
        Json::of(&json!({ "script": self.told(called), "inputs": inputs.value() }))
    }

    fn told(&self, called: &str) -> serde_json::Value {
        json!({
            "name": called,
            "source": self.source,
            "line": self.line,
            "indent": self.indent,
        })
    }

    /// The fault as a defect of the document that holds the script.
    pub fn defect(&self, document: &[u8], fault: &ScriptFault) -> Defect {
        let text = String::from_utf8_lossy(document);
        let source = Source::new(&text);
        let line = self.line.saturating_add(fault.line.saturating_sub(1));
        let column = self.indent.saturating_add(fault.column.saturating_sub(1));
        let at = source.offset(line as usize, column as usize);
        source.defect(Fault::new(
            "script",
            Place::new(at, at),
            fault.message.clone(),
        ))
    }
}

impl Process {
    /// Every script with what it is called: `phase/activity`, with `undo` or `validate` behind it if it is
    /// for the way back.
    pub fn scripts(&self) -> Vec<(String, &Script)> {
        let originals = self.activities.iter().enumerate();
        let originals = originals.filter(|(_, activity)| !activity.role.is_copy());
        originals
            .flat_map(|(ix, activity)| {
                let path = self.path(super::ActivityIx(u32::try_from(ix).unwrap_or(u32::MAX)));
                let run = match &activity.kind {
                    Kind::Component(component) => Some(component),
                    Kind::Manual(_) | Kind::Wait(_) | Kind::Process(_) => None,
                };
                let undo = match &activity.undo {
                    Undo::Uses(component) => Some(component),
                    Undo::Exported | Undo::None => None,
                };
                let named = [
                    (run, ""),
                    (undo, "/undo"),
                    (activity.validate.as_ref(), "/validate"),
                ];
                named.map(|(component, part)| scripted(component, format!("{path}{part}")))
            })
            .flatten()
            .collect()
    }
}

fn scripted(component: Option<&Component>, called: String) -> Option<(String, &Script)> {
    let script = component?.script.as_ref()?;
    Some((called, script))
}

#[cfg(test)]
mod tests {
    use super::super::validate::validate;
    use super::*;

    const DOCUMENT: &str = "
process: x
phases:
  one:
    activities:
      look:
        script: |
          const a = 1;

          return { a };
        undo: { script: 'return 1' }
        validate: { script: \"return 2\" }
";

    #[test]
    fn scripts_know_where_they_stand() {
        let process = validate(DOCUMENT.as_bytes(), None).unwrap();
        let found: Vec<_> = process
            .scripts()
            .into_iter()
            .map(|(called, script)| (called, script.line, script.indent))
            .collect();
        let at = |called: &str, line, indent| (called.to_owned(), line, indent);
        assert_eq!(
            found,
            [
                at("one/look", 8, 10),
                at("one/look/undo", 11, 25),
                at("one/look/validate", 12, 29),
            ]
        );
    }

    #[test]
    fn a_fault_of_a_script_is_a_defect_of_the_document() {
        let process = validate(DOCUMENT.as_bytes(), None).unwrap();
        let (_, script) = process.scripts().remove(0);
        let fault = |line, column| ScriptFault {
            message: "expected something else".to_owned(),
            line,
            column,
        };
        let defect = script.defect(DOCUMENT.as_bytes(), &fault(3, 8));
        assert_eq!(
            (defect.code, defect.line, defect.column),
            ("script", 10, 18)
        );
        assert!(defect.snippet.contains("return { a };"), "{defect}");
        // Whatever an interpreter says, it is somewhere in the document.
        for (line, column) in [(0, 0), (2, 50), (u32::MAX, u32::MAX)] {
            let defect = script.defect(DOCUMENT.as_bytes(), &fault(line, column));
            assert!(defect.line as usize <= DOCUMENT.lines().count() + 1);
        }
    }
}
