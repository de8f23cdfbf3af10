//! Scripts: no build, no upload, and every answer speaks of the document that holds them.

use fermata_tests::api::{Answer, Api, activity};
use fermata_tests::server::{Server, example, guest, guest_path};
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Fleet, World, run};

impl World {
    /// With the interpreter in it, which the server takes in by itself.
    fn with_scripts() -> Self {
        let data = tempfile::tempdir().unwrap();
        let interpreter = guest_path("javascript");
        let interpreter = interpreter.to_str().unwrap();
        let server = Server::start_with(data.path(), &["--interpreter", interpreter]).unwrap();
        let api = Api::admin(&server);
        Self { data, server, api }
    }

    /// The defects of a document: code, line, column and message of each.
    async fn defects(&self, document: &str) -> Vec<(String, u64, u64, String)> {
        let request = self.api.request(Method::POST, "/processes");
        let answer = self
            .api
            .send(request.body(document.to_owned()))
            .await
            .unwrap();
        assert_eq!((answer.status.as_u16(), answer.code()), (422, "defects"));
        let defects = answer.body["defects"].as_array().unwrap().iter();
        let number = |defect: &Value, key: &str| defect[key].as_u64().unwrap();
        let text = |defect: &Value, key: &str| defect[key].as_str().unwrap().to_owned();
        defects
            .map(|defect| {
                let (code, message) = (text(defect, "code"), text(defect, "message"));
                (
                    code,
                    number(defect, "line"),
                    number(defect, "column"),
                    message,
                )
            })
            .collect()
    }

    /// Runs a process of one script and gives the activity as it has become.
    async fn script(&self, source: &str) -> Value {
        let document = format!(
            "process: one\nphases:\n  only:\n    activities:\n      it:\n        timeout: 2m\n        undo: none\n        script: |\n{}\n",
            indented(source)
        );
        let view = self.release(&document, json!({})).await;
        activity(&view, "only/it").clone()
    }
}

