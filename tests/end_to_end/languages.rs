//! One release with an activity in every language, through the shipped server: uploads of any size, compilation in a
//! process of its own, attempts, logs.

use fermata_tests::api::activity;
use serde_json::json;

use crate::world::{World, fermata, run};

const LANGUAGES: [&str; 5] = ["rust", "js", "python", "go", "c"];

#[test]
fn a_release_may_speak_every_language() {
    run(async {
        let world = World::new();
        let guests = std::env::var("FERMATA_GUESTS").unwrap();
        let folder = tempfile::tempdir().unwrap();
        for language in LANGUAGES {
            let file = format!("{guests}/sdk-{language}.wasm");
            let (code, out, err) = fermata(&world, folder.path(), &["component", "push", &file]);
            assert_eq!(code, 0, "{language}: {out}{err}");
        }
        let activities = LANGUAGES.map(|language| {
            format!(
                "      {language}: {{ uses: sdk-{language}@1, with: {{ do: log, text: grün }} }}\n"
            )
        });
        let document = "process: languages\nphases:\n  only:\n    activities:\n".to_owned()
            + &activities.concat();
        let view = world.release(&document, json!({})).await;
        for language in LANGUAGES {
            let path = format!("only/{language}");
            let told = activity(&view, &path);
            assert_eq!(told["state"], "succeeded", "{told:#}");
            let id = view["id"].as_str().unwrap();
            let (code, out, err) = fermata(&world, folder.path(), &["release", "logs", id, &path]);
            assert_eq!(code, 0, "{err}");
            assert!(out.contains("info grün"), "{language}: {out}");
        }
    });
}
