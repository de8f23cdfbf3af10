//! HTTP calls to the hosts that a person granted to this component.

const std = @import("std");

const abi = @import("abi.zig");
const fermata = @import("fermata.zig");

/// Of an answer's body, as much as a failure quotes.
const excerpt_bytes_max = 300;

pub const Header = struct { name: []const u8, value: []const u8 };

/// A request.
pub const Request = struct {
    /// Upper-case.
    method: []const u8 = "GET",
    /// Absolute, http or https.
    url: []const u8,
    headers: []const Header = &.{},
    body: ?[]const u8 = null,
    /// Longest time until the whole answer is there. The engine has a limit of its own, which is the default.
    timeout_ms: ?u32 = null,

    /// Sends the request and waits for the whole answer, of whatever status. Redirects are not followed.
    pub fn send(request: Request) fermata.Error!Response {
        // One more than there are: an empty list, too, wants an address that exists.
        const headers = try abi.allocator.alloc(abi.Pair, request.headers.len + 1);
        for (headers[0..request.headers.len], request.headers) |*pair, header| {
            pair.* = .{ .name = .of(header.name), .value = .of(header.value) };
        }
        const body = request.body orelse "";
        const answer = try abi.allocator.create(abi.Response);
        abi.http.send(
            abi.address(request.method),
            request.method.len,
            abi.address(request.url),
            request.url.len,
            headers.ptr,
            request.headers.len,
            @intFromBool(request.body != null),
            abi.address(body),
            body.len,
            @intFromBool(request.timeout_ms != null),
            request.timeout_ms orelse 0,
            answer,
        );
        if (answer.is_err != 0) return request.unanswered(answer);
        return .{
            .request = request,
            .status = answer.is.ok.status,
            .headers = try received(answer.is.ok.headers, answer.is.ok.headers_len),
            .body = answer.is.ok.body.slice(),
        };
    }

    /// The same, and fails unless the status is 2xx.
    pub fn success(request: Request) fermata.Error!Response {
        const response = try request.send();
        return if (response.status / 100 == 2) response else response.failure();
    }

    fn unanswered(request: Request, answer: *const abi.Response) fermata.Error {
        const why = answer.is.err.why;
        return switch (answer.is.err.which) {
            0 => request.fails(false, "http-denied", "is not granted: {s}", .{why.text.slice()}),
            1 => request.fails(false, "http-invalid", "is not a valid request: {s}", .{why.text.slice()}),
            2 => request.fails(true, "http-timeout", "was not answered in time", .{}),
            3 => request.fails(true, "http-unreachable", "could not be sent or answered: {s}", .{why.text.slice()}),
            else => request.fails(false, "http-too-large", "was answered with more than {d} bytes", .{why.bytes}),
        };
    }

    fn fails(
        request: Request,
        is_retryable: bool,
        code: []const u8,
        comptime format: []const u8,
        values: anytype,
    ) fermata.Error {
        // Without the query, which may hold what nobody should read.
        const end = std.mem.findAny(u8, request.url, "?#") orelse request.url.len;
        const became = fermata.text(format, values);
        const message = fermata.text("{s} {s} {s}", .{ request.method, request.url[0..end], became });
        const more: fermata.Failure = .{ .code = code };
        return if (is_retryable) fermata.retryable(message, more) else fermata.permanent(message, more);
    }
};

/// A GET request.
pub fn get(url: []const u8) fermata.Error!Response {
    return send(.{ .url = url });
}

/// Sends a request.
pub fn send(request: Request) fermata.Error!Response {
    return request.send();
}

/// An answer, of whatever status.
pub const Response = struct {
    request: Request,
    status: u16,
    /// Names are lower-case.
    headers: []const Header,
    body: []const u8,

    /// The first header called `name`, in any case.
    pub fn header(response: Response, name: []const u8) ?[]const u8 {
        for (response.headers) |one| {
            if (std.ascii.eqlIgnoreCase(one.name, name)) return one.value;
        }
        return null;
    }

    /// The body as JSON. What the type does not have is left out.
    pub fn json(response: Response, comptime T: type) fermata.Error!T {
        return fermata.parsed(T, "answer", response.body);
    }

    /// The failure that an answer other than 2xx is: retryable for 408, 425, 429 and 5xx, not before the time in
    /// `retry-after`; else permanent.
    pub fn failure(response: Response) fermata.Error {
        const status = response.status;
        var len: usize = @min(response.body.len, excerpt_bytes_max);
        // Cuts at a whole character: what is sent has to be UTF-8, so other bodies are left out.
        while (len > 0 and len < response.body.len and response.body[len] & 0xc0 == 0x80) len -= 1;
        if (!std.unicode.utf8ValidateSlice(response.body[0..len])) len = 0;
        const colon = if (len == 0) "" else ": ";
        const format = "was answered with status {d}{s}{s}";
        const values = .{ status, colon, response.body[0..len] };
        const again = status == 408 or status == 425 or status == 429 or status >= 500;
        const failed = response.request.fails(again, "http-status", format, values);
        if (again) {
            const seconds = std.fmt.parseInt(u32, response.header("retry-after") orelse "", 10) catch return failed;
            fermata.waitAtLeast(@as(u64, seconds) * 1000);
        }
        return failed;
    }
};

fn received(at: usize, len: usize) fermata.Error![]const Header {
    if (len == 0) return &.{};
    const pairs = @as([*]const abi.Pair, @ptrFromInt(at))[0..len];
    const headers = try abi.allocator.alloc(Header, len);
    for (headers, pairs) |*header, pair| {
        header.* = .{ .name = pair.name.slice(), .value = pair.value.slice() };
    }
    return headers;
}