fn indented(source: &str) -> String {
    let lines = source.lines().map(|line| format!("          {line}"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_process_of_scripts_runs_without_an_upload() {
    run(async {
        let (world, fleet) = (World::with_scripts(), Fleet::new());
        world.push(&["deploy"]).await;
        let deploy = json!({ "http": fleet.grants()["http"].clone() });
        let set = world
            .api
            .put("/components/deploy/versions/1.0.0/grants", &deploy);
        set.await.unwrap().ok().unwrap();
        let inputs = json!({ "service": "payment", "platform": fleet.url });
        // Nothing is granted yet.
        let view = world
            .release(&example("scripted").unwrap(), inputs.clone())
            .await;
        let refused = activity(&view, "compare/versions");
        assert_eq!(refused["state"], "on-hold");
        assert!(
            refused["failure"]["class"]["denied"].is_string(),
            "{refused:#}"
        );
        let grants = fleet.grants();
        let granted = world.api.put("/processes/scripted/grants", &grants);
        granted.await.unwrap().ok().unwrap();
        let id = view["id"].as_str().unwrap();
        let retry = json!({ "action": "retry", "activity": "compare/versions" });
        world.api.act(id, &retry).await.unwrap().ok().unwrap();
        let view = world
            .until(id, |view| {
                activity(view, "compare/versions")["state"] == "on-hold"
            })
            .await;
        let failure = &activity(&view, "compare/versions")["failure"];
        assert_eq!(failure["code"], "not-running", "{failure:#}");
        // Now there is something to bring over.
        let staged = world
            .release(
                "process: stage\nphases:\n  only:\n    activities:\n      it: { uses: deploy@1, with: { service: payment, environment: staging, version: 2.4.0, url: '${{ inputs.platform }}' } }\ninputs:\n  platform: { type: string }\n",
                json!({ "platform": fleet.url }),
            )
            .await;
        assert_eq!(staged["state"], "succeeded", "{staged:#}");
        world.api.act(id, &retry).await.unwrap().ok().unwrap();
        let view = world.until(id, |view| view["state"] != "running").await;
        assert_eq!(view["state"], "succeeded", "{view:#}");
        assert_eq!(view["outputs"], json!({ "promoted": "2.4.0" }));
        let settled = activity(&view, "promote/settled");
        assert_eq!(settled["evidence"][0]["kind"], "test-report", "{settled:#}");
        assert_eq!(
            fleet.status("production", "payment").await["version"],
            "2.4.0"
        );
    });
}

#[test]
fn what_is_no_script_is_a_defect_with_its_place_in_the_document() {
    run(async {
        let world = World::with_scripts();
        let document = "\
process: broken
phases:
  one:
    activities:
      first:
        script: |
          const a = 1;
          return { a: };
      good: { script: 'return {}' }
      second: { script: 'retrun 1' , undo: { script: 'if (' } }
";
        let found = world.defects(document).await;
        let found: Vec<_> = found
            .iter()
            .map(|(code, line, column, _)| (code.as_str(), *line, *column))
            .collect();
        assert_eq!(
            found,
            [("script", 8, 23), ("script", 10, 33), ("script", 10, 59)]
        );
    });
}

#[test]
fn a_mistake_tells_line_and_column_of_the_document() {
    run(async {
        let world = World::with_scripts();
        let ended = world
            .script("const answer = null;\n\nreturn { version: answer.version };")
            .await;
        assert_eq!(ended["state"], "on-hold");
        let failure = &ended["failure"];
        assert_eq!(failure["code"], "script-error");
        assert_eq!(failure["class"], "permanent");
        assert_eq!(
            failure["message"],
            "only/it, line 11, column 29 of the process: TypeError: cannot read property 'version' of null"
        );
        assert_eq!(failure["details"]["line"], 11);
    });
}

#[test]
fn scripts_suspend_fail_and_return_as_they_say() {
    run(async {
        let world = World::with_scripts();
        let waits = "if (attempt.checkpoint === undefined) return pending({ n: 7 }, 10);\nreturn { was: attempt.checkpoint.n };";
        assert_eq!(world.script(waits).await["outputs"], json!({ "was": 7 }));
        assert_eq!(
            world.script("log.info('nothing to say');").await["outputs"],
            json!({})
        );
        for (source, code) in [
            ("throw Failure.permanent('too late').code('late')", "late"),
            ("return 7", "invalid-outputs"),
            ("return [1]", "invalid-outputs"),
            ("return Promise.resolve({})", "invalid-outputs"),
            (
                "const circle = {}; circle.it = circle; return circle",
                "script-error",
            ),
            ("throw 'a string'", "script-error"),
            // What does not fit into memory is an error that a script could catch.
            (
                "const all = []; for (;;) all.push(new Array(100000).fill(1))",
                "script-error",
            ),
        ] {
            let ended = world.script(source).await;
            assert_eq!(ended["failure"]["code"], code, "{source}: {ended:#}");
        }
        // Nothing that a script did to its interpreter is there for the next one.
        assert_eq!(
            world.script("return { ok: true }").await["outputs"],
            json!({ "ok": true })
        );
        for (source, limit) in [
            ("for (;;) {}", "cpu"),
            ("const f = () => f(); f()", "stack"),
        ] {
            let ended = world.script(source).await;
            assert_eq!(
                ended["failure"]["class"],
                json!({ "limit": limit }),
                "{source}: {ended:#}"
            );
        }
    });
}

#[test]
fn a_script_waits_for_a_signal_and_reads_its_payload() {
    run(async {
        let world = World::with_scripts();
        let document = "process: called\nphases:\n  only:\n    activities:\n      it:\n        undo: none\n        script: |\n          if (attempt.signal === undefined) return pendingSignal(null, \"approved\", \"asked the bank\");\n          return { by: attempt.signal.by };\n";
        world.api.publish(document).await.unwrap();
        let id = world.api.start("called", &json!({})).await.unwrap();
        let view = world
            .until(&id, |view| {
                activity(view, "only/it")["state"] == "suspended"
            })
            .await;
        assert_eq!(activity(&view, "only/it")["signal"], "approved");
        let why = world
            .api
            .get(&format!("/releases/{id}/why"))
            .await
            .unwrap()
            .ok()
            .unwrap();
        let on = &why["items"][0]["on"];
        let (url, secret) = (on["url"].as_str().unwrap(), on["secret"].as_str().unwrap());
        let path = format!("{}/{secret}", url.trim_start_matches("/api/v1"));
        let payload = json!({ "by": "the bank" });
        for _ in 0..2 {
            world.api.post(&path, &payload).await.unwrap().ok().unwrap();
        }
        let view = world.until(&id, |view| view["state"] != "running").await;
        assert_eq!(activity(&view, "only/it")["outputs"], payload, "{view:#}");
    });
}

#[test]
fn an_effect_of_a_script_is_taken_back_by_another() {
    run(async {
        let world = World::with_scripts();
        let document = "process: back\nphases:\n  only:\n    activities:\n      made:\n        script: 'return { id: \"T-1\" }'\n        undo:\n          script: 'log.info(`closes ${inputs.id}`); return { closed: inputs.id }'\n          with: { id: '${{ needs.made.outputs.id }}' }\n      fails: { needs: [made], script: 'throw Failure.permanent(\"no\")', undo: none, on-failure: rollback }\n";
        let view = world.release(document, json!({})).await;
        let id = view["id"].as_str().unwrap();
        let view = world.until(id, |view| view["state"] == "rolled-back").await;
        assert_eq!(activity(&view, "only/made")["state"], "undone", "{view:#}");
    });
}

#[test]
fn only_administrators_decide_what_scripts_may_reach() {
    run(async {
        let world = World::with_scripts();
        let member = world.api.person("mia", &[]).await.unwrap();
        let refused = |answer: Answer| {
            assert_eq!((answer.status.as_u16(), answer.code()), (403, "forbidden"));
        };
        // Whoever replaces the interpreter has what is granted to every script.
        let upload = member.request(Method::POST, "/components");
        let upload = upload.body(guest("javascript").unwrap());
        refused(member.send(upload).await.unwrap());
        let document = "process: budget\nphases:\n  only:\n    activities:\n      it: { script: 'return {}', undo: none }\n";
        member.publish(document).await.unwrap();
        let grants = json!({ "secrets": [{ "name": "token", "hosts": ["slo.example.com"] }] });
        let path = "/processes/budget/grants";
        refused(member.put(path, &grants).await.unwrap());
        world.api.put(path, &grants).await.unwrap().ok().unwrap();
        let value = json!({ "value": "correct-horse-battery" });
        let set = world.api.put("/secrets/token", &value).await.unwrap();
        let granted = &set.ok().unwrap()["granted_to"][0];
        assert_eq!(granted["process"], "budget");
        let delete = world.api.request(Method::DELETE, "/secrets/token");
        let answer = world.api.send(delete).await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (409, "secret-in-use")
        );
    });
}
