//! Posts notifications to the webhook of a chat.

use std::collections::BTreeMap;

use fermata_sdk::prelude::*;

/// Longest time for the call: much less than a try may take, so that the failure tells of it.
const CALL_MAX: Duration = Duration::from_secs(15);
/// Longest message, in characters: what chats take.
const MESSAGE_CHARS_MAX: usize = 3_000;
/// The template for kinds that have none of their own.
const DEFAULT: &str = "default";

/// Where to tell it, and in which words.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The webhook.
    url: String,
    /// The secret that goes with it as `authorization: Bearer …`, if the chat wants one. It must be granted.
    #[serde(default)]
    secret: Option<String>,
    /// A text for each kind of notification; `default` is for all others. `{text}`, `{kind}`, `{link}` and the
    /// fields of the data stand for what they name.
    #[serde(default)]
    templates: BTreeMap<String, String>,
    /// The address of the server as people reach it: links begin with it.
    #[serde(default)]
    link_base: Option<String>,
    /// The channel, for chats that take one.
    #[serde(default)]
    channel: Option<String>,
}

struct ChatNotifier;

impl Notifier for ChatNotifier {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Settings = Settings;

    fn summary() -> &'static str {
        "Posts what happens to releases to the webhook of a chat."
    }

    fn capabilities() -> Capabilities {
        Capabilities::none().http("*", &["POST"])
    }

    fn notify(notification: &Notification, settings: Settings) -> Result<(), Failure> {
        let message = message(notification, &settings);
        let mut body = json!({ "text": message });
        if let Some(channel) = &settings.channel {
            body["channel"] = json!(channel);
        }
        let mut request = http::Request::post(&settings.url)
            .header("idempotency-key", &notification.id)
            .json(&body)
            .timeout(CALL_MAX);
        if let Some(secret) = &settings.secret {
            let bearer = format!("Bearer {}", secrets::handle(secret)?);
            request = request.header("authorization", bearer);
        }
        let response = request.send()?.success()?;
        log::info!("the chat answered {}", response.status());
        Ok(())
    }
}

/// The message in the words of the settings.
fn message(notification: &Notification, settings: &Settings) -> String {
    let templates = &settings.templates;
    let template = templates.get(&notification.kind);
    let mut message = match template.or_else(|| templates.get(DEFAULT)) {
        Some(template) => filled(template, |name| value(name, notification, settings)),
        None => {
            let link = link(notification, settings);
            let link = settings.link_base.is_some().then_some(link).flatten();
            let lines = [Some(notification.text.clone()), link];
            lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
        }
    };
    if let Some((end, _)) = message.char_indices().nth(MESSAGE_CHARS_MAX) {
        message.truncate(end);
        message.push('…');
    }
    message
}

/// What stands for `{name}`; nothing where there is no such thing.
fn value(name: &str, notification: &Notification, settings: &Settings) -> String {
    match name {
        "text" => notification.text.clone(),
        "kind" => notification.kind.clone(),
        "link" => link(notification, settings).unwrap_or_default(),
        name => match notification.data.get(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(items)) => {
                let texts = items.iter().map(|item| item.as_str().unwrap_or_default());
                texts.collect::<Vec<_>>().join(", ")
            }
            Some(other) => other.to_string(),
        },
    }
}

fn link(notification: &Notification, settings: &Settings) -> Option<String> {
    let path = notification.data.get("link")?.as_str()?;
    let base = settings.link_base.as_deref().unwrap_or_default();
    Some(format!("{}{path}", base.trim_end_matches('/')))
}

/// `template` with values in place of names in braces. What is put in is not looked at again, and a brace without
/// an end stands for itself.
fn filled(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut message = String::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        message.push_str(before);
        let Some((name, after)) = behind.split_once('}') else {
            message.push('{');
            rest = behind;
            continue;
        };
        message.push_str(&value(name));
        rest = after;
    }
    message.push_str(rest);
    message
}

fermata_sdk::notifier!(ChatNotifier);

