//! What people decide about a release: `fermata release approve`, `retry`, `abort` and the others.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::args::{ActivityArgs, AmendArgs, LaunchArgs, ReleaseCommand};
use super::error::Error;
use super::text::{Tone, cell};
use super::values::{self, Pair};
use super::{Context, release};
use crate::client::view::Release;
use crate::client::{Call, Client};

/// One decision, as the API takes it.
#[derive(Debug, PartialEq)]
struct Decision {
    release: String,
    body: Value,
}

/// The release, the action, the activity, and what comes with it.
type Parts = (
    String,
    &'static str,
    Option<String>,
    [(&'static str, Option<Value>); 2],
);

/// Runs the command.
pub(super) async fn run(context: &mut Context, command: ReleaseCommand) -> Result<(), Error> {
    let client = context.client()?;
    let mut decision = decision(command)?;
    complete_with(&client, &mut decision).await?;
    let path = ["releases", &decision.release, "actions"];
    let answer = client.json(Call::post(&path).json(&decision.body)).await?;
    tell(context, &decision, &answer)
}

fn decision(command: ReleaseCommand) -> Result<Decision, Error> {
    use ReleaseCommand as C;
    let (release, action, activity, more) = match command {
        command @ (C::Approve(_) | C::Reject(_) | C::Withdraw(_)) => return answer(command),
        command @ (C::Task(_) | C::Comment(_) | C::BreakGlass(_) | C::Review(_)) => {
            return work(command);
        }
        C::Retry(args) => {
            let with = values::object(args.with_file.as_deref(), &args.with)?;
            (
                args.release,
                "retry",
                Some(args.activity),
                [("with", with), ("", None)],
            )
        }
        C::Supply(args) => {
            let outputs = outputs(args.outputs_file.as_deref(), &args.outputs)?;
            let more = [("outputs", Some(outputs)), ("", None)];
            (args.release, "supply-outputs", Some(args.activity), more)
        }
        C::Skip(args) => why(args, "skip"),
        C::Fail(args) => why(args, "fail"),
        wave @ (C::HaltWave(_) | C::ResumeWave(_) | C::EndWave(_) | C::RollbackWave(_)) => {
            return Ok(about_wave(wave));
        }
        C::Amend(args) => return amendment(args),
        C::Launch(args) => return launch(args),
        C::Pause(args) => (args.release, "pause", None, because(args.reason)),
        C::Resume { release } => (release, "resume", None, because(None)),
        C::Abort(args) => (args.release, "abort", None, because(Some(args.reason))),
        back @ (C::Rollback(_)
        | C::RetryUndo(_)
        | C::MarkUndone(_)
        | C::AcceptNotUndone(_)
        | C::RootCause(_)) => way_back(back),
        C::Attach(_)
        | C::Start(_)
        | C::Draft(_)
        | C::List(_)
        | C::Watch(_)
        | C::Show { .. }
        | C::Why { .. }
        | C::Logs(_)
        | C::Signal(_)
        | C::Events(_) => unreachable!("`release::run` keeps the commands that decide nothing"),
    };
    let mut body = Map::new();
    body.insert("action".into(), action.into());
    body.extend(activity.map(|activity| ("activity".into(), activity.into())));
    let given = more
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)));
    body.extend(given);
    Ok(Decision {
        release,
        body: Value::Object(body),
    })
}

/// Other inputs of the release, or other outputs or more attempts of an activity.
fn amendment(args: AmendArgs) -> Result<Decision, Error> {
    let mut body = match (args.activity, args.attempts) {
        (None, _) => {
            let inputs = values::object(args.inputs_file.as_deref(), &args.input)?;
            let Some(inputs) = inputs else {
                return Err(Error::usage(
                    "nothing is to be amended",
                    "name inputs with --input, or an activity with --outputs or --attempts",
                ));
            };
            json!({ "action": "amend-inputs", "inputs": inputs })
        }
        (Some(activity), Some(attempts)) => {
            json!({ "action": "amend-retry", "activity": activity, "attempts": attempts })
        }
        (Some(activity), None) => {
            let outputs = outputs(args.outputs_file.as_deref(), &args.outputs)?;
            json!({ "action": "amend-outputs", "activity": activity, "outputs": outputs })
        }
    };
    body["reason"] = args.reason.into();
    Ok(Decision {
        release: args.release,
        body,
    })
}

