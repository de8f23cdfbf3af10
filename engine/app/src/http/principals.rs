//! `/principals` and `/me`: who is in which groups.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use fermata_core::id::Name;

use crate::access::{Change, Principal};
use crate::http::actor::{Administrator, Reader};
use crate::http::dto::Page;
use crate::http::dto::access::{MeBody, PrincipalBody, PrincipalOrderBody};
use crate::http::extract::{At, Body};
use crate::http::problem::{Problem, UNKNOWN_PRINCIPAL};
use crate::http::{Api, tokens};

fn body(name: &Name, principal: &Principal) -> PrincipalBody {
    PrincipalBody {
        name: name.to_string(),
        groups: principal.groups.iter().map(ToString::to_string).collect(),
    }
}

/// Who asks: the principal, its groups, and what the token may do.
#[utoipa::path(
    get, path = "/me", tag = "access", operation_id = "getMe",
    responses((status = 200, body = MeBody, description = "Who asks")),
)]
pub(crate) async fn me(Reader(asker): Reader) -> Json<MeBody> {
    Json(MeBody::from(&asker))
}

/// List the principals, by name.
#[utoipa::path(
    get, path = "/principals", tag = "access", operation_id = "listPrincipals",
    responses((status = 200, body = Page<PrincipalBody>, description = "All principals")),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    _reader: Reader,
) -> Json<Page<PrincipalBody>> {
    let all = api.access.principals();
    Json(Page {
        items: all
            .iter()
            .map(|(name, principal)| body(name, principal))
            .collect(),
        next_cursor: None,
    })
}

/// Read a principal.
#[utoipa::path(
    get, path = "/principals/{name}", tag = "access", operation_id = "getPrincipal",
    params(("name" = String, Path, description = "The principal")),
    responses((status = 200, body = PrincipalBody, description = "The principal")),
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At(name): At<Name>,
) -> Result<Json<PrincipalBody>, Problem> {
    let principal = api.access.principal(&name);
    let principal = principal.ok_or_else(|| {
        Problem::new(
            &UNKNOWN_PRINCIPAL,
            format!("there is no principal `{name}`"),
        )
    })?;
    Ok(Json(body(&name, &principal)))
}

/// Say in which groups a principal is. Creates it if it is not known yet.
#[utoipa::path(
    put, path = "/principals/{name}", tag = "access", operation_id = "putPrincipal",
    params(("name" = String, Path, description = "The principal")),
    request_body = PrincipalOrderBody,
    responses((status = 200, body = PrincipalBody, description = "The principal as it is now")),
)]
pub(crate) async fn put(
    State(api): State<Arc<Api>>,
    _administrator: Administrator,
    At(name): At<Name>,
    Body { value: order, .. }: Body<PrincipalOrderBody>,
) -> Result<Json<PrincipalBody>, Problem> {
    let principal = tokens::groups(order.groups)?;
    let answer = body(&name, &principal);
    let _turn = api.access.administering.lock().await;
    if api.access.principal(&name).is_none() {
        tokens::bounded(&api.access)?;
    }
    let change = Change::Principal(name, principal);
    tokens::keeps_an_administrator(&api, &change)?;
    tokens::store(&api, vec![change]).await?;
    Ok(Json(answer))
}
