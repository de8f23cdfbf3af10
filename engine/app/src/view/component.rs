//! A component version as the API shows it: what it wants, what of that is granted, what is said about it.

use fermata_core::component::wants::{Change, Coverage, Want};
use fermata_core::component::{Capabilities, Grants};
use fermata_service::Service;
use fermata_service::catalog::{ComponentEntry, Notice, NoticeKind};
use fermata_service::records::{DeprecationRecord, QuarantineRecord};

use crate::http::dto::component::{
    ComponentSummaryBody, ComponentVersionBody, DeprecationBody, GrantsBody, LiftBody, NoticeBody,
    QuarantineBody, WantBody, WantChangeBody, WantChangesBody,
};

/// What a list shows of a version.
pub(crate) fn summary(service: &Service, entry: &ComponentEntry) -> ComponentSummaryBody {
    let descriptor = &entry.descriptor;
    let quarantined = service.quarantine_of(&entry.digest);
    ComponentSummaryBody {
        name: descriptor.name.to_string(),
        version: descriptor.version.to_string(),
        world: descriptor.world.word(),
        summary: descriptor.summary.clone(),
        digest: entry.digest.to_string(),
        size: entry.size,
        created_at: entry.registered_at.to_string(),
        created_by: entry.registered_by.to_string(),
        deprecated: entry.deprecated.as_deref().map(deprecation),
        quarantine: quarantined.map(|record| quarantine(&record, Some(named(entry)))),
    }
}

/// Everything about a version.
pub(crate) fn version(service: &Service, entry: &ComponentEntry) -> ComponentVersionBody {
    let descriptor = &entry.descriptor;
    let asked = &descriptor.capabilities;
    let before = service.component_before(&descriptor.name, descriptor.version);
    ComponentVersionBody {
        summary: summary(service, entry),
        descriptor: serde_json::to_value(descriptor).expect("a descriptor has only text keys"),
        grants: GrantsBody::from(&*entry.grants),
        grants_revision: entry.revision,
        wants: wants(asked, &entry.grants),
        beyond: entry.grants.beyond(asked),
        changes: before.map(|before| changes(&before, asked)),
    }
}

/// What a component wants, with how much of it `grants` give.
pub(crate) fn wants(asked: &Capabilities, grants: &Grants) -> Vec<WantBody> {
    let wants = asked.wants().into_iter();
    wants.map(|want| body(want, grants)).collect()
}

/// How `asked` differs from what the version `before` wants.
pub(crate) fn changes(before: &ComponentEntry, asked: &Capabilities) -> WantChangesBody {
    let grants = &before.grants;
    let mut wants = asked.wants().into_iter();
    let changes = asked.changes_since(&before.descriptor.capabilities);
    WantChangesBody {
        since: before.descriptor.version.to_string(),
        covered: wants.all(|want| want.covered_by(grants) == Coverage::Whole),
        wants: changes
            .into_iter()
            .map(|(want, change)| WantChangeBody {
                change: change.word(),
                want: body(want, grants),
                methods_before: match change {
                    Change::Changed(methods) => Some(methods),
                    Change::Added | Change::Unchanged | Change::Removed => None,
                },
            })
            .collect(),
    }
}

fn body(want: Want, grants: &Grants) -> WantBody {
    let granted = want.covered_by(grants).word();
    let (kind, name, methods) = match want {
        Want::Http { host, methods } => ("http", host, methods),
        Want::Secret(name) => ("secret", name, Vec::new()),
        Want::Evidence(kind) => ("evidence", kind, Vec::new()),
    };
    WantBody {
        kind,
        name,
        methods,
        granted,
    }
}

/// `name@version`.
pub(crate) fn named(entry: &ComponentEntry) -> String {
    format!("{}@{}", entry.descriptor.name, entry.descriptor.version)
}

fn deprecation(record: &DeprecationRecord) -> DeprecationBody {
    DeprecationBody {
        notice: record.notice.clone(),
        since: record.at.to_string(),
        by: record.by.to_string(),
    }
}

/// A quarantine of `component`, if that is registered.
pub(crate) fn quarantine(record: &QuarantineRecord, component: Option<String>) -> QuarantineBody {
    QuarantineBody {
        digest: record.digest.to_string(),
        component,
        reason: record.reason.clone(),
        since: record.at.to_string(),
        by: record.by.to_string(),
        lifted: record.lifted.as_ref().map(|lifted| LiftBody {
            reason: lifted.reason.clone(),
            at: lifted.at.to_string(),
            by: lifted.by.to_string(),
        }),
    }
}

/// What people should know before they use a component.
pub(crate) fn notice(notice: Notice) -> NoticeBody {
    let (kind, told, since, by) = match notice.kind {
        NoticeKind::Deprecated(record) => (
            "deprecated",
            record.notice.clone(),
            record.at,
            record.by.clone(),
        ),
        NoticeKind::Quarantined(record) => ("quarantined", record.reason, record.at, record.by),
    };
    NoticeBody {
        component: format!("{}@{}", notice.name, notice.version),
        kind,
        notice: told,
        since: since.to_string(),
        by: by.to_string(),
    }
}