fn launch(args: LaunchArgs) -> Result<Decision, Error> {
    let (process, version) = values::versioned(&args.process);
    let mut body = json!({ "action": "launch", "activity": args.activity, "process": process });
    if let Some(version) = version {
        let number: u32 = version.parse().map_err(|_| {
            let message = format!("`{version}` is no version of a process");
            Error::usage(message, "versions of processes are numbers: NAME@3")
        })?;
        body["version"] = json!(number);
    }
    if let Some(inputs) = values::object(args.inputs_file.as_deref(), &args.input)? {
        body["inputs"] = inputs;
    }
    Ok(Decision {
        release: args.release,
        body,
    })
}

/// What is decided about the way back.
fn way_back(command: ReleaseCommand) -> Parts {
    use ReleaseCommand as C;
    match command {
        C::Rollback(args) => (args.release, "rollback", None, because(args.reason)),
        C::RetryUndo(args) => {
            let activity = Some(args.activity);
            (args.release, "retry-undo", activity, because(None))
        }
        C::MarkUndone(args) => why(args, "mark-undone"),
        C::AcceptNotUndone(args) => why(args, "accept-not-undone"),
        C::RootCause(args) => {
            let more = [("comment", Some(args.comment.into())), ("", None)];
            (args.release, "close-root-cause", None, more)
        }
        _ => unreachable!("`decision` hands over what is about the way back"),
    }
}

/// What is done about an activity for a reason.
fn why(args: ActivityArgs, action: &'static str) -> Parts {
    let reason = because(Some(args.reason));
    (args.release, action, Some(args.activity), reason)
}

/// What is decided about a question to people.
fn answer(command: ReleaseCommand) -> Result<Decision, Error> {
    use ReleaseCommand as C;
    Ok(match command {
        C::Approve(args) => {
            let form = values::object(args.form_file.as_deref(), &args.form)?;
            let more = [
                ("comment", args.comment.map(Value::from)),
                ("form", form),
                ("content", args.content.map(Value::from)),
                ("for", args.absent.map(Value::from)),
            ];
            Decision::about((args.release, args.activity, "approve"), more)
        }
        C::Reject(args) => {
            let more = [
                ("comment", Some(args.comment.into())),
                ("for", args.absent.map(Value::from)),
            ];
            Decision::about((args.release, args.activity, "reject"), more)
        }
        C::Withdraw(args) if args.question => {
            let more = [("reason", args.reason.map(Value::from))];
            Decision::about((args.release, args.activity, "withdraw-question"), more)
        }
        C::Withdraw(args) => {
            let more = [("comment", args.reason.map(Value::from))];
            Decision::about((args.release, args.activity, "withdraw"), more)
        }
        _ => unreachable!("`decision` hands over these alone"),
    })
}

/// What is done about the tasks of a manual activity, and about its approvals in an emergency.
fn work(command: ReleaseCommand) -> Result<Decision, Error> {
    use ReleaseCommand as C;
    Ok(match command {
        C::Task(args) => Decision::about(
            (args.release, args.activity, "move-task"),
            [
                ("task", Some(args.task.into())),
                ("state", Some(args.state.into())),
                ("comment", args.comment.map(Value::from)),
            ],
        ),
        C::Comment(args) => {
            let action = match args.edit {
                Some(_) => "edit-comment",
                None => "comment",
            };
            let more = [
                ("task", args.task.map(Value::from)),
                ("number", args.edit.map(Value::from)),
                ("comment", Some(args.text.into())),
            ];
            Decision::about((args.release, args.activity, action), more)
        }
        C::BreakGlass(args) => {
            let form = values::object(None, &args.form)?;
            let more = [("reason", Some(args.reason.into())), ("form", form)];
            Decision::about((args.release, args.activity, "break-glass"), more)
        }
        C::Review(args) => {
            let more = [("comment", Some(args.comment.into()))];
            Decision::about((args.release, args.activity, "close-review"), more)
        }
        _ => unreachable!("`decision` hands over these alone"),
    })
}

