//! Guests that call by `wasi:http`, handle by handle: what no library would do.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::source::Source;

/// The interfaces that these guests import, as far as they use them.
const WIT: &str = r"
package probe:probe;
world probe {
  import wasi:http/outgoing-handler@0.2.3;
  include fermata:activity/activity@0.1.0;
}
package wasi:io@0.2.3 {
  interface poll { resource pollable { block: func(); } }
  interface error { resource error; }
  interface streams {
    use error.{error};
    variant stream-error { last-operation-failed(error), closed }
    resource input-stream { blocking-read: func(len: u64) -> result<list<u8>, stream-error>; }
    resource output-stream { blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>; }
  }
}
package wasi:http@0.2.3 {
  interface types {
    use wasi:io/poll@0.2.3.{pollable};
    use wasi:io/streams@0.2.3.{input-stream, output-stream};
    variant method { get, head, post, put, delete, connect, options, trace, patch, other(string) }
    variant scheme { HTTP, HTTPS, other(string) }
    record DNS-error-payload { rcode: option<string>, info-code: option<u16> }
    record TLS-alert-received-payload { alert-id: option<u8>, alert-message: option<string> }
    record field-size-payload { field-name: option<string>, field-size: option<u32> }
    variant error-code {
      DNS-timeout, DNS-error(DNS-error-payload), destination-not-found, destination-unavailable, destination-IP-prohibited,
      destination-IP-unroutable, connection-refused, connection-terminated, connection-timeout, connection-read-timeout,
      connection-write-timeout, connection-limit-reached, TLS-protocol-error, TLS-certificate-error,
      TLS-alert-received(TLS-alert-received-payload), HTTP-request-denied, HTTP-request-length-required,
      HTTP-request-body-size(option<u64>), HTTP-request-method-invalid, HTTP-request-URI-invalid, HTTP-request-URI-too-long,
      HTTP-request-header-section-size(option<u32>), HTTP-request-header-size(option<field-size-payload>),
      HTTP-request-trailer-section-size(option<u32>), HTTP-request-trailer-size(field-size-payload),
      HTTP-response-incomplete, HTTP-response-header-section-size(option<u32>),
      HTTP-response-header-size(field-size-payload), HTTP-response-body-size(option<u64>),
      HTTP-response-trailer-section-size(option<u32>), HTTP-response-trailer-size(field-size-payload),
      HTTP-response-transfer-coding(option<string>), HTTP-response-content-coding(option<string>), HTTP-response-timeout,
      HTTP-upgrade-failed, HTTP-protocol-error, loop-detected, configuration-error, internal-error(option<string>),
    }
    variant header-error { invalid-syntax, forbidden, immutable }
    resource fields {
      constructor();
      append: func(name: string, value: list<u8>) -> result<_, header-error>;
    }
    resource outgoing-body {
      write: func() -> result<output-stream>;
      finish: static func(this: outgoing-body, trailers: option<fields>) -> result<_, error-code>;
    }
    resource outgoing-request {
      constructor(headers: fields);
      body: func() -> result<outgoing-body>;
      set-method: func(method: method) -> result;
      set-scheme: func(scheme: option<scheme>) -> result;
      set-authority: func(authority: option<string>) -> result;
      set-path-with-query: func(path-with-query: option<string>) -> result;
    }
    resource request-options {
      constructor();
      set-first-byte-timeout: func(duration: option<u64>) -> result;
    }
    resource incoming-body { %stream: func() -> result<input-stream>; }
    resource incoming-response { status: func() -> u16; consume: func() -> result<incoming-body>; }
    resource future-incoming-response {
      subscribe: func() -> pollable;
      get: func() -> option<result<result<incoming-response, error-code>>>;
    }
  }
  interface outgoing-handler {
    use types.{outgoing-request, request-options, future-incoming-response, error-code};
    handle: func(request: outgoing-request, options: option<request-options>)
      -> result<future-incoming-response, error-code>;
  }
}
";

