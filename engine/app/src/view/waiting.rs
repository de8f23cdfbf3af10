//! Why something is not moving, as JSON.

use fermata_core::release::{BeforeBatch, OpenRule, Waiting, WaitsOn};

use crate::http::dto::release::{OpenRuleBody, WaitingBody, WaitsOnBody};
use crate::view::{failure, parties};

/// One thing that is not moving.
pub(super) fn body(waiting: Waiting) -> WaitingBody {
    WaitingBody {
        text: waiting.to_string(),
        path: waiting.path,
        state: waiting.state.into(),
        since: waiting.since.map(|since| since.to_string()),
        on: on(waiting.on),
        actions: waiting.actions.iter().map(ToString::to_string).collect(),
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
            exclude_initiator,
            expires_at,
        } => WaitsOnBody {
            rules: Some(rules.iter().map(rule).collect()),
            form: Some(form),
            exclude_initiator: Some(exclude_initiator),
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

fn rule(rule: &OpenRule) -> OpenRuleBody {
    OpenRuleBody {
        from: rule.from.to_string(),
        more: rule.more,
    }
}
