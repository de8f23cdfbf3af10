//! Takes an instance out of a load balancer, and waits until nobody is connected to it; undo puts it back.

const fermata = @import("fermata/fermata.zig");
const http = fermata.http;

/// The secret that the load balancer wants to see.
const secret = "balancer-token";
/// Longest time for a call.
const call_ms_max = 30_000;
/// How long to wait before the connections are counted again.
const poll_ms = 5_000;

const Drain = struct {
    pub const name = "drain";
    pub const version = "1.0.0";
    pub const summary = "Takes an instance out of a load balancer and waits until it is idle; undo puts it back.";
    pub const retry: fermata.Retry = .{ .attempts = 3, .backoff_ms = 2_000 };
    pub const timeout_ms = 30 * 60 * 1_000;
    pub const capabilities: fermata.Capabilities = .{
        .http = &.{.{ .host = "*", .methods = &.{ "GET", "PUT" } }},
        .secrets = &.{secret},
        .evidence = &.{"drained"},
    };

    pub const Inputs = struct { url: []const u8, instance: []const u8, connections_max: u32 = 0 };
    pub const about = .{
        .url = "Where the load balancer is.",
        .instance = "The instance, as it is called there.",
        .connections_max = "Connections that may be left.",
    };
    pub const Outputs = struct { instance: []const u8, connections: u32 };

    pub fn run(attempt: fermata.Attempt, inputs: Inputs) !fermata.Outcome(Outputs) {
        const before = try attempt.checkpoint(struct { polls: u32 });
        const polls = if (before) |found| found.polls else blk: {
            try set(inputs, "draining", attempt.idempotency_key);
            break :blk 0;
        };
        const state = try (try call(inputs, "GET", null, attempt.idempotency_key)).json(struct { connections: u32 });
        if (state.connections > inputs.connections_max) {
            const status = fermata.text("{s} has {d} connections", .{ inputs.instance, state.connections });
            return .{ .pending = fermata.pending(.{ .polls = polls + 1 }, poll_ms, status) };
        }
        try fermata.evidence.record("drained", .{ .instance = inputs.instance, .polls = polls });
        fermata.log.info("{s} is drained", .{inputs.instance});
        return .{ .done = .{ .instance = inputs.instance, .connections = state.connections } };
    }

    pub fn undo(attempt: fermata.Attempt, inputs: Inputs, _: ?Outputs) !fermata.Outcome(fermata.Nothing) {
        // It does no harm where it was never taken out.
        try set(inputs, "active", attempt.idempotency_key);
        fermata.log.info("{s} is back", .{inputs.instance});
        return .{ .done = .{} };
    }
};

fn set(inputs: Drain.Inputs, state: []const u8, key: []const u8) fermata.Error!void {
    _ = try call(inputs, "PUT", fermata.json(.{ .state = state }), key);
}

fn call(inputs: Drain.Inputs, method: []const u8, body: ?[]const u8, key: []const u8) fermata.Error!http.Response {
    const request: http.Request = .{
        .method = method,
        .url = fermata.text("{s}/instances/{s}", .{ inputs.url, inputs.instance }),
        .headers = &.{
            .{ .name = "authorization", .value = fermata.text("Bearer {s}", .{try fermata.secret(secret)}) },
            .{ .name = "content-type", .value = "application/json" },
            .{ .name = "idempotency-key", .value = key },
        },
        .body = body,
        .timeout_ms = call_ms_max,
    };
    return request.success();
}

pub const panic = fermata.panic;
comptime {
    fermata.activity(Drain);
}
