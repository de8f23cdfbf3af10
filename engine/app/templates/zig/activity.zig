//! Checks that a page answers as it should.

const fermata = @import("fermata/fermata.zig");

const Activity = struct {
    pub const name = "{{name}}";
    pub const version = "1.0.0";
    pub const summary = "Checks that a page answers as it should.";
    pub const retry: fermata.Retry = .{ .attempts = 3, .backoff_ms = 5000 };
    pub const capabilities: fermata.Capabilities = .{
        .http = &.{.{ .host = "*", .methods = &.{"GET"} }},
    };

    /// What a process writes under `with:`.
    pub const Inputs = struct { url: []const u8, status: u16 = 200 };
    pub const about = .{ .url = "The page to ask for.", .status = "The status that it should answer with." };

    /// What later activities can read.
    pub const Outputs = struct { status: u16 };

    pub fn run(_: fermata.Attempt, inputs: Inputs) !fermata.Outcome(Outputs) {
        const response = try fermata.http.get(inputs.url);
        fermata.log.info("{s} answers {d}", .{ inputs.url, response.status });
        if (response.status != inputs.status) {
            const message = fermata.text("{s} answers {d}, not {d}", .{ inputs.url, response.status, inputs.status });
            return fermata.retryable(message, .{ .code = "unexpected-status" });
        }
        return .{ .done = .{ .status = response.status } };
    }
};

pub const panic = fermata.panic;
comptime {
    fermata.activity(Activity);
}
