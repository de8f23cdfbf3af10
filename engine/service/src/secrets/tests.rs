//! The vault behind a running engine: changes, restarts, lost keys, and records that were tampered with.

use std::sync::{Arc, Mutex};

use fermata_core::attempt::{Invocation, Ran};
use fermata_core::component::Grants;
use fermata_core::extension::{Judged, Notification, Notified, Question};
use fermata_store::{Fault, Faulty, Memory, codec};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::*;
use crate::clock::SystemClock;
use crate::directory::Nobody;
use crate::ids::IdSource;
use crate::runner::{ProgressSink, Runner};
use crate::service::lists::{hex, of_hex};
use crate::{Config, Parts, Service};

#[derive(Debug)]
struct Idle;

impl Runner for Idle {
    fn run(&self, _: Invocation, _: Arc<Grants>, _: ProgressSink) -> BoxFuture<'static, Ran> {
        std::future::pending().boxed()
    }

    fn notify(&self, _: Notification, _: Arc<Grants>) -> BoxFuture<'static, Notified> {
        std::future::pending().boxed()
    }

    fn judge(&self, _: Question, _: Arc<Grants>) -> BoxFuture<'static, Judged> {
        std::future::pending().boxed()
    }
}

type Disk = Arc<Faulty<Memory>>;

/// An engine and its vault on a disk that may outlive them.
struct World {
    disk: Disk,
    records: Records,
    vault: Vault,
}

impl World {
    fn on(disk: &Disk, keys: KeyRing) -> Self {
        let store: Arc<dyn Store> = Arc::<Faulty<Memory>>::clone(disk);
        let vault = Vault::open(&*store, keys).unwrap();
        let parts = Parts {
            store,
            runner: Arc::new(Idle),
            clock: Arc::new(SystemClock::default()),
            directory: Arc::new(Nobody),
            ids: IdSource::seeded(1),
            runtime: tokio::runtime::Handle::current(),
        };
        let service = Service::open(parts, Config::default()).unwrap();
        Self {
            disk: Arc::clone(disk),
            records: service.records(),
            vault,
        }
    }

    fn new() -> Self {
        Self::on(&Disk::new(Faulty::new(Memory::default())), ring(&[1]))
    }

    /// What a start with these keys finds on the same disk.
    fn again(&self, keys: KeyRing) -> Vault {
        Vault::open(&*self.disk, keys).unwrap()
    }

    async fn set(&self, name: &str, value: &str) -> Result<SecretView, SecretError> {
        self.replace(name, value, None).await
    }

    async fn replace(
        &self,
        name: &str,
        value: &str,
        expected: Option<u64>,
    ) -> Result<SecretView, SecretError> {
        let order = SecretOrder {
            name: name.parse().unwrap(),
            value: Zeroizing::new(value.to_owned()),
            expected,
            by: Actor::User("ana".parse().unwrap()),
            at: Timestamp(1_000),
        };
        self.vault.set(&self.records, order).await
    }

    fn stored(&self, name: &str) -> Vec<u8> {
        let key = [PREFIX, name.as_bytes()].concat();
        self.disk.get(Table::Access, &key).unwrap().unwrap()
    }

    fn put(&self, name: &str, value: Vec<u8>) {
        let write = Write {
            table: Table::Access,
            key: [PREFIX, name.as_bytes()].concat(),
            value: Some(value),
            expect: Expect::Anything,
        };
        let batch = Batch {
            writes: vec![write],
            ..Batch::default()
        };
        self.disk.commit(batch).unwrap();
    }
}

/// A ring of keys of one repeated byte each, the current one first.
fn ring(bytes: &[u8]) -> KeyRing {
    bytes.iter().rev().fold(KeyRing::default(), |ring, byte| {
        ring.led_by(Key::new([*byte; 32])).unwrap()
    })
}

fn opened(vault: &Vault, name: &str) -> Result<String, ValueError> {
    vault.value(name).map(|value| (*value).clone())
}

fn faults(vault: &Vault) -> Vec<(String, Option<OpenFault>)> {
    let all = vault.list();
    all.iter()
        .map(|secret| (secret.name.to_string(), secret.fault))
        .collect()
}

