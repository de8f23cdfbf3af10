//! How long to wait before the next attempt: growing, capped, and spread by a hash.

use crate::attempt::AttemptKey;
use crate::id::Digest;
use crate::limits::RETRY_AFTER_MAX;
use crate::process::Retry;
use crate::time::Span;

/// The wait after the failed attempt `key`, at least what the guest asked for.
pub(super) fn wait(retry: &Retry, key: AttemptKey, retry_after: Option<Span>) -> Span {
    let most = grown(retry, key.attempt);
    let wait = if retry.jitter {
        spread(most, key)
    } else {
        most
    };
    wait.max(retry_after.unwrap_or_default().min(RETRY_AFTER_MAX))
}

/// `backoff × factor^(attempt - 1)`, at most `backoff_max`.
fn grown(retry: &Retry, attempt: u32) -> Span {
    let cap = u128::from(retry.backoff_max.0);
    let mut wait = u128::from(retry.backoff.0).min(cap);
    for _ in 1..attempt {
        let next = (wait * u128::from(retry.factor_permille) / 1000).min(cap);
        if next == wait {
            break;
        }
        wait = next;
    }
    Span(u64::try_from(wait).expect("capped by a span"))
}

/// A wait from zero to `most`, drawn evenly by hashing the key: the same attempt waits the same
/// time wherever it is decided, and different attempts spread.
fn spread(most: Span, key: AttemptKey) -> Span {
    let mut bytes = Vec::with_capacity(28);
    bytes.extend(key.release.to_bytes());
    bytes.extend(key.activity.0.to_be_bytes());
    bytes.extend(key.attempt.to_be_bytes());
    bytes.extend(key.run.to_be_bytes());
    let digest = Digest::of(&bytes).0;
    let drawn = digest[..8]
        .iter()
        .fold(0_u64, |drawn, byte| drawn << 8 | u64::from(*byte));
    let scaled = (u128::from(drawn) * (u128::from(most.0) + 1)) >> 64;
    Span(u64::try_from(scaled).expect("less than most + 1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ReleaseId;
    use crate::process::ActivityIx;

    fn key(attempt: u32) -> AttemptKey {
        AttemptKey {
            release: ReleaseId(7),
            activity: ActivityIx(1),
            attempt,
            run: 1,
        }
    }

    fn retry(factor_permille: u32, jitter: bool) -> Retry {
        Retry {
            attempts_max: 9,
            backoff: Span(10_000),
            factor_permille,
            backoff_max: Span(60_000),
            jitter,
        }
    }

    #[test]
    fn waits_grow_by_the_factor_up_to_the_cap() {
        let waits = |factor| -> Vec<u64> {
            (1..=5)
                .map(|n| wait(&retry(factor, false), key(n), None).0 / 1000)
                .collect()
        };
        assert_eq!(waits(2000), [10, 20, 40, 60, 60]);
        assert_eq!(waits(1000), [10, 10, 10, 10, 10]);
        assert_eq!(waits(500), [10, 5, 2, 1, 0]);
        assert_eq!(waits(u32::MAX), [10, 60, 60, 60, 60]);
        assert_eq!(wait(&retry(2000, false), key(u32::MAX), None), Span(60_000));
    }

    #[test]
    fn jitter_spreads_evenly_and_is_the_same_every_time() {
        let retry = retry(1000, true);
        let waits: Vec<u64> = (1..=1000).map(|n| wait(&retry, key(n), None).0).collect();
        let again: Vec<u64> = (1..=1000).map(|n| wait(&retry, key(n), None).0).collect();
        assert_eq!(waits, again);
        assert!(waits.iter().all(|wait| *wait <= 10_000));
        for quarter in 0..4 {
            let span = quarter * 2_500..(quarter + 1) * 2_500;
            let count = waits.iter().filter(|wait| span.contains(*wait)).count();
            assert!((200..300).contains(&count), "{count} in {span:?}");
        }
    }

    #[test]
    fn a_guest_can_ask_for_longer_but_not_for_ever() {
        let retry = retry(1000, false);
        for (asked, waited) in [
            (5_000, 10_000),
            (20_000, 20_000),
            (u64::MAX, RETRY_AFTER_MAX.0),
        ] {
            assert_eq!(wait(&retry, key(1), Some(Span(asked))), Span(waited));
        }
    }
}
