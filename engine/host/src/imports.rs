//! What the host does for a guest: one file per interface of the contract, and one for `wasi:http`.

mod evidence;
mod http;
mod log;
mod progress;
mod secrets;
mod wasi_http;

pub(crate) use wasi_http::{Http, add_to_linker as add_wasi_http_to_linker};
