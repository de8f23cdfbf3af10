//! Identifiers: drawn here and nowhere else.

use std::hash::{BuildHasher, RandomState};

use fermata_core::id::ReleaseId;
use fermata_core::time::Timestamp;

/// Bits of an id that are drawn; the 48 above them are milliseconds.
const RANDOM_BITS: u32 = 80;
const RANDOM_MASK: u128 = (1 << RANDOM_BITS) - 1;

/// Draws ids. The same seed gives the same ids, which the simulation lives on.
#[derive(Debug)]
pub struct IdSource {
    state: [u64; 2],
    last: ReleaseId,
}

impl IdSource {
    /// Ids that follow from `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self {
            state: [seed, 0x6a09_e667_f3bc_c908],
            last: ReleaseId(0),
        }
    }

    /// Ids that nobody can foresee: the standard library seeds its hash tables from the machine's
    /// randomness, and two of those hashes are 128 bits of it.
    pub fn random() -> Self {
        let draw = || RandomState::new().hash_one(0_u8);
        Self {
            state: [draw(), draw()],
            last: ReleaseId(0),
        }
    }

    /// A new release, later than every one before it.
    pub fn release(&mut self, now: Timestamp) -> ReleaseId {
        let high = u128::from(self.next());
        let drawn = (high << 64 | u128::from(self.next())) & RANDOM_MASK;
        let millis = u128::from(u64::try_from(now.0).unwrap_or(0)) & ((1 << 48) - 1);
        let drawn = ReleaseId(millis << RANDOM_BITS | drawn);
        // Within one millisecond the order would be chance: go on from the last id instead.
        self.last = drawn.max(ReleaseId(self.last.0.saturating_add(1)));
        self.last
    }

    /// splitmix64 over a counter and a key (<https://prng.di.unimi.it/splitmix64.c>).
    fn next(&mut self) -> u64 {
        self.state[0] = self.state[0].wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state[0] ^ self.state[1].rotate_left(17);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_sort_by_age() {
        let mut ids = IdSource::random();
        let drawn: Vec<ReleaseId> = (0..1_000)
            .map(|n| ids.release(Timestamp(n / 100)))
            .collect();
        assert!(drawn.is_sorted_by(|a, b| a < b));
        assert_eq!(drawn[999].0 >> RANDOM_BITS, 9);
    }

    #[test]
    fn a_seed_gives_the_same_ids_again() {
        let draw = |seed| IdSource::seeded(seed).release(Timestamp(5));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
