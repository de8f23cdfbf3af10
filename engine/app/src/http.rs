//! The HTTP API: which route leads where, and what surrounds them all. Nothing else.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{Method, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use fermata_core::component::Descriptor;
use fermata_core::id::Digest;
use fermata_service::Service;
use fermata_service::clock::Clock;
use fermata_service::secrets::Vault;
use futures::future::BoxFuture;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Access;
use crate::access::signals::Signals;
use crate::keyring::Source;
use crate::uploads::Uploads;
use dto::meta::LimitBody;
use problem::{METHOD_NOT_ALLOWED, NOT_FOUND, Problem};

pub(crate) mod actions;
pub(crate) mod actor;
pub(crate) mod attempts;
pub(crate) mod components;
pub(crate) mod conditions;
pub(crate) mod definitions;
pub(crate) mod dto;
pub(crate) mod errors;
pub(crate) mod events;
pub(crate) mod extract;
pub(crate) mod files;
pub(crate) mod health;
pub(crate) mod impatient;
pub(crate) mod inbox;
pub(crate) mod input_sets;
pub(crate) mod ledger;
pub(crate) mod locks;
pub(crate) mod made;
pub(crate) mod meta;
pub(crate) mod metrics;
pub(crate) mod notifiers;
pub(crate) mod openapi;
pub(crate) mod page;
pub(crate) mod policies;
pub(crate) mod principals;
pub(crate) mod problem;
pub(crate) mod processes;
pub(crate) mod rehearsals;
pub(crate) mod releases;
pub(crate) mod request;
pub(crate) mod script_grants;
pub(crate) mod secrets;
pub(crate) mod server;
pub(crate) mod signals;
pub(crate) mod standing;
pub(crate) mod stopping;
pub(crate) mod tokens;
pub(crate) mod uploads;
pub(crate) mod usage;
pub(crate) mod verify;
pub(crate) mod wasm;

#[cfg(test)]
mod tests;

/// Where the API is.
pub(crate) const PREFIX: &str = "/api/v1";

/// What the routes work with.
#[derive(Debug)]
pub(crate) struct Api {
    /// The engine.
    pub(crate) service: Service,
    /// Who looks at uploads.
    pub(crate) sandbox: Arc<dyn Admission>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Who may call.
    pub(crate) access: Arc<Access>,
    /// The secrets of signals.
    pub(crate) signals: Signals,
    /// Components that arrive in pieces.
    pub(crate) uploads: Arc<Uploads>,
    /// Who may be sent the bytes of a component at the same time.
    pub(crate) downloads: wasm::Downloads,
    /// The secrets that runs use.
    pub(crate) secrets: Arc<Vault>,
    /// Where the keys of secrets come from.
    pub(crate) keys_from: Source,
    /// Under which names the server may be called.
    pub(crate) hosts: request::Hosts,
    /// Names requests.
    pub(crate) request_ids: request::RequestIds,
    /// What is counted.
    pub(crate) metrics: metrics::Metrics,
    /// Whether the server is about to stop.
    pub(crate) stopping: stopping::Stopping,
    /// The description of the API, as it is sent.
    pub(crate) description: Bytes,
}

/// Looks at uploaded components, and knows the bounds of what runs.
pub(crate) trait Admission: std::fmt::Debug + Send + Sync + 'static {
    /// Checks, completes, describes and compiles an upload.
    fn admit(&self, upload: Bytes) -> BoxFuture<'static, Result<Admitted, Rejected>>;

    /// Does all of that, and keeps nothing.
    fn verify(&self, upload: Bytes) -> BoxFuture<'static, Result<Verified, Rejected>>;

    /// The bounds of what runs.
    fn limits(&self) -> Vec<LimitBody>;

    /// How the cache of native code is.
    fn native_cache(&self) -> NativeCache;
}

/// The cache of native code.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NativeCache {
    /// Components whose code is there.
    pub(crate) files: u64,
    /// Bytes of their code.
    pub(crate) bytes: u64,
    /// Most bytes there may be.
    pub(crate) bytes_max: u64,
    /// How often code was found.
    pub(crate) hits: u64,
    /// How often it was not, and the component was compiled.
    pub(crate) misses: u64,
    /// How often code was removed to make room.
    pub(crate) removed: u64,
}

/// An upload that would be a component.
#[derive(Debug)]
pub(crate) struct Verified {
    /// What it says about itself.
    pub(crate) descriptor: Descriptor,
    /// Of the upload.
    pub(crate) digest: Digest,
    /// The interfaces that it imports.
    pub(crate) imports: Vec<String>,
    /// Bytes of the upload.
    pub(crate) upload_bytes: u64,
    /// Bytes of the component.
    pub(crate) component_bytes: u64,
    /// Bytes of its native code.
    pub(crate) native_bytes: u64,
}

/// An upload that is a component.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// What it says about itself.
    pub(crate) descriptor: Descriptor,
    /// Of the component.
    pub(crate) digest: Digest,
    /// The component: the upload, or what was made of it.
    pub(crate) bytes: Vec<u8>,
}

