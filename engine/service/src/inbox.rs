//! What waits on whom: a projection of all open releases, kept in memory by person and group, so that
//! asking it looks at no release.
//!
//! It follows each commit, and only the activities that the commit touched. A start builds it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

use fermata_core::actor::{Caller, Party};
use fermata_core::id::{Name, ReleaseId};
use fermata_core::process::{ActivityIx, Kind};
use fermata_core::release::event::{Event, Turn};
use fermata_core::release::{Release, Wanted, WantedWhat, wanted};
use fermata_core::time::Timestamp;

use crate::config::PAGE_SCANNED_MAX;
use crate::error::Error;
use crate::request::{Page, Paged};
use crate::service::lists::{hex, of_hex, page_limit};

/// Somebody whose inbox is read.
#[derive(Clone, Debug)]
pub struct OnBehalf {
    /// With their groups.
    pub person: Caller,
    /// Whether it is read by their backup.
    pub is_absent: bool,
}

/// Something that waits on somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxItem {
    /// In which release.
    pub release: ReleaseId,
    /// What it runs.
    pub process: Name,
    /// Its title.
    pub release_title: Arc<str>,
    /// `phase/activity`.
    pub activity: String,
    /// The title of the activity or task.
    pub title: String,
    /// The name of the task, if it is one.
    pub task: Option<String>,
    /// What is wanted.
    pub what: WantedWhat,
    /// Since when.
    pub since: Timestamp,
    /// When it is too late, or should be done.
    pub due_at: Option<Timestamp>,
    /// In whose place, if the reader is only their backup.
    pub backup_of: Option<Caller>,
}

/// The order of an inbox: nearest deadline first, then oldest release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    due_at: Timestamp,
    release: ReleaseId,
    activity: ActivityIx,
    what: WantedWhat,
}

/// One thing that is wanted, with all that a list shows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    item: InboxItem,
    wanted: Wanted,
}

/// What waits on whom.
#[derive(Debug, Default)]
pub(crate) struct Inbox(RwLock<Kept>);

#[derive(Debug, Default, PartialEq)]
struct Kept {
    entries: BTreeMap<(ReleaseId, ActivityIx), Vec<(Key, Entry)>>,
    /// By whom it is wanted of; `None` is anybody.
    of: BTreeMap<Option<Party>, BTreeSet<Key>>,
}

/// Which activities of which releases have moved since the last commit.
#[derive(Debug, Default)]
pub(crate) struct Touched(BTreeMap<ReleaseId, Which>);

#[derive(Debug)]
enum Which {
    Some(BTreeSet<ActivityIx>),
    All,
}

impl Touched {
    /// Takes down what a turn touches.
    pub(crate) fn take(&mut self, release: &Release, turn: &Turn) {
        let id = release.id();
        let some = Which::Some(BTreeSet::new());
        let which = self.0.entry(id).or_insert(some);
        for event in &turn.events {
            let told = matches!(event, Event::RootCauseClosed { .. });
            if told || release.is_sweeping(event) {
                *which = Which::All;
            } else if let Which::Some(touched) = which {
                touched.extend(event.activity());
            }
        }
    }
}

impl Inbox {
    /// Takes a loaded release in.
    pub(crate) fn adopt(&self, release: &Release) {
        self.change(|kept| kept.put_all(release));
    }

    /// Forgets a release.
    pub(crate) fn forget(&self, id: ReleaseId) {
        self.change(|kept| kept.remove_all(id));
    }

    /// Follows a commit.
    pub(crate) fn follow(
        &self,
        touched: &Touched,
        release: impl Fn(ReleaseId) -> Option<Arc<Release>>,
    ) {
        self.change(|kept| {
            for (id, which) in &touched.0 {
                kept.follow(*id, which, release(*id));
            }
        });
    }

    /// One page of what waits on these people.
    pub(crate) fn of(&self, people: &[OnBehalf], page: &Page) -> Result<Paged<InboxItem>, Error> {
        let after = page.cursor.as_deref().map(Key::parse).transpose()?;
        let limit = page_limit(page);
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut found: BTreeMap<Key, InboxItem> = BTreeMap::new();
        for person in people {
            for (key, item) in kept.of_one(person, after, limit + 1) {
                found.entry(key).or_insert(item);
            }
        }
        let more = found.len() > limit;
        let last = found.keys().nth(limit - 1).copied();
        Ok(Paged {
            items: found.into_values().take(limit).collect(),
            next: last.filter(|_| more).map(Key::text),
        })
    }

