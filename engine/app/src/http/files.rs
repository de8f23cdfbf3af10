//! `/releases/{id}/files`: evidence that people attach to manual activities.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use fermata_core::id::{Digest, ReleaseId};
use fermata_core::release::Release;
use fermata_core::release::input::TaskWork;
use fermata_core::release::task::{Content, File};
use fermata_service::request::{Ask, Command, PeopleCommand};

use crate::http::Api;
use crate::http::actor::{Reader, Writer};
use crate::http::dto::release::ReleaseBody;
use crate::http::dto::task::FileParams;
use crate::http::extract::{At, Params, Raw};
use crate::http::problem::{Problem, UNKNOWN_FILE};
use crate::http::releases;

/// Largest attached file, in bytes: a report or a recording, not an artifact; those have a URL.
pub(crate) const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// What content is whose kind nobody said.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// Attach a file to a manual activity or one of its tasks.
#[utoipa::path(
    post, path = "/releases/{id}/files", tag = "releases", operation_id = "attachFile",
    params(("id" = String, Path, description = "The release"), FileParams),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The bytes"),
    responses((status = 200, body = ReleaseBody, description = "The release as it is afterwards")),
)]
pub(crate) async fn attach(
    State(api): State<Arc<Api>>,
    Writer(asker): Writer,
    At(id): At<ReleaseId>,
    Params(params): Params<FileParams>,
    Raw(bytes): Raw<FILE_BYTES_MAX>,
) -> Result<Response, Problem> {
    let media_type = params.media_type.unwrap_or_else(|| UNKNOWN_TYPE.to_owned());
    let length = bytes.len() as u64;
    // Kept first: an event must not speak of what is not there. If it is refused, nothing names it.
    let digest = api.service.keep_file(bytes.into()).await?;
    let content = Content::Stored {
        digest,
        bytes: length,
        media_type,
    };
    let file = File {
        name: params.name,
        content,
    };
    let ask = Ask {
        release: id,
        command: Command::People {
            activity: params.activity,
            what: PeopleCommand::Work {
                task: params.task,
                what: TaskWork::Attach { file },
            },
        },
        expected: None,
        once: None,
    };
    let release = api.service.input(asker.caller(), ask).await?;
    Ok(releases::show(&api, &release).into_response())
}

/// Read a file that is attached to a release.
#[utoipa::path(
    get, path = "/releases/{id}/files/{digest}", tag = "releases", operation_id = "getFile",
    params(
        ("id" = String, Path, description = "The release"),
        ("digest" = String, Path, description = "Of its bytes, as the release shows it"),
    ),
    responses((status = 200, content_type = "application/octet-stream", description = "The bytes")),
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At((id, digest)): At<(ReleaseId, Digest)>,
) -> Result<Response, Problem> {
    let unknown = || Problem::new(&UNKNOWN_FILE, format!("{id} has no file {digest}"));
    let release = releases::find(&api, id).await?;
    let media_type = attached(&release, digest).ok_or_else(unknown)?;
    let bytes = api.service.blob(digest).await?.ok_or_else(unknown)?;
    let kind = HeaderValue::from_str(&media_type)
        .unwrap_or_else(|_| HeaderValue::from_static(UNKNOWN_TYPE));
    // Whatever it is, a browser shall keep it as a file, and not run it on our pages.
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_DISPOSITION, HeaderValue::from_static("attachment")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, bytes).into_response())
}

/// The kind of the file, if it is attached somewhere in the release.
fn attached(release: &Release, digest: Digest) -> Option<String> {
    let count = u32::try_from(release.process().activities.len()).unwrap_or(u32::MAX);
    let records = (0..count).filter_map(|ix| release.record(fermata_core::process::ActivityIx(ix)));
    let notes = records.flat_map(|record| {
        let tasks = record.tasks.iter().map(|task| &task.notes);
        tasks.chain([&record.notes])
    });
    let mut files = notes.flat_map(|notes| &notes.files);
    files.find_map(|attached| match &attached.file.content {
        Content::Stored {
            digest: of,
            media_type,
            ..
        } if *of == digest => Some(media_type.clone()),
        _ => None,
    })
}
