//! `/ledger`: what is deployed where.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use fermata_service::records::LedgerEntry;

use crate::http::Api;
use crate::http::actor::Reader;
use crate::http::dto::Page;
use crate::http::dto::event::LedgerBody;
use crate::http::dto::query::{LedgerParams, PageParams};
use crate::http::extract::{At, Params};
use crate::http::page;
use crate::http::problem::Problem;

/// List what is deployed where, as activities recorded it, by environment and service.
#[utoipa::path(
    get, path = "/ledger", tag = "ledger", operation_id = "getLedger",
    params(LedgerParams),
    responses((status = 200, body = Page<LedgerBody>, description = "One page")),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    uri: Uri,
    Params(params): Params<LedgerParams>,
) -> Result<Response, Problem> {
    let page = page::page(params.limit, params.cursor)?;
    let paged = api
        .service
        .ledger(params.environment, params.service, page)
        .await?;
    let items: Vec<LedgerBody> = paged.items.into_iter().map(body).collect();
    Ok(page::answer(&uri, items, paged.next))
}

/// List what was ever deployed of a service in an environment, newest first.
#[utoipa::path(
    get, path = "/ledger/{environment}/{service}", tag = "ledger", operation_id = "getLedgerHistory",
    params(
        ("environment" = String, Path, description = "Where"),
        ("service" = String, Path, description = "What"),
        PageParams,
    ),
    responses((status = 200, body = Page<LedgerBody>, description = "One page")),
)]
pub(crate) async fn history(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At((environment, service)): At<(String, String)>,
    uri: Uri,
    Params(params): Params<PageParams>,
) -> Result<Response, Problem> {
    let page = page::of(params)?;
    let history = api.service.ledger_history(&environment, &service, page);
    let paged = history.await?;
    let items: Vec<LedgerBody> = paged.items.into_iter().map(body).collect();
    Ok(page::answer(&uri, items, paged.next))
}

fn body(entry: LedgerEntry) -> LedgerBody {
    LedgerBody {
        environment: entry.environment,
        service: entry.service,
        version: entry.version,
        replaced: entry.replaced,
        release: entry.release.to_string(),
        process: format!("{}@{}", entry.process.name, entry.process.version),
        activity: entry.activity,
        at: entry.at.to_string(),
        fact: entry.fact.value(),
    }
}
