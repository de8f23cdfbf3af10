//! Every attack of the catalogue gets its answer, and neither the host nor its neighbour suffers.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

use fermata_tests::hostile::catalogue;
use fermata_tests::hostile::verdict::{Pace, make};

fn check(name: &str) {
    let attacks = catalogue();
    let attack = attacks.iter().find(|attack| attack.name == name).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let verdict = runtime.block_on(make(attack, Pace::ONCE)).unwrap();
    assert!(verdict.wrong.is_empty(), "{name}: {:#?}", verdict.wrong);
}

/// One test for each attack, so that each has a process and a line of its own.
macro_rules! attacks {
    ($($test:ident = $name:literal,)*) => {
        $(#[test] fn $test() { check($name); })*
        const TESTED: &[&str] = &[$($name),*];
    };
}

attacks! {
    endless_loop = "endless-loop",
    endless_bulk = "endless-bulk",
    endless_calls = "endless-calls",
    deep_recursion = "deep-recursion",
    start_spins = "start-spins",
    memory_bomb = "memory-bomb",
    table_bomb = "table-bomb",
    instance_bomb = "instance-bomb",
    handle_bomb = "handle-bomb",
    host_call_bomb = "host-call-bomb",
    random_bomb = "random-bomb",
    log_flood = "log-flood",
    long_log_line = "long-log-line",
    output_stream_flood = "output-stream-flood",
    progress_flood = "progress-flood",
    evidence_flood = "evidence-flood",
    sleepers = "sleepers",
    busy_waiters = "busy-waiters",
    suspends_for_ever = "suspends-for-ever",
    huge_output = "huge-output",
    huge_checkpoint = "huge-checkpoint",
    huge_failure = "huge-failure",
    huge_names = "huge-names",
    invalid_json = "invalid-json",
    invalid_utf_8 = "invalid-utf-8",
    invalid_pointers = "invalid-pointers",
    schema_bomb = "schema-bomb",
    schema_grinder = "schema-grinder",
    pattern_bomb = "pattern-bomb",
    many_values = "many-values",
    slow_answers = "slow-answers",
    endless_answers = "endless-answers",
    header_bombs = "header-bombs",
    broken_answers = "broken-answers",
    call_flood = "call-flood",
    connection_flood = "connection-flood",
    request_bombs = "request-bombs",
    request_smuggling = "request-smuggling",
    wasi_http_ssrf = "wasi-http-ssrf",
    wasi_http_redirect = "wasi-http-redirect",
    wasi_http_smuggling = "wasi-http-smuggling",
    wasi_http_endless_answers = "wasi-http-endless-answers",
    wasi_http_header_bombs = "wasi-http-header-bombs",
    wasi_http_secret_echo = "wasi-http-secret-echo",
    wasi_http_call_flood = "wasi-http-call-flood",
    wasi_http_resource_bomb = "wasi-http-resource-bomb",
    wasi_http_header_flood = "wasi-http-header-flood",
    wasi_http_body_flood = "wasi-http-body-flood",
    wasi_http_hoard = "wasi-http-hoard",
    ssrf_decimal = "ssrf-decimal",
    ssrf_octal_and_hex = "ssrf-octal-and-hex",
    ssrf_ipv6 = "ssrf-ipv6",
    ssrf_letters = "ssrf-letters",
    ssrf_trailing_dot = "ssrf-trailing-dot",
    ssrf_names = "ssrf-names",
    ssrf_private_networks = "ssrf-private-networks",
    ssrf_userinfo = "ssrf-userinfo",
    ssrf_absolute_form = "ssrf-absolute-form",
    ssrf_redirect = "ssrf-redirect",
    ssrf_metadata = "ssrf-metadata",
    ssrf_rebinding = "ssrf-rebinding",
    secret_echo = "secret-echo",
    secret_left_behind = "secret-left-behind",
    secret_elsewhere = "secret-elsewhere",
    secret_denials = "secret-denials",
    broken_uploads = "broken-uploads",
    flipped_bits = "flipped-bits",
    foreign_imports = "foreign-imports",
    describe_traps = "describe-traps",
    describe_lies = "describe-lies",
    describe_calls_out = "describe-calls-out",
    sleeping_guest = "sleeping-guest",
    a_good_guest = "a-good-guest",
    a_million_exports = "a-million-exports",
    a_million_items = "a-million-items",
    a_million_functions = "a-million-functions",
    nested_components = "nested-components",
    huge_function = "huge-function",
    compile_bomb = "compile-bomb",
    locals_bomb = "locals-bomb",
    memory_from_the_start = "memory-from-the-start",
    padding = "padding",
}

#[test]
fn every_attack_of_the_catalogue_is_tested() {
    let named: Vec<_> = catalogue().iter().map(|attack| attack.name).collect();
    assert_eq!(named, TESTED);
}