#[tokio::test]
async fn a_secret_is_kept_replaced_and_forgotten() {
    let world = World::new();
    assert_eq!(opened(&world.vault, "token"), Err(ValueError::Unknown));
    assert_eq!(opened(&world.vault, "No Name"), Err(ValueError::Unknown));
    let first = world.set("token", "correct-horse").await.unwrap();
    assert_eq!((first.revision, first.fault), (1, None));
    assert_eq!(
        world.set("token", "battery-staple").await.unwrap().revision,
        2
    );
    let value = Ok("battery-staple".to_owned());
    assert_eq!(opened(&world.vault, "token"), value);
    assert_eq!(opened(&world.again(ring(&[1])), "token"), value);
    assert!(!hex(&world.stored("token")).contains(&hex(b"battery-staple")));
    assert!(!format!("{:?}", world.vault).contains("battery"));

    let name: Name = "token".parse().unwrap();
    let stale = world.replace("token", "another-value", Some(1)).await;
    let is_stale = |error| {
        matches!(
            error,
            SecretError::Stale {
                expected: 1,
                found: 2
            }
        )
    };
    assert!(is_stale(stale.unwrap_err()));
    let delete = |expected| world.vault.delete(&world.records, &name, expected);
    assert!(is_stale(delete(Some(1)).await.unwrap_err()));
    delete(Some(2)).await.unwrap();
    assert_eq!(opened(&world.vault, "token"), Err(ValueError::Unknown));
    assert!(world.again(ring(&[1])).list().is_empty());
    assert!(matches!(delete(None).await, Err(SecretError::Unknown)));
    let absent = world.replace("token", "another-value", Some(2)).await;
    assert!(matches!(absent, Err(SecretError::Stale { found: 0, .. })));
}

#[tokio::test]
async fn values_and_their_number_have_bounds() {
    let world = World::new();
    for (length, good) in [
        (0, false),
        (SECRET_BYTES_MIN - 1, false),
        (SECRET_BYTES_MIN, true),
        (SECRET_BYTES_MAX, true),
        (SECRET_BYTES_MAX + 1, false),
    ] {
        let set = world.set("bounds", &"x".repeat(length)).await;
        assert_eq!(set.is_ok(), good, "{length}: {set:?}");
    }
    for number in 1..SECRETS_MAX {
        world
            .set(&format!("s{number}"), "correct-horse")
            .await
            .unwrap();
    }
    let more = world.set("one-more", "correct-horse").await.unwrap_err();
    assert!(matches!(more, SecretError::Error(Error::Busy(_))), "{more}");
    world.set("s1", "battery-staple").await.unwrap();
    assert_eq!(world.again(ring(&[1])).list().len(), SECRETS_MAX);
}

#[tokio::test]
async fn without_its_key_a_secret_stays_and_says_which_key_it_needs() {
    let world = World::new();
    world.set("a", "correct-horse").await.unwrap();
    world.set("b", "battery-staple").await.unwrap();
    let lost = OpenFault::NoKey(Key::new([1; 32]).id());
    let both = |fault| vec![("a".to_owned(), fault), ("b".to_owned(), fault)];

    let none = World::on(&world.disk, KeyRing::default());
    assert_eq!(faults(&none.vault), both(Some(lost)));
    assert!(!none.vault.has_key());
    let set = none.set("c", "correct-horse").await;
    assert!(matches!(set, Err(SecretError::NoKey)));

    let other = World::on(&world.disk, ring(&[2]));
    assert_eq!(faults(&other.vault), both(Some(lost)));
    assert_eq!(opened(&other.vault, "a"), Err(lost.into()));
    // What is set anew works with the new key; the rest waits for its own.
    other.set("a", "a-new-value").await.unwrap();
    assert_eq!(opened(&other.vault, "a"), Ok("a-new-value".to_owned()));
    assert_eq!(opened(&other.vault, "b"), Err(lost.into()));
    let found = world.again(ring(&[2, 1]));
    assert_eq!(faults(&found), both(None));
    assert_eq!(opened(&found, "b"), Ok("battery-staple".to_owned()));
}

#[tokio::test]
async fn records_in_each_others_place_do_not_open() {
    let world = World::new();
    world.set("a", "value-of-a").await.unwrap();
    let old = world.stored("a");
    world.set("a", "value-of-a").await.unwrap();
    world.set("b", "value-of-b").await.unwrap();
    let (of_a, of_b) = (world.stored("a"), world.stored("b"));
    world.put("a", of_b);
    world.put("b", of_a.clone());
    let vault = world.again(ring(&[1]));
    let damaged = Some(OpenFault::Damaged);
    let expected = vec![("a".to_owned(), damaged), ("b".to_owned(), damaged)];
    assert_eq!(faults(&vault), expected);
    // An old envelope under a newer revision.
    let mut record: SecretRecord = codec::decode(&of_a).unwrap();
    record.envelope = codec::decode::<SecretRecord>(&old).unwrap().envelope;
    world.put("a", encode(&record));
    let vault = world.again(ring(&[1]));
    assert_eq!(opened(&vault, "a"), Err(OpenFault::Damaged.into()));
    // Bytes of something else are no secret at all, and the start says so.
    world.put("a", b"\x01nonsense".to_vec());
    assert!(Vault::open(&*world.disk, ring(&[1])).is_err());
}

