//! What a notifier is: it tells people outside of the engine what happened.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Failure;
use crate::activity::{Capabilities, descriptor};
use crate::schemars::JsonSchema;

/// Tells people outside of the engine what happened. An administrator sets it up with settings of its own.
///
/// ```
/// use fermata_sdk::prelude::*;
///
/// #[derive(Deserialize, JsonSchema)]
/// struct Settings {
///     /// Where to post.
///     url: String,
/// }
///
/// struct Post;
///
/// impl Notifier for Post {
///     const NAME: &'static str = "post";
///     const VERSION: &'static str = "1.0.0";
///     type Settings = Settings;
///
///     fn summary() -> &'static str {
///         "Posts what happened to a URL."
///     }
///
///     fn capabilities() -> Capabilities {
///         Capabilities::none().http("*", &["POST"])
///     }
///
///     fn notify(notification: &Notification, settings: Settings) -> Result<(), Failure> {
///         http::Request::post(&settings.url)
///             .header("idempotency-key", &notification.id)
///             .json(&json!({ "text": notification.text }))
///             .send()?
///             .success()?;
///         Ok(())
///     }
/// }
///
/// fermata_sdk::notifier!(Post);
///
/// use fermata_sdk::testing::{self, Answer, Host};
///
/// let host = Host::install();
/// host.answer("POST", "https://chat.example.com/", Answer::status(204));
/// let notification = testing::notification("release-failed", "rel-1 has failed");
/// testing::notify::<Post>(&notification, json!({ "url": "https://chat.example.com/" })).unwrap();
/// assert_eq!(host.calls(), ["POST https://chat.example.com/"]);
/// ```
pub trait Notifier {
    /// The name in the registry: lower-case letters, digits and hyphens.
    const NAME: &'static str;
    /// The version, `MAJOR.MINOR.PATCH`. The registry never takes other bytes under a version it has.
    const VERSION: &'static str;
    /// What an administrator sets. The derived schema is checked when the notifier is set up.
    type Settings: DeserializeOwned + JsonSchema;

    /// One sentence for people who choose a notifier.
    fn summary() -> &'static str;

    /// What the notifier wants to reach. A person grants it, or not, when the component is uploaded.
    fn capabilities() -> Capabilities {
        Capabilities::none()
    }

    /// Tells it. Delivery is at-least-once: hand [`Notification::id`] to the systems you call. A retryable failure is
    /// tried again later, a permanent one is not.
    fn notify(notification: &Notification, settings: Self::Settings) -> Result<(), Failure>;
}

/// One thing to tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// The same for every try.
    pub id: String,
    /// 1 for the first try.
    pub number: u32,
    /// What kind of thing happened, such as `release-failed`.
    pub kind: String,
    /// When it happened, milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// One sentence for people.
    pub text: String,
    /// What the sentence speaks of: ids, names, links.
    pub data: Value,
    /// When this try began, milliseconds since the Unix epoch.
    pub now_ms: u64,
}

/// The JSON descriptor of `N`, as `describe` returns it.
pub(crate) fn describe<N: Notifier>() -> Value {
    descriptor::<N::Settings>((N::NAME, N::VERSION), N::summary(), &N::capabilities())
}
