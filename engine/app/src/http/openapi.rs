//! The description of the API (OpenAPI 3.1), as the routes themselves give it.

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

use crate::http::dto::problem::{DefectBody, ProblemBody};
use crate::http::problem::{Kind, PROBLEM_JSON, TABLE};

/// What does not follow from single routes.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Fermata",
        description = "Release orchestration: processes, components, releases and what people decide. \
                       Lists are paged by cursor, changes are conditional with `If-Match`, repeats are \
                       safe with `Idempotency-Key`, and everything that fails is a problem document \
                       (RFC 9457) with a stable `code`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(ProblemBody, DefectBody)),
    modifiers(&Common),
    security(("token" = []))
)]
struct Description;

/// The description before any route has added itself.
pub(crate) fn base() -> OpenApi {
    Description::openapi()
}

struct Common;

impl Modify for Common {
    fn modify(&self, api: &mut OpenApi) {
        let components = api.components.get_or_insert_default();
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.description = Some("A token of Fermata: `fmt_…`".into());
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// Adds to every operation the problems that it can answer with.
pub(crate) fn add_problems(api: &mut OpenApi) {
    for (path, item) in &mut api.paths.paths {
        let named = path.contains('{');
        let operations = [
            (&mut item.get, false),
            (&mut item.put, true),
            (&mut item.post, true),
            (&mut item.patch, true),
            (&mut item.delete, true),
        ];
        for (operation, changes) in operations {
            if let Some(operation) = operation {
                let body = operation.request_body.is_some();
                add(operation, |kind| applies(kind, named, changes, body));
            }
        }
    }
}

/// Whether an operation can answer with problems of this status.
fn applies(status: u16, named: bool, changes: bool, body: bool) -> bool {
    match status {
        400 | 401 | 403 | 429 | 500 | 503 => true,
        404 => named || body,
        409 | 412 => changes,
        408 | 413 | 415 | 422 => body,
        _ => false,
    }
}

fn add(operation: &mut Operation, applies: impl Fn(u16) -> bool) {
    let mut statuses: Vec<u16> = TABLE.iter().map(|kind| kind.status.as_u16()).collect();
    statuses.sort_unstable();
    statuses.dedup();
    for status in statuses.into_iter().filter(|status| applies(*status)) {
        let of_status = |kind: &&&Kind| kind.status.as_u16() == status;
        let codes: Vec<String> = TABLE
            .iter()
            .filter(of_status)
            .map(|kind| format!("`{}`", kind.code))
            .collect();
        let responses = &mut operation.responses.responses;
        responses
            .entry(status.to_string())
            .or_insert_with(|| RefOr::T(problem(&codes.join(", "))));
    }
}

fn problem(codes: &str) -> Response {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    ResponseBuilder::new()
        .description(format!("A problem, with one of the codes {codes}"))
        .content(PROBLEM_JSON, content)
        .build()
}