#[tokio::test]
async fn a_new_key_seals_everything_again() {
    let world = World::new();
    world.set("a", "correct-horse").await.unwrap();
    world.set("b", "battery-staple").await.unwrap();
    let kept = Arc::new(Mutex::new(None));
    let place = Arc::clone(&kept);
    let keep = move |ring: &KeyRing| {
        *place.lock().unwrap() = Some(ring.clone());
        Ok(())
    };
    let rotated = world.vault.rotate(&world.records, keep).await.unwrap();
    assert_eq!((rotated.resealed, rotated.left.len()), (2, 0));
    let ring = kept.lock().unwrap().clone().unwrap();
    assert_eq!(ring.ids(), [rotated.key, Key::new([1; 32]).id()]);
    world.set("c", "set-after-it").await.unwrap();
    let alone = KeyRing::parse(&ring.text()[..64]).unwrap();
    let vault = world.again(alone);
    for (name, value) in [
        ("a", "correct-horse"),
        ("b", "battery-staple"),
        ("c", "set-after-it"),
    ] {
        assert_eq!(opened(&vault, name), Ok(value.to_owned()));
        assert_eq!(vault.find(&name.parse().unwrap()).unwrap().key, rotated.key);
    }
}

#[tokio::test]
async fn a_rotation_that_breaks_off_loses_nothing() {
    let world = World::new();
    world.set("a", "correct-horse").await.unwrap();
    let refused = |_: &KeyRing| Err(io::ErrorKind::StorageFull.into());
    let broken = world.vault.rotate(&world.records, refused).await;
    assert!(matches!(broken, Err(SecretError::KeyFile(_))));
    world.set("b", "under-the-old-key").await.unwrap();
    assert_eq!(faults(&world.again(ring(&[1]))).len(), 2);

    let kept = Arc::new(Mutex::new(None));
    let place = Arc::clone(&kept);
    let keep = move |ring: &KeyRing| {
        *place.lock().unwrap() = Some(ring.clone());
        Ok(())
    };
    world.disk.fail(world.disk.commits(), Fault::Before);
    let broken = world.vault.rotate(&world.records, keep).await;
    assert!(matches!(broken, Err(SecretError::Error(_))), "{broken:?}");
    assert_eq!(opened(&world.vault, "a"), Ok("correct-horse".to_owned()));
    world.disk.reopen();
    let ring = kept.lock().unwrap().clone().unwrap();
    assert_eq!(
        opened(&world.again(ring.clone()), "a"),
        Ok("correct-horse".to_owned())
    );
    // That start has done the rest.
    let alone = KeyRing::parse(&ring.text()[..64]).unwrap();
    assert!(
        faults(&world.again(alone))
            .iter()
            .all(|(_, fault)| fault.is_none())
    );
}

#[tokio::test]
async fn a_start_with_a_new_key_before_the_old_one_seals_everything_again() {
    let world = World::new();
    world.set("a", "correct-horse").await.unwrap();
    let vault = world.again(ring(&[2, 1]));
    assert_eq!(opened(&vault, "a"), Ok("correct-horse".to_owned()));
    assert_eq!(
        opened(&world.again(ring(&[2])), "a"),
        Ok("correct-horse".to_owned())
    );
    let without = world.again(ring(&[1]));
    assert!(opened(&without, "a").is_err());
}

#[test]
fn stored_bytes_are_read_for_ever() {
    let drawn = Drawn {
        data_key: Key::new([3; 32]),
        nonces: [[4; NONCE_BYTES], [5; NONCE_BYTES]],
    };
    let known = Known {
        keys: ring(&[1]),
        secrets: Secrets::new(),
    };
    let order = SecretOrder {
        name: "token".parse().unwrap(),
        value: Zeroizing::new("correct-horse".to_owned()),
        expected: None,
        by: Actor::User("ana".parse().unwrap()),
        at: Timestamp(1_700_000_000_000),
    };
    let record = known.sealed(&order, &drawn).unwrap();
    assert_eq!(hex(&encode(&record)), GOLDEN);
    let read: SecretRecord = codec::decode(&of_hex(GOLDEN).unwrap()).unwrap();
    assert_eq!(read, record);
}

/// A record, sealed by another implementation as that of `envelope.rs`.
const GOLDEN: &str = "010180a0abfef9620103616e61b344b2b33d728e7b480404040404040404040404040404040404040404040404043c16a164ab85682bebe3baf33b7ca12289d171761234606db219b6c4d973bb80d1e56f52b6deda3d155c4d00b3eb7b72350505050505050505050505050505050505050505050505054fa9b60a67cacc30727a21a88f6b9f486e25c37bec9d50450cc1426ff0";
