//! The bounds of the sandbox: one table, which engine/docs/limits.md and `GET /limits` show as it is.

use fermata_core::limits::{CHECKPOINT_BYTES_MAX, EVIDENCE_PER_RUN_MAX, VALUE_BYTES_MAX};
use fermata_core::time::Span;
use serde::Serialize;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Every bound that holds for a guest. A run that reaches one fails with the name of its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of one run: a Rust guest needs 2 MiB, an interpreter of Python or JavaScript 20 to 40 MiB.
    pub memory_bytes: u64,
    /// Table elements of one run: big guests have some ten thousand function pointers.
    pub table_elements: u64,
    /// Core instances, tables and memories of one run: a component is seldom made of more than ten modules.
    pub instances: u64,
    /// Live component-model handles of one run: handles are streams and pollables, which come in tens.
    pub handles: u64,
    /// Bytes that one call from the guest may make the host copy: twice the largest body, with room.
    pub hostcall_bytes: u64,
    /// Stack of the guest: what recursive parsers need, while host calls still fit on the same stack.
    pub stack_bytes: u64,
    /// Processor time of one run: activities wait for other systems, they do not compute.
    pub cpu: Span,
    /// Bytes that one run may log: more is not read by anybody.
    pub log_bytes: u64,
    /// Lines that one run may log: more is not read by anybody.
    pub log_lines: u64,
    /// What is recorded of the exchanges of one run with its host: some hundred calls with short answers.
    pub recording_bytes: u64,
    /// Rendered inputs of one run, as JSON text.
    pub input_bytes: u64,
    /// Outputs of one run, as JSON text.
    pub output_bytes: u64,
    /// What a suspended run may store.
    pub checkpoint_bytes: u64,
    /// Facts that one run may record.
    pub evidence_facts: u64,
    /// One recorded fact, as JSON text: facts are shown whole.
    pub evidence_bytes: u64,
    /// HTTP calls of one run: polling belongs into `pending`, not into a loop.
    pub http_calls: u64,
    /// Body of one HTTP request.
    pub http_request_bytes: u64,
    /// Body of one HTTP response.
    pub http_response_bytes: u64,
    /// Headers of one HTTP request or response: what common servers accept.
    pub http_header_bytes: u64,
    /// Time of one HTTP call, from the first look-up to the last byte.
    pub http_time: Span,
    /// HTTP calls under way in the whole engine: a quarter of the file descriptors that a process usually has. One run
    /// makes four calls at a time at most.
    pub http_connections: u64,
    /// Live resources of a run that uses `wasi:http`: twenty calls at once have two hundred. Each can make the host keep
    /// some 64 KiB.
    pub http_resources: u64,
    /// A component as it is uploaded: a Python component has 18 MiB.
    pub component_bytes: u64,
    /// The JSON that `describe` returns: schemas of a few hundred fields fit.
    pub descriptor_bytes: u64,
    /// Processor time of `describe`, which returns a constant.
    pub describe_cpu: Span,
    /// Wall time of `describe`.
    pub describe_wall: Span,
    /// Functions in a component: the largest known guest, Python, has some 30,000.
    pub component_functions: u64,
    /// One function's body: compilation time can grow faster than its size.
    pub function_bytes: u64,
    /// Types, imports and exports in a component, together: Python's libraries have tens of thousands.
    pub component_items: u64,
    /// Depth of components within components.
    pub component_nesting: u64,
    /// Memory of the process that compiles.
    pub compile_memory_bytes: u64,
    /// Processor time of the process that compiles: Python takes 35 s.
    pub compile_cpu: Span,
    /// Wall time of the process that compiles.
    pub compile_wall: Span,
    /// Native code of one component: three to four times the size of the component.
    pub native_bytes: u64,
    /// Runs under way at once; more wait for their turn.
    pub concurrent_runs: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 * MIB,
            table_elements: 20_000,
            instances: 64,
            handles: 10_000,
            hostcall_bytes: 16 * MIB,
            stack_bytes: 512 * KIB,
            cpu: Span(10_000),
            log_bytes: MIB,
            log_lines: 10_000,
            recording_bytes: MIB,
            input_bytes: VALUE_BYTES_MAX as u64,
            output_bytes: VALUE_BYTES_MAX as u64,
            checkpoint_bytes: CHECKPOINT_BYTES_MAX as u64,
            evidence_facts: EVIDENCE_PER_RUN_MAX as u64,
            evidence_bytes: 64 * KIB,
            http_calls: 100,
            http_request_bytes: MIB,
            http_response_bytes: 8 * MIB,
            http_header_bytes: 32 * KIB,
            http_time: Span(60_000),
            http_connections: 256,
            http_resources: 512,
            component_bytes: 64 * MIB,
            descriptor_bytes: 64 * KIB,
            describe_cpu: Span(1_000),
            describe_wall: Span(10_000),
            component_functions: 100_000,
            function_bytes: 2 * MIB,
            component_items: 200_000,
            component_nesting: 8,
            compile_memory_bytes: 2 * 1024 * MIB,
            compile_cpu: Span(60_000),
            compile_wall: Span(120_000),
            native_bytes: 256 * MIB,
            concurrent_runs: 200,
        }
    }
}

