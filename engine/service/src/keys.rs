//! Keys of the records: fixed-width and big-endian, so that the order of bytes is the order of reading.

use fermata_core::actor::Actor;
use fermata_core::attempt::AttemptKey;
use fermata_core::component::Version;
use fermata_core::id::{Digest, Name, ReleaseId};
use fermata_core::process::ActivityIx;
use fermata_core::time::Timestamp;

/// Between a name and what follows it: no name holds it, so `a` and `ab` cannot be mixed up.
const END: u8 = 0;
/// Longest environment or service in the ledger, in bytes: two of them fit into a key.
pub(crate) const LEDGER_NAME_BYTES_MAX: usize = 255;

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn at_bytes(at: Timestamp) -> [u8; 8] {
    u64::try_from(at.0).unwrap_or(0).to_be_bytes()
}

/// The bytes of a component or of a process document.
pub(crate) fn blob(digest: &Digest) -> Vec<u8> {
    digest.0.to_vec()
}

/// The newest version of a process.
pub(crate) fn process_head(name: &Name) -> Vec<u8> {
    joined(&[PROCESS_HEADS, name.as_str().as_bytes()])
}

/// Before all newest versions.
pub(crate) const PROCESS_HEADS: &[u8] = b"h";

/// All versions of a process, oldest first.
pub(crate) fn process_versions(name: &Name) -> Vec<u8> {
    joined(&[PROCESS_VERSIONS, name.as_str().as_bytes(), &[END]])
}

/// One version of a process.
pub(crate) fn process_version(name: &Name, version: u32) -> Vec<u8> {
    joined(&[&process_versions(name), &version.to_be_bytes()])
}

/// Before all versions of all processes.
pub(crate) const PROCESS_VERSIONS: &[u8] = b"v";

/// Before all versions of all definitions.
pub(crate) const DEFINITIONS: &[u8] = b"d";

/// One version of a definition.
pub(crate) fn definition(name: &Name, version: Version) -> Vec<u8> {
    joined(&[DEFINITIONS, &component(name, version)])
}

/// Before the grants of the scripts of all processes.
pub(crate) const SCRIPT_GRANTS: &[u8] = b"g";

/// What the scripts of a process may do.
pub(crate) fn script_grants(process: &Name) -> Vec<u8> {
    joined(&[SCRIPT_GRANTS, process.as_str().as_bytes()])
}

/// All input sets of a process, by name.
pub(crate) fn input_sets(process: &Name) -> Vec<u8> {
    joined(&[b"i", process.as_str().as_bytes(), &[END]])
}

/// One input set of a process.
pub(crate) fn input_set(process: &Name, name: &Name) -> Vec<u8> {
    joined(&[&input_sets(process), name.as_str().as_bytes()])
}

/// One version of a component.
pub(crate) fn component(name: &Name, version: Version) -> Vec<u8> {
    let numbers = [version.major, version.minor, version.patch].map(u32::to_be_bytes);
    joined(&[name.as_str().as_bytes(), &[END], &numbers.concat()])
}

/// Before the notices of all deprecated component versions.
pub(crate) const DEPRECATIONS: &[u8] = b"deprecated/";

/// The notice of a deprecated component version.
pub(crate) fn deprecation(name: &Name, version: Version) -> Vec<u8> {
    joined(&[DEPRECATIONS, &component(name, version)])
}

/// Before all quarantines there ever were.
pub(crate) const QUARANTINES: &[u8] = b"quarantine/";

/// A quarantine of a digest, which began at an instant.
pub(crate) fn quarantine(digest: &Digest, at: Timestamp) -> Vec<u8> {
    joined(&[QUARANTINES, &digest.0, &at_bytes(at)])
}

/// Before all policies.
pub(crate) const POLICIES: &[u8] = b"policy/";

/// A policy.
pub(crate) fn policy(name: &Name) -> Vec<u8> {
    joined(&[POLICIES, name.as_str().as_bytes()])
}

/// Before the capacities of all locks.
pub(crate) const LOCKS: &[u8] = b"lock/";

/// The capacity of a lock.
pub(crate) fn lock(name: &str) -> Vec<u8> {
    joined(&[LOCKS, name.as_bytes()])
}

/// Before all notifiers.
pub(crate) const NOTIFIERS: &[u8] = b"notifier/";

/// A notifier.
pub(crate) fn notifier(name: &Name) -> Vec<u8> {
    joined(&[NOTIFIERS, name.as_str().as_bytes()])
}

/// Before all deliveries of all notifiers.
pub(crate) const DELIVERIES: &[u8] = b"delivery/";

/// Before all deliveries of a notifier, oldest first.
pub(crate) fn deliveries(notifier: &Name) -> Vec<u8> {
    joined(&[DELIVERIES, notifier.as_str().as_bytes(), &[END]])
}

