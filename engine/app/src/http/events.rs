//! `/releases/{id}/events`: what became true, as a stream that can be resumed, or page by page.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{ACCEPT, CACHE_CONTROL};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri};
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use fermata_core::attempt::{AttemptKey, Progress};
use fermata_core::id::ReleaseId;
use fermata_core::process::Process;
use fermata_core::release::event::{Event, Turn};
use fermata_service::{Seen, Watch};
use futures::stream;
use prometheus_client::metrics::gauge::Gauge;
use serde_json::json;

use crate::http::Api;
use crate::http::actor::Reader;
use crate::http::dto::Page;
use crate::http::dto::event::{self, EventBody};
use crate::http::dto::query::EventParams;
use crate::http::extract::{At, Params};
use crate::http::problem::{INVALID_HEADER, Problem};
use crate::http::releases::find;
use crate::http::{page, stopping::Stopping};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// How often a silent stream shows that it is alive: more often than proxies lose patience.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Follow what becomes true about a release (`text/event-stream`), or read it page by page (`application/json`).
///
/// Each message of the stream has the event's number as `id`, its type as `event` and the event as
/// `data`. After a lost connection it goes on after `Last-Event-ID`. Messages of the type `progress`
/// have no id: they say how far a run is, and are not part of the record. The stream ends with the
/// release; asked again after that, it answers 204.
#[utoipa::path(
    get, path = "/releases/{id}/events", tag = "releases", operation_id = "getEvents",
    params(
        ("id" = String, Path, description = "The release"),
        EventParams,
        ("Last-Event-ID" = Option<String>, Header, description = "Only events after this number"),
        ("Accept" = Option<String>, Header, description = "`text/event-stream` (default) or `application/json`"),
    ),
    responses(
        (status = 200, description = "The events", content(
            (Page<EventBody> = "application/json"),
            (String = "text/event-stream"),
        )),
        (status = 204, description = "The release has ended, and there are no further events"),
    ),
)]
pub(crate) async fn events(
    State(api): State<Arc<Api>>,
    _reader: Reader,
    At(id): At<ReleaseId>,
    Params(params): Params<EventParams>,
    parts: Parts,
) -> Result<Response, Problem> {
    let after = match parts.headers.get(LAST_EVENT_ID) {
        None => params.after.or(params.cursor),
        Some(last) => Some(number(last.to_str().unwrap_or_default())?),
    };
    let from = after.map_or(0, |after| after.saturating_add(1));
    if wants_json(&parts.headers) {
        return pages(&api, id, from, &params, &parts.uri).await;
    }
    follow(&api, id, from).await
}

fn number(text: &str) -> Result<u64, Problem> {
    let detail = "Last-Event-ID: expected the number of an event";
    text.trim()
        .parse()
        .map_err(|_| Problem::new(&INVALID_HEADER, detail))
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| {
        accept.contains("application/json") && !accept.contains("text/event-stream")
    })
}

async fn pages(
    api: &Api,
    id: ReleaseId,
    from: u64,
    params: &EventParams,
    uri: &Uri,
) -> Result<Response, Problem> {
    let limit = page::limit(params.limit)?;
    let release = find(api, id).await?;
    let mut items: Vec<EventBody> = Vec::new();
    let mut next = from;
    while items.len() < limit {
        // A turn has at least one event, so so many turns fill the page.
        let turns = api.service.turns(id, next, limit - items.len()).await?;
        // No later than this release, whose process has the instances that the turns are about.
        let known = |turn: &&Turn| turn.first < release.version();
        let turns: Vec<&Turn> = turns.iter().take_while(known).collect();
        let Some(last) = turns.last() else { break };
        let first = next;
        next = last.next();
        for turn in turns {
            items.extend(event::events(release.process(), turn, first));
        }
    }
    items.truncate(limit);
    let more = items.len() == limit;
    let cursor = items
        .last()
        .filter(|_| more)
        .map(|last| last.number.to_string());
    Ok(page::answer(uri, items, cursor))
}