/// One row of the limits table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// The name, as failures and rejections give it.
    pub name: &'static str,
    /// The bound.
    pub value: u64,
    /// What the value counts.
    pub unit: &'static str,
    /// What happens beyond.
    pub beyond: &'static str,
    /// What an author does who reaches it.
    pub remedy: &'static str,
}

impl Limits {
    /// Every limit, in the order in which a person reads them.
    pub fn table(&self) -> Vec<Limit> {
        [
            self.of_the_machine(),
            self.of_what_is_said(),
            self.of_http(),
            self.of_an_upload(),
            self.of_a_compilation(),
        ]
        .concat()
    }

    /// The remedy for reaching the limit with this name.
    pub fn remedy(&self, name: &str) -> Option<&'static str> {
        self.table()
            .iter()
            .find(|limit| limit.name == name)
            .map(|limit| limit.remedy)
    }

    fn of_the_machine(&self) -> Vec<Limit> {
        vec![
            row(
                "memory",
                self.memory_bytes,
                "bytes",
                FAILS,
                "process data in parts, or free what is no longer needed",
            ),
            row(
                "tables",
                self.table_elements,
                "elements",
                FAILS,
                "link fewer functions whose address is taken",
            ),
            row(
                "instances",
                self.instances,
                "instances",
                FAILS,
                "merge the modules of the component",
            ),
            row(
                "handles",
                self.handles,
                "handles",
                FAILS,
                "drop streams and pollables once they have served",
            ),
            row(
                "host-call",
                self.hostcall_bytes,
                "bytes",
                FAILS,
                "hand the host smaller values in one call",
            ),
            row(
                "stack",
                self.stack_bytes,
                "bytes",
                FAILS,
                "replace deep recursion by a loop",
            ),
            row(
                "cpu",
                self.cpu.0,
                "milliseconds",
                FAILS,
                "move the computation elsewhere and wait for it with `pending`",
            ),
            row(
                "concurrent-runs",
                self.concurrent_runs,
                "runs",
                WAITS,
                "nothing: its turn comes",
            ),
        ]
    }

    fn of_what_is_said(&self) -> Vec<Limit> {
        vec![
            row("log-bytes", self.log_bytes, "bytes", DROPPED, "log less"),
            row("log-lines", self.log_lines, "lines", DROPPED, "log less"),
            row(
                "recording",
                self.recording_bytes,
                "bytes",
                UNRECORDED,
                "nothing: the run goes on, but a replay ends there",
            ),
            row(
                "input",
                self.input_bytes,
                "bytes",
                FAILS,
                "pass a reference instead of the content",
            ),
            row(
                "output",
                self.output_bytes,
                "bytes",
                FAILS,
                "return a reference instead of the content",
            ),
            row(
                "checkpoint",
                self.checkpoint_bytes,
                "bytes",
                FAILS,
                "store an identifier instead of the content",
            ),
            row(
                "evidence-facts",
                self.evidence_facts,
                "facts",
                TOLD,
                "record one fact about many things",
            ),
            row(
                "evidence-bytes",
                self.evidence_bytes,
                "bytes",
                TOLD,
                "record a link instead of the content",
            ),
        ]
    }

    fn of_http(&self) -> Vec<Limit> {
        vec![
            row(
                "http-calls",
                self.http_calls,
                "calls",
                FAILS,
                "poll with `pending` instead of a loop",
            ),
            row(
                "http-request",
                self.http_request_bytes,
                "bytes",
                TOLD,
                "send the content in parts",
            ),
            row(
                "http-response",
                self.http_response_bytes,
                "bytes",
                TOLD,
                "ask for a page or a range of the content",
            ),
            row(
                "http-headers",
                self.http_header_bytes,
                "bytes",
                TOLD,
                "send fewer or shorter headers",
            ),
            row(
                "http-time",
                self.http_time.0,
                "milliseconds",
                TOLD,
                "start the work, and ask for its state with `pending`",
            ),
            row(
                "http-connections",
                self.http_connections,
                "calls",
                WAITS,
                "nothing: its turn comes",
            ),
            row(
                "http-resources",
                self.http_resources,
                "resources",
                FAILS,
                "drop requests, answers, headers, bodies and streams once they have served",
            ),
        ]
    }

    fn of_an_upload(&self) -> Vec<Limit> {
        vec![
            row(
                "component",
                self.component_bytes,
                "bytes",
                REFUSED,
                "build with optimisation for size, and strip it",
            ),
            row(
                "descriptor",
                self.descriptor_bytes,
                "bytes",
                REFUSED,
                "shorten the schemas and descriptions",
            ),
            row(
                "describe-cpu",
                self.describe_cpu.0,
                "milliseconds",
                REFUSED,
                "return a constant from `describe`",
            ),
            row(
                "describe-wall",
                self.describe_wall.0,
                "milliseconds",
                REFUSED,
                "return a constant from `describe`",
            ),
            row(
                "functions",
                self.component_functions,
                "functions",
                REFUSED,
                "link less into the component",
            ),
            row(
                "function",
                self.function_bytes,
                "bytes",
                REFUSED,
                "split the function",
            ),
            row(
                "items",
                self.component_items,
                "items",
                REFUSED,
                "link less into the component",
            ),
            row(
                "nesting",
                self.component_nesting,
                "components",
                REFUSED,
                "compose fewer layers of components",
            ),
        ]
    }

    fn of_a_compilation(&self) -> Vec<Limit> {
        vec![
            row(
                "compile-memory",
                self.compile_memory_bytes,
                "bytes",
                REFUSED,
                "link less into the component",
            ),
            row(
                "compile-cpu",
                self.compile_cpu.0,
                "milliseconds",
                REFUSED,
                "link less into the component",
            ),
            row(
                "compile-wall",
                self.compile_wall.0,
                "milliseconds",
                REFUSED,
                "link less into the component, or try again later",
            ),
            row(
                "native",
                self.native_bytes,
                "bytes",
                REFUSED,
                "link less into the component",
            ),
        ]
    }
}

