//! `/me/tasks` and `/me/backup`: what waits on whoever asks, and who acts in their place.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use fermata_core::actor::Actor;
use fermata_core::id::Name;
use fermata_core::release::WantedWhat;
use fermata_core::time::{Span, Timestamp};
use fermata_service::inbox::{InboxItem, OnBehalf};

use crate::access::{Asker, Backup, Change};
use crate::http::actor::{Reader, Writer};
use crate::http::dto::Page;
use crate::http::dto::query::PageParams;
use crate::http::dto::task::{BackupBody, BackupOrderBody, BackupsBody, InboxItemBody};
use crate::http::extract::{Body, Params};
use crate::http::problem::{ALREADY_DELEGATED, INVALID_BODY, Problem, UNKNOWN_PRINCIPAL};
use crate::http::{Api, page, tokens};

/// Longest time for which somebody names a backup: whoever is away for longer should hand over.
const BACKUP_MAX: Span = Span(366 * 86_400_000);

/// List what waits on whoever asks, and on those whose backup they are; nearest deadline first.
#[utoipa::path(
    get, path = "/me/tasks", tag = "access", operation_id = "listMyTasks",
    params(PageParams),
    responses((status = 200, body = Page<InboxItemBody>, description = "One page")),
)]
pub(crate) async fn tasks(
    State(api): State<Arc<Api>>,
    Reader(asker): Reader,
    uri: Uri,
    Params(params): Params<PageParams>,
) -> Result<Response, Problem> {
    let own = OnBehalf {
        person: asker.caller(),
        is_absent: false,
    };
    let absent = api.access.all_absent(&asker.name, api.clock.now());
    let absent = absent.into_iter().map(|person| OnBehalf {
        person,
        is_absent: true,
    });
    let people: Vec<OnBehalf> = [own].into_iter().chain(absent).collect();
    let paged = api.service.inbox(&people, &page::of(params)?)?;
    let items: Vec<InboxItemBody> = paged.items.into_iter().map(item).collect();
    Ok(page::answer(&uri, items, paged.next))
}

fn item(item: InboxItem) -> InboxItemBody {
    let kind = match item.what {
        WantedWhat::Approval => "approval",
        WantedWhat::Task(_) => "task",
        WantedWhat::Decision => "decision",
        WantedWhat::Review => "review",
        WantedWhat::RootCause => "root-cause",
    };
    let backup_of = item.backup_of.map(|absent| match absent.actor {
        Actor::User(name) => name.to_string(),
        Actor::Engine => absent.actor.to_string(),
    });
    InboxItemBody {
        kind: kind.into(),
        release: item.release.to_string(),
        release_title: item.release_title.to_string(),
        process: item.process.to_string(),
        activity: item.activity,
        task: item.task,
        title: item.title,
        since: item.since.to_string(),
        due_at: item.due_at.map(|at| at.to_string()),
        backup_of,
    }
}

/// Say who acts in one's place, and in whose one may act.
#[utoipa::path(
    get, path = "/me/backup", tag = "access", operation_id = "getMyBackup",
    responses((status = 200, body = BackupsBody, description = "Who acts for whom")),
)]
pub(crate) async fn backup(
    State(api): State<Arc<Api>>,
    Reader(asker): Reader,
) -> Json<BackupsBody> {
    Json(backups(&api, &asker))
}

fn backups(api: &Api, asker: &Asker) -> BackupsBody {
    let now = api.clock.now();
    let mine = api.access.backup(&asker.name, now);
    let absent = api.access.all_absent(&asker.name, now);
    BackupsBody {
        mine: mine.map(|backup| BackupBody {
            backup: backup.name.to_string(),
            from: backup.from.to_string(),
            until: backup.until.to_string(),
        }),
        absent: absent
            .iter()
            .map(|person| person.actor.to_string())
            .collect(),
    }
}

/// Name who acts in one's place for a while. It is recorded that they do, wherever they do.
#[utoipa::path(
    put, path = "/me/backup", tag = "access", operation_id = "putMyBackup",
    request_body = BackupOrderBody,
    responses((status = 200, body = BackupsBody, description = "Who acts for whom")),
)]
pub(crate) async fn put_backup(
    State(api): State<Arc<Api>>,
    Writer(asker): Writer,
    Body { value: order, .. }: Body<BackupOrderBody>,
) -> Result<Json<BackupsBody>, Problem> {
    let now = api.clock.now();
    let backup = order_of(&order, now)?;
    if backup.name == asker.name {
        let detail = "backup: nobody is their own backup";
        return Err(Problem::new(&INVALID_BODY, detail));
    }
    let _turn = api.access.administering.lock().await;
    if api.access.principal(&backup.name).is_none() {
        let detail = format!("there is no principal `{}`", backup.name);
        return Err(Problem::new(&UNKNOWN_PRINCIPAL, detail));
    }
    if let Some(there) = api.access.backup(&asker.name, now)
        && there.name != backup.name
    {
        let detail = format!("`{}` is your backup until {}", there.name, there.until);
        return Err(Problem::new(&ALREADY_DELEGATED, detail));
    }
    tokens::store(&api, vec![Change::Backup(asker.name.clone(), Some(backup))]).await?;
    Ok(Json(backups(&api, &asker)))
}

/// What somebody asks for who names a backup.
fn order_of(order: &BackupOrderBody, now: Timestamp) -> Result<Backup, Problem> {
    let invalid = |detail: String| Problem::new(&INVALID_BODY, detail);
    let time = |field: &str, text: &str| {
        text.parse::<Timestamp>()
            .map_err(|error| invalid(format!("{field}: {error}")))
    };
    let name = order.backup.strip_prefix("user:").unwrap_or(&order.backup);
    let name: Name = name
        .parse()
        .map_err(|error| invalid(format!("backup: {error}")))?;
    let from = order.from.as_deref().map(|text| time("from", text));
    let from = from.transpose()?.unwrap_or(now);
    let until = time("until", &order.until)?;
    if until <= from || until <= now {
        return Err(invalid(
            "until: that is before it begins, or over".to_owned(),
        ));
    }
    if until.since(from) > BACKUP_MAX {
        return Err(invalid(format!("until: at most {BACKUP_MAX} after `from`")));
    }
    Ok(Backup { name, from, until })
}

/// Take it back: nobody acts in one's place any more.
#[utoipa::path(
    delete, path = "/me/backup", tag = "access", operation_id = "deleteMyBackup",
    responses((status = 204, description = "Nobody acts in one's place")),
)]
pub(crate) async fn delete_backup(
    State(api): State<Arc<Api>>,
    Writer(asker): Writer,
) -> Result<StatusCode, Problem> {
    let _turn = api.access.administering.lock().await;
    tokens::store(&api, vec![Change::Backup(asker.name, None)]).await?;
    Ok(StatusCode::NO_CONTENT)
}
