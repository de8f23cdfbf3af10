//! Write Fermata activities in Zig: the thin layer over the contract in wit/activity.wit.
//!
//!     const fermata = @import("fermata/fermata.zig");
//!     const http = fermata.http;
//!
//!     const Restart = struct {
//!         pub const name = "restart";
//!         pub const version = "1.0.0";
//!         pub const summary = "Restarts every pod of a service.";
//!         pub const capabilities: fermata.Capabilities = .{
//!             .http = &.{.{ .host = "platform.example.com", .methods = &.{"POST"} }},
//!         };
//!         pub const Inputs = struct { service: []const u8 };
//!         pub const Outputs = struct { pods: u32 };
//!
//!         pub fn run(attempt: fermata.Attempt, inputs: Inputs) !fermata.Outcome(Outputs) {
//!             const response = try (http.Request{
//!                 .method = "POST",
//!                 .url = fermata.text("https://platform.example.com/restart/{s}", .{inputs.service}),
//!                 .headers = &.{.{ .name = "idempotency-key", .value = attempt.idempotency_key }},
//!             }).success();
//!             fermata.log.info("{s} restarts", .{inputs.service});
//!             return .{ .done = try response.json(Outputs) };
//!         }
//!     };
//!
//!     pub const panic = fermata.panic;
//!     comptime {
//!         fermata.activity(Restart);
//!     }
//!
//! The engine starts a fresh instance for every run and drops it afterwards: what has to survive goes into the checkpoint of
//! `pending`, and nothing has to be freed.

const std = @import("std");

const abi = @import("abi.zig");
pub const http = @import("http.zig");
const schema = @import("schema.zig");

/// For whatever needs one.
pub const allocator = abi.allocator;

/// What `retryable` and `permanent` return, after they have noted why. Any other error is permanent.
pub const Error = error{ Failed, OutOfMemory };

/// When a failed attempt is tried again.
pub const Retry = struct {
    /// Attempts in all.
    attempts: u32,
    /// Wait before the second attempt; it grows for later ones.
    backoff_ms: u64,
};

/// What an activity wants to reach. Asking grants nothing; a person does, when the component is uploaded.
pub const Capabilities = struct {
    http: []const Host = &.{},
    secrets: []const []const u8 = &.{},
    evidence: []const []const u8 = &.{},

    /// A name, optionally `*.example.com`, optionally with `:port`; `*` stands for a host that only the inputs name.
    pub const Host = struct {
        host: []const u8,
        /// None: all.
        methods: []const []const u8 = &.{},
    };
};

/// What the engine tells one attempt about itself.
pub const Attempt = struct {
    /// The id of the release.
    release: []const u8,
    /// The name of the process that the release runs.
    process: []const u8,
    /// The name of the phase.
    phase: []const u8,
    /// The name of the activity within its phase.
    activity: []const u8,
    /// 1 for the first attempt.
    number: u32,
    /// The same for every attempt and every resumption of this activity in this release. Hand it to the systems you call, so
    /// that asking twice does a thing once.
    idempotency_key: []const u8,
    /// When this run began, milliseconds since the Unix epoch.
    now_ms: u64,
    /// What `pending` stored, as JSON text. `checkpoint` reads it.
    stored: ?[]const u8,
    /// The payload of the signal that ended the suspension, as JSON text. `signal` reads it.
    payload: ?[]const u8,

    /// What the last `pending` of this attempt stored; null on its first run.
    pub fn checkpoint(attempt: Attempt, comptime T: type) Error!?T {
        return try parsed(T, "checkpoint", attempt.stored orelse return null);
    }

    /// The payload of the signal that `pendingSignal` waited for; null if this run waited for none.
    pub fn signal(attempt: Attempt, comptime T: type) Error!?T {
        return try parsed(T, "signal", attempt.payload orelse return null);
    }
};

