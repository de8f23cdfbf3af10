//! Core modules whose language runtime stands on WASI preview 1, which our own adapter answers.

use fermata_core::attempt::LogLevel;
use fermata_core::failure::FailureClass;
use fermata_host::Rejection;
use serde_json::json;

use crate::kit::{Kit, failure, messages, outputs};
use crate::source::Source;

const IMPORTS: &str = r#"
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
"#;

/// Writes a text to a file descriptor; traps unless the adapter says what `errno` says.
const PRINT: &str = "
  (func $print (param $fd i32) (param $at i32) (param $len i32) (param $errno i32)
    (i32.store (i32.const 5000) (local.get $at)) (i32.store (i32.const 5004) (local.get $len))
    (if (i32.ne (call $write (local.get $fd) (i32.const 5000) (i32.const 1) (i32.const 5008)) (local.get $errno))
      (then unreachable)))
";

fn module(more: &str, run: &str) -> Vec<u8> {
    Source {
        imports: IMPORTS,
        more: &format!("{PRINT}{more}"),
        run,
        ..Source::default()
    }
    .module()
}

#[tokio::test]
async fn what_is_written_in_pieces_is_a_line_of_the_log() {
    let run = "(call $print (i32.const 2) «panic: gr» (i32.const 0)) (call $print (i32.const 2) «ün\n» (i32.const 0))
        (call $print (i32.const 1) «out» (i32.const 0)) (call $print (i32.const 3) «file» (i32.const 8))
        unreachable";
    let ran = Kit::new(|_| ()).run(module("", run), "{}").await;
    assert_eq!(messages(&ran.log), ["out", "panic: grün"]);
    assert_eq!(ran.log[1].level, LogLevel::Warn);
    assert_eq!(failure(ran).class, FailureClass::Trap);
}

#[tokio::test]
async fn much_that_is_written_at_once_is_whole_and_nothing_of_the_guests_is_lost() {
    let long = "ä".repeat(5_000);
    let run = format!(
        "(i64.store (i32.const 0) (i64.const 7)) (i64.store (i32.const 8) (i64.const 9))
        (call $print (i32.const 1) «{long}» (i32.const 0))
        (drop (call $time (i32.const 0) (i64.const 0) (i32.const 4000)))
        (if (i64.ne (i64.load (i32.const 0)) (i64.const 7)) (then unreachable))
        (if (i64.ne (i64.load (i32.const 8)) (i64.const 9)) (then unreachable))
        (call $succeed «{{}}»)"
    );
    let ran = Kit::new(|_| ()).run(module("", &run), "{}").await;
    assert_eq!(outputs(&ran), json!({}));
    assert_eq!(messages(&ran.log), [long]);
}

#[tokio::test]
async fn the_clock_starts_right_and_moves_on_and_numbers_differ() {
    // Nanoseconds of a day in 2023: whoever runs this lives later.
    let run = "(drop (call $time (i32.const 0) (i64.const 0) (i32.const 4000)))
        (drop (call $time (i32.const 1) (i64.const 0) (i32.const 4008)))
        (if (i64.lt_u (i64.load (i32.const 4000)) (i64.const 1700000000000000000)) (then unreachable))
        (if (i64.le_u (i64.load (i32.const 4008)) (i64.load (i32.const 4000))) (then unreachable))
        (drop (call $random (i32.const 4016) (i32.const 16)))
        (if (i64.eq (i64.load (i32.const 4016)) (i64.load (i32.const 4024))) (then unreachable))
        (call $succeed «{}»)";
    let ran = Kit::new(|_| ()).run(module("", run), "{}").await;
    assert_eq!(outputs(&ran), json!({}));
}

#[tokio::test]
async fn what_a_guest_says_before_it_cannot_describe_itself_is_told() {
    let start = "(export \"_initialize\" (func $start))
        (func $start (call $print (i32.const 2) «no module named x\n» (i32.const 0)) unreachable)";
    let rejection = Kit::new(|_| ())
        .rejection(module(start, "(call $succeed «{}»)"))
        .await;
    let Rejection::DescribeFailed { reason } = rejection else {
        panic!("{rejection}");
    };
    assert!(reason.contains("no module named x"), "{reason}");
}