/// The run ends with a failure of the class `limit` and the name of the row.
const FAILS: &str = "the run fails with this limit";
/// The guest is told, and may go on.
const TOLD: &str = "the guest gets an error, and may go on";
/// What comes next stands in line.
const WAITS: &str = "further ones wait";
/// What comes next is not kept.
const DROPPED: &str = "further lines are dropped, and the log says how many";
/// What comes next cannot be replayed.
const UNRECORDED: &str = "further exchanges are not recorded, and the recording says how many";
/// The component is not admitted.
const REFUSED: &str = "the upload is refused";

fn row(
    name: &'static str,
    value: u64,
    unit: &'static str,
    beyond: &'static str,
    remedy: &'static str,
) -> Limit {
    Limit {
        name,
        value,
        unit,
        beyond,
        remedy,
    }
}

/// `bytes` as a length in this process; the largest one where it does not fit.
pub(crate) fn length(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_limit_has_a_remedy() {
        let limits = Limits::default();
        let mut names: Vec<_> = limits.table().iter().map(|limit| limit.name).collect();
        assert!(
            limits.table().iter().all(|limit| limit.value > 0
                && !limit.remedy.is_empty()
                && !limit.beyond.is_empty())
        );
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        assert_eq!(
            limits.remedy("cpu"),
            Some("move the computation elsewhere and wait for it with `pending`")
        );
        assert_eq!(limits.remedy("no-such-limit"), None);
    }
}
