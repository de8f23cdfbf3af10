//! What the world `notifier` has beyond the imports of activities, with the same types.

use fermata_core::extension::Notification;

use crate::ask::since_epoch;

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "
            package fermata:host;
            world notifier-only {
                export fermata:activity/notify@0.1.0;
            }
        ",
        with: {
            "fermata:activity/types": crate::guest::bindings::fermata::activity::types,
        },
        exports: { default: async },
    });
}

pub(crate) use bindings::NotifierOnlyPre;
use bindings::exports::fermata::activity::notify;

/// The notification as the guest gets it.
pub(crate) fn notification(notification: &Notification) -> notify::Notification {
    notify::Notification {
        id: notification.id.clone(),
        number: notification.number,
        settings: notification.settings.as_str().to_owned(),
        kind: notification.kind.clone(),
        at_ms: since_epoch(notification.at),
        text: notification.text.clone(),
        data: notification.data.as_str().to_owned(),
        now_ms: since_epoch(notification.now),
    }
}
