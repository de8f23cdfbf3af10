//! Components that use the part of WASI that an activity has.

use fermata_core::attempt::LogLevel;
use fermata_core::failure::FailureClass;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::kit::{Kit, failure, messages};
use crate::source::Source;

/// The interfaces that the guests below import, as far as they use them.
const WIT: &str = r"
package probe:probe;
world probe {
  import wasi:random/random@0.2.3;
  import wasi:clocks/wall-clock@0.2.3;
  import wasi:cli/stderr@0.2.3;
  import wasi:cli/exit@0.2.3;
  import wasi:cli/environment@0.2.3;
  import wasi:filesystem/preopens@0.2.3;
  import wasi:sockets/tcp-create-socket@0.2.3;
  import wasi:sockets/udp-create-socket@0.2.3;
  include fermata:activity/activity@0.1.0;
}
package wasi:random@0.2.3 { interface random { get-random-u64: func() -> u64; } }
package wasi:clocks@0.2.3 {
  interface wall-clock { record datetime { seconds: u64, nanoseconds: u32 } now: func() -> datetime; }
}
package wasi:io@0.2.3 {
  interface error { resource error; }
  interface streams {
    use error.{error};
    variant stream-error { last-operation-failed(error), closed }
    resource output-stream { blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>; }
  }
}
package wasi:cli@0.2.3 {
  interface stderr { use wasi:io/streams@0.2.3.{output-stream}; get-stderr: func() -> output-stream; }
  interface exit { exit: func(status: result); }
  interface environment {
    get-environment: func() -> list<tuple<string, string>>;
    get-arguments: func() -> list<string>;
  }
}
package wasi:filesystem@0.2.3 {
  interface types { resource descriptor; }
  interface preopens { use types.{descriptor}; get-directories: func() -> list<tuple<descriptor, string>>; }
}
package wasi:sockets@0.2.3 {
  interface network {
    enum error-code {
      unknown, access-denied, not-supported, invalid-argument, out-of-memory, timeout, concurrency-conflict,
      not-in-progress, would-block, invalid-state, new-socket-limit, address-not-bindable, address-in-use,
      remote-unreachable, connection-refused, connection-reset, connection-aborted, datagram-too-large,
      name-unresolvable, temporary-resolver-failure, permanent-resolver-failure,
    }
    enum ip-address-family { ipv4, ipv6 }
  }
  interface tcp { resource tcp-socket; }
  interface udp { resource udp-socket; }
  interface tcp-create-socket {
    use network.{error-code, ip-address-family};
    use tcp.{tcp-socket};
    create-tcp-socket: func(address-family: ip-address-family) -> result<tcp-socket, error-code>;
  }
  interface udp-create-socket {
    use network.{error-code, ip-address-family};
    use udp.{udp-socket};
    create-udp-socket: func(address-family: ip-address-family) -> result<udp-socket, error-code>;
  }
}
";

const IMPORTS: &str = r#"
  (import "wasi:random/random@0.2.3" "get-random-u64" (func $random (result i64)))
  (import "wasi:clocks/wall-clock@0.2.3" "now" (func $now (param i32)))
  (import "wasi:cli/stderr@0.2.3" "get-stderr" (func $stderr (result i32)))
  (import "wasi:cli/exit@0.2.3" "exit" (func $exit (param i32)))
  (import "wasi:io/streams@0.2.3" "[method]output-stream.blocking-write-and-flush"
    (func $print (param i32 i32 i32 i32)))
  (import "wasi:cli/environment@0.2.3" "get-environment" (func $environment (param i32)))
  (import "wasi:cli/environment@0.2.3" "get-arguments" (func $arguments (param i32)))
  (import "wasi:filesystem/preopens@0.2.3" "get-directories" (func $directories (param i32)))
  (import "wasi:sockets/tcp-create-socket@0.2.3" "create-tcp-socket" (func $tcp (param i32 i32)))
  (import "wasi:sockets/udp-create-socket@0.2.3" "create-udp-socket" (func $udp (param i32 i32)))
"#;

pub(crate) fn component(run: &str) -> Vec<u8> {
    let mut module = Source {
        imports: IMPORTS,
        run,
        ..Source::default()
    }
    .module();
    let mut resolve = Resolve::default();
    resolve
        .push_str("activity.wit", include_str!("../../../../wit/activity.wit"))
        .unwrap();
    let probe = resolve.push_str("probe.wit", WIT).unwrap();
    let world = resolve.select_world(&[probe], Some("probe")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .unwrap()
        .encode()
        .unwrap()
}

#[tokio::test]
async fn what_is_written_to_standard_error_is_in_the_log() {
    let kit = Kit::new(|_| ());
    let run = "(call $print (call $stderr) «panicked at\n'grün'\n» (i32.const 4000)) unreachable";
    let ran = kit.run(component(run), "{}").await;
    assert_eq!(messages(&ran.log), ["panicked at", "'grün'"]);
    assert_eq!(ran.log[0].level, LogLevel::Warn);
    let told = failure(ran);
    assert_eq!((told.class, told.last_log.len()), (FailureClass::Trap, 2));
}

#[tokio::test]
async fn a_guest_may_ask_for_the_time_and_for_numbers() {
    let kit = Kit::new(|_| ());
    let run = "(call $now (i32.const 4000))
        (if (i64.eqz (i64.load (i32.const 4000))) (then unreachable))
        (if (i64.eq (call $random) (call $random)) (then unreachable))
        (call $succeed «{}»)";
    assert_eq!(
        crate::kit::outputs(&kit.run(component(run), "{}").await),
        serde_json::json!({})
    );
}

#[tokio::test]
async fn leaving_the_process_is_a_failure() {
    let told = Kit::new(|_| ())
        .failure(
            component("(call $exit (i32.const 0)) (call $succeed «{}»)"),
            "{}",
        )
        .await;
    assert_eq!(told.class, FailureClass::Trap);
    assert!(told.message.contains("code 0"), "{told}");
}

#[tokio::test]
async fn nothing_is_behind_files_sockets_and_variables() {
    let kit = Kit::new(|_| ());
    // The length of each list is behind its address; of each result, the error is `access-denied`.
    let run =
        "(call $environment (i32.const 4000)) (if (i32.load (i32.const 4004)) (then unreachable))
        (call $arguments (i32.const 4000)) (if (i32.load (i32.const 4004)) (then unreachable))
        (call $directories (i32.const 4000)) (if (i32.load (i32.const 4004)) (then unreachable))
        (call $tcp (i32.const 0) (i32.const 4000))
        (if (i32.eqz (i32.load8_u (i32.const 4000))) (then unreachable))
        (if (i32.ne (i32.load8_u (i32.const 4004)) (i32.const 1)) (then unreachable))
        (call $udp (i32.const 1) (i32.const 4000))
        (if (i32.eqz (i32.load8_u (i32.const 4000))) (then unreachable))
        (if (i32.ne (i32.load8_u (i32.const 4004)) (i32.const 1)) (then unreachable))
        (call $succeed «{}»)";
    assert_eq!(
        crate::kit::outputs(&kit.run(component(run), "{}").await),
        serde_json::json!({})
    );
}
