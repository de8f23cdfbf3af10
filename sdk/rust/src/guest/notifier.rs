//! The export of a notifier, which calls a [`Notifier`].

use super::{Exported, activity, log_panic, notifier_world};
use crate::notifier::describe;
use crate::policy::read_settings;
use crate::{Failure, Notification, Notifier, OrFail};
use notifier_world::exports::fermata::activity::notify as wit;

impl<N: Notifier> wit::Guest for Exported<N> {
    fn describe() -> String {
        std::panic::set_hook(Box::new(log_panic));
        describe::<N>().to_string()
    }

    fn notify(
        notification: wit::Notification,
    ) -> Result<(), activity::fermata::activity::types::Failure> {
        notify::<N>(notification).map_err(Into::into)
    }
}

fn notify<N: Notifier>(notification: wit::Notification) -> Result<(), Failure> {
    std::panic::set_hook(Box::new(log_panic));
    let settings = read_settings(N::NAME, &notification.settings)?;
    let data = serde_json::from_str(&notification.data)
        .or_fail(|| Failure::permanent("the data is no JSON"))?;
    let notification = Notification {
        id: notification.id,
        number: notification.number,
        kind: notification.kind,
        at_ms: notification.at_ms,
        text: notification.text,
        data,
        now_ms: notification.now_ms,
    };
    N::notify(&notification, settings)
}
