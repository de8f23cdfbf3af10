//! What the world `policy` has beyond the imports of activities, with the same types.

use fermata_core::extension::{Point, Question};

use crate::ask::since_epoch;

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "
            package fermata:host;
            world policy-only {
                export fermata:activity/judge@0.1.0;
            }
        ",
        with: {
            "fermata:activity/types": crate::guest::bindings::fermata::activity::types,
        },
        exports: { default: async },
    });
}

pub(crate) use bindings::PolicyOnlyPre;
use bindings::exports::fermata::activity::judge;
pub(crate) use judge::Verdict;

/// The question as the guest gets it.
pub(crate) fn question(question: &Question) -> judge::Question {
    judge::Question {
        point: match question.point {
            Point::Publish => judge::Point::Publish,
            Point::Start => judge::Point::Start,
            Point::Activity => judge::Point::Activity,
        },
        settings: question.settings.as_str().to_owned(),
        subject: question.subject.as_str().to_owned(),
        now_ms: since_epoch(question.now),
    }
}
