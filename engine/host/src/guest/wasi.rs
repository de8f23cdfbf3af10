//! The part of WASI 0.2 that an activity has: clocks, random numbers, and lines that end up in its log.
//!
//! The rest is there, since the runtimes of some languages insist on it, and empty: no file can be opened, no socket
//! made, no name looked up, and there are neither variables nor arguments.

use std::sync::Arc;

use fermata_core::attempt::LogLevel;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::p2::add_to_linker_async;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::WasiHttpCtxView;

use crate::guest::Context;
use crate::imports::Http;
use crate::limits::length;

/// Live streams and pollables of one run, on the host's side.
const RESOURCES_MAX: usize = 10_000;
/// Random bytes in one call: seeds are short.
const RANDOM_BYTES_MAX: u64 = 64 * 1024;

/// WASI for one run: made when the guest first asks for it, since most never do.
pub(crate) struct Wasi {
    context: WasiCtx,
    http: Option<Http>,
    table: ResourceTable,
    stdout: MemoryOutputPipe,
    stderr: MemoryOutputPipe,
}

impl Wasi {
    fn new(output_bytes: usize) -> Self {
        let stdout = MemoryOutputPipe::new(output_bytes);
        let stderr = MemoryOutputPipe::new(output_bytes);
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        // Nothing of the host: no files, arguments, variables or sockets.
        let context = WasiCtx::builder()
            .stdout(stdout.clone())
            .stderr(stderr.clone())
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(RANDOM_BYTES_MAX)
            .build();
        Self {
            context,
            http: None,
            table,
            stdout,
            stderr,
        }
    }

    /// Hands out what was written, line by line.
    pub(crate) fn drain(&mut self, mut line: impl FnMut(LogLevel, String)) {
        for (pipe, level) in [
            (&self.stdout, LogLevel::Info),
            (&self.stderr, LogLevel::Warn),
        ] {
            let contents = pipe.contents();
            String::from_utf8_lossy(&contents)
                .lines()
                .for_each(|text| line(level, text.to_owned()));
        }
    }
}

impl Context {
    fn wasi(&mut self) -> &mut Wasi {
        let output_bytes = length(self.shared.limits.log_bytes);
        self.wasi
            .get_or_insert_with(|| Box::new(Wasi::new(output_bytes)))
    }

    /// What is behind `wasi:http`. Its resources are larger than all others, so there are fewer from then on.
    pub(crate) fn wasi_http(&mut self) -> WasiHttpCtxView<'_> {
        let calls = Arc::clone(&self.calls);
        let resources = length(self.shared.limits.http_resources);
        let wasi = self.wasi();
        wasi.table.set_max_capacity(resources);
        let http = wasi.http.get_or_insert_with(|| Http::new(calls));
        WasiHttpCtxView {
            hooks: &mut http.hooks,
            table: &mut wasi.table,
            ctx: &mut http.context,
        }
    }

    /// Whether the guest used `wasi:http`.
    pub(crate) fn used_wasi_http(&self) -> bool {
        self.wasi.as_ref().is_some_and(|wasi| wasi.http.is_some())
    }
}

impl WasiView for Context {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi();
        WasiCtxView {
            ctx: &mut wasi.context,
            table: &mut wasi.table,
        }
    }
}

/// Adds all of it: which interfaces a component may import, the contract says, and what is behind them, [`Wasi::new`].
pub(crate) fn add_to_linker(linker: &mut Linker<Context>) -> wasmtime::Result<()> {
    add_to_linker_async(linker)
}
