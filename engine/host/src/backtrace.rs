//! The back-trace of a guest, as its author would write it: innermost frame first.

use wasmtime::WasmBacktrace;

/// Frames that a person reads.
const FRAMES_MAX: usize = 20;
/// Of one frame, as much as fits on a line or two: generic names grow without bound.
const FRAME_BYTES_MAX: usize = 300;
/// Frames that a Rust guest has above its own when it panics or runs out of memory, and that say nothing about it.
const NOISE: [&str; 10] = [
    "__rust_",
    "alloc::alloc::handle_alloc_error",
    "alloc::raw_vec::",
    "core::panicking::",
    "rust_begin_unwind",
    "rust_panic",
    "std::alloc::",
    "std::panicking::",
    "std::process::abort",
    "std::sys::",
];

/// One line for each frame: the function, and its place if the component has debug information.
pub(crate) fn lines(trace: &WasmBacktrace) -> Vec<String> {
    // Only the text of a trace has demangled names.
    parse(&trace.to_string())
}

fn parse(text: &str) -> Vec<String> {
    let mut frames: Vec<String> = Vec::new();
    let mut noise = false;
    for line in text.lines().skip(1).map(str::trim) {
        if let Some(place) = line.strip_prefix("at ") {
            if let Some(frame) = frames.last_mut().filter(|_| !noise) {
                frame.push_str(" (");
                frame.push_str(&place[..place.floor_char_boundary(FRAME_BYTES_MAX)]);
                frame.push(')');
            }
        } else if let Some(name) = name(line) {
            noise = NOISE.iter().any(|noise| name.contains(noise));
            if !noise {
                frames.push(name[..name.floor_char_boundary(FRAME_BYTES_MAX)].to_owned());
            }
        }
    }
    fold(&frames)
}

/// Recursion as one line.
fn fold(frames: &[String]) -> Vec<String> {
    let runs = frames.chunk_by(|one, other| one == other);
    let lines = runs.map(|run| match run.len() {
        1 => run[0].clone(),
        times => format!("{} ({times} times)", run[0]),
    });
    lines.take(FRAMES_MAX).collect()
}

/// The name in `12: 0x1a2b - module!function` or `- inlined function`.
fn name(line: &str) -> Option<String> {
    let (before, name) = line.split_once("- ")?;
    let numbered = before
        .split_once(": ")
        .is_some_and(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()));
    // Most components have one module, whose name is that of a file. What is inlined has none, but may have a type `!`.
    let function = match name.split_once('!') {
        Some((_, function)) if numbered => function,
        _ => name,
    };
    (before.is_empty() || numbered).then(|| without_hashes(function))
}

/// Digits of the hashes that the Rust compiler adds to names.
const HASH_DIGITS: usize = 16;

/// The name without `::h0123456789abcdef` at its end and without `[0123456789abcdef]` after names of crates.
fn without_hashes(name: &str) -> String {
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = match name.rsplit_once("::h") {
        Some((rest, hash)) if hash.len() == HASH_DIGITS && hex(hash) => rest,
        _ => name,
    };
    let mut parts = name.split('[');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(']') {
            Some((hash, rest)) if (1..=HASH_DIGITS).contains(&hash.len()) && hex(hash) => {
                plain.push_str(rest);
            }
            _ => {
                plain.push('[');
                plain.push_str(part);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_names_and_places_and_no_noise() {
        let text = "error while executing at wasm backtrace:\n    0:   0x3f - deploy.wasm!core[d1c63229f60ee951]::panicking::panic_fmt\n    \
            at /rustc/library/core/src/panicking.rs:75:14\n    1:   0x1f - deploy.wasm!deploy[98dcf28e5e2d3ba1]::wait::h0123456789abcdef\n                    \
            at src/lib.rs:12:3\n                - deploy::poll\n                    at src/lib.rs:20:1\n    \
                - deploy::never::<core::ops::Fn, !>\n                    at src/lib.rs:21:1\n    \
            2:  0x100 - <unknown>!<wasm function 7>\n    3:  0x110 - deploy.wasm!std::process::abort\n";
        assert_eq!(
            parse(text),
            [
                "deploy::wait (src/lib.rs:12:3)",
                "deploy::poll (src/lib.rs:20:1)",
                "deploy::never::<core::ops::Fn, !> (src/lib.rs:21:1)",
                "<wasm function 7>"
            ]
        );
    }

    #[test]
    fn slices_and_arrays_in_names_stay() {
        for name in ["<[u8] as Debug>::fmt", "f::<[u8; 4]>", "f["] {
            assert_eq!(without_hashes(name), name);
        }
    }

    #[test]
    fn a_deep_trace_is_folded_and_cut() {
        let deep = "  0: 0x1 - m!deeper\n".repeat(60);
        assert_eq!(
            parse(&format!("error:\n{deep}  1: 0x1 - m!run\n")),
            ["deeper (60 times)", "run"]
        );
        let pair = format!("  0: 0x1 - m!{}\n  1: 0x2 - m!b\n", "é".repeat(500));
        let lines = parse(&format!("error:\n{}", pair.repeat(99)));
        assert_eq!(lines.len(), FRAMES_MAX);
        assert!(lines.iter().all(|line| line.len() <= FRAME_BYTES_MAX));
    }
}
