//! A few hundred stories of the driver with every run of the tests; `cargo xtask simulate` plays more.

use fermata_tests::simulation::play;

/// Stories that are always played.
const SEEDS: u64 = 300;
/// Stories beyond them that have found a bug: a gate that was asked when its wave was ended.
const ONCE_BROKEN: [u64; 1] = [3397];

#[test]
fn every_story_keeps_what_was_promised() {
    let (mut restarts, mut acknowledged) = (0, 0);
    for seed in (0..SEEDS).chain(ONCE_BROKEN) {
        match play(seed) {
            Ok(story) => {
                restarts += story.restarts;
                acknowledged += story.acknowledged;
            }
            Err(broken) => panic!("seed {seed}: {}\n{}", broken.what, broken.log.join("\n")),
        }
    }
    // A walk in which nothing happens would prove nothing.
    assert!(
        restarts > SEEDS && acknowledged > 10 * SEEDS,
        "{restarts} restarts, {acknowledged} inputs"
    );
}
