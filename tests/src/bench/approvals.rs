//! People approve as fast as the server takes it.

use std::time::Instant;

use anyhow::Result;
use futures::future::try_join_all;
use serde_json::json;

use crate::api::Api;
use crate::bench::figure::Figure;
use crate::server::{Server, example};

/// Clients that start releases and approve them.
const CLIENTS: usize = 64;
/// Releases that wait for each of them.
const WAITING_EACH: usize = 150;

/// Approvals per second through the API, each answered when it is on disk.
pub async fn measure() -> Result<Vec<Figure>> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let api = Api::admin(&server);
    api.publish(&example("waiting")?).await?;
    let waiting = try_join_all((0..CLIENTS).map(|_| start(&api))).await?;
    let began = Instant::now();
    try_join_all(waiting.iter().map(|ids| approve(&api, ids))).await?;
    let approvals = u32::try_from(CLIENTS * WAITING_EACH)?;
    let rate = f64::from(approvals) / began.elapsed().as_secs_f64();
    Ok(vec![Figure::higher(
        "approvals.per_s",
        rate,
        "approvals/s",
        None,
    )])
}

async fn start(api: &Api) -> Result<Vec<String>> {
    let mut ids = Vec::with_capacity(WAITING_EACH);
    for _ in 0..WAITING_EACH {
        ids.push(api.start("waiting", &json!({})).await?);
    }
    Ok(ids)
}

async fn approve(api: &Api, ids: &[String]) -> Result<()> {
    let action = json!({ "action": "approve", "activity": "decision/decide" });
    for id in ids {
        api.act(id, &action).await?.ok()?;
    }
    Ok(())
}
