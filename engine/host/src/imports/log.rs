//! `fermata:activity/log`: lines for people.

use fermata_core::attempt::LogLevel;

use crate::guest::Context;
use crate::guest::fermata::activity::log::{Host, Level};

impl Host for Context {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        let at = self.now();
        self.log.write(at, level, self.held.redact(message));
        Ok(())
    }
}
