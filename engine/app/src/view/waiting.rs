//! Why something is not moving, as JSON.

use fermata_core::attempt::AttemptKey;
use fermata_core::id::{Name, ReleaseId};
use fermata_core::release::{BeforeBatch, OpenRule, Release, Waiting, WaitsOn};
use fermata_service::locks::LockView;

use crate::http::dto::lock::AwaitedLockBody;
use crate::http::dto::why::{OpenRuleBody, WaitingBody, WaitsOnBody};
use crate::http::locks::claim;
use crate::http::signals;
use crate::view::{failure, parties};

/// One thing in `release` that is not moving; `secret` tells that of a signal, if it may be told.
pub(super) fn body(
    (release, locks): (ReleaseId, &[LockView]),
    waiting: Waiting,
    secret: &dyn Fn(&str) -> Option<String>,
) -> WaitingBody {
    let mut text = waiting.to_string();
    let known = match &waiting.on {
        WaitsOn::Signal { .. } => WaitsOnBody {
            url: Some(signals::url(release, &waiting.path)),
            secret: secret(&waiting.path),
            ..WaitsOnBody::default()
        },
        WaitsOn::Locks(names) => WaitsOnBody {
            locks: names.iter().map(|name| awaited(name, locks)).collect(),
            ..WaitsOnBody::default()
        },
        _ => WaitsOnBody::default(),
    };
    for lock in &known.locks {
        let holders = lock.holders.iter();
        let holders = holders.map(|held| format!("{} ({})", held.release, held.path));
        let holders: Vec<String> = holders.collect();
        if !holders.is_empty() {
            text = format!("{text}; {} is held by {}", lock.name, holders.join(", "));
        }
    }
    WaitingBody {
        text,
        path: waiting.path,
        state: waiting.state.into(),
        since: waiting.since.map(|since| since.to_string()),
        on: WaitsOnBody {
            url: known.url,
            secret: known.secret,
            locks: known.locks,
            ..on(waiting.on)
        },
        actions: waiting.actions.iter().map(ToString::to_string).collect(),
    }
}

/// An attempt that policies are asked about.
pub(super) fn on_policies(release: &Release, key: AttemptKey, policies: &[Name]) -> WaitingBody {
    let path = release.process().path(key.activity);
    let names: Vec<String> = policies.iter().map(ToString::to_string).collect();
    let what = if names.len() == 1 {
        "policy"
    } else {
        "policies"
    };
    WaitingBody {
        text: format!("{path} waits for the {what} {}", names.join(", ")),
        path,
        state: release.activity_state(key.activity).word().into(),
        since: None,
        on: WaitsOnBody {
            kind: "policies".into(),
            policies: names,
            ..WaitsOnBody::default()
        },
        actions: Vec::new(),
    }
}

fn on(on: WaitsOn) -> WaitsOnBody {
    let kind = |kind: &str| WaitsOnBody {
        kind: kind.into(),
        ..WaitsOnBody::default()
    };
    match on {
        WaitsOn::Start => kind("start"),
        WaitsOn::Resume { by, reason } => WaitsOnBody {
            by: Some(by.to_string()),
            reason,
            ..kind("resume")
        },
        WaitsOn::Time {
            until,
            times_out,
            failure,
            status,
        } => WaitsOnBody {
            until: Some(until.to_string()),
            times_out: Some(times_out),
            failure: failure.as_deref().map(self::failure),
            status,
            ..kind("time")
        },
        WaitsOn::People {
            rules,
            form,
            exclude,
            escalates_at,
            further,
            expires_at,
        } => WaitsOnBody {
            rules: Some(rules.iter().map(rule).collect()),
            form: Some(form),
            exclude: exclude.iter().map(ToString::to_string).collect(),
            further: parties(&further),
            escalates_at: escalates_at.map(|at| at.to_string()),
            expires_at: expires_at.map(|at| at.to_string()),
            ..kind("people")
        },
        WaitsOn::Decision { failure, owners } => WaitsOnBody {
            failure: Some(self::failure(&failure)),
            owners: parties(&owners),
            ..kind("decision")
        },
        WaitsOn::Needs(needs) => named("needs", needs, Vec::new()),
        WaitsOn::Undos(needs) => named("undos", needs, Vec::new()),
        WaitsOn::RootCause { owners } => named("root-cause", Vec::new(), parties(&owners)),
        WaitsOn::Batch {
            batch,
            batches,
            before,
        } => WaitsOnBody {
            batch: Some(batch),
            batches: Some(batches),
            ..before_batch(before)
        },
        other => outside(other),
    }
}

/// What waits on others, or on whoever answers for it.
fn named(kind: &str, needs: Vec<String>, owners: Vec<String>) -> WaitsOnBody {
    WaitsOnBody {
        kind: kind.into(),
        needs,
        owners,
        ..WaitsOnBody::default()
    }
}

fn before_batch(before: BeforeBatch) -> WaitsOnBody {
    let body = WaitsOnBody {
        kind: "batch".into(),
        status: Some(before.to_string()),
        ..WaitsOnBody::default()
    };
    match before {
        BeforeBatch::Instances(_) => body,
        BeforeBatch::Bake(until) => WaitsOnBody {
            until: Some(until.to_string()),
            ..body
        },
        BeforeBatch::Gate(gate) => WaitsOnBody {
            needs: vec![gate],
            ..body
        },
        BeforeBatch::Halt { by, reason } => WaitsOnBody {
            reason: Some(reason.text(&by)),
            by: Some(by.to_string()),
            ..body
        },
    }
}

/// What something waits on that is outside of its release.
fn outside(on: WaitsOn) -> WaitsOnBody {
    let kind = |kind: &str| WaitsOnBody {
        kind: kind.into(),
        ..WaitsOnBody::default()
    };
    match on {
        WaitsOn::Signal {
            name,
            until,
            status,
        } => WaitsOnBody {
            signal: Some(name.to_string()),
            status,
            until: until.map(|at| at.to_string()),
            ..kind("signal")
        },
        WaitsOn::Release {
            release,
            reaches,
            until,
        } => WaitsOnBody {
            release: Some(release.to_string()),
            reaches: Some(reaches),
            until: until.map(|at| at.to_string()),
            ..kind("release")
        },
        WaitsOn::Locks(_) => kind("locks"),
        _ => kind("needs"),
    }
}

/// A lock with who holds it.
fn awaited(name: &str, locks: &[LockView]) -> AwaitedLockBody {
    let lock = locks.iter().find(|lock| lock.name == name);
    let holders = lock.map(|lock| lock.holders.as_slice()).unwrap_or_default();
    AwaitedLockBody {
        name: name.to_owned(),
        holders: holders.iter().map(claim).collect(),
    }
}

fn rule(rule: &OpenRule) -> OpenRuleBody {
    OpenRuleBody {
        from: parties(&rule.from),
        more: rule.more,
        missing: rule
            .missing
            .iter()
            .map(|name| format!("user:{name}"))
            .collect(),
        later: rule.later,
    }
}
