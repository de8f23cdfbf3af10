//! Attacks on processor time, memory and everything else that there is a finite amount of.

use crate::hostile::attack::{Attack, HOST_MIB, Step};
use crate::hostile::source::{Source, guest};
use crate::hostile::wasi;

pub(crate) fn attacks() -> Vec<Attack> {
    let mut attacks = computing();
    attacks.extend(growing());
    attacks.extend(flooding());
    attacks.extend(waiting());
    attacks
}

fn computing() -> Vec<Attack> {
    vec![
        Attack::new("endless-loop", "never returns and never calls", |_| {
            one(guest("(loop $again (br $again)) unreachable"), "limit cpu")
        })
        .copies(8),
        Attack::new("endless-bulk", "fills 32 MiB again and again, without a loop between", |_| {
            let run = "(drop (memory.grow (i32.const 512)))
                (loop $again (memory.fill (i32.const 65536) (i32.const 1) (i32.const 33000000)) (br $again)) unreachable";
            one(guest(run), "limit cpu")
        })
        .copies(4),
        Attack::new("endless-calls", "calls the host without end", |_| {
            let run = "(loop $again (call $log (i32.const 1) «x») (br $again)) unreachable";
            one(guest(run), "limit cpu")
        })
        .copies(4),
        Attack::new("deep-recursion", "calls itself until the stack ends", |_| {
            let more = "(func $deeper (param i32) (result i32)
                (i32.add (call $deeper (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))";
            let run = "(drop (call $deeper (i32.const 0))) (call $succeed «{}»)";
            one(Source { more, run, ..Source::default() }.module(), "limit stack")
        })
        .copies(4),
        Attack::new("start-spins", "spins before it is ever called", |_| {
            let more = "(func $spin (loop $again (br $again))) (start $spin)";
            one(Source { more, ..Source::default() }.module(), "describe-failed")
        })
        .copies(4),
    ]
}

fn growing() -> Vec<Attack> {
    vec![
        Attack::new("memory-bomb", "takes and touches all the memory it gets", |_| {
            let run = "(local $at i32)
                (loop $more
                  (local.set $at (i32.mul (memory.grow (i32.const 16)) (i32.const 65536)))
                  (if (i32.eq (local.get $at) (i32.const -65536)) (then unreachable))
                  (memory.fill (local.get $at) (i32.const 1) (i32.const 1048576)) (br $more)) unreachable";
            one(guest(run), "limit memory")
        })
        .copies(4),
        Attack::new("table-bomb", "grows a table without end", |_| {
            let more = "(table $t 1 funcref)";
            let run = "(loop $more (br_if $more (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1))))
                unreachable";
            one(Source { more, run, ..Source::default() }.module(), "limit tables")
        }),
        Attack::new("instance-bomb", "is made of 900 instances, or of 90 memories", |_| {
            let made_of = |inner: &str, times: usize| {
                let instances = "(core instance (instantiate $m))".repeat(times);
                let wat = format!(
                    r#"(component (core module $m {inner}) {instances}
                      (instance $i) (export "fermata:activity/run@0.1.0" (instance $i)))"#
                );
                wat::parse_str(wat).expect("our own WAT is valid")
            };
            vec![
                Step::new(made_of("", 900), "compile-limit instances").what("900 instances"),
                Step::new(made_of("(memory 1)", 90), "compile-limit instances").what("90 memories"),
            ]
        }),
        Attack::new("handle-bomb", "opens handles and never closes them", |_| {
            let streams = "(loop $more (drop (call $stdout)) (br $more)) unreachable";
            let pollables = "(loop $more (drop (call $after (i64.const 1))) (br $more)) unreachable";
            vec![
                Step::new(wasi::component(streams), "limit handles").what("streams"),
                Step::new(wasi::component(pollables), "limit handles").what("pollables"),
            ]
        }),
        Attack::new("host-call-bomb", "hands the host 40 MiB in one call", |_| {
            let run = "(drop (memory.grow (i32.const 700)))
                (call $log (i32.const 1) (i32.const 0) (i32.const 41943040)) (call $succeed «{}»)";
            one(guest(run), "limit host-call")
        })
        .copies(4),
        Attack::new("random-bomb", "asks for 2^60 random bytes", |_| {
            let run = "(call $random (i64.const 1152921504606846976) (i32.const 4000)) (call $succeed «{}»)";
            one(wasi::component(run), "contract")
        }),
    ]
}

fn flooding() -> Vec<Attack> {
    vec![
        Attack::new("log-flood", "logs 20,000 lines of 1,000 bytes", |_| {
            let line = "(memory.fill (i32.const 100000) (i32.const 0x78) (i32.const 1000))
                (call $log (i32.const 1) (i32.const 100000) (i32.const 1000))";
            one(guest(&times(20_000, line)), "succeeded")
        })
        .copies(2),
        Attack::new("long-log-line", "logs one line of 12 MiB", |_| {
            let run = "(drop (memory.grow (i32.const 200)))
                (memory.fill (i32.const 100000) (i32.const 0x78) (i32.const 12582912))
                (call $log (i32.const 1) (i32.const 100000) (i32.const 12582912)) (call $succeed «{}»)";
            one(guest(run), "succeeded")
        })
        .copies(2),
        Attack::new("output-stream-flood", "writes to its standard output without end", |_| {
            let run = "(loop $again (call $print (call $stdout) (i32.const 65536) (i32.const 4096) (i32.const 4000))
                (br_if $again (i32.eqz (i32.load8_u (i32.const 4000))))) (call $succeed «{}»)";
            one(wasi::component(run), "succeeded")
        }),
        Attack::new("progress-flood", "reports its progress 20,000 times", |_| {
            one(guest(&times(20_000, "(call $report (i32.const 1) (i32.const 7) «still here»)")), "succeeded")
        }),
        Attack::new("evidence-flood", "records 2,000 facts", |_| {
            let run = times(2_000, r#"(call $record «link» «{"a":1}» (i32.const 3000))"#);
            one(guest(&run), "succeeded")
        }),
    ]
}

fn waiting() -> Vec<Attack> {
    vec![
        Attack::new("sleepers", "48 guests that sleep for an hour", |_| {
            let run = "(call $block (call $after (i64.const 3600000000000))) (call $succeed «{}»)";
            let step = Step::new(wasi::component(run), "limit wall");
            vec![step.wall_ms(500)]
        })
        .copies(48)
        .memory_mib(HOST_MIB + 256),
        Attack::new("busy-waiters", "wait for nothing, again and again", |_| {
            let run =
                "(loop $again (call $block (call $after (i64.const 0))) (br $again)) unreachable";
            one(wasi::component(run), "limit handles")
        })
        .copies(4),
        Attack::new(
            "suspends-for-ever",
            "asks to be resumed after half a billion years",
            |_| {
                let run = "(drop (call $suspend «x» (i32.const 0)))
                (i64.store (i32.const 1056) (i64.const -1)) (i32.const 1024)";
                one(guest(run), "pending")
            },
        ),
    ]
}

fn one(upload: Vec<u8>, expected: &'static str) -> Vec<Step> {
    vec![Step::new(upload, expected)]
}

/// A `run` that does something so many times and succeeds.
fn times(count: u32, what: &str) -> String {
    format!(
        "(local $n i32)
        (loop $again {what} (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $n) (i32.const {count}))))
        (call $succeed «{{}}»)"
    )
}
