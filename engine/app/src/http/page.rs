//! Cursor paging: `?limit=&cursor=`, `next_cursor` and `Link: rel=next`.

use axum::Json;
use axum::http::header::LINK;
use axum::http::{HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use fermata_service::request::Page;

use crate::http::dto;
use crate::http::dto::query::PageParams;
use crate::http::problem::{INVALID_CURSOR, INVALID_QUERY, Problem};

/// Entries of a page, unless the caller asks for another number.
pub(crate) const LIMIT_DEFAULT: usize = 50;
/// Longest cursor: the longest key, in hexadecimal.
const CURSOR_BYTES_MAX: usize = 4_096;
/// Most entries of a page.
pub(crate) const LIMIT_MAX: usize = 1_000;

/// The number of entries that `limit` asks for.
pub(crate) fn limit(limit: Option<usize>) -> Result<usize, Problem> {
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    if (1..=LIMIT_MAX).contains(&limit) {
        Ok(limit)
    } else {
        let detail = format!("limit: expected 1 to {LIMIT_MAX}");
        Err(Problem::new(&INVALID_QUERY, detail))
    }
}

/// The page that `params` ask for.
pub(crate) fn of(params: PageParams) -> Result<Page, Problem> {
    page(params.limit, params.cursor)
}

/// The page that begins at `cursor`.
pub(crate) fn page(limit: Option<usize>, cursor: Option<String>) -> Result<Page, Problem> {
    let limit = self::limit(limit)?;
    // Names, ids and hexadecimal keys; which of them, the list itself knows.
    let is_one = |cursor: &String| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        (1..=CURSOR_BYTES_MAX).contains(&cursor.len()) && cursor.bytes().all(plain)
    };
    if cursor.as_ref().is_some_and(|cursor| !is_one(cursor)) {
        let detail = "cursor: not one that this list gave";
        return Err(Problem::new(&INVALID_CURSOR, detail));
    }
    Ok(Page { limit, cursor })
}

/// The answer for one page of the list at `uri`.
pub(crate) fn answer<T: Serialize + ToSchema>(
    uri: &Uri,
    items: Vec<T>,
    next_cursor: Option<String>,
) -> Response {
    let link = next_cursor.as_deref().and_then(|next| link(uri, next));
    let mut response = Json(dto::Page { items, next_cursor }).into_response();
    if let Some(link) = link {
        response.headers_mut().insert(LINK, link);
    }
    response
}

/// `Link: <the same list from `next` on>; rel="next"` (RFC 8288).
fn link(uri: &Uri, next: &str) -> Option<HeaderValue> {
    let query = uri.query().unwrap_or_default();
    let kept = query
        .split('&')
        .filter(|part| !part.is_empty() && !part.starts_with("cursor="))
        .map(|part| format!("{part}&"));
    let kept: String = kept.collect();
    let link = format!("<{}?{kept}cursor={next}>; rel=\"next\"", uri.path());
    HeaderValue::try_from(link).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_cursors_and_limits_are_refused() {
        for cursor in ["", "0é0", "+f", "../..", &"0".repeat(5_000)] {
            assert!(page(None, Some(cursor.into())).is_err(), "{cursor}");
        }
        for limit in [0, LIMIT_MAX + 1, usize::MAX] {
            assert!(page(Some(limit), None).is_err(), "{limit}");
        }
        assert_eq!(
            page(None, Some("00ff".into())).unwrap().limit,
            LIMIT_DEFAULT
        );
    }

    #[test]
    fn the_link_keeps_the_filters() {
        let uri: Uri = "/api/v1/releases?state=running&cursor=00&limit=2"
            .parse()
            .unwrap();
        assert_eq!(
            link(&uri, "ff").unwrap(),
            "</api/v1/releases?state=running&limit=2&cursor=ff>; rel=\"next\""
        );
    }
}