/// How a run ends, if it does not fail: `.{ .done = outputs }`, or `.{ .pending = fermata.pending(…) }`.
pub fn Outcome(comptime O: type) type {
    return union(enum) {
        /// Finished, with outputs.
        done: O,
        /// Not finished: to be run again later, in the same attempt.
        pending: Pending,
    };
}

/// What `undo` returns when it is done.
pub const Nothing = struct {};

/// A suspension: the instance is dropped, and nothing but this is kept.
pub const Pending = struct {
    checkpoint: []const u8,
    until: union(enum) { after_ms: u64, signal: []const u8 },
    status: ?[]const u8,
};

/// Suspends the activity for a time, then runs it again with the checkpoint. `status` is shown to people meanwhile.
pub fn pending(checkpoint: anytype, after_ms: u64, status: ?[]const u8) Pending {
    return .{ .checkpoint = json(checkpoint), .until = .{ .after_ms = after_ms }, .status = status };
}

/// Suspends the activity until the signal `name` comes, then runs it again with the checkpoint and the payload, which
/// `attempt.signal` reads. The name is for people: lower-case letters, digits and hyphens. The timeout of the activity says
/// how long to wait at most.
pub fn pendingSignal(checkpoint: anytype, name: []const u8, status: ?[]const u8) Pending {
    return .{ .checkpoint = json(checkpoint), .until = .{ .signal = name }, .status = status };
}

/// What a failure has beside its message.
pub const Failure = struct {
    /// Short and stable, so that a process can branch on it.
    code: ?[]const u8 = null,
    /// JSON text, such as that of `json`.
    details: ?[]const u8 = null,
    /// Of a retryable failure: how long to wait at least before another attempt.
    after_ms: ?u64 = null,
};

var failed: struct { message: []const u8, is_retryable: bool, more: Failure } = undefined;

/// A failure after which another attempt may help: `return fermata.retryable("…", .{})`. The message is one sentence: what
/// happened, and to what.
pub fn retryable(message: []const u8, more: Failure) Error {
    failed = .{ .message = message, .is_retryable = true, .more = more };
    return error.Failed;
}

/// A failure after which no further attempt with the same inputs will help.
pub fn permanent(message: []const u8, more: Failure) Error {
    failed = .{ .message = message, .is_retryable = false, .more = more };
    return error.Failed;
}

/// For http.zig: the failure that was noted last is not tried again before.
pub fn waitAtLeast(after_ms: u64) void {
    failed.more.after_ms = after_ms;
}

/// Lines of the log.
pub const log = struct {
    /// For the author of the activity.
    pub fn debug(comptime format: []const u8, values: anytype) void {
        write(0, format, values);
    }
    /// For whoever follows the release.
    pub fn info(comptime format: []const u8, values: anytype) void {
        write(1, format, values);
    }
    /// Something to look at.
    pub fn warn(comptime format: []const u8, values: anytype) void {
        write(2, format, values);
    }
    /// Something failed.
    pub fn err(comptime format: []const u8, values: anytype) void {
        write(3, format, values);
    }

    fn write(level: i32, comptime format: []const u8, values: anytype) void {
        const line = text(format, values);
        abi.log.write(level, abi.address(line), line.len);
    }
};

/// Says what the run is doing now, and how far it is: 0 to 100, or null if it does not know.
pub fn progress(percent: ?u8, message: []const u8) void {
    abi.progress.report(@intFromBool(percent != null), @min(percent orelse 0, 100), abi.address(message), message.len);
}

/// An opaque stand-in for a secret, to be put into header values or bodies.
pub fn secret(name: []const u8) Error![]const u8 {
    const answer = try allocator.create(abi.Secret);
    abi.secrets.handle(abi.address(name), name.len, answer);
    if (answer.is_err == 0) return answer.is.ok.slice();
    const why = answer.is.err.why.slice();
    if (answer.is.err.is_unknown != 0) return permanent(text("there is no secret `{s}`", .{why}), .{ .code = "secret-unknown" });
    return permanent(text("a secret is not granted: {s}", .{why}), .{ .code = "secret-denied" });
}

