//! Guests that use the part of WASI that an activity has.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::hostile::source::Source;

/// The interfaces that these guests import, as far as they use them.
const WIT: &str = r"
package probe:probe;
world probe {
  import wasi:random/random@0.2.3;
  import wasi:clocks/monotonic-clock@0.2.3;
  import wasi:cli/stdout@0.2.3;
  include fermata:activity/activity@0.1.0;
}
package wasi:random@0.2.3 { interface random { get-random-bytes: func(len: u64) -> list<u8>; } }
package wasi:clocks@0.2.3 {
  interface monotonic-clock {
    use wasi:io/poll@0.2.3.{pollable};
    subscribe-duration: func(when: u64) -> pollable;
  }
}
package wasi:io@0.2.3 {
  interface poll { resource pollable { block: func(); } }
  interface error { resource error; }
  interface streams {
    use error.{error};
    variant stream-error { last-operation-failed(error), closed }
    resource output-stream { blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>; }
  }
}
package wasi:cli@0.2.3 {
  interface stdout { use wasi:io/streams@0.2.3.{output-stream}; get-stdout: func() -> output-stream; }
}
";

const IMPORTS: &str = r#"
  (import "wasi:random/random@0.2.3" "get-random-bytes" (func $random (param i64 i32)))
  (import "wasi:clocks/monotonic-clock@0.2.3" "subscribe-duration" (func $after (param i64) (result i32)))
  (import "wasi:io/poll@0.2.3" "[method]pollable.block" (func $block (param i32)))
  (import "wasi:cli/stdout@0.2.3" "get-stdout" (func $stdout (result i32)))
  (import "wasi:io/streams@0.2.3" "[method]output-stream.blocking-write-and-flush"
    (func $print (param i32 i32 i32 i32)))
"#;

/// A component whose `run` has this body.
pub(crate) fn component(run: &str) -> Vec<u8> {
    let source = Source {
        imports: IMPORTS,
        run,
        ..Source::default()
    };
    let mut module = source.module();
    let mut resolve = Resolve::default();
    let contract = include_str!("../../../wit/activity.wit");
    let why = "our own WIT is valid";
    resolve.push_str("activity.wit", contract).expect(why);
    let probe = resolve.push_str("probe.wit", WIT).expect(why);
    let world = resolve.select_world(&[probe], Some("probe")).expect(why);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect(why);
    let encoder = ComponentEncoder::default().module(&module).expect(why);
    encoder.validate(true).encode().expect(why)
}
