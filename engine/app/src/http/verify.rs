//! `/components:verify`: everything that an upload checks, and nothing of it kept.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use fermata_core::component::Grants;
use fermata_core::id::Digest;
use fermata_service::error::RegisterError;

use crate::access::Asker;
use crate::http::actor::Writer;
use crate::http::components::COMPONENT_BYTES_MAX;
use crate::http::dto::component::{SizesBody, VerdictBody};
use crate::http::extract::Raw;
use crate::http::problem::Problem;
use crate::http::{Api, Rejected, Verified};
use crate::view;

/// Check an upload as if it were made, down to its machine code and its descriptor. Nothing is kept.
#[utoipa::path(
    post, path = "/components:verify", tag = "components", operation_id = "verifyComponent",
    request_body(content = Vec<u8>, content_type = "application/wasm", description = "The bytes"),
    responses((status = 200, body = VerdictBody, description = "What it would come to; look at `accepted`")),
)]
pub(crate) async fn verify(
    State(api): State<Arc<Api>>,
    Writer(asker): Writer,
    Raw(bytes): Raw<COMPONENT_BYTES_MAX>,
) -> Result<Json<VerdictBody>, Problem> {
    let upload = bytes.len() as u64;
    let digest = Digest::of(&bytes);
    let body = match api.sandbox.verify(bytes).await {
        Ok(verified) => verdict(&api, &asker, verified)?,
        Err(rejected @ Rejected::Faulty { .. }) => VerdictBody {
            accepted: false,
            registered: false,
            digest: digest.to_string(),
            sizes: SizesBody {
                upload,
                component: None,
                native: None,
            },
            descriptor: None,
            imports: Vec::new(),
            wants: Vec::new(),
            changes: None,
            defects: vec![Problem::from(rejected).into_defect()],
        },
        Err(rejected @ Rejected::Error(_)) => return Err(rejected.into()),
    };
    Ok(Json(body))
}

fn verdict(api: &Api, asker: &Asker, verified: Verified) -> Result<VerdictBody, Problem> {
    let descriptor = &verified.descriptor;
    let could = api
        .service
        .could_register(asker.caller(), descriptor, verified.digest);
    let (registered, defects) = match could {
        Ok(registered) => (registered, Vec::new()),
        Err(RegisterError::Error(error)) => return Err(error.into()),
        Err(error) => (false, vec![Problem::from(error).into_defect()]),
    };
    let (name, version) = (&descriptor.name, descriptor.version);
    let known = api.service.component_version(name, version);
    let known = known.filter(|entry| entry.digest == verified.digest);
    let grants = known.map_or_else(|| Arc::new(Grants::default()), |it| Arc::clone(&it.grants));
    let before = api.service.component_before(name, version);
    let asked = &descriptor.capabilities;
    Ok(VerdictBody {
        accepted: defects.is_empty(),
        registered,
        digest: verified.digest.to_string(),
        sizes: SizesBody {
            upload: verified.upload_bytes,
            component: Some(verified.component_bytes),
            native: Some(verified.native_bytes),
        },
        wants: view::component::wants(asked, &grants),
        changes: before.map(|before| view::component::changes(&before, asked)),
        descriptor: Some(
            serde_json::to_value(descriptor).expect("a descriptor has only text keys"),
        ),
        imports: verified.imports,
        defects,
    })
}
