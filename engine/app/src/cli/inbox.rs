//! `fermata inbox`, and `fermata release attach`.

use serde_json::{Value, json};

use super::args::{AttachArgs, InboxArgs};
use super::error::Error;
use super::table::Table;
use super::text::{Tone, ago, cell};
use super::{Context, items, pages, release, values};
use crate::client::Call;
use crate::wire;

/// Runs `fermata inbox`.
pub(super) async fn run(context: &mut Context, args: &InboxArgs) -> Result<(), Error> {
    let client = context.client()?;
    let limit = usize::try_from(args.limit).unwrap_or(pages::ALL);
    let answer = pages::read(&client, &["me", "tasks"], &[], limit).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let now = wire::now();
    let mut table = Table::new(&["DUE", "WHAT", "RELEASE", "ACTIVITY", "TITLE", "FOR"]);
    for item in items(&answer) {
        table.toned([
            (Tone::Strong, ago(item.get("due_at"), now)),
            (Tone::Plain, what(item)),
            (Tone::Faint, cell(item.get("release"))),
            (Tone::Plain, cell(item.get("activity"))),
            (Tone::Plain, cell(item.get("title"))),
            (Tone::Faint, cell(item.get("backup_of"))),
        ]);
    }
    context.out.table(&table, "nothing waits on you")
}

/// The kind of thing, with the name of the task.
fn what(item: &Value) -> String {
    let kind = cell(item.get("kind"));
    match item.get("task") {
        Some(task) => format!("{kind} {}", cell(Some(task))),
        None => kind,
    }
}

/// Runs `fermata release attach`.
pub(super) async fn attach(context: &mut Context, args: AttachArgs) -> Result<(), Error> {
    let client = context.client()?;
    let call = match (&args.file, args.url) {
        (Some(path), _) => {
            let bytes = values::read(path)?;
            let own = path.file_name().unwrap_or(path.as_os_str());
            let own = own.to_string_lossy().into_owned();
            let length = bytes.len();
            Call::post(&["releases", &args.release, "files"])
                .query("activity", Some(&args.activity))
                .query("task", args.task.as_ref())
                .query("name", Some(args.name.unwrap_or(own)))
                .query("media_type", Some(args.media_type))
                .bytes("application/octet-stream", bytes, length)
        }
        (None, url) => {
            let mut body = json!({ "action": "attach-url", "activity": args.activity });
            body["url"] = json!(url);
            body["name"] = json!(args.name.or(url));
            if let Some(task) = args.task {
                body["task"] = json!(task);
            }
            Call::post(&["releases", &args.release, "actions"]).json(&body)
        }
    };
    let answer = client.json(call).await?;
    release::shown(context, &answer)
}
