//! The canonical ABI of the contract, by hand: what the component model makes of wit/activity.wit for a module with 32-bit
//! memory. The layouts are those of the specification; the engine checks the signatures at upload. Not for activities.

const std = @import("std");

/// Nothing is freed: the engine drops the instance after the run.
pub const allocator = std.heap.wasm_allocator;

/// A string or a list<u8>. Of an empty one, the address means nothing.
pub const Text = extern struct {
    at: usize = 0,
    len: usize = 0,

    pub fn of(bytes: []const u8) Text {
        return .{ .at = @intFromPtr(address(bytes)), .len = bytes.len };
    }

    pub fn slice(text: Text) []const u8 {
        if (text.len == 0) return "";
        return @as([*]const u8, @ptrFromInt(text.at))[0..text.len];
    }
};

/// Where bytes are. The address of an empty slice may be anything, and the host wants one that exists.
pub fn address(bytes: []const u8) [*]const u8 {
    return if (bytes.len == 0) "" else bytes.ptr;
}

/// option<string> or option<list<u8>>.
pub const Option = extern struct {
    is_some: u8 = 0,
    value: Text = .{},

    pub fn of(bytes: ?[]const u8) Option {
        const some = bytes orelse return .{};
        return .{ .is_some = 1, .value = .of(some) };
    }

    pub fn slice(option: Option) ?[]const u8 {
        return if (option.is_some == 0) null else option.value.slice();
    }
};

pub const Attempt = extern struct {
    release: Text,
    process: Text,
    phase: Text,
    activity: Text,
    number: u32,
    idempotency_key: Text,
    now_ms: u64,
    checkpoint: Option,
    signal: Option,
};

/// The parameters of `run`, and of `undo`, which has the last one, too.
pub const Call = extern struct {
    attempt: Attempt,
    inputs: Text,
    outputs: Option,
};

pub const Pending = extern struct {
    /// after-ms, signal
    which: u8,
    until: extern union { after_ms: u64, signal: Text },
    status: Option,
};

pub const Failure = extern struct {
    code: Option,
    details: Option,
    has_delay: u8,
    delay_ms: u64,
};

/// result<outcome, failure>
pub const Result = extern struct {
    is_err: u8 = 0,
    /// outcome: succeeded, pending; failure: retryable, permanent
    which: u8 align(8) = 0,
    /// outputs, checkpoint, or message
    text: Text align(8),
    more: extern union { pending: Pending, failure: Failure } = undefined,
};

pub const Pair = extern struct { name: Text, value: Text };

/// result<response, error>
pub const Response = extern struct {
    is_err: u8,
    is: extern union {
        ok: extern struct { status: u16, headers: usize, headers_len: usize, body: Text },
        err: extern struct { which: u8, why: extern union { bytes: u64, text: Text } },
    } align(8),
};

/// result<string, error> of secrets
pub const Secret = extern struct {
    is_err: u8,
    is: extern union { ok: Text, err: extern struct { is_unknown: u8, why: Text } },
};

/// result<_, string> and result<string, string>
pub const Said = extern struct { is_err: u8, text: Text };

comptime {
    const assert = std.debug.assert;
    assert(@sizeOf(usize) == 4);
    assert(@sizeOf(Attempt) == 80 and @offsetOf(Attempt, "now_ms") == 48);
    assert(@sizeOf(Result) == 64 and @offsetOf(Result, "more") == 24);
    assert(@offsetOf(Pending, "until") == 8 and @offsetOf(Pending, "status") == 16);
    assert(@offsetOf(Failure, "has_delay") == 24 and @offsetOf(Failure, "delay_ms") == 32);
    assert(@offsetOf(Response, "is") == 8);
}

/// The host asks for memory here: for the parameters of an export, and for the results of an import.
fn realloc(old: usize, old_len: usize, alignment: usize, len: usize) callconv(.c) usize {
    if (len == 0) return alignment;
    const memory = allocator.alignedAlloc(u8, .@"8", len) catch @trap();
    if (old_len > 0) @memcpy(memory[0..@min(old_len, len)], @as([*]const u8, @ptrFromInt(old)));
    return @intFromPtr(memory.ptr);
}

comptime {
    @export(&realloc, .{ .name = "cabi_realloc" });
}

pub const log = struct {
    pub extern "fermata:activity/log@0.1.0" fn write(level: i32, at: [*]const u8, len: usize) void;
};

pub const progress = struct {
    pub extern "fermata:activity/progress@0.1.0" fn report(known: i32, percent: i32, at: [*]const u8, len: usize) void;
};

pub const http = struct {
    pub extern "fermata:activity/http@0.1.0" fn send(
        method: [*]const u8,
        method_len: usize,
        url: [*]const u8,
        url_len: usize,
        headers: [*]const Pair,
        headers_len: usize,
        has_body: i32,
        body: [*]const u8,
        body_len: usize,
        has_timeout: i32,
        timeout_ms: u32,
        result: *Response,
    ) void;
};

pub const secrets = struct {
    pub extern "fermata:activity/secrets@0.1.0" fn handle(name: [*]const u8, len: usize, result: *Secret) void;
};

pub const evidence = struct {
    pub extern "fermata:activity/evidence@0.1.0" fn record(
        kind: [*]const u8,
        kind_len: usize,
        fact: [*]const u8,
        fact_len: usize,
        result: *Said,
    ) void;
    pub extern "fermata:activity/evidence@0.1.0" fn attach(
        name: [*]const u8,
        name_len: usize,
        media_type: [*]const u8,
        media_type_len: usize,
        bytes: [*]const u8,
        len: usize,
        result: *Said,
    ) void;
};
