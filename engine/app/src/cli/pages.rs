//! Lists that the server gives page by page.

use serde_json::{Value, json};

use super::error::Error;
use crate::client::{Call, Client};

/// Most entries the server gives at a time.
const PAGE_MAX: usize = 1_000;
/// Most entries that are read of lists that have no `--limit`.
pub(super) const ALL: usize = 10_000;

/// Reads the list at `path` up to `limit` entries; `next_cursor` tells that there are more.
pub(super) async fn read(
    client: &Client,
    path: &[&str],
    filters: &[(&'static str, Option<&String>)],
    limit: usize,
) -> Result<Value, Error> {
    let mut items = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let room = (limit - items.len()).min(PAGE_MAX);
        let mut call = Call::get(path)
            .query("limit", Some(room))
            .query("cursor", cursor.as_ref());
        for (name, value) in filters {
            call = call.query(name, *value);
        }
        let mut page = client.json(call).await?;
        if let Some(Value::Array(more)) = page.get_mut("items").map(Value::take) {
            items.extend(more);
        }
        let next = page.get("next_cursor").and_then(Value::as_str);
        let Some(next) = next.map(ToOwned::to_owned) else {
            return Ok(json!({ "items": items }));
        };
        // A cursor that stands still would have us read for ever.
        if items.len() >= limit || cursor.as_ref() == Some(&next) {
            return Ok(json!({ "items": items, "next_cursor": next }));
        }
        cursor = Some(next);
    }
}