    /// How it differs from what the releases say.
    pub(crate) fn check<'a>(&self, releases: impl Iterator<Item = &'a Release>) -> Option<String> {
        let mut rebuilt = Kept::default();
        for release in releases {
            rebuilt.put_all(release);
        }
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        (*kept != rebuilt).then(|| format!("kept {:?}; rebuilt {:?}", kept.of, rebuilt.of))
    }

    fn change(&self, change: impl FnOnce(&mut Kept)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Kept {
    fn follow(&mut self, id: ReleaseId, which: &Which, release: Option<Arc<Release>>) {
        match (release, which) {
            (None, _) => self.remove_all(id),
            (Some(release), Which::All) => {
                self.remove_all(id);
                self.put_all(&release);
            }
            (Some(release), Which::Some(activities)) => {
                for ix in activities {
                    self.put(&release, *ix);
                }
            }
        }
    }

    fn put_all(&mut self, release: &Release) {
        let count = u32::try_from(release.process().activities.len()).unwrap_or(u32::MAX);
        for ix in 0..count {
            self.put(release, ActivityIx(ix));
        }
    }

    fn remove_all(&mut self, id: ReleaseId) {
        let all = (id, ActivityIx(0))..=(id, ActivityIx(u32::MAX));
        let known: Vec<_> = self.entries.range(all).map(|(key, _)| *key).collect();
        for key in known {
            self.remove(key);
        }
    }

    /// Puts what is wanted at an activity in place of what was.
    fn put(&mut self, release: &Release, ix: ActivityIx) {
        let place = (release.id(), ix);
        self.remove(place);
        let wanted = wanted(release, ix);
        if wanted.is_empty() {
            return;
        }
        let mut entries = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let key = Key {
                due_at: wanted.due_at.unwrap_or(Timestamp(i64::MAX)),
                release: release.id(),
                activity: ix,
                what: wanted.what,
            };
            for party in parties(&wanted) {
                self.of.entry(party).or_default().insert(key);
            }
            let item = item(release, ix, &wanted);
            entries.push((key, Entry { item, wanted }));
        }
        self.entries.insert(place, entries);
    }

    fn remove(&mut self, place: (ReleaseId, ActivityIx)) {
        for (key, entry) in self.entries.remove(&place).into_iter().flatten() {
            for party in parties(&entry.wanted) {
                let Some(keys) = self.of.get_mut(&party) else {
                    continue;
                };
                keys.remove(&key);
                if keys.is_empty() {
                    self.of.remove(&party);
                }
            }
        }
    }

    fn entry(&self, key: &Key) -> Option<&Entry> {
        let at = self.entries.get(&(key.release, key.activity))?;
        at.iter().find(|(of, _)| of == key).map(|(_, entry)| entry)
    }

    /// What waits on one person behind `after`, at most `count_max` things.
    fn of_one(
        &self,
        on_behalf: &OnBehalf,
        after: Option<Key>,
        count_max: usize,
    ) -> BTreeMap<Key, InboxItem> {
        let person = &on_behalf.person;
        let mut found = BTreeMap::new();
        for party in all_parties(person) {
            let Some(keys) = self.of.get(&party) else {
                continue;
            };
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            let behind = keys.range((from, Bound::Unbounded)).take(PAGE_SCANNED_MAX);
            let fitting = behind.filter_map(|key| {
                let entry = self.entry(key)?;
                let excepted = entry.wanted.except.iter().any(|party| person.is(party));
                (!excepted).then(|| (*key, on_behalf.item(entry)))
            });
            found.extend(fitting.take(count_max));
        }
        found
    }
}

impl OnBehalf {
    fn item(&self, entry: &Entry) -> InboxItem {
        InboxItem {
            backup_of: self.is_absent.then(|| self.person.clone()),
            ..entry.item.clone()
        }
    }
}

impl Key {
    /// The key as the cursor of a page.
    fn text(self) -> String {
        let (what, task) = match self.what {
            WantedWhat::Approval => (0, 0),
            WantedWhat::Task(task) => (1, task),
            WantedWhat::Decision => (2, 0),
            WantedWhat::Review => (3, 0),
            WantedWhat::RootCause => (4, 0),
        };
        let mut bytes = self.due_at.0.to_be_bytes().to_vec();
        bytes.extend(self.release.to_bytes());
        bytes.extend(self.activity.0.to_be_bytes());
        bytes.push(what);
        bytes.extend(u32::to_be_bytes(task));
        hex(&bytes)
    }

    fn parse(text: &str) -> Result<Self, Error> {
        let malformed = || Error::Malformed("cursor");
        let bytes = of_hex(text)?;
        let (due_at, rest) = bytes.split_first_chunk().ok_or_else(malformed)?;
        let (release, rest) = rest.split_first_chunk().ok_or_else(malformed)?;
        let (activity, rest) = rest.split_first_chunk().ok_or_else(malformed)?;
        let (what, task) = rest.split_first().ok_or_else(malformed)?;
        let task = u32::from_be_bytes(task.try_into().map_err(|_| malformed())?);
        Ok(Self {
            due_at: Timestamp(i64::from_be_bytes(*due_at)),
            release: ReleaseId::from_bytes(*release),
            activity: ActivityIx(u32::from_be_bytes(*activity)),
            what: match what {
                0 => WantedWhat::Approval,
                1 => WantedWhat::Task(task),
                2 => WantedWhat::Decision,
                3 => WantedWhat::Review,
                4 => WantedWhat::RootCause,
                _ => return Err(malformed()),
            },
        })
    }
}

/// Under whom an entry is found.
fn parties(wanted: &Wanted) -> Vec<Option<Party>> {
    if wanted.of.is_empty() {
        return vec![None];
    }
    wanted.of.iter().cloned().map(Some).collect()
}

/// What a person is: themselves, their groups, and anybody.
fn all_parties(person: &Caller) -> Vec<Option<Party>> {
    let own = match &person.actor {
        fermata_core::actor::Actor::User(name) => Some(Party::User(name.clone())),
        fermata_core::actor::Actor::Engine => None,
    };
    let groups = person.groups.iter().cloned().map(Party::Group);
    let named = own.into_iter().chain(groups).map(Some);
    named.chain([None]).collect()
}

fn item(release: &Release, ix: ActivityIx, wanted: &Wanted) -> InboxItem {
    let process = release.process();
    let activity = process.activity(ix);
    let task = match (wanted.what, &activity.kind) {
        (WantedWhat::Task(task), Kind::Manual(manual)) => manual.tasks.get(task as usize),
        _ => None,
    };
    InboxItem {
        release: release.id(),
        process: process.name.clone(),
        release_title: release.title().into(),
        activity: process.path(ix),
        title: task.map_or(&activity.title, |task| &task.title).clone(),
        task: task.map(|task| task.name.clone()),
        what: wanted.what,
        since: wanted.since,
        due_at: wanted.due_at,
        backup_of: None,
    }
}