/// One delivery of a notifier.
pub(crate) fn delivery(notifier: &Name, number: u64) -> Vec<u8> {
    joined(&[&deliveries(notifier), &number.to_be_bytes()])
}

/// A release: its summary, and that it is open.
pub(crate) fn release(id: ReleaseId) -> Vec<u8> {
    id.to_bytes().to_vec()
}

/// The logs of all runs of an activity, oldest first.
pub(crate) fn logs(release: ReleaseId, activity: ActivityIx) -> Vec<u8> {
    joined(&[&release.to_bytes(), &activity.0.to_be_bytes()])
}

/// The logs of all runs of an attempt, oldest first.
pub(crate) fn attempt_logs(release: ReleaseId, activity: ActivityIx, attempt: u32) -> Vec<u8> {
    joined(&[&logs(release, activity), &attempt.to_be_bytes()])
}

/// The log of one run.
pub(crate) fn log(key: AttemptKey) -> Vec<u8> {
    joined(&[
        &attempt_logs(key.release, key.activity, key.attempt),
        &key.run.to_be_bytes(),
    ])
}

/// What of a release is recorded. It lies behind the logs of all activities, since none has this number.
pub(crate) fn recorded(release: ReleaseId) -> Vec<u8> {
    logs(release, ActivityIx(u32::MAX))
}

/// What is recorded of an attempt, and then of its runs, oldest first.
pub(crate) fn attempt_recording(release: ReleaseId, activity: ActivityIx, attempt: u32) -> Vec<u8> {
    joined(&[
        &recorded(release),
        &activity.0.to_be_bytes(),
        &attempt.to_be_bytes(),
    ])
}

/// The recording of one run; of what all runs of the attempt have in common, if it is number 0.
pub(crate) fn recording(key: AttemptKey) -> Vec<u8> {
    joined(&[
        &attempt_recording(key.release, key.activity, key.attempt),
        &key.run.to_be_bytes(),
    ])
}

/// Before everything that is deployed now.
pub(crate) const LEDGER_NOW: &[u8] = b"c";

/// What is deployed now in `environment`; all environments if there is none.
pub(crate) fn ledger_now(environment: Option<&str>) -> Vec<u8> {
    match environment {
        Some(environment) => joined(&[LEDGER_NOW, environment.as_bytes(), &[END]]),
        None => LEDGER_NOW.to_vec(),
    }
}

/// What is deployed now of `service` in `environment`.
pub(crate) fn ledger_entry(environment: &str, service: &str) -> Vec<u8> {
    joined(&[&ledger_now(Some(environment)), service.as_bytes()])
}

/// All that was ever deployed of `service` in `environment`, oldest first.
pub(crate) fn ledger_history(environment: &str, service: &str) -> Vec<u8> {
    joined(&[
        b"h",
        environment.as_bytes(),
        &[END],
        service.as_bytes(),
        &[END],
    ])
}

/// One deployment: event number `event` of `release`.
pub(crate) fn ledger_event(
    history: &[u8],
    at: Timestamp,
    release: ReleaseId,
    event: u64,
) -> Vec<u8> {
    joined(&[
        history,
        &at_bytes(at),
        &release.to_bytes(),
        &event.to_be_bytes(),
    ])
}

/// Before the ages of all idempotency keys.
pub(crate) const ONCE_AGES: &[u8] = b"t";

/// An idempotency key of somebody; of its hash, since people choose keys of any form.
pub(crate) fn once(by: &Actor, key: &str) -> Vec<u8> {
    let digest = Digest::of(format!("{by}\n{key}").as_bytes());
    joined(&[b"k", &digest.0])
}

/// The age of an idempotency key: what is to be forgotten first comes first.
pub(crate) fn once_age(at: Timestamp, once: &[u8]) -> Vec<u8> {
    joined(&[ONCE_AGES, &at_bytes(at), once])
}

/// The instant and the key inside [`once_age`].
pub(crate) fn of_once_age(key: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (at, once) = key.strip_prefix(ONCE_AGES)?.split_first_chunk::<8>()?;
    Some((
        Timestamp(i64::try_from(u64::from_be_bytes(*at)).ok()?),
        once,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_sort_by_number_and_names_do_not_mix() {
        let name = |text: &str| text.parse::<Name>().unwrap();
        assert!(process_version(&name("a"), 2) < process_version(&name("a"), 256));
        assert!(!process_version(&name("ab"), 1).starts_with(&process_versions(&name("a"))));
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(component(&name("a"), version("1.9.0")) < component(&name("a"), version("1.10.0")));
    }

    #[test]
    fn the_age_of_a_key_reads_back() {
        let once = once(&Actor::Engine, "k");
        let age = once_age(Timestamp(7), &once);
        assert_eq!(of_once_age(&age), Some((Timestamp(7), once.as_slice())));
        assert_eq!(of_once_age(b"t123"), None);
    }
}