const IMPORTS: &str = r#"
  (import "wasi:io/poll@0.2.3" "[method]pollable.block" (func $block (param i32)))
  (import "wasi:io/streams@0.2.3" "[method]input-stream.blocking-read" (func $read (param i32 i64 i32)))
  (import "wasi:io/streams@0.2.3" "[method]output-stream.blocking-write-and-flush" (func $write (param i32 i32 i32 i32)))
  (import "wasi:io/streams@0.2.3" "[resource-drop]output-stream" (func $drop_stream (param i32)))
  (import "wasi:http/types@0.2.3" "[constructor]fields" (func $fields (result i32)))
  (import "wasi:http/types@0.2.3" "[method]fields.append" (func $append (param i32 i32 i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.3" "[method]outgoing-body.write" (func $body_stream (param i32 i32)))
  (import "wasi:http/types@0.2.3" "[static]outgoing-body.finish" (func $finish (param i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.3" "[resource-drop]outgoing-body" (func $drop_body (param i32)))
  (import "wasi:http/types@0.2.3" "[constructor]outgoing-request" (func $new_request (param i32) (result i32)))
  (import "wasi:http/types@0.2.3" "[method]outgoing-request.body" (func $request_body (param i32 i32)))
  (import "wasi:http/types@0.2.3" "[method]outgoing-request.set-method" (func $set_method (param i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.3" "[method]outgoing-request.set-scheme" (func $set_scheme (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.3" "[method]outgoing-request.set-authority" (func $set_authority (param i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.3" "[method]outgoing-request.set-path-with-query" (func $set_path (param i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.3" "[constructor]request-options" (func $options (result i32)))
  (import "wasi:http/types@0.2.3" "[method]request-options.set-first-byte-timeout"
    (func $set_patience (param i32 i32 i64) (result i32)))
  (import "wasi:http/types@0.2.3" "[method]incoming-response.consume" (func $consume (param i32 i32)))
  (import "wasi:http/types@0.2.3" "[method]incoming-body.stream" (func $answer_stream (param i32 i32)))
  (import "wasi:http/types@0.2.3" "[resource-drop]incoming-response" (func $drop_answer (param i32)))
  (import "wasi:http/types@0.2.3" "[method]future-incoming-response.subscribe" (func $subscribe (param i32) (result i32)))
  (import "wasi:http/types@0.2.3" "[method]future-incoming-response.get" (func $get (param i32 i32)))
  (import "wasi:http/outgoing-handler@0.2.3" "handle" (func $handle_request (param i32 i32 i32 i32)))
"#;

const MORE: &str = r"
  ;; A request with these headers to an authority and path, by HTTP.
  (func $request (param $fields i32) (param $host i32) (param $host_len i32) (param $path i32) (param $len i32) (result i32)
    (local $request i32)
    (local.set $request (call $new_request (local.get $fields)))
    (if (call $set_scheme (local.get $request) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)) (then unreachable))
    (if (call $set_authority (local.get $request) (i32.const 1) (local.get $host) (local.get $host_len)) (then unreachable))
    (if (call $set_path (local.get $request) (i32.const 1) (local.get $path) (local.get $len)) (then unreachable))
    (local.get $request))
  ;; The future of its answer.
  (func $sent (param $request i32) (result i32)
    (call $handle_request (local.get $request) (i32.const 0) (i32.const 0) (i32.const 4096))
    (if (i32.load8_u (i32.const 4096)) (then unreachable))
    (i32.load (i32.const 4104)))
  ;; The answer, or -1, with the error code at 4120.
  (func $answer (param $future i32) (result i32)
    (call $block (call $subscribe (local.get $future)))
    (call $get (local.get $future) (i32.const 4096))
    (if (result i32) (i32.load8_u (i32.const 4112)) (then (i32.const -1)) (else (i32.load (i32.const 4120)))))
  ;; Succeeds with the first part of the answer's body, or fails with the number of the error code.
  (func $told (param $answer i32) (result i32)
    (local $code i32)
    (if (i32.eq (local.get $answer) (i32.const -1)) (then
      (local.set $code (i32.load8_u (i32.const 4120)))
      (i32.store8 (i32.const 5000) (i32.add (i32.const 48) (i32.div_u (local.get $code) (i32.const 10))))
      (i32.store8 (i32.const 5001) (i32.add (i32.const 48) (i32.rem_u (local.get $code) (i32.const 10))))
      (return (call $fail (i32.const 0) (i32.const 5000) (i32.const 2)))))
    (call $consume (local.get $answer) (i32.const 4200))
    (call $answer_stream (i32.load (i32.const 4204)) (i32.const 4208))
    (call $read (i32.load (i32.const 4212)) (i64.const 1000000) (i32.const 4216))
    (if (result i32) (i32.load8_u (i32.const 4216))
      (then (call $succeed «{}»))
      (else (call $succeed (i32.load (i32.const 4220)) (i32.load (i32.const 4224))))))
  (func $go (param $host i32) (param $host_len i32) (param $path i32) (param $len i32) (result i32)
    (call $told (call $answer (call $sent (call $request (call $fields)
      (local.get $host) (local.get $host_len) (local.get $path) (local.get $len))))))
  ;; The stream of a request's body; the body itself is at 4304.
  (func $open (param $request i32) (result i32)
    (call $request_body (local.get $request) (i32.const 4300))
    (if (i32.load8_u (i32.const 4300)) (then unreachable))
    (call $body_stream (i32.load (i32.const 4304)) (i32.const 4308))
    (i32.load (i32.const 4312)))
  (func $close (param $stream i32)
    (call $drop_stream (local.get $stream))
    (call $finish (i32.load (i32.const 4304)) (i32.const 0) (i32.const 0) (i32.const 4320)))
";

/// A component whose `run` has this body, and whose `describe` does this first.
pub(crate) fn component(describe: &str, run: &str) -> Vec<u8> {
    let source = Source {
        imports: IMPORTS,
        more: MORE,
        describe,
        run,
        ..Source::default()
    };
    let mut module = source.module();
    let mut resolve = Resolve::default();
    let contract = include_str!("../../../../wit/activity.wit");
    let why = "our own WIT is valid";
    resolve.push_str("activity.wit", contract).expect(why);
    let probe = resolve.push_str("probe.wit", WIT).expect(why);
    let world = resolve.select_world(&[probe], Some("probe")).expect(why);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect(why);
    let encoder = ComponentEncoder::default().module(&module).expect(why);
    encoder.validate(true).encode().expect(why)
}

/// A guest that asks for a path of a host, and tells what it got.
pub(crate) fn get(authority: &str, path: &str) -> Vec<u8> {
    component("", &format!("(call $go «{authority}» «{path}»)"))
}
