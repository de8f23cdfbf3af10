//! `/secrets`: set, listed and deleted; never read.

use std::future::Future;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use fermata_core::id::Name;
use fermata_service::secrets::{SecretError, SecretOrder};

use crate::http::actor::{Administrator, Reader};
use crate::http::conditions::{IfMatch, etag};
use crate::http::dto::Page;
use crate::http::dto::secret::{ForceParams, RotatedBody, SecretBody, SecretOrderBody};
use crate::http::extract::{At, Confidential, Params};
use crate::http::made::made;
use crate::http::problem::{KEY_IS_GIVEN, Problem, SECRET_IN_USE, UNKNOWN_SECRET};
use crate::http::{Api, PREFIX};
use crate::keyring::{self, Source};

/// List the secrets by name, without their values.
#[utoipa::path(
    get, path = "/secrets", tag = "secrets", operation_id = "listSecrets",
    responses((status = 200, body = Page<SecretBody>, description = "All secrets")),
)]
pub(crate) async fn list(State(api): State<Arc<Api>>, _reader: Reader) -> Json<Page<SecretBody>> {
    let uses = api.service.secret_uses();
    let all = api.secrets.list();
    Json(Page {
        items: all
            .iter()
            .map(|secret| SecretBody::of(secret, &uses))
            .collect(),
        next_cursor: None,
    })
}

/// Read everything about a secret but its value.
#[utoipa::path(
    get, path = "/secrets/{name}", tag = "secrets", operation_id = "getSecret",
    params(("name" = String, Path, description = "The secret")),
    responses((status = 200, body = SecretBody, description = "The secret; the ETag is its revision")),
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At(name): At<Name>,
) -> Result<Response, Problem> {
    let secret = api.secrets.find(&name).ok_or_else(|| unknown(&name))?;
    let body = SecretBody::of(&secret, &api.service.secret_uses());
    Ok((etag(secret.revision), Json(body)).into_response())
}

/// Keep a value under a name, in place of what was there. It holds from the next run on.
#[utoipa::path(
    put, path = "/secrets/{name}", tag = "secrets", operation_id = "putSecret",
    params(
        ("name" = String, Path, description = "The secret"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the revision that is replaced"),
    ),
    request_body = SecretOrderBody,
    responses(
        (status = 201, body = SecretBody, description = "A new secret"),
        (status = 200, body = SecretBody, description = "The secret has another value now"),
    ),
)]
pub(crate) async fn put(
    State(api): State<Arc<Api>>,
    Administrator(asker): Administrator,
    At(name): At<Name>,
    IfMatch(expected): IfMatch,
    Confidential(order): Confidential<SecretOrderBody>,
) -> Result<Response, Problem> {
    let place = format!("{PREFIX}/secrets/{name}");
    let order = SecretOrder {
        name,
        value: order.value,
        expected,
        by: asker.actor(),
        at: api.clock.now(),
    };
    let own = Arc::clone(&api);
    let set = async move { own.secrets.set(&own.service.records(), order).await };
    let secret = whole(set).await?;
    let body = SecretBody::of(&secret, &api.service.secret_uses());
    let is_new = secret.revision == 1;
    Ok(made(!is_new, place, (etag(secret.revision), Json(body))))
}

/// Forget a secret. Refused while a component version is granted it.
#[utoipa::path(
    delete, path = "/secrets/{name}", tag = "secrets", operation_id = "deleteSecret",
    params(
        ("name" = String, Path, description = "The secret"),
        ForceParams,
        ("If-Match" = Option<String>, Header, description = "The ETag of the revision that is forgotten"),
    ),
    responses((status = 204, description = "It is gone")),
)]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    _administrator: Administrator,
    At(name): At<Name>,
    Params(params): Params<ForceParams>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Problem> {
    if api.secrets.find(&name).is_none() {
        return Err(unknown(&name));
    }
    if !params.force {
        check_unused(&api, &name)?;
    }
    let delete = async move {
        let records = api.service.records();
        api.secrets.delete(&records, &name, expected).await
    };
    whole(delete).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check_unused(api: &Api, name: &Name) -> Result<(), Problem> {
    let uses = api.service.secret_uses();
    let users: Vec<String> = uses
        .iter()
        .filter(|granted| granted.name == name.as_str())
        .map(|granted| granted.user.to_string())
        .collect();
    if users.is_empty() {
        return Ok(());
    }
    let detail = format!("`{name}` is granted to {}", users.join(", "));
    Err(Problem::new(&SECRET_IN_USE, detail))
}

/// Seal every secret again with a new key, which the server makes and keeps beside the old ones.
#[utoipa::path(
    post, path = "/secrets:rotate", tag = "secrets", operation_id = "rotateSecrets",
    responses((status = 200, body = RotatedBody, description = "The new key seals; the old ones still open")),
)]
pub(crate) async fn rotate(
    State(api): State<Arc<Api>>,
    _administrator: Administrator,
) -> Result<Json<RotatedBody>, Problem> {
    let Source::Own(path) = api.keys_from.clone() else {
        let detail = format!(
            "the keys were given by {}, and only their giver changes them",
            api.keys_from
        );
        return Err(Problem::new(&KEY_IS_GIVEN, detail));
    };
    let rotate = async move {
        let keep = move |ring: &_| keyring::extend(&path, ring);
        api.secrets.rotate(&api.service.records(), keep).await
    };
    Ok(Json(whole(rotate).await?.into()))
}

/// Does a change to its end, also when the caller goes away: what is stored has to be learned.
async fn whole<T: Send + 'static>(
    change: impl Future<Output = Result<T, SecretError>> + Send + 'static,
) -> Result<T, Problem> {
    let changed = tokio::spawn(change).await;
    Ok(changed.map_err(|broken| Problem::internal(&broken))??)
}

fn unknown(name: &Name) -> Problem {
    Problem::new(&UNKNOWN_SECRET, format!("there is no secret `{name}`"))
}
