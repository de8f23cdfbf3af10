//! Who calls, and whether they may: the bearer token of a request as an extractor.
//!
//! A route that takes a [`Reader`], a [`Writer`] or an [`Administrator`] cannot be reached without
//! the right; one that takes none of them is open to everybody.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use crate::access::{Asker, Role};
use crate::http::Api;
use crate::http::problem::{FORBIDDEN, INVALID_TOKEN, NO_TOKEN, Problem};

/// Somebody who may read.
#[derive(Debug)]
pub(crate) struct Reader(pub(crate) Asker);

/// Somebody who may change processes, components and releases.
#[derive(Debug)]
pub(crate) struct Writer(pub(crate) Asker);

/// Somebody who may change tokens, principals, grants and secrets.
#[derive(Debug)]
pub(crate) struct Administrator(pub(crate) Asker);

fn ask(parts: &Parts, api: &Api) -> Result<Asker, Problem> {
    let Some(given) = parts.headers.get(AUTHORIZATION) else {
        return Err(Problem::new(&NO_TOKEN, "this needs a token"));
    };
    let token = given.to_str().ok().and_then(|given| {
        let (scheme, token) = given.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        let detail = "the Authorization header is not `Bearer TOKEN`";
        return Err(Problem::new(&NO_TOKEN, detail));
    };
    api.access
        .authenticate(token, api.clock.now())
        .map_err(|denied| Problem::new(&INVALID_TOKEN, denied.to_string()))
}

impl FromRequestParts<Arc<Api>> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        ask(parts, api).map(Self)
    }
}

impl FromRequestParts<Arc<Api>> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let asker = ask(parts, api)?;
        if asker.role < Role::Member {
            let detail = "this token may only read";
            return Err(Problem::new(&FORBIDDEN, detail)
                .hint("ask an administrator for a token with the role member"));
        }
        Ok(Self(asker))
    }
}

impl FromRequestParts<Arc<Api>> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let asker = ask(parts, api)?;
        if !asker.is_administrator() {
            let detail = "only administrators may do this";
            return Err(Problem::new(&FORBIDDEN, detail).hint(
                "it takes a token with the role admin whose principal is in the group admins",
            ));
        }
        Ok(Self(asker))
    }
}