#[cfg(test)]
mod tests {
    use super::*;
    use fermata_sdk::testing::{self, Answer, Host};

    const URL: &str = "https://chat.example.com/hook";

    fn failed() -> Notification {
        let mut notification = testing::notification("release-failed", "Bank (bank@1): failed");
        notification.id = "chat/rel-1/9".into();
        notification.data = json!({
            "process": "bank", "version": 1, "asked": ["group:qa", "user:ana"], "reason": "{text}",
            "link": "/api/v1/releases/rel-1",
        });
        notification
    }

    fn settings(more: Value) -> Value {
        let mut settings = json!({ "url": URL });
        let more = more.as_object().cloned().unwrap_or_default();
        settings.as_object_mut().expect("an object").extend(more);
        settings
    }

    fn host(answer: Answer) -> Host {
        let host = Host::install();
        host.answer("POST", URL, answer);
        host
    }

    fn sent(more: Value) -> Value {
        let host = host(Answer::status(200));
        testing::notify::<ChatNotifier>(&failed(), settings(more)).expect("is sent");
        let body = host.requests()[0].body_bytes().expect("a body").to_vec();
        fermata_sdk::serde_json::from_slice(&body).expect("JSON")
    }

    #[test]
    fn the_sentence_is_enough() {
        assert_eq!(sent(json!({})), json!({ "text": "Bank (bank@1): failed" }));
        assert_eq!(
            sent(json!({ "link_base": "https://fermata.example.com/", "channel": "#ops" })),
            json!({
                "text": "Bank (bank@1): failed\nhttps://fermata.example.com/api/v1/releases/rel-1",
                "channel": "#ops",
            })
        );
    }

    #[test]
    fn a_template_has_the_words_of_the_team() {
        let templates = json!({ "templates": {
            "release-failed": "{process} {version} {kind}: ask {asked} {nothing}<{reason}> {",
            "default": "not this",
        } });
        assert_eq!(
            sent(templates)["text"],
            "bank 1 release-failed: ask group:qa, user:ana <{text}> {"
        );
        let templates = json!({ "templates": { "default": "!{text}" } });
        assert_eq!(sent(templates)["text"], "!Bank (bank@1): failed");
        let long = json!({ "templates": { "default": "ä".repeat(10_000) } });
        let text = sent(long)["text"].as_str().expect("text").chars().count();
        assert_eq!(text, MESSAGE_CHARS_MAX + 1);
    }

    #[test]
    fn the_id_goes_along_so_that_nothing_is_told_twice() {
        let host = host(Answer::status(200));
        testing::notify::<ChatNotifier>(&failed(), settings(json!({}))).expect("is sent");
        let request = &host.requests()[0];
        assert_eq!(
            request.header_value("idempotency-key"),
            Some("chat/rel-1/9")
        );
        assert_eq!(request.header_value("authorization"), None);
    }

    #[test]
    fn the_secret_is_only_used_where_it_is_asked_for_and_granted() {
        let granted = host(Answer::status(200));
        granted.secret("chat-token");
        let with_secret = || settings(json!({ "secret": "chat-token" }));
        testing::notify::<ChatNotifier>(&failed(), with_secret()).expect("is sent");
        let sent = &granted.requests()[0];
        assert_eq!(
            sent.header_value("authorization"),
            Some("Bearer <secret:chat-token>")
        );

        let refused = host(Answer::status(200));
        let failure =
            testing::notify::<ChatNotifier>(&failed(), with_secret()).expect_err("no grant");
        assert_eq!(failure.code_given(), Some("secret-unknown"));
        assert!(refused.calls().is_empty());
    }

    #[test]
    fn a_chat_that_is_busy_is_asked_again_when_it_wants() {
        host(Answer::status(429).header("retry-after", "30"));
        let failure =
            testing::notify::<ChatNotifier>(&failed(), settings(json!({}))).expect_err("busy");
        assert_eq!(failure.delay(), Some(Duration::from_secs(30)));
    }
}
