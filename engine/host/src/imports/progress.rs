//! `fermata:activity/progress`: how far a run is.

use fermata_core::attempt::Progress;
use fermata_core::limits::TEXT_BYTES_MAX;
use fermata_core::time::Span;

use crate::guest::Context;
use crate::guest::fermata::activity::progress::Host;

/// Shortest time between two reports that are passed on: people do not read faster.
const BETWEEN: Span = Span(100);
/// All of it, in percent.
const WHOLE: u8 = 100;

impl Host for Context {
    fn report(&mut self, percent: Option<u8>, message: String) -> wasmtime::Result<()> {
        let now = self.now();
        if self
            .progress_at
            .is_some_and(|last| now.since(last) < BETWEEN)
        {
            return Ok(());
        }
        self.progress_at = Some(now);
        let mut message = self.held.redact(message);
        message.truncate(message.floor_char_boundary(TEXT_BYTES_MAX));
        (self.progress)(Progress {
            percent: percent.map(|percent| percent.min(WHOLE)),
            message,
        });
        Ok(())
    }
}
