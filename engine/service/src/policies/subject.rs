//! What policies are told of what is about to happen. The documentation lists every field.

use serde_json::{Map, Value, json};

use fermata_core::actor::Caller;
use fermata_core::attempt::AttemptKey;
use fermata_core::json::Json;
use fermata_core::process::Process;
use fermata_core::release::Release;
use fermata_core::release::event::Pinned;

/// A version of a process that is about to be published.
pub(crate) fn of_document(
    process: &Process,
    version: u32,
    by: &Caller,
    (document, components): (&[u8], &[Pinned]),
) -> Json {
    let components: Vec<Value> = components.iter().map(component).collect();
    Json::of(&json!({
        "process": { "name": process.name, "version": version, "title": process.title },
        "by": by.actor.to_string(),
        "groups": by.groups,
        "document": String::from_utf8_lossy(document),
        "components": components,
    }))
}

/// A release that is about to start; a draft has an id already, and so has a child.
pub(crate) fn of_start(release: &Release, has_id: bool, by: &Caller) -> Json {
    let mut subject = of_release(release);
    if !has_id {
        subject.insert("release".to_owned(), Value::Null);
    }
    let more = [
        ("by", json!(by.actor.to_string())),
        ("groups", json!(by.groups)),
        ("inputs", release.inputs().value()),
        ("environments", json!(release.environments())),
    ];
    subject.extend(more.map(|(name, value)| (name.to_owned(), value)));
    Json::of(&Value::Object(subject))
}

/// An attempt of an activity that is about to begin.
pub(crate) fn of_attempt(release: &Release, key: AttemptKey) -> Json {
    let process = release.process();
    let activity = process.activity(key.activity);
    let pin = release.calls(key.activity);
    let component = pin.map(
        |pin| json!({ "name": pin.name, "version": pin.version, "digest": pin.digest.to_string() }),
    );
    let more = [
        ("by", json!(release.initiator().to_string())),
        ("release_inputs", release.inputs().value()),
        ("phase", json!(process.phase(activity.phase).name)),
        ("activity", json!(activity.name)),
        ("path", json!(process.path(key.activity))),
        ("attempt", json!(key.attempt)),
        (
            "inputs",
            release
                .attempt_inputs(key.activity)
                .map_or(Value::Null, Json::value),
        ),
        ("script", json!(release.runs_script(key.activity))),
        ("component", json!(component)),
    ];
    let mut subject = of_release(release);
    subject.extend(more.map(|(name, value)| (name.to_owned(), value)));
    Json::of(&Value::Object(subject))
}

/// What every subject that is about a release has.
fn of_release(release: &Release) -> Map<String, Value> {
    let process = release.process_ref();
    let parent = release.parent();
    let parent = parent
        .map(|parent| json!({ "release": parent.release.to_string(), "activity": parent.path }));
    let fields = [
        ("release", json!(release.id().to_string())),
        (
            "process",
            json!({
                "name": process.name, "version": process.version, "digest": process.digest.to_string(),
            }),
        ),
        ("title", json!(release.title())),
        ("emergency", json!(release.emergency())),
        ("parent", json!(parent)),
    ];
    fields
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

fn component(pinned: &Pinned) -> Value {
    json!({
        "uses": pinned.uses.to_string(),
        "name": pinned.pin.name,
        "version": pinned.pin.version,
        "digest": pinned.pin.digest.to_string(),
    })
}
