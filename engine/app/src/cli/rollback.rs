//! `--dry-run` of `fermata release rollback` and `rollback-wave`: what would be taken back, before it is.

use serde_json::Value;

use super::Context;
use super::error::Error;
use super::table::Table;
use super::text::{Tone, cell};
use crate::client::Call;

/// Shows the plan, of the whole release or of the last open batch of a wave.
pub(super) async fn plan(
    context: &mut Context,
    release: &str,
    wave: Option<&String>,
) -> Result<(), Error> {
    let client = context.client()?;
    let path = ["releases", release, "rollback-plan"];
    let call = Call::get(&path).query("wave", wave);
    let answer = client.json(call).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let mut table = Table::new(&["STAGE", "ACTIVITY", "HOW"]);
    let stages = answer.get("stages").and_then(Value::as_array);
    for (number, stage) in (1..).zip(stages.into_iter().flatten()) {
        for item in stage.as_array().into_iter().flatten() {
            table.toned([
                (Tone::Faint, number.to_string()),
                (Tone::Strong, cell(item.get("activity"))),
                (tone(item), how(item)),
            ]);
        }
    }
    context.out.table(&table, "nothing of it had an effect")?;
    let remark = match (answer.get("refused"), wave) {
        (Some(refused), _) => {
            let detail = cell(refused.get("detail"));
            format!("a rollback would be refused: {detail}")
        }
        (None, Some(wave)) => {
            format!("next: fermata release rollback-wave {release} {wave} --reason WHY")
        }
        (None, None) => format!("next: fermata release rollback {release} --reason WHY"),
    };
    context.out.remark(&remark)
}

fn tone(item: &Value) -> Tone {
    match item.get("way").and_then(Value::as_str) {
        Some("person" | "kept") => Tone::Ask,
        Some("nothing" | "supplied") => Tone::Faint,
        _ => Tone::Plain,
    }
}

/// How one effect is taken back, in a few words.
fn how(item: &Value) -> String {
    let way = match item.get("way").and_then(Value::as_str) {
        Some("component") => "its component undoes it".to_owned(),
        Some("uses") => format!("{} undoes it", cell(item.get("uses"))),
        Some("person") => "a person must: its component exports no undo".to_owned(),
        Some("nothing") => "there is nothing to undo".to_owned(),
        Some("supplied") => "nothing: a person gave its outputs".to_owned(),
        Some("kept") => format!(
            "stays: before the point of no return {}",
            cell(item.get("point"))
        ),
        _ => cell(item.get("way")),
    };
    match item.get("validate") {
        Some(validate) => format!("{way}, then {} looks", cell(Some(validate))),
        None => way,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_way_is_told() {
        for (item, expected) in [
            (json!({ "way": "component" }), "its component undoes it"),
            (
                json!({ "way": "uses", "uses": "restore@1", "validate": "look@1" }),
                "restore@1 undoes it, then look@1 looks",
            ),
            (
                json!({ "way": "kept", "point": "data/migrate" }),
                "stays: before the point of no return data/migrate",
            ),
            (json!({ "way": "later" }), "later"),
        ] {
            assert_eq!(how(&item), expected);
        }
    }
}
