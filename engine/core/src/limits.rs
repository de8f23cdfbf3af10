//! Bounds of documents and releases. Each has a name and a reason; the sandbox has its own.

use crate::time::Span;

/// Longest process document, in bytes: a thousand activities with their inputs fit.
pub const DOCUMENT_BYTES_MAX: usize = 1024 * 1024;
/// Deepest nesting of a document or JSON value: no reader needs more, and recursion stays safe.
pub const NESTING_MAX: usize = 64;
/// Most phases in a process.
pub const PHASES_MAX: usize = 1_000;
/// Most activities in a process: what the console can still show and one release can still load.
pub const ACTIVITIES_MAX: usize = 10_000;
/// Most joins (`any`, `at-least`) among the needs of one phase or activity: each end of a need looks
/// through them.
pub const JOINS_MAX: usize = 16;
/// Most instances that the fan-outs of one release make together: what one wave can be followed by
/// people, and one release can still load.
pub const INSTANCES_MAX: usize = 10_000;
/// Most activities of one release, those of instances included: about 50 MB while it is open.
pub const EXPANDED_ACTIVITIES_MAX: usize = 100_000;
/// Most batches of a fan-out: more than a person would want to open.
pub const BATCHES_MAX: usize = 100;
/// Longest item, in characters, that instances are called by; where one is longer, they are counted.
pub const LABEL_CHARS_MAX: usize = 64;
/// Most inputs of a process: more than a person fills in.
pub const INPUTS_MAX: usize = 1_000;
/// Longest expression, in bytes.
pub const EXPRESSION_BYTES_MAX: usize = 4 * 1024;
/// Longest script, in bytes: what is longer is better kept, tested and versioned as a component.
pub const SCRIPT_BYTES_MAX: usize = 64 * 1024;
/// Most text of different expressions in a process document, in bytes: parsing them is the slowest
/// part of checking it.
pub const EXPRESSIONS_BYTES_MAX: usize = 256 * 1024;
/// Most patterns in the schemas of a process document: each is compiled and kept.
pub const PATTERNS_MAX: usize = 500;
/// Deepest nesting of list macros (`all`, `exists`, `map`, `filter`) in an expression: evaluation
/// grows with the power of this.
pub const EXPRESSION_MACROS_NESTED_MAX: usize = 2;
/// Largest inputs of a release, or rendered `with` or outputs of an activity, as JSON text, in bytes.
pub const VALUE_BYTES_MAX: usize = 1024 * 1024;
/// Longest comment, reason or title, in bytes.
pub const TEXT_BYTES_MAX: usize = 8 * 1024;
/// Most attempts that a retry may ask for.
pub const ATTEMPTS_MAX: u32 = 100;
/// Timeout of an attempt whose process and component name none.
pub const TIMEOUT_DEFAULT: Span = Span(15 * 60 * 1000);
/// Longest wait between two attempts, unless the process names another.
pub const BACKOFF_MAX_DEFAULT: Span = Span(60 * 60 * 1000);
/// Largest checkpoint of a suspended attempt, in bytes: it lives in memory while it waits.
pub const CHECKPOINT_BYTES_MAX: usize = 64 * 1024;
/// Most releases above a child: deeper than that, nobody finds what waits for what.
pub const CHILD_DEPTH_MAX: u32 = 5;
/// Most children of one activity, those that people launched and those of failed attempts together.
pub const CHILDREN_PER_ACTIVITY_MAX: usize = 100;
/// Most locks of one process, phase or activity: more than that are one lock of their own.
pub const LOCKS_MAX: usize = 20;
/// Longest name of a lock, in bytes: it fits into a key and on a screen.
pub const LOCK_NAME_BYTES_MAX: usize = 200;
/// Most holders of one lock, and most running releases of one process that `concurrency` can allow.
pub const LOCK_CAPACITY_MAX: u32 = 10_000;
/// Most signals that one activity takes: each delivery is remembered, so that it cannot count twice.
pub const SIGNALS_PER_ACTIVITY_MAX: usize = 100;
/// Most facts that one run may record.
pub const EVIDENCE_PER_RUN_MAX: usize = 100;
/// Most facts of one activity that a release keeps at hand; all of them are in its history.
pub const EVIDENCE_PER_ACTIVITY_MAX: usize = 1_000;
/// Most warnings of policies that a release keeps at hand; all of them are in its history.
pub const WARNINGS_MAX: usize = 100;
/// Shortest wait of a suspended attempt: each resumption is stored, so a guest may not spin on it.
pub const RESUME_AFTER_MIN: Span = Span(100);
/// Longest wait that a failed guest may ask for before the next attempt.
pub const RETRY_AFTER_MAX: Span = Span(24 * 60 * 60 * 1000);
/// Most timers that one turn answers; the rest follow in the next turn at the same instant.
pub const TIMERS_PER_TURN_MAX: usize = 1_000;
/// Most defects that are reported for one document; the rest is counted.
pub const DEFECTS_MAX: usize = 100;
/// Most values in a process document, aliases expanded: no document of the longest length needs
/// more, and an alias bomb does.
pub const DOCUMENT_VALUES_MAX: usize = 400_000;
/// Most bytes of text in a process document, aliases expanded.
pub const DOCUMENT_EXPANDED_BYTES_MAX: usize = 4 * DOCUMENT_BYTES_MAX;
/// Deepest nesting of an expression's operators and calls, so that recursion stays safe.
pub const EXPRESSION_DEPTH_MAX: usize = 64;
/// Most work of one evaluation of an expression, in values and bytes touched, as estimated from above:
/// about a second and a few hundred megabytes at worst.
pub const EXPRESSION_COST_MAX: f64 = 1e8;
/// Most evaluations of subschemas on one path through a value: a schema of many alternatives needs some
/// hundreds, and one that was made to explode needs more than there is time.
pub const SCHEMA_WORK_MAX: f64 = 100_000.0;
/// Most evaluations in checking one value, as estimated from above: a few seconds at worst.
pub const SCHEMA_CHECK_WORK_MAX: f64 = 1e8;
/// Most turns of a rehearsal: several for each activity of the largest process.
pub const REHEARSAL_TURNS_MAX: usize = 100_000;
/// Longest time that a rehearsal plays through: nobody plans a release for longer.
pub const REHEARSAL_TIME_MAX: Span = Span(2 * 366 * 24 * 60 * 60 * 1000);
/// Most text of rendered inputs and instructions in a rehearsal, in bytes: one answer holds them all.
pub const REHEARSAL_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most values in outputs that a rehearsal makes up from a schema.
pub const SAMPLE_VALUES_MAX: usize = 1_000;
/// Most approval rules of one manual activity: more than a person can take in.
pub const RULES_MAX: usize = 100;
/// Most people and groups that one rule, exclusion or escalation names.
pub const PARTIES_MAX: usize = 100;
/// Most different waits between reminders.
pub const REMIND_WAITS_MAX: usize = 10;
/// Most reminders of one question: each is stored.
pub const REMINDERS_MAX: u32 = 100;
/// Most tasks of one manual activity.
pub const TASKS_MAX: usize = 100;
/// Longest name of a task or of a file, in bytes.
pub const LABEL_BYTES_MAX: usize = 200;
/// Most comments on one task, and on one activity besides its tasks: all of them are kept at hand.
pub const COMMENTS_MAX: usize = 500;
/// Most files on one task, and on one activity besides its tasks.
pub const FILES_MAX: usize = 100;
/// Most people of one group that a question keeps at hand: as many as a server knows.
pub const MEMBERS_MAX: usize = 10_000;
/// Shortest secret, in bytes: a shorter one could not be told from other text, and so not be kept out of it.
pub const SECRET_BYTES_MIN: usize = 8;
/// Longest secret, in bytes: a private key with its certificates fits, and a header holds it.
pub const SECRET_BYTES_MAX: usize = 16 * 1024;
/// Most secrets of an installation: they are kept in memory, sealed.
pub const SECRETS_MAX: usize = 1_000;