/// Facts for the record.
pub const evidence = struct {
    /// Records a fact. `kind` is commit, artifact, test-report, ticket, deployment, scan, link, …
    pub fn record(kind: []const u8, fact: anytype) Error!void {
        const written = json(fact);
        const said = try allocator.create(abi.Said);
        abi.evidence.record(abi.address(kind), kind.len, abi.address(written), written.len, said);
        if (said.is_err != 0) return refused(said);
    }

    /// Keeps bytes with the record and returns their digest.
    pub fn attach(name: []const u8, media_type: []const u8, bytes: []const u8) Error![]const u8 {
        const said = try allocator.create(abi.Said);
        abi.evidence.attach(abi.address(name), name.len, abi.address(media_type), media_type.len, abi.address(bytes), bytes.len, said);
        return if (said.is_err == 0) said.text.slice() else refused(said);
    }

    fn refused(said: *const abi.Said) Error {
        return permanent(text("the evidence was not recorded: {s}", .{said.text.slice()}), .{ .code = "evidence" });
    }
};

/// A text that is put together.
pub fn text(comptime format: []const u8, values: anytype) []const u8 {
    return allocator.print(format, values) catch @panic("there is no memory left");
}

/// A value as JSON text.
pub fn json(value: anytype) []const u8 {
    return std.json.Stringify.valueAlloc(allocator, value, .{}) catch @panic("there is no memory left");
}

/// JSON text as a value. What the type does not have is left out. The failure says which text it was.
pub fn parsed(comptime T: type, comptime what: []const u8, from: []const u8) Error!T {
    const options: std.json.ParseOptions = .{ .ignore_unknown_fields = true };
    return std.json.parseFromSliceLeaky(T, allocator, from, options) catch |err| switch (err) {
        error.OutOfMemory => error.OutOfMemory,
        else => permanent(
            text("the {s} cannot be read: {s}", .{ what, @errorName(err) }),
            .{ .code = "invalid-" ++ what },
        ),
    };
}

/// Ends the run as a crash of the activity, with a line in the log that says where and why:
/// `fermata.crash(@src(), "…", .{})`.
pub fn crash(at: std.lang.SourceLocation, comptime format: []const u8, values: anytype) noreturn {
    log.err("panicked at {s}:{d}: {s}", .{ at.file, at.line, text(format, values) });
    @trap();
}

/// What the root of an activity takes for its own `panic`, so that the log says why a run crashed.
pub const panic = std.debug.FullPanic(panicked);

fn panicked(message: []const u8, _: ?usize) noreturn {
    // Without an allocator: there may be no memory left. The back-trace has the place.
    var buffer: [512]u8 = undefined;
    const said = message[0..@min(message.len, buffer.len / 2)];
    const line = std.mem.print(&buffer, "panicked at an unknown place: {s}", .{said}) catch said;
    abi.log.write(3, line.ptr, line.len);
    @trap();
}

/// Makes a type the activity of this component: its declarations are `name`, `version`, `summary`, `Inputs`, `Outputs` and
/// `run`, and perhaps `about` (texts for people under the names of inputs), `retry`, `timeout_ms`, `capabilities` and `undo`.
/// A component that has `undo` can be rolled back.
pub fn activity(comptime A: type) void {
    const exported = struct {
        fn describe() callconv(.c) *const abi.Text {
            const result = allocator.create(abi.Text) catch @panic("there is no memory left");
            result.* = .of(descriptor(A) catch @panic("there is no memory left"));
            return result;
        }

        fn run(call: *const abi.Call) callconv(.c) *const abi.Result {
            return told(struct {
                fn work(given: *const abi.Call) anyerror!Outcome(A.Outputs) {
                    return A.run(attemptOf(&given.attempt), try parsed(A.Inputs, "inputs", given.inputs.slice()));
                }
            }.work(call));
        }

        fn undo(call: *const abi.Call) callconv(.c) *const abi.Result {
            return told(struct {
                fn work(given: *const abi.Call) anyerror!Outcome(Nothing) {
                    const inputs = try parsed(A.Inputs, "inputs", given.inputs.slice());
                    const outputs = given.outputs.slice();
                    const returned = if (outputs) |found| try parsed(A.Outputs, "outputs", found) else null;
                    return A.undo(attemptOf(&given.attempt), inputs, returned);
                }
            }.work(call));
        }
    };
    @export(&exported.describe, .{ .name = "fermata:activity/run@0.1.0#describe" });
    @export(&exported.run, .{ .name = "fermata:activity/run@0.1.0#run" });
    if (@hasDecl(A, "undo")) @export(&exported.undo, .{ .name = "fermata:activity/undo@0.1.0#undo" });
}

