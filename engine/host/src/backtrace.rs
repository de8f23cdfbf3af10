//! The back-trace of a guest, as its author would write it: innermost frame first.

use wasmtime::WasmBacktrace;

/// Frames that a person reads.
const FRAMES_MAX: usize = 20;
/// Of one frame, as much as fits on a line or two: generic names grow without bound.
const FRAME_BYTES_MAX: usize = 300;
/// Frames that every Rust guest has above its own and that say nothing about it.
const NOISE: [&str; 6] = [
    "core::panicking::",
    "std::panicking::",
    "std::sys::",
    "rust_begin_unwind",
    "__rust_",
    "rust_panic",
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
    frames.truncate(FRAMES_MAX);
    frames
}

/// The name in `12: 0x1a2b - module!function` or `- inlined function`.
fn name(line: &str) -> Option<&str> {
    let (before, name) = line.split_once("- ")?;
    let numbered = before
        .split_once(": ")
        .is_some_and(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()));
    (before.is_empty() || numbered)
        .then(|| without_hash(name.strip_prefix("<unknown>!").unwrap_or(name)))
}

/// The name without the hash that the Rust compiler adds: `deploy::wait::h0123456789abcdef`.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((rest, hash))
            if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            rest
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_names_and_places_and_no_noise() {
        let text = "error while executing at wasm backtrace:\n    0:   0x3f - core::panicking::panic_fmt\n    \
            at /rustc/library/core/src/panicking.rs:75:14\n    1:   0x1f - deploy::wait::h0123456789abcdef\n                    \
            at src/lib.rs:12:3\n                - deploy::poll\n                    at src/lib.rs:20:1\n    \
            2:  0x100 - <unknown>!<wasm function 7>\n";
        assert_eq!(
            parse(text),
            [
                "deploy::wait (src/lib.rs:12:3)",
                "deploy::poll (src/lib.rs:20:1)",
                "<wasm function 7>"
            ]
        );
    }

    #[test]
    fn a_deep_trace_is_cut() {
        let frames = format!("  0: 0x1 - m!{}\n", "é".repeat(500)).repeat(99);
        let lines = parse(&format!("error:\n{frames}"));
        assert_eq!(lines.len(), FRAMES_MAX);
        assert!(lines.iter().all(|line| line.len() <= FRAME_BYTES_MAX));
    }
}
