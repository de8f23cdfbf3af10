//! Injected faults leave behind what they say, and stop all commits until reopening.

use fermata_store::{Error, Fault, Faulty, Memory, Store};

use crate::subject::{appends, release, turn};

#[test]
fn a_fault_leaves_nothing_or_all_and_stops_further_commits() {
    for (fault, kept) in [(Fault::Before, 1), (Fault::After, 2)] {
        let store = Faulty::new(Memory::default());
        store.fail(1, fault);
        let commit = |number: u64| store.commit(appends([(release(1), turn(number, 1))]));
        commit(0).expect("no fault yet");
        for _ in 0..2 {
            let error = commit(1).expect_err("the fault, and then the refusal");
            assert!(matches!(error, Error::Unavailable { .. }), "{error}");
            assert_eq!(
                store.turns(release(1), 0, 9).expect("reads go on").len(),
                kept
            );
        }
        assert!(store.failed());
        store.reopen();
        commit(kept as u64).expect("it was reopened");
        assert_eq!((store.commits(), store.failed()), (4, false));
    }
}

#[test]
fn a_refused_batch_has_no_fault() {
    let store = Faulty::new(Memory::default());
    store.fail(0, Fault::After);
    let error = store
        .commit(appends([(release(1), turn(5, 1))]))
        .expect_err("it conflicts");
    assert!(matches!(error, Error::Conflict { .. }), "{error}");
    assert!(!store.failed());
    store
        .commit(appends([(release(1), turn(0, 1))]))
        .expect("nothing failed");
}
