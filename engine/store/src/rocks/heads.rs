//! How many events each release has, for those that were written to lately.

use std::collections::BTreeMap;
use std::mem;

use fermata_core::id::ReleaseId;

/// Releases in one generation. Two of them are more than the releases that a full engine has going
/// at one time, and take about 2 MB.
const GENERATION: usize = 16 * 1024;

/// A bounded memory of versions. Two generations make it forget what was not used for longest,
/// roughly, without any order being kept: the old one is dropped when the young one is full.
#[derive(Debug, Default)]
pub(super) struct Heads {
    young: BTreeMap<ReleaseId, u64>,
    old: BTreeMap<ReleaseId, u64>,
}

impl Heads {
    /// The version, if it is remembered.
    pub(super) fn get(&self, release: ReleaseId) -> Option<u64> {
        self.young
            .get(&release)
            .or_else(|| self.old.get(&release))
            .copied()
    }

    /// Remembers the version.
    pub(super) fn put(&mut self, release: ReleaseId, version: u64) {
        if self.young.len() >= GENERATION && !self.young.contains_key(&release) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(release, version);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_counts_and_memory_is_bounded() {
        let mut heads = Heads::default();
        let often = ReleaseId(7);
        for round in 0..10 * GENERATION as u64 {
            heads.put(ReleaseId(1000 + u128::from(round)), 1);
            if round % 100 == 0 {
                heads.put(often, round);
                assert_eq!(heads.get(often), Some(round));
            }
            assert!(heads.young.len() + heads.old.len() <= 2 * GENERATION);
        }
        assert_eq!(heads.get(ReleaseId(1000)), None);
        assert_eq!(
            heads.get(ReleaseId(1000 + 10 * GENERATION as u128 - 1)),
            Some(1)
        );
    }
}
