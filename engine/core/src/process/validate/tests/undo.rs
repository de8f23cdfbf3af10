//! What is wrong with the way back of an activity.

use super::defects::{activity, expect};

#[test]
fn the_way_back_is_checked() {
    for (fields, codes) in [
        ("uses: a@1, undo: none", vec![]),
        ("uses: a@1, undo: §nothing", vec!["bad-value"]),
        ("uses: a@1, undo: §[none]", vec!["wrong-type"]),
        ("uses: a@1, undo: §{}", vec!["missing-key"]),
        ("uses: a@1, undo: { uses: §b }", vec!["bad-value"]),
        (
            "uses: a@1, undo: { uses: b@1, §manual: {} }",
            vec!["unknown-key"],
        ),
        (
            "uses: a@1, undo: { uses: b@1, with: { x: '${{ needs.a.outputs.v }}' }, retry: { attempts: 2 }, timeout: 5m }",
            vec![],
        ),
        (
            "uses: a@1, with: { x: '${{ needs.§a.outputs.v }}' }",
            vec!["not-upstream"],
        ),
        (
            "uses: a@1, undo: none, §validate: { uses: b@1 }",
            vec!["misplaced-key"],
        ),
        (
            "uses: a@1, validate: { uses: b@1, with: { x: '${{ phases.second.activities.a.outputs.v }}' } }",
            vec![],
        ),
        ("uses: a@1, validate: §b@1", vec!["wrong-type"]),
        (
            "manual: { instructions: x }, §validate: { uses: b@1 }",
            vec!["misplaced-key"],
        ),
        (
            "manual: { instructions: x }, undo: { uses: b@1 }, validate: { uses: b@1 }",
            vec![],
        ),
        ("uses: a@1, point-of-no-return: true", vec![]),
        ("uses: a@1, point-of-no-return: §1", vec!["wrong-type"]),
        (
            "uses: a@1, point-of-no-return: true, §undo: none, §validate: { uses: b@1 }",
            vec!["misplaced-key", "misplaced-key"],
        ),
        ("uses: a@1, on-failure: rollback", vec![]),
    ] {
        expect(&activity(fields), &codes);
    }
}
