//! `/tokens`: who may call, and with what.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use fermata_core::time::{Span, Timestamp};

use crate::access::{
    Access, Change, ENTRIES_MAX, GROUPS_MAX, LABEL_BYTES_MAX, Principal, Role, Secret, Token,
};
use crate::http::Api;
use crate::http::actor::Administrator;
use crate::http::dto::Page;
use crate::http::dto::access::{IssuedTokenBody, TokenBody, TokenOrderBody};
use crate::http::extract::{At, Body};
use crate::http::problem::{INVALID_BODY, LAST_ADMINISTRATOR, Problem, TOO_MANY, UNKNOWN_TOKEN};

/// List the tokens, oldest first, without their secrets.
#[utoipa::path(
    get, path = "/tokens", tag = "access", operation_id = "listTokens",
    responses((status = 200, body = Page<TokenBody>, description = "All tokens")),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    _administrator: Administrator,
) -> Json<Page<TokenBody>> {
    let now = api.clock.now();
    let tokens = api.access.tokens();
    Json(Page {
        items: tokens
            .iter()
            .map(|token| TokenBody::of(token, now))
            .collect(),
        next_cursor: None,
    })
}

/// Create a token. Its secret is in the answer and nowhere else.
#[utoipa::path(
    post, path = "/tokens", tag = "access", operation_id = "createToken",
    request_body = TokenOrderBody,
    responses((status = 201, body = IssuedTokenBody, description = "The token with its secret")),
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    Administrator(asker): Administrator,
    Body { value: order, .. }: Body<TokenOrderBody>,
) -> Result<(StatusCode, Json<IssuedTokenBody>), Problem> {
    let now = api.clock.now();
    let expires_at = expiry(order.expires.as_deref(), now)?;
    if order
        .label
        .as_ref()
        .is_some_and(|label| label.len() > LABEL_BYTES_MAX)
    {
        let detail = format!("label: longer than {LABEL_BYTES_MAX} bytes");
        return Err(Problem::new(&INVALID_BODY, detail));
    }
    let secret = Secret::draw().map_err(|error| Problem::internal(&error))?;
    let token = Token {
        hash: secret.hash(),
        principal: order.principal.clone(),
        role: order.role.into(),
        label: order.label,
        created_by: asker.actor(),
        created_at: now,
        expires_at,
    };
    let about = TokenBody::of(&token, now);
    let _turn = api.access.administering.lock().await;
    bounded(&api.access)?;
    let known = api.access.principal(&order.principal);
    check_role(token.role, known.as_ref())?;
    let mut changes = vec![Change::Token(token)];
    if known.is_none() {
        changes.push(Change::Principal(order.principal, Principal::default()));
    }
    store(&api, changes).await?;
    let issued = IssuedTokenBody {
        token: secret.expose().into(),
        about,
    };
    Ok((StatusCode::CREATED, Json(issued)))
}

/// Revoke a token. It stops working at once.
#[utoipa::path(
    delete, path = "/tokens/{id}", tag = "access", operation_id = "revokeToken",
    params(("id" = String, Path, description = "Id of the token")),
    responses((status = 204, description = "It is gone")),
)]
pub(crate) async fn revoke(
    State(api): State<Arc<Api>>,
    _administrator: Administrator,
    At(id): At<String>,
) -> Result<StatusCode, Problem> {
    let _turn = api.access.administering.lock().await;
    if !api.access.tokens().iter().any(|token| token.id() == id) {
        return Err(Problem::new(
            &UNKNOWN_TOKEN,
            "there is no token with this id",
        ));
    }
    let change = Change::Revoked(id);
    keeps_an_administrator(&api, &change)?;
    store(&api, vec![change]).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn expiry(expires: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
    let Some(expires) = expires else {
        return Ok(None);
    };
    match expires.parse::<Span>() {
        Ok(span) if span.0 > 0 => Ok(Some(now.after(span))),
        Ok(_) => Err(Problem::new(
            &INVALID_BODY,
            "expires: it would have expired already",
        )),
        Err(error) => Err(Problem::new(&INVALID_BODY, format!("expires: {error}"))),
    }
}

fn check_role(role: Role, principal: Option<&Principal>) -> Result<(), Problem> {
    let admins = |principal: &Principal| {
        principal
            .groups
            .iter()
            .any(|group| group.as_str() == crate::access::ADMINS)
    };
    if role == Role::Admin && !principal.is_some_and(admins) {
        let detail = "role: the principal is not in the group admins";
        return Err(Problem::new(&INVALID_BODY, detail)
            .hint("put it there first: `fermata principal set NAME --group admins`"));
    }
    Ok(())
}

/// Refuses one more where there are as many as are kept.
pub(crate) fn bounded(access: &Access) -> Result<(), Problem> {
    if access.tokens().len() < ENTRIES_MAX && access.principals().len() < ENTRIES_MAX {
        return Ok(());
    }
    let detail = format!("there are {ENTRIES_MAX} tokens or principals, and no more are kept");
    Err(Problem::new(&TOO_MANY, detail).hint("revoke tokens that are no longer needed"))
}

/// Refuses a change after which nobody could administer the server.
pub(crate) fn keeps_an_administrator(api: &Api, change: &Change) -> Result<(), Problem> {
    if api.access.keeps_an_administrator(change, api.clock.now()) {
        return Ok(());
    }
    let detail = "this is the last token of an administrator";
    Err(Problem::new(&LAST_ADMINISTRATOR, detail))
}

/// The groups of a principal, if they are as many as are kept.
pub(crate) fn groups(mut groups: Vec<fermata_core::id::Name>) -> Result<Principal, Problem> {
    groups.sort_unstable();
    groups.dedup();
    if groups.len() > GROUPS_MAX {
        let detail = format!("groups: more than {GROUPS_MAX}");
        return Err(Problem::new(&INVALID_BODY, detail));
    }
    Ok(Principal { groups })
}

/// Stores changes, and then lets them hold.
pub(crate) async fn store(api: &Api, changes: Vec<Change>) -> Result<(), Problem> {
    let writes = changes.iter().map(Change::write).collect();
    api.service.records().write(writes).await?;
    for change in changes {
        api.access.learn(change);
    }
    Ok(())
}
