//! The conformance activity in Zig.

const std = @import("std");

const fermata = @import("fermata/fermata.zig");
const http = fermata.http;

const Conformance = struct {
    pub const name = "sdk-zig";
    pub const version = "1.0.0";
    pub const summary = "Does what it is told, for tests.";
    pub const retry: fermata.Retry = .{ .attempts = 3, .backoff_ms = 2000 };
    pub const timeout_ms = 90_000;
    pub const capabilities: fermata.Capabilities = .{
        .http = &.{.{ .host = "*", .methods = &.{ "GET", "POST" } }},
        .secrets = &.{"token"},
        .evidence = &.{"link"},
    };
    pub const about = .{ .do = "What to do." };

    pub const Inputs = struct { do: []const u8, text: []const u8 = "", url: []const u8 = "" };
    pub const Outputs = struct { text: []const u8, status: u16 = 0 };

    pub fn run(attempt: fermata.Attempt, inputs: Inputs) !Outcome {
        const deed = deeds.get(inputs.do) orelse fermata.crash(@src(), "{s}", .{inputs.text});
        return deed(attempt, inputs);
    }

    pub fn undo(_: fermata.Attempt, inputs: Inputs, outputs: ?Outputs) !fermata.Outcome(fermata.Nothing) {
        const was = if (outputs) |found| found.text else "nothing";
        fermata.log.info("undoes {s}: {s}", .{ inputs.do, was });
        return .{ .done = .{} };
    }
};

const In = Conformance.Inputs;
const Outcome = fermata.Outcome(Conformance.Outputs);
const Checkpoint = struct { count: u32 = 0, text: []const u8 = "" };

const Deed = *const fn (fermata.Attempt, In) fermata.Error!Outcome;

const deeds = std.StaticStringMap(Deed).initComptime(.{
    .{ "echo", &echo },
    .{ "attempt", &shown },
    .{ "retryable", &retryable },
    .{ "permanent", &permanent },
    .{ "count", &count },
    .{ "signal", &signal },
    .{ "call", &call },
    .{ "status", &status },
    .{ "secret", &secret },
    .{ "evidence", &record },
    .{ "attach", &attach },
    .{ "log", &write },
});

fn done(text: []const u8) Outcome {
    return .{ .done = .{ .text = text } };
}

fn echo(_: fermata.Attempt, inputs: In) fermata.Error!Outcome {
    return done(inputs.text);
}

fn shown(a: fermata.Attempt, _: In) fermata.Error!Outcome {
    const parts = .{ a.release, a.process, a.phase, a.activity, a.number, a.idempotency_key, a.now_ms };
    return done(fermata.text("{s}|{s}|{s}|{s}|{d}|{s}|{d}", parts));
}

fn retryable(_: fermata.Attempt, inputs: In) fermata.Error!Outcome {
    const details = fermata.json(.{ .text = inputs.text });
    return fermata.retryable(inputs.text, .{ .code = "busy", .details = details, .after_ms = 1500 });
}

fn permanent(_: fermata.Attempt, inputs: In) fermata.Error!Outcome {
    return fermata.permanent(inputs.text, .{ .code = "wrong" });
}

fn count(attempt: fermata.Attempt, inputs: In) fermata.Error!Outcome {
    const was = try attempt.checkpoint(Checkpoint) orelse Checkpoint{};
    if (was.count == 2) return done(fermata.text("{d} {s}", .{ was.count, was.text }));
    const next: Checkpoint = .{ .count = was.count + 1, .text = inputs.text };
    return .{ .pending = fermata.pending(next, 2000, fermata.text("counting {d}", .{next.count})) };
}

fn signal(attempt: fermata.Attempt, inputs: In) fermata.Error!Outcome {
    const approval = try attempt.signal(struct { by: []const u8 }) orelse {
        const checkpoint: Checkpoint = .{ .count = 1, .text = inputs.text };
        return .{ .pending = fermata.pendingSignal(checkpoint, "approved", "waits") };
    };
    const was = try attempt.checkpoint(Checkpoint) orelse Checkpoint{};
    return done(fermata.text("{s} {s}", .{ was.text, approval.by }));
}

fn call(_: fermata.Attempt, inputs: In) fermata.Error!Outcome {
    const request: http.Request = .{
        .method = "POST",
        .url = inputs.url,
        .headers = &.{
            .{ .name = "x-text", .value = "a" },
            .{ .name = "content-type", .value = "application/json" },
        },
        .body = fermata.json(.{ .text = inputs.text }),
        .timeout_ms = 5000,
    };
    const response = try request.success();
    const answer = try response.json(struct { text: []const u8 });
    return .{ .done = .{ .text = answer.text, .status = response.status } };
}

fn status(_: fermata.Attempt, inputs: In) fermata.Error!Outcome {
    const response = try http.get(inputs.url);
    return .{ .done = .{ .text = response.header("X-Answer") orelse "none", .status = response.status } };
}

fn secret(_: fermata.Attempt, inputs: In) fermata.Error!Outcome {
    const request: http.Request = .{
        .url = inputs.url,
        .headers = &.{.{ .name = "authorization", .value = try fermata.secret(inputs.text) }},
    };
    return done((try request.success()).body);
}

fn record(_: fermata.Attempt, inputs: In) fermata.Error!Outcome {
    try fermata.evidence.record("link", .{ .url = inputs.url, .title = inputs.text });
    return done("recorded");
}

fn attach(_: fermata.Attempt, inputs: In) fermata.Error!Outcome {
    return done(try fermata.evidence.attach("report.txt", "text/plain", inputs.text));
}

fn write(_: fermata.Attempt, inputs: In) fermata.Error!Outcome {
    fermata.log.debug("debug {s}", .{inputs.text});
    fermata.log.info("info {s}", .{inputs.text});
    fermata.log.warn("warn {s}", .{inputs.text});
    fermata.log.err("error {s}", .{inputs.text});
    fermata.progress(40, inputs.text);
    return done("logged");
}

pub const panic = fermata.panic;
comptime {
    fermata.activity(Conformance);
}
