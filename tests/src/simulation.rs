//! The real driver in a simulated world: its clock, its runs, its people and its disk are played by
//! a seeded generator, so that every failure can be played again.
//!
//! A story has two parts. In the first, releases are made, people and guests do what they like,
//! commits fail and the engine is killed. In the second nothing disturbs any more, people do what is
//! asked of them, and every release has to end. All along, what was acknowledged has to be there, no
//! activity may complete twice, and every invariant of the core has to hold.

mod calm;
mod effects;
mod moves;
mod outside;
mod promises;
pub mod random;
mod world;

use crate::simulation::random::Random;
use crate::simulation::world::World;

/// Moves of the first part: enough for some releases to end and others to get into every state.
const MOVES: u32 = 250;

/// What a story was like.
#[derive(Clone, Copy, Debug, Default)]
pub struct Story {
    /// Releases that were made, and acknowledged.
    pub releases: u64,
    /// Inputs that were acknowledged.
    pub acknowledged: u64,
    /// How often the engine was killed or stopped by a failed commit.
    pub restarts: u64,
}

/// A promise that was broken.
#[derive(Clone, Debug)]
pub struct Broken {
    /// What was found.
    pub what: String,
    /// Every move up to there.
    pub log: Vec<String>,
}

/// Plays the story of `seed`.
pub fn play(seed: u64) -> Result<Story, Box<Broken>> {
    let mut world = World::new(Random::new(seed));
    let played = moves(&mut world).and_then(|()| calm::settle(&mut world));
    let played = played.and_then(|()| outside::settle(&mut world));
    match played {
        Ok(()) => Ok(world.story),
        Err(what) => Err(Box::new(Broken {
            what,
            log: world.log,
        })),
    }
}

fn moves(world: &mut World) -> Result<(), String> {
    for _ in 0..MOVES {
        moves::one(world)?;
        if world.random.one_in(3) {
            outside::answer(world);
        }
        // Several moves may share a commit, as they do under load.
        if world.random.one_in(2) {
            world.flush()?;
        }
    }
    world.flush()
}
