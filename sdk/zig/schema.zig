//! The JSON Schema of a type, as std.json reads and writes it.

const std = @import("std");

/// Writes the schema of `T`. `about` has texts for people under the names of its fields, and may have none.
pub fn write(comptime T: type, comptime about: anytype, json: *std.json.Stringify) !void {
    if (T == std.json.Value) return json.write(struct {}{});
    switch (@typeInfo(T)) {
        .optional => |optional| {
            try json.beginObject();
            try json.objectField("anyOf");
            try json.beginArray();
            try write(optional.child, .{}, json);
            try json.write(.{ .type = "null" });
            try json.endArray();
            try json.endObject();
        },
        .@"struct" => |info| {
            try json.beginObject();
            try typed("object", json);
            try json.objectField("additionalProperties");
            try json.write(false);
            try json.objectField("properties");
            try json.beginObject();
            inline for (info.field_names, info.field_types) |name, kind| {
                try json.objectField(name);
                try property(kind, if (@hasField(@TypeOf(about), name)) @field(about, name) else "", json);
            }
            try json.endObject();
            try json.objectField("required");
            try json.beginArray();
            inline for (info.field_names, info.field_types, info.field_attrs) |name, kind, attributes| {
                const given = attributes.defaultValue(kind) != null or @typeInfo(kind) == .optional;
                if (!given) try json.write(name);
            }
            try json.endArray();
            try json.endObject();
        },
        else => try property(T, "", json),
    }
}

/// A value of a field, with its description.
fn property(comptime T: type, comptime about: []const u8, json: *std.json.Stringify) !void {
    if (T == []const u8) return simple("string", about, json);
    switch (@typeInfo(T)) {
        .bool => try simple("boolean", about, json),
        .int => try simple("integer", about, json),
        .float => try simple("number", about, json),
        .pointer => |pointer| {
            try json.beginObject();
            try typed("array", json);
            try described(about, json);
            try json.objectField("items");
            try write(pointer.child, .{}, json);
            try json.endObject();
        },
        .@"enum" => |info| {
            try json.beginObject();
            try typed("string", json);
            try described(about, json);
            try json.objectField("enum");
            try json.beginArray();
            inline for (info.field_names) |name| try json.write(name);
            try json.endArray();
            try json.endObject();
        },
        .@"struct", .optional => try write(T, .{}, json),
        else => @compileError(@typeName(T) ++ " has no schema: use text, numbers, enums, structs, slices of them, or std.json.Value"),
    }
}

fn simple(kind: []const u8, about: []const u8, json: *std.json.Stringify) !void {
    try json.beginObject();
    try typed(kind, json);
    try described(about, json);
    try json.endObject();
}

fn typed(kind: []const u8, json: *std.json.Stringify) !void {
    try json.objectField("type");
    try json.write(kind);
}

fn described(about: []const u8, json: *std.json.Stringify) !void {
    if (about.len == 0) return;
    try json.objectField("description");
    try json.write(about);
}
