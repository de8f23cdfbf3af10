//! `/locks`: who holds them, who waits for them, and how many may hold them at a time.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use fermata_service::locks::{LockClaim, LockView};

use crate::http::Api;
use crate::http::actor::{Administrator, Reader};
use crate::http::dto::Page;
use crate::http::dto::lock::{CapacityBody, LockBody, LockClaimBody};
use crate::http::extract::{At, Body};
use crate::http::problem::Problem;

/// List every lock that somebody holds or waits for, or whose capacity was set.
#[utoipa::path(
    get, path = "/locks", tag = "locks", operation_id = "listLocks",
    responses((status = 200, body = Page<LockBody>, description = "All of them, by name")),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    _reader: Reader,
) -> Result<Json<Page<LockBody>>, Problem> {
    let locks = api.service.locks().await?;
    Ok(Json(Page {
        items: locks.iter().map(body).collect(),
        next_cursor: None,
    }))
}

/// Set how many may hold a lock at a time. Who holds it keeps it.
#[utoipa::path(
    put, path = "/locks/{name}", tag = "locks", operation_id = "putLock",
    params(("name" = String, Path, description = "The lock; a slash in it is written %2F")),
    request_body = CapacityBody,
    responses((status = 200, body = LockBody, description = "The lock")),
)]
pub(crate) async fn put(
    State(api): State<Arc<Api>>,
    _administrator: Administrator,
    At(name): At<String>,
    Body { value, .. }: Body<CapacityBody>,
) -> Result<Json<LockBody>, Problem> {
    let lock = api.service.set_capacity(name, value.capacity).await?;
    Ok(Json(body(&lock)))
}

fn body(lock: &LockView) -> LockBody {
    LockBody {
        name: lock.name.clone(),
        capacity: lock.capacity,
        holders: lock.holders.iter().map(claim).collect(),
        waiting: lock.waiting.iter().map(claim).collect(),
    }
}

/// A holder, or one that waits.
pub(crate) fn claim(claim: &LockClaim) -> LockClaimBody {
    LockClaimBody {
        release: claim.release.to_string(),
        process: claim.process.to_string(),
        title: claim.title.clone(),
        path: claim.path.clone(),
        since: claim.since.to_string(),
        priority: match claim.emergency {
            Some(_) => "emergency".into(),
            None => "normal".into(),
        },
        reason: claim.emergency.clone(),
    }
}