async fn follow(api: &Arc<Api>, id: ReleaseId, from: u64) -> Result<Response, Problem> {
    let release = find(api, id).await?;
    if release.has_ended() && from >= release.version() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let stream = Stream {
        api: Arc::clone(api),
        id,
        process: Arc::clone(release.process()),
        watch: api.service.watch(id, from)?,
        stopping: api.stopping.clone(),
        _seat: Seat::take(&api.metrics.watchers),
        unsent: VecDeque::new(),
        said: Vec::new(),
    };
    let messages = stream::unfold(stream, |mut stream| async {
        let message = stream.message().await?;
        Some((message, stream))
    });
    let sse = Sse::new(messages).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(([(CACHE_CONTROL, "no-store")], sse).into_response())
}

/// Counts a watcher for as long as it watches.
#[derive(Debug)]
struct Seat(Gauge);

impl Seat {
    fn take(watchers: &Gauge) -> Self {
        watchers.inc();
        Self(watchers.clone())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// One watcher. It reads what is stored at its own pace, so that a slow one holds up nobody.
#[derive(Debug)]
struct Stream {
    api: Arc<Api>,
    id: ReleaseId,
    /// What the release runs, with the instances that are known so far.
    process: Arc<Process>,
    watch: Watch,
    stopping: Stopping,
    unsent: VecDeque<Message>,
    said: Vec<(AttemptKey, Progress)>,
    _seat: Seat,
}

impl Stream {
    /// The next message, once there is one; nothing after the last.
    async fn message(&mut self) -> Option<Result<Message, axum::Error>> {
        loop {
            if let Some(message) = self.unsent.pop_front() {
                return Some(Ok(message));
            }
            let seen = tokio::select! {
                biased;
                seen = self.watch.next() => seen,
                () = self.stopping.begun() => return None,
            };
            let taken = match seen.map_err(axum::Error::new) {
                Ok(Some(Seen::Turn(turn))) => {
                    self.follow_process(&turn).await;
                    self.take_turn(&turn)
                }
                Ok(Some(Seen::Progress(said))) => self.take_progress(said),
                Ok(None) => return None,
                Err(error) => Err(error),
            };
            if let Err(error) = taken {
                tracing::warn!("an event stream broke: {error}");
                return Some(Err(error));
            }
        }
    }

    /// A fan-out puts instances into the process of its release: later events are about them.
    async fn follow_process(&mut self, turn: &Turn) {
        for event in &turn.events {
            let Event::Expanded {
                group,
                items,
                batches,
            } = event
            else {
                continue;
            };
            if self.process.instances(*group).is_none()
                && let Ok(Some(release)) = self.api.service.release(self.id).await
            {
                self.process = Arc::clone(release.process());
            }
            // What others see of the release may be a little behind what is stored.
            if self.process.instances(*group).is_none() {
                let batches = u32::try_from(batches.len()).unwrap_or(u32::MAX);
                Arc::make_mut(&mut self.process).expand(*group, items, batches);
            }
        }
    }

    fn take_turn(&mut self, turn: &Turn) -> Result<(), axum::Error> {
        for body in event::events(&self.process, turn, turn.first) {
            self.unsent.push_back(message(&body)?);
        }
        Ok(())
    }

    /// Takes in how far the runs say they are, where that has changed.
    fn take_progress(&mut self, now: Vec<(AttemptKey, Progress)>) -> Result<(), axum::Error> {
        let known = self.process.activities.len();
        let known = |key: &AttemptKey| (key.activity.0 as usize) < known;
        for (key, progress) in now
            .iter()
            .filter(|said| known(&said.0) && !self.said.contains(said))
        {
            let body = json!({
                "activity": self.process.path(key.activity),
                "attempt": key.attempt,
                "run": key.run,
                "percent": progress.percent,
                "message": progress.message,
            });
            let message = Message::default().event("progress").json_data(body)?;
            self.unsent.push_back(message);
        }
        self.said = now;
        Ok(())
    }
}

fn message(body: &EventBody) -> Result<Message, axum::Error> {
    Message::default()
        .id(body.number.to_string())
        .event(&body.kind)
        .json_data(body)
}
