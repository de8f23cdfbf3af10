// The component `javascript`: runs the scripts that stand in process documents, and says what is wrong with them.
//
// The engine hands over `{ script: { name, source, line, indent }, inputs }` to run one, or `{ check: [script, …] }` to
// have some read. `line` and `indent` say where the script stands in its document, so that messages speak of that.

import {
  activity,
  done,
  evidence,
  Failure,
  http,
  log,
  pending as pendingTime,
  pendingSignal as pendingName,
  progress,
  secrets,
  utf8,
} from "./fermata/fermata.js";

const VERSION = "1.0.0";
/** Frames of a stack that a failure shows. */
const FRAMES_MAX = 10;

// ---- What a script finds in scope.

/** What `pending(…)` made: outputs may look like anything. */
const suspensions = new WeakSet();

function suspended(made) {
  suspensions.add(made);
  return made;
}

const pending = (...how) => suspended(pendingTime(...how));
const pendingSignal = (...how) => suspended(pendingName(...how));

const SCOPE = { Failure, evidence, http, log, pending, pendingSignal, progress, secrets, utf8 };
const NAMES = ["inputs", "attempt", ...Object.keys(SCOPE)];

/** The script as a function. Throws a SyntaxError if it is none. */
function read(source) {
  return new Function(...NAMES, `"use strict";\n${source}\n`);
}

// ---- Where something stands. The engine inside says it in stacks only: `at name (<input>:LINE:COLUMN)`.

const FRAME = /<input>:(\d+):(\d+)/;
/** `JSON.parse` writes the place in its text as a frame of its own. */
const PARSED = /\bat parse \(native\)/;

/** The places in scripts that the stack of `error` names, the innermost first. */
function places(error) {
  const lines = String(error?.stack ?? "").split("\n");
  return lines.flatMap((line, index) => {
    const frame = FRAME.exec(line);
    if (frame === null || PARSED.test(lines[index + 1] ?? "")) return [];
    return [{ line: Number(frame[1]) - LINES_BEFORE, column: Number(frame[2]) }];
  });
}

/** Lines that come before a script when it is read. */
let LINES_BEFORE = 0;
LINES_BEFORE = (() => {
  try {
    read("throw new Error()")();
  } catch (error) {
    return places(error)[0].line - 1;
  }
})();

/** The place within the document of the process. */
function inDocument(script, place) {
  return { line: script.line + place.line - 1, column: script.indent + place.column };
}

// ---- Checking.

function check(scripts) {
  const faults = [];
  scripts.forEach((script, index) => {
    try {
      read(script.source);
    } catch (error) {
      faults.push({ script: index, message: error.message, ...within(script.source, places(error)[0]) });
    }
  });
  return done({ faults });
}

/** The place, or where the script ends if it is behind that, or where it begins if there is none. */
function within(source, place) {
  const lines = source.trimEnd().split("\n");
  if (place === undefined || place.line < 1) return { line: 1, column: 1 };
  if (place.line <= lines.length) return place;
  return { line: lines.length, column: lines[lines.length - 1].length + 1 };
}

// ---- Running.

function run(script, attempt, inputs) {
  try {
    return outcome(read(script.source)(inputs, attempt, ...Object.values(SCOPE)));
  } catch (error) {
    throw error instanceof Failure ? located(script, error) : broken(script, error);
  }
}

function outcome(returned) {
  if (typeof returned === "object" && suspensions.has(returned)) return returned;
  if (returned === undefined) return done({});
  if (returned instanceof Promise) throw invalid("a promise: scripts wait for nothing, so leave `async` out");
  if (returned === null || typeof returned !== "object" || Array.isArray(returned)) {
    throw invalid(`${JSON.stringify(returned) ?? typeof returned}`.slice(0, 100));
  }
  // What cannot be written is the script's mistake, and is told with its place.
  JSON.stringify(returned);
  return done(returned);
}

function invalid(what) {
  const expected = "expected an object with the outputs, `pending(…)`, or nothing";
  return Failure.permanent(`the script returned ${what}; ${expected}`).code("invalid-outputs");
}

/** A failure that the script threw, or that an import of it did: its place goes into the log. */
function located(script, failure) {
  const [place] = places(failure);
  if (place !== undefined) {
    const { line, column } = inDocument(script, place);
    log.error(`thrown at line ${line}, column ${column} of the process`);
  }
  return failure;
}

/** Whatever else it threw is a mistake in the script. */
function broken(script, error) {
  const stack = places(error).map((place) => inDocument(script, place));
  const what = error instanceof Error ? `${error.name}: ${error.message}` : `it threw ${shown(error)}`;
  const [place] = stack;
  const where = place === undefined ? "" : `, line ${place.line}, column ${place.column} of the process`;
  return Failure.permanent(`${script.name}${where}: ${what}`)
    .code("script-error")
    .details({ ...place, stack: stack.slice(0, FRAMES_MAX) });
}

function shown(thrown) {
  try {
    return JSON.stringify(thrown) ?? String(thrown);
  } catch {
    return typeof thrown;
  }
}

/** What scripts may record: the kinds that the engine knows. */
const EVIDENCE = ["artifact", "commit", "deployment", "link", "scan", "test-report", "ticket"];

const SCRIPT = {
  type: "object",
  required: ["name", "source", "line", "indent"],
  properties: {
    name: { type: "string" },
    source: { type: "string" },
    line: { type: "integer", minimum: 1 },
    indent: { type: "integer", minimum: 0 },
  },
};

const { run: exported } = activity({
  name: "javascript",
  version: VERSION,
  summary: "Runs the scripts of processes",
  inputs: {
    type: "object",
    properties: { script: SCRIPT, inputs: { type: "object" }, check: { type: "array", items: SCRIPT } },
    oneOf: [{ required: ["script", "inputs"] }, { required: ["check"] }],
  },
  outputs: { type: "object" },
  capabilities: { evidence: EVIDENCE },
  run: (attempt, given) =>
    given.check === undefined ? run(given.script, attempt, given.inputs) : check(given.check),
});

export { exported as run };
