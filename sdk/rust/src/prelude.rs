//! What nearly every activity, policy and notifier uses: `use fermata_sdk::prelude::*;`.

pub use crate::{
    Activity, Attempt, Capabilities, Failure, Idempotency, Notification, Notifier, OrFail, Outcome,
    Point, Policy, Question, Retry, Undo, Verdict, evidence, http, log, pending, pending_signal,
    progress, secrets,
};
pub use schemars::JsonSchema;
pub use serde::{Deserialize, Serialize};
pub use serde_json::{Value, json};
pub use std::time::Duration;