/// Why an upload is no component that runs here.
#[derive(Debug)]
pub(crate) enum Rejected {
    /// Its author has to change something.
    Faulty {
        /// A stable word for programs.
        code: &'static str,
        /// What is wrong.
        detail: String,
        /// What to do about it.
        remedy: &'static str,
        /// Whether the same bytes may be taken later.
        may_pass: bool,
    },
    /// The machine failed.
    Error(String),
}

/// The routes of the API with their description.
pub(crate) fn routes() -> (Router<Arc<Api>>, OpenApi) {
    let v1 = OpenApiRouter::new()
        .routes(routes!(processes::validate))
        .routes(routes!(processes::list, processes::publish))
        .routes(routes!(processes::read))
        .routes(routes!(processes::read_version))
        .routes(routes!(script_grants::read, script_grants::put))
        .routes(routes!(usage::difference))
        .routes(routes!(input_sets::list))
        .routes(routes!(
            input_sets::read,
            input_sets::put,
            input_sets::delete
        ))
        .routes(routes!(definitions::list, definitions::publish))
        .routes(routes!(definitions::read))
        .routes(routes!(definitions::read_version, usage::delete_definition))
        .routes(routes!(usage::definition_used_by))
        .routes(routes!(rehearsals::rehearse))
        .merge(of_components())
        .merge(of_notifiers())
        .merge(of_releases())
        .routes(routes!(locks::list))
        .routes(routes!(locks::put))
        .routes(routes!(signals::receive))
        .routes(routes!(signals::receive_at))
        .routes(routes!(ledger::list))
        .routes(routes!(ledger::history))
        .routes(routes!(policies::list))
        .routes(routes!(policies::read, policies::put, policies::delete))
        .routes(routes!(policies::judge))
        .routes(routes!(secrets::list))
        .routes(routes!(secrets::read, secrets::put, secrets::delete))
        .routes(routes!(secrets::rotate))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(principals::list))
        .routes(routes!(principals::read, principals::put))
        .routes(routes!(principals::me))
        .routes(routes!(meta::version))
        .routes(routes!(meta::limits))
        .routes(routes!(meta::openapi))
        .routes(routes!(meta::backup));
    let described = OpenApiRouter::with_openapi(openapi::base()).nest(PREFIX, v1);
    let (router, mut description) = described.split_for_parts();
    openapi::add_problems(&mut description);
    (router, description)
}

/// Components, and what is said about them.
fn of_components() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(components::list, components::upload))
        .routes(routes!(verify::verify))
        .routes(routes!(uploads::list, uploads::create))
        .routes(routes!(uploads::read, uploads::append, uploads::delete))
        .routes(routes!(uploads::finish))
        .routes(routes!(components::read))
        .routes(routes!(
            components::read_version,
            components::put,
            usage::delete
        ))
        .routes(routes!(usage::used_by))
        .routes(routes!(wasm::read))
        .routes(routes!(components::read_grants, components::put_grants))
        .routes(routes!(standing::deprecate, standing::undeprecate))
        .routes(routes!(standing::list))
        .routes(routes!(standing::quarantine))
        .routes(routes!(standing::lift))
}

/// Who outside is told of what.
fn of_notifiers() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(notifiers::list))
        .routes(routes!(notifiers::read, notifiers::put, notifiers::delete))
        .routes(routes!(notifiers::test))
        .routes(routes!(notifiers::deliveries))
}

/// Releases, and what people do about them.
fn of_releases() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(releases::list, releases::create))
        .routes(routes!(releases::read))
        .routes(routes!(releases::why))
        .routes(routes!(releases::rollback_plan))
        .routes(routes!(events::events))
        .routes(routes!(actions::act))
        .routes(routes!(files::attach))
        .routes(routes!(files::read))
        .routes(routes!(inbox::tasks))
        .routes(routes!(
            inbox::backup,
            inbox::put_backup,
            inbox::delete_backup
        ))
        .routes(routes!(attempts::list))
        .routes(routes!(attempts::logs))
        .routes(routes!(attempts::recording))
}

/// The description of the API, as it is sent.
pub(crate) fn description() -> Bytes {
    let (_, description) = routes();
    let text = description
        .to_json()
        .expect("a description made of plain data is JSON");
    Bytes::from(text)
}

/// Everything that answers.
pub(crate) fn router(api: Arc<Api>) -> Router {
    let (routes, _) = routes();
    routes
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::show))
        .fallback(unknown)
        .method_not_allowed_fallback(other_method)
        .layer(from_fn_with_state(Arc::clone(&api), request::surround))
        .with_state(api)
}

async fn unknown(uri: Uri) -> Problem {
    Problem::new(&NOT_FOUND, format!("there is nothing at {}", uri.path()))
}

async fn other_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("{} cannot be asked with {method}", uri.path());
    Problem::new(&METHOD_NOT_ALLOWED, detail)
}
