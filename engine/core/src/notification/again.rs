//! When a notification that did not get through is tried again, and for how long its notifier rests.

use crate::failure::FailureClass;
use crate::id::Digest;
use crate::limits::RETRY_AFTER_MAX;
use crate::time::Span;

/// Most tries at one notification: with the waits between them, about three hours.
pub const TRIES_MAX: u32 = 8;
/// The wait after the first failed try; each further one is longer by [`FACTOR`].
const FIRST: Span = Span(10_000);
const FACTOR: u64 = 3;
/// Longest rest of a notifier that failed: so long may one notification that never gets through keep
/// the others, each time that it is tried.
const REST_MAX: Span = Span(60_000);
/// Longest rest that a receiver may ask for.
const REST_ASKED_MAX: Span = Span(15 * 60_000);

/// How long to wait after failed try number `tries` at the notification `id`; nothing if it is given up.
/// From half of the wait to all of it, by a hash: what failed together is not tried together again.
pub fn again(
    id: &str,
    tries: u32,
    class: &FailureClass,
    retry_after: Option<Span>,
) -> Option<Span> {
    if tries >= TRIES_MAX || !may_help(class) {
        return None;
    }
    let most = grown(tries);
    let drawn = u64::from(Digest::of(format!("{id}\n{tries}").as_bytes()).0[0]);
    let wait = Span(most / 2 + most * drawn / (2 * u64::from(u8::MAX)));
    Some(wait.max(retry_after.unwrap_or_default().min(RETRY_AFTER_MAX)))
}

/// How long a notifier rests after so many failures in a row, before anything is tried through it.
pub fn rest(failures: u32, retry_after: Option<Span>) -> Span {
    let rest = Span(grown(failures)).min(REST_MAX);
    rest.max(retry_after.unwrap_or_default().min(REST_ASKED_MAX))
}

fn grown(tries: u32) -> u64 {
    let steps = tries.clamp(1, TRIES_MAX) - 1;
    FIRST.0 * FACTOR.pow(steps)
}

/// Whether a further try may help. People can lift a quarantine, grant what is missing, or put the
/// component back while it waits; what a guest calls permanent, and a broken contract, stay.
fn may_help(class: &FailureClass) -> bool {
    match class {
        FailureClass::Permanent | FailureClass::Contract => false,
        FailureClass::Retryable
        | FailureClass::Trap
        | FailureClass::Limit(_)
        | FailureClass::Denied(_)
        | FailureClass::Expression
        | FailureClass::Engine
        | FailureClass::Quarantined
        | FailureClass::PolicyDenied => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let mut total = 0;
        for tries in 1..TRIES_MAX {
            let wait = again("a", tries, &FailureClass::Retryable, None)
                .expect("again")
                .0;
            let most = 10_000 * 3_u64.pow(tries - 1);
            assert!((most / 2..=most).contains(&wait), "{tries}: {wait}");
            total += most;
        }
        assert!((2..4).contains(&(total / 3_600_000)), "{total}");
        assert_eq!(again("a", TRIES_MAX, &FailureClass::Retryable, None), None);
        assert_eq!(again("a", u32::MAX, &FailureClass::Trap, None), None);
        assert_eq!(again("a", 1, &FailureClass::Permanent, None), None);
        assert_eq!(again("a", 1, &FailureClass::Contract, Some(Span(1))), None);
    }

    #[test]
    fn the_receiver_says_when_and_cannot_say_never() {
        let wait = |after| again("a", 1, &FailureClass::Retryable, Some(Span(after)));
        assert_eq!(wait(120_000), Some(Span(120_000)));
        assert_eq!(wait(u64::MAX), Some(RETRY_AFTER_MAX));
        assert!(wait(1) >= Some(Span(5_000)));
        assert_eq!(rest(1, Some(Span(u64::MAX))), REST_ASKED_MAX);
    }

    #[test]
    fn a_rest_is_short() {
        let rests = [1, 2, 3, 100, u32::MAX].map(|failures| rest(failures, None).0);
        assert_eq!(rests, [10_000, 30_000, 60_000, 60_000, 60_000]);
    }
}
