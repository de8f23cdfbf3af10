//! The command line against the real server.

use crate::world::{World, fermata, run};

#[test]
fn defects_are_shown_where_they_are_and_exit_with_three() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let document = "process: p\nphases:\n  one:\n    activitys: {}\n";
    std::fs::write(folder.path().join("p.yaml"), document).unwrap();
    let (code, out, err) = fermata(&world, folder.path(), &["process", "check", "p.yaml"]);
    assert_eq!(code, 3, "{out}{err}");
    let said = format!("{out}{err}");
    assert!(
        said.contains("unknown-key") && said.contains("activities") && said.contains("4:5"),
        "{said}"
    );
}

#[test]
fn a_release_can_be_followed_and_decided_from_the_terminal() {
    run(async {
        let world = World::new();
        world.push(&["noop"]).await;
        let folder = tempfile::tempdir().unwrap();
        let document = "process: small\nphases:\n  one:\n    activities:\n      work: { uses: noop@1 }\n      agree: { needs: [work], manual: { instructions: Look at it., approvals: [ { from: 'group:admins', count: 1 } ] } }\n";
        std::fs::write(folder.path().join("small.yaml"), document).unwrap();
        let call = |args: &[&str]| fermata(&world, folder.path(), args);
        assert_eq!(call(&["process", "publish", "small.yaml"]).0, 0);
        let (code, out, err) = call(&["release", "start", "small", "--output", "json"]);
        assert_eq!(code, 0, "{err}");
        let view: serde_json::Value = serde_json::from_str(&out).unwrap();
        let id = view["id"].as_str().unwrap();
        let (code, out, _) = call(&["release", "watch", id, "--exit-on-people"]);
        assert_eq!(code, 8, "{out}");
        assert!(out.contains("group:admins"), "{out}");
        assert_eq!(call(&["release", "approve", id, "one/agree"]).0, 0);
        assert_eq!(call(&["release", "watch", id]).0, 0);
        let (code, _, err) = call(&["release", "approve", id, "one/agree"]);
        assert_eq!(code, 3, "{err}");
        assert_eq!(
            call(&["release", "show", "rel-00000000000000000000000000"]).0,
            6
        );
        let (code, out, _) = call(&["release", "logs", id, "one/work"]);
        assert_eq!(code, 0, "{out}");
    });
}

#[test]
fn a_server_that_is_not_there_is_told_apart() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let (code, _, err) = fermata(
        &world,
        folder.path(),
        &["release", "list", "--server", "http://127.0.0.1:1"],
    );
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("fermata serve"), "{err}");
}
