//! The sandbox against guests that behave and guests that do not.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]
#![expect(
    clippy::format_collect,
    clippy::format_push_string,
    reason = "guests are put together once, and their text is small"
)]
#![expect(
    clippy::too_many_lines,
    reason = "a table of cases is one thing however long it is"
)]

mod admission;
mod cache;
mod calls;
mod ends;
mod kit;
mod limits;
mod preview1;
mod recordings;
mod server;
mod source;
mod undo;
mod wasi;
mod wasi_http;
mod wasi_http_source;
mod worlds;
