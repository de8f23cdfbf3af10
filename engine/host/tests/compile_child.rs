//! Compilation in a process of its own. This program is both the test and the compiling process.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]
#![expect(
    clippy::format_collect,
    clippy::format_push_string,
    reason = "guests are put together once, and their text is small"
)]

#[path = "sandbox/kit.rs"]
#[expect(dead_code, reason = "these tests need only a part of the kit")]
mod kit;
#[path = "sandbox/source.rs"]
mod source;

use std::process::ExitCode;

use fermata_core::time::Span;
use fermata_host::{AdmitError, Compiler, Limits, Rejection, compile_child_main};

use kit::{Kit, outputs};
use source::{SUCCEED, Source, guest};

/// The argument that makes this program the compiling process.
const CHILD: &str = "compile-child";
/// The name under which test runners know the one test in here.
const NAME: &str = "components_are_compiled_in_a_process_of_their_own";

#[expect(clippy::print_stdout, reason = "test runners ask on standard output")]
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let has = |arg: &str| args.iter().any(|given| given == arg);
    if has(CHILD) {
        return compile_child_main();
    }
    if has("--list") {
        if !has("--ignored") {
            println!("{NAME}: test");
        }
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        the_code_runs().await;
        limits_hold().await;
        what_the_child_says_is_told().await;
    });
    ExitCode::SUCCESS
}

fn compiled_by(program: impl Into<std::path::PathBuf>, change: impl FnOnce(&mut Limits)) -> Kit {
    let compiler = Compiler::Child {
        program: program.into(),
        args: vec![CHILD.into()],
    };
    Kit::new(|config| {
        config.compiler = compiler;
        change(&mut config.limits);
    })
}

fn this_program(change: impl FnOnce(&mut Limits)) -> Kit {
    compiled_by(std::env::current_exe().unwrap(), change)
}

async fn the_code_runs() {
    let ran = this_program(|_| ())
        .run(Source::default().module(), "{}")
        .await;
    assert_eq!(outputs(&ran), serde_json::json!({}));
}

async fn limits_hold() {
    let limit = |rejection| match rejection {
        Rejection::CompileLimit { limit, .. } => limit,
        other => panic!("{other}"),
    };
    let wasm = || guest(SUCCEED);
    let kit = this_program(|limits| limits.compile_memory_bytes = 16 * 1024 * 1024);
    assert_eq!(limit(kit.rejection(wasm()).await), "compile-memory");
    let kit = this_program(|limits| limits.compile_wall = Span(1));
    assert_eq!(limit(kit.rejection(wasm()).await), "compile-wall");
    let kit = this_program(|limits| limits.native_bytes = 1_000);
    assert_eq!(limit(kit.rejection(wasm()).await), "native");
    // A child that reads nothing and writes without end.
    let kit = compiled_by("/usr/bin/yes", |limits| limits.native_bytes = 1_000);
    assert_eq!(limit(kit.rejection(wasm()).await), "native");
}

async fn what_the_child_says_is_told() {
    let kit = compiled_by("/bin/ls", |_| ());
    match kit
        .sandbox
        .admit(Source::default().module())
        .await
        .unwrap_err()
    {
        AdmitError::Failed(error) => assert!(error.to_string().contains(CHILD), "{error}"),
        AdmitError::Rejected(rejection) => panic!("{rejection}"),
    }
}
