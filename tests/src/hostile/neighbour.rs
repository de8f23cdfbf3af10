//! The neighbour: runs an activity that does nothing, again and again, and notes how long each run took.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use fermata_core::attempt::Outcome;
use fermata_core::component::{Grants, Pin};
use fermata_host::Sandbox;
use tokio::task::JoinHandle;

use crate::bench::sandbox::invocation;

/// Pause between two runs: a neighbour that is seldom idle and never busy.
const PAUSE: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(crate) struct Neighbour {
    taken: Arc<Mutex<Vec<Duration>>>,
    task: JoinHandle<Result<()>>,
}

impl Neighbour {
    pub(crate) fn start(sandbox: Sandbox, pin: Pin) -> Self {
        let taken: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let noted = Arc::clone(&taken);
        let task = tokio::spawn(async move {
            loop {
                let began = Instant::now();
                let run = invocation(&pin)?;
                let ran = sandbox
                    .run(run, Arc::new(Grants::default()), Arc::new(|_| ()))
                    .await;
                let outcome = &ran.report.outcome;
                ensure!(
                    matches!(outcome, Outcome::Succeeded(_)),
                    "the neighbour failed: {outcome:?}"
                );
                lock(&noted).push(began.elapsed());
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self { taken, task }
    }

    /// Waits for so many more runs, and gives all since the last time.
    pub(crate) async fn after(&mut self, more: usize) -> Result<Vec<Duration>> {
        let taken = Arc::clone(&self.taken);
        let count = || lock(&taken).len();
        let wanted = count() + more;
        while count() < wanted {
            if self.task.is_finished() {
                (&mut self.task).await??;
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(std::mem::take(&mut lock(&self.taken)))
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(taken: &Mutex<Vec<Duration>>) -> MutexGuard<'_, Vec<Duration>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}