fn attemptOf(given: *const abi.Attempt) Attempt {
    return .{
        .release = given.release.slice(),
        .process = given.process.slice(),
        .phase = given.phase.slice(),
        .activity = given.activity.slice(),
        .number = given.number,
        .idempotency_key = given.idempotency_key.slice(),
        .now_ms = given.now_ms,
        .stored = given.checkpoint.slice(),
        .payload = given.signal.slice(),
    };
}

/// The outcome, or the failure that was noted, as the host reads it.
fn told(outcome: anytype) *const abi.Result {
    const result = allocator.create(abi.Result) catch @panic("there is no memory left");
    const came = outcome catch |err| {
        result.* = failure(err);
        return result;
    };
    result.* = switch (came) {
        .done => |outputs| .{ .text = .of(json(outputs)) },
        .pending => |suspended| .{
            .which = 1,
            .text = .of(suspended.checkpoint),
            .more = .{ .pending = .{
                .which = @intFromBool(suspended.until == .signal),
                .until = switch (suspended.until) {
                    .after_ms => |after_ms| .{ .after_ms = after_ms },
                    .signal => |name| .{ .signal = .of(name) },
                },
                .status = .of(suspended.status),
            } },
        },
    };
    return result;
}

fn failure(err: anyerror) abi.Result {
    if (err != error.Failed) failed = .{ .message = @errorName(err), .is_retryable = false, .more = .{} };
    const after_ms = if (failed.is_retryable) failed.more.after_ms else null;
    return .{
        .is_err = 1,
        .which = @intFromBool(!failed.is_retryable),
        .text = .of(failed.message),
        .more = .{ .failure = .{
            .code = .of(failed.more.code),
            .details = .of(failed.more.details),
            .has_delay = @intFromBool(after_ms != null),
            .delay_ms = after_ms orelse 0,
        } },
    };
}

fn descriptor(comptime A: type) ![]const u8 {
    var written: std.Io.Writer.Allocating = .init(allocator);
    var out: std.json.Stringify = .{ .writer = &written.writer };
    try out.beginObject();
    inline for (.{ "name", "version", "summary" }) |name| {
        try out.objectField(name);
        try out.write(@as([]const u8, @field(A, name)));
    }
    try out.objectField("inputs");
    try schema.write(A.Inputs, if (@hasDecl(A, "about")) A.about else .{}, &out);
    try out.objectField("outputs");
    try schema.write(A.Outputs, .{}, &out);
    if (@hasDecl(A, "retry")) {
        const retry: Retry = A.retry;
        try out.objectField("retry");
        try out.write(.{ .attempts = retry.attempts, .backoff = text("{d}ms", .{retry.backoff_ms}) });
    }
    if (@hasDecl(A, "timeout_ms")) {
        try out.objectField("timeout");
        try out.write(text("{d}ms", .{@as(u64, A.timeout_ms)}));
    }
    try out.objectField("capabilities");
    try out.write(if (@hasDecl(A, "capabilities")) @as(Capabilities, A.capabilities) else Capabilities{});
    try out.endObject();
    return written.written();
}
