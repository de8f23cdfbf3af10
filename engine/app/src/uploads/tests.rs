//! Uploads that break off, are repeated, and are too many.

use std::fs;

use super::*;

const NOW: Timestamp = Timestamp(1_000);

fn upload(id: &str, owner: &str, bytes: &[u8]) -> Upload {
    Upload {
        id: id.into(),
        owner: owner.parse().unwrap(),
        length: bytes.len() as u64,
        digest: Digest::of(bytes),
        created_at: NOW,
        component: None,
        offset: 0,
    }
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

struct Place {
    folder: tempfile::TempDir,
    uploads: Arc<Uploads>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Arc::new(Uploads::load(folder.path().join("uploads"), NOW).unwrap());
        Self { folder, uploads }
    }

    fn restart(self, now: Timestamp) -> Self {
        let dir = self.folder.path().join("uploads");
        let uploads = Arc::new(Uploads::load(dir, now).unwrap());
        Self { uploads, ..self }
    }

    fn held(&self, id: &str) -> Held {
        self.uploads.hold(&name("ana"), id, NOW).unwrap()
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join("uploads")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

#[test]
fn pieces_go_on_where_they_were_after_a_restart() {
    let place = Place::new();
    let bytes = b"hello, world";
    let (begun, there) = place.uploads.begin(upload("one", "ana", bytes)).unwrap();
    assert_eq!((begun.offset, there), (0, false));
    assert_eq!(place.held("one").append(0, &bytes[..5]).unwrap(), 5);
    let place = place.restart(NOW);
    let again = place.uploads.begin(upload("two", "ana", bytes)).unwrap();
    assert_eq!(
        (again.0.id.as_str(), again.0.offset, again.1),
        ("one", 5, true)
    );
    let wrong = place.held("one").append(4, &bytes[4..]);
    assert!(matches!(
        wrong,
        Err(UploadError::Offset {
            expected: 5,
            given: 4
        })
    ));
    let early = place.held("one").whole();
    assert!(matches!(
        early,
        Err(UploadError::Incomplete {
            offset: 5,
            length: 12
        })
    ));
    assert_eq!(place.held("one").append(5, &bytes[5..]).unwrap(), 12);
    let beyond = place.held("one").append(12, b"!");
    assert!(matches!(beyond, Err(UploadError::TooLong(12))));
    assert_eq!(place.held("one").whole().unwrap(), bytes);
    let component = (name("deploy"), "1.0.0".parse().unwrap());
    place.held("one").finished(component.clone()).unwrap();
    assert_eq!(place.files(), ["one.json"]);
    let place = place.restart(NOW);
    let found = place.uploads.find(&name("ana"), "one", NOW).unwrap();
    assert_eq!((found.component, found.offset), (Some(component), 12));
}

#[test]
fn other_bytes_than_announced_are_dropped() {
    let place = Place::new();
    place.uploads.begin(upload("one", "ana", b"right")).unwrap();
    place.held("one").append(0, b"wrong").unwrap();
    let refused = place.held("one").whole();
    assert!(matches!(refused, Err(UploadError::OtherBytes(_))));
    assert_eq!(place.files(), [""; 0]);
    let gone = place.uploads.find(&name("ana"), "one", NOW);
    assert!(matches!(gone, Err(UploadError::Unknown)));
}

#[test]
fn one_request_works_on_an_upload_and_others_see_only_their_own() {
    let place = Place::new();
    place.uploads.begin(upload("one", "ana", b"x")).unwrap();
    let held = place.held("one");
    let busy = place.uploads.hold(&name("ana"), "one", NOW);
    assert!(matches!(busy, Err(UploadError::Busy)));
    drop(held);
    place.held("one");
    for id in ["one", "none", "../one"] {
        let foreign = place.uploads.hold(&name("eve"), id, NOW);
        assert!(matches!(foreign, Err(UploadError::Unknown)), "{id}");
    }
    assert!(place.uploads.list(&name("eve"), NOW).is_empty());
    place.held("one").cancel();
    assert!(place.uploads.list(&name("ana"), NOW).is_empty());
}

#[test]
fn uploads_are_bounded_in_number_bytes_and_age() {
    let place = Place::new();
    for number in 0..UPLOADS_PER_PERSON_MAX {
        let id = format!("u{number}");
        place
            .uploads
            .begin(upload(&id, "ana", id.as_bytes()))
            .unwrap();
    }
    let more = place.uploads.begin(upload("more", "ana", b"more"));
    assert!(matches!(more, Err(UploadError::TooMany(_))));
    // One that has ended makes room.
    place.held("u3").append(0, b"u3").unwrap();
    let component = (name("deploy"), "1.0.0".parse().unwrap());
    place.held("u3").finished(component).unwrap();
    place.uploads.begin(upload("more", "ana", b"more")).unwrap();
    let gone = place.uploads.find(&name("ana"), "u3", NOW);
    assert!(matches!(gone, Err(UploadError::Unknown)));

    let huge = |owner: &str| {
        let mut huge = upload(owner, owner, owner.as_bytes());
        huge.length = UPLOADS_PER_PERSON_BYTES_MAX;
        place.uploads.begin(huge)
    };
    for owner in ["ben", "cid", "dan"] {
        huge(owner).unwrap();
    }
    // Whoever has announced something has room for less, and so have all of them together.
    assert!(matches!(huge("ana"), Err(UploadError::TooMany(_))));
    assert!(matches!(huge("eve"), Err(UploadError::TooMany(_))));
    let later = NOW.after(UPLOAD_AGE_MAX);
    let over = place.uploads.find(&name("ana"), "u0", later);
    assert!(matches!(over, Err(UploadError::Unknown)));
    let place = place.restart(later);
    assert_eq!(place.files(), [""; 0]);
}

#[test]
fn damage_costs_an_upload_and_not_the_start() {
    let place = Place::new();
    place.uploads.begin(upload("good", "ana", b"good")).unwrap();
    place.held("good").append(0, b"go").unwrap();
    let dir = place.folder.path().join("uploads");
    for (file, content) in [
        ("broken.json", "{"),
        ("broken.part", "x"),
        ("lost.part", "x"),
        ("half.new", "x"),
        (
            "other.json",
            &fs::read_to_string(dir.join("good.json")).unwrap(),
        ),
    ] {
        fs::write(dir.join(file), content).unwrap();
    }
    let place = place.restart(NOW);
    assert_eq!(place.files(), ["good.json", "good.part"]);
    assert_eq!(place.held("good").append(2, b"od").unwrap(), 4);
    assert_eq!(place.held("good").whole().unwrap(), b"good");
}

#[test]
fn an_upload_that_cannot_be_kept_takes_no_place() {
    let place = Place::new();
    fs::remove_dir_all(place.folder.path().join("uploads")).unwrap();
    let refused = place.uploads.begin(upload("one", "ana", b"hello"));
    assert!(matches!(refused, Err(UploadError::File(_))), "{refused:?}");
    assert!(place.uploads.list(&name("ana"), NOW).is_empty());
}