impl Decision {
    /// A decision about an activity of a release.
    fn about(
        (release, activity, action): (String, String, &str),
        more: impl IntoIterator<Item = (&'static str, Option<Value>)>,
    ) -> Self {
        let mut body = Map::new();
        body.insert("action".into(), action.into());
        body.insert("activity".into(), activity.into());
        let given = more.into_iter();
        body.extend(given.filter_map(|(key, value)| Some((key.to_owned(), value?))));
        Self {
            release,
            body: Value::Object(body),
        }
    }
}

fn because(reason: Option<String>) -> [(&'static str, Option<Value>); 2] {
    [("reason", reason.map(Value::from)), ("", None)]
}

fn about_wave(command: ReleaseCommand) -> Decision {
    use ReleaseCommand as C;
    let (release, action, wave, reason) = match command {
        C::HaltWave(args) => (args.release, "halt-wave", args.wave, Some(args.reason)),
        C::ResumeWave(args) => (args.release, "resume-wave", args.wave, args.reason),
        C::EndWave(args) => (args.release, "end-wave", args.wave, Some(args.reason)),
        C::RollbackWave(args) => (args.release, "rollback-wave", args.wave, args.reason),
        _ => unreachable!("`decision` hands over what is about a wave"),
    };
    let mut body = json!({ "action": action, "wave": wave });
    if let Some(reason) = reason {
        body["reason"] = reason.into();
    }
    Decision { release, body }
}

/// What the activity gave; an empty object if nothing is said.
fn outputs(file: Option<&Path>, pairs: &[Pair]) -> Result<Value, Error> {
    Ok(values::object(file, pairs)?.unwrap_or_else(|| json!({})))
}

/// `--with` names only what changes, while the engine takes the whole: adds what the activity
/// had before.
async fn complete_with(client: &Client, decision: &mut Decision) -> Result<(), Error> {
    let Some(Value::Object(changed)) = decision.body.get("with").cloned() else {
        return Ok(());
    };
    let body = client
        .json(Call::get(&["releases", &decision.release]))
        .await?;
    let path = cell(decision.body.get("activity"));
    let before = Release::parse(&body).ok().and_then(|release| {
        let activity = release
            .activities()
            .find(|activity| activity.path == path)?;
        activity.with.clone()
    });
    decision.body["with"] = merged(before, changed);
    Ok(())
}

fn merged(before: Option<Value>, changed: Map<String, Value>) -> Value {
    let mut whole = match before {
        Some(Value::Object(before)) => before,
        _ => Map::new(),
    };
    whole.extend(changed);
    Value::Object(whole)
}

fn tell(context: &mut Context, decision: &Decision, answer: &Value) -> Result<(), Error> {
    if context.out.is_json() {
        return context.out.json(answer);
    }
    let action = cell(decision.body.get("action"));
    let about = |key| decision.body.get(key).and_then(Value::as_str);
    let what = about("activity").or(about("wave"));
    let what = what.unwrap_or(&decision.release).to_owned();
    let now_is =
        Release::parse(answer)
            .ok()
            .and_then(|release| match (about("activity"), about("wave")) {
                (Some(path), _) => release.state_of(path).map(ToOwned::to_owned),
                (None, Some(path)) => release.wave(path).map(|wave| wave.state.clone()),
                (None, None) => Some(release.state.clone()),
            });
    let Some(state) = now_is.filter(|state| !state.is_empty()) else {
        return release::shown(context, answer);
    };
    let paint = context.out.paint();
    let state = paint.tone(super::text::tone_of(&state), &state);
    context.out.line(&format!(
        "{}: {action}, now {state}",
        paint.tone(Tone::Strong, &what)
    ))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::{Cli, Command};

    fn body(line: &str) -> Value {
        let words = format!("fermata release {line}");
        let cli = Cli::try_parse_from(words.split_whitespace()).expect("valid words");
        let Command::Release(command) = cli.command else {
            panic!("no release command");
        };
        let decision = decision(command).expect("a decision");
        assert_eq!(decision.release, "rel-1");
        decision.body
    }

    #[test]
    fn commands_become_actions() {
        for (line, expected) in [
            (
                "approve rel-1 uat/sign-off --form verdict=pass --comment ok",
                json!({"action": "approve", "activity": "uat/sign-off", "comment": "ok", "form": {"verdict": "pass"}}),
            ),
            (
                "approve rel-1 a/b",
                json!({"action": "approve", "activity": "a/b"}),
            ),
            (
                "approve rel-1 a/b --content sha256:00",
                json!({"action": "approve", "activity": "a/b", "content": "sha256:00"}),
            ),
            (
                "reject rel-1 a/b --comment no",
                json!({"action": "reject", "activity": "a/b", "comment": "no"}),
            ),
            (
                "retry rel-1 a/b",
                json!({"action": "retry", "activity": "a/b"}),
            ),
            (
                "retry rel-1 a/b --with n=2",
                json!({"action": "retry", "activity": "a/b", "with": {"n": 2}}),
            ),
            (
                "supply rel-1 a/b",
                json!({"action": "supply-outputs", "activity": "a/b", "outputs": {}}),
            ),
            (
                "skip rel-1 a/b --reason later",
                json!({"action": "skip", "activity": "a/b", "reason": "later"}),
            ),
            (
                "fail rel-1 a/b --reason broken",
                json!({"action": "fail", "activity": "a/b", "reason": "broken"}),
            ),
            ("pause rel-1", json!({"action": "pause"})),
            (
                "pause rel-1 --reason x",
                json!({"action": "pause", "reason": "x"}),
            ),
            ("resume rel-1", json!({"action": "resume"})),
            (
                "abort rel-1 --reason wrong",
                json!({"action": "abort", "reason": "wrong"}),
            ),
        ] {
            assert_eq!(body(line), expected, "{line}");
        }
    }

    #[test]
    fn what_people_do_becomes_actions() {
        for (line, expected) in [
            (
                "approve rel-1 a/b --for ana",
                json!({"action": "approve", "activity": "a/b", "for": "ana"}),
            ),
            (
                "task rel-1 a/b journey done",
                json!({"action": "move-task", "activity": "a/b", "task": "journey", "state": "done"}),
            ),
            (
                "comment rel-1 a/b hello --task journey",
                json!({"action": "comment", "activity": "a/b", "task": "journey", "comment": "hello"}),
            ),
            (
                "comment rel-1 a/b hello --edit 2",
                json!({"action": "edit-comment", "activity": "a/b", "number": 2, "comment": "hello"}),
            ),
            (
                "break-glass rel-1 a/b --reason down --form verdict=pass",
                json!({"action": "break-glass", "activity": "a/b", "reason": "down", "form": {"verdict": "pass"}}),
            ),
            (
                "review rel-1 a/b --comment right",
                json!({"action": "close-review", "activity": "a/b", "comment": "right"}),
            ),
            (
                "withdraw rel-1 a/b",
                json!({"action": "withdraw", "activity": "a/b"}),
            ),
            (
                "withdraw rel-1 a/b --question --reason wrong",
                json!({"action": "withdraw-question", "activity": "a/b", "reason": "wrong"}),
            ),
        ] {
            assert_eq!(body(line), expected, "{line}");
        }
    }

    #[test]
    fn amendments_become_actions() {
        for (line, expected) in [
            (
                "amend rel-1 --input version=2 --reason x",
                json!({"action": "amend-inputs", "inputs": {"version": 2}, "reason": "x"}),
            ),
            (
                "amend rel-1 a/b --outputs n=2 --reason x",
                json!({"action": "amend-outputs", "activity": "a/b", "outputs": {"n": 2}, "reason": "x"}),
            ),
            (
                "amend rel-1 a/b --attempts 3 --reason x",
                json!({"action": "amend-retry", "activity": "a/b", "attempts": 3, "reason": "x"}),
            ),
        ] {
            assert_eq!(body(line), expected, "{line}");
        }
    }

    #[test]
    fn commands_about_waves_name_them() {
        for (line, expected) in [
            (
                "halt-wave rel-1 production --reason pager",
                json!({"action": "halt-wave", "wave": "production", "reason": "pager"}),
            ),
            (
                "resume-wave rel-1 production",
                json!({"action": "resume-wave", "wave": "production"}),
            ),
            (
                "rollback-wave rel-1 production --reason slow",
                json!({"action": "rollback-wave", "wave": "production", "reason": "slow"}),
            ),
            (
                "end-wave rel-1 shops/deploy --reason enough",
                json!({"action": "end-wave", "wave": "shops/deploy", "reason": "enough"}),
            ),
        ] {
            assert_eq!(body(line), expected, "{line}");
        }
    }

    #[test]
    fn the_way_back_becomes_actions() {
        for (line, expected) in [
            (
                "rollback rel-1 --reason wrong",
                json!({"action": "rollback", "reason": "wrong"}),
            ),
            (
                "retry-undo rel-1 a/b",
                json!({"action": "retry-undo", "activity": "a/b"}),
            ),
            (
                "mark-undone rel-1 a/b --reason done",
                json!({"action": "mark-undone", "activity": "a/b", "reason": "done"}),
            ),
            (
                "accept-not-undone rel-1 a/b --reason harmless",
                json!({"action": "accept-not-undone", "activity": "a/b", "reason": "harmless"}),
            ),
            (
                "root-cause rel-1 --comment typo",
                json!({"action": "close-root-cause", "comment": "typo"}),
            ),
        ] {
            assert_eq!(body(line), expected, "{line}");
        }
    }

    #[test]
    fn with_changes_only_what_it_names() {
        let changed = Map::from_iter([("version".to_owned(), json!("2"))]);
        let before = Some(json!({"service": "payment", "version": "1"}));
        assert_eq!(
            merged(before, changed.clone()),
            json!({"service": "payment", "version": "2"})
        );
        assert_eq!(merged(None, changed), json!({"version": "2"}));
    }
}
