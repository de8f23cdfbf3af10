//! Uploads that are sent piece by piece, and go on where they were after a broken connection or a restart.
//!
//! An upload is two files in a directory of the cache: what was announced, and what has arrived. Whoever
//! deletes them costs somebody a repetition and nothing else: nothing is registered before the whole is there
//! and has the digest that was announced.

mod kept;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fermata_core::component::Version;
use fermata_core::id::{Digest, Name};
use fermata_core::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use kept::Kept;

/// Most uploads of one person at a time. Those that have ended make room for others.
pub(crate) const UPLOADS_PER_PERSON_MAX: usize = 8;
/// Most bytes that the unfinished uploads of one person announce together: four of the largest.
pub(crate) const UPLOADS_PER_PERSON_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Most bytes that all uploads announce together: what a small disk can spare.
pub(crate) const UPLOADS_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// How long an upload is kept after it was begun: over a night on a slow line.
pub(crate) const UPLOAD_AGE_MAX: Span = Span(24 * 60 * 60 * 1000);
/// Most bytes of one piece: what a connection that breaks can lose.
pub(crate) const PIECE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// An upload, as it was announced and as far as it has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Upload {
    /// Names it.
    pub(crate) id: String,
    /// Who began it.
    pub(crate) owner: Name,
    /// How many bytes it will have.
    pub(crate) length: u64,
    /// What they will be.
    pub(crate) digest: Digest,
    /// When it was begun.
    pub(crate) created_at: Timestamp,
    /// The component that came of it, once it has ended.
    pub(crate) component: Option<(Name, Version)>,
    /// How many bytes have arrived.
    #[serde(skip)]
    pub(crate) offset: u64,
}

impl Upload {
    /// When it is forgotten.
    pub(crate) fn expires_at(&self) -> Timestamp {
        self.created_at.after(UPLOAD_AGE_MAX)
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at() <= now
    }
}

/// Why an upload does not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    /// There is no such upload of this person, or not any more.
    #[error("there is no such upload")]
    Unknown,
    /// The person has too many, or all of them together are too large.
    #[error("{0}")]
    TooMany(String),
    /// The piece does not begin where the last one ended.
    #[error("the next piece begins at {expected}, and this one at {given}")]
    Offset {
        /// Where it has to begin.
        expected: u64,
        /// Where it begins.
        given: u64,
    },
    /// The piece goes beyond the announced length.
    #[error("{0} bytes were announced, and this piece goes beyond them")]
    TooLong(u64),
    /// Another request is at it.
    #[error("another request is working on the upload")]
    Busy,
    /// Not all of it has arrived.
    #[error("{offset} of {length} bytes have arrived")]
    Incomplete {
        /// What has arrived.
        offset: u64,
        /// What was announced.
        length: u64,
    },
    /// The bytes are not those that were announced.
    #[error("the bytes have the digest {0}, which was not announced")]
    OtherBytes(Digest),
    /// The disk failed.
    #[error("the upload cannot be kept")]
    File(#[from] io::Error),
}

/// All uploads.
#[derive(Debug)]
pub(crate) struct Uploads {
    kept: Kept,
    open: Mutex<BTreeMap<String, Open>>,
}

#[derive(Clone, Debug)]
struct Open {
    upload: Upload,
    busy: bool,
    /// Whether the announcement is on disk.
    is_kept: bool,
}

/// The right to work on an upload, until it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    uploads: Arc<Uploads>,
    upload: Upload,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(open) = self.uploads.open().get_mut(&self.upload.id) {
            open.busy = false;
        }
    }
}

impl Uploads {
    /// The uploads in `dir`, which is made if it is missing. What is over or damaged is removed. Blocks.
    pub(crate) fn load(dir: PathBuf, now: Timestamp) -> io::Result<Self> {
        let kept = Kept::new(dir)?;
        let found = kept.load()?.into_iter().map(|upload| {
            let (busy, is_kept) = (false, true);
            let id = upload.id.clone();
            let open = Open {
                upload,
                busy,
                is_kept,
            };
            (id, open)
        });
        let uploads = Self {
            open: Mutex::new(found.collect()),
            kept,
        };
        uploads.forget_old(now);
        Ok(uploads)
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<String, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes what is over, unless somebody is at it.
    fn forget_old(&self, now: Timestamp) {
        self.open().retain(|id, open| {
            let stays = open.busy || !open.upload.is_over(now);
            if !stays {
                self.kept.remove(id);
            }
            stays
        });
    }

    /// Begins an upload, or gives the one that this person began of the same bytes. The second value is
    /// whether it was there. Blocks.
    pub(crate) fn begin(&self, upload: Upload) -> Result<(Upload, bool), UploadError> {
        self.forget_old(upload.created_at);
        let mut open = self.open();
        let mut own = open.values().filter(|it| it.upload.owner == upload.owner);
        let same = own.find(|it| it.upload.digest == upload.digest);
        if let Some(same) = same.filter(|same| same.upload.length == upload.length) {
            return if same.is_kept {
                Ok((same.upload.clone(), true))
            } else {
                Err(UploadError::Busy)
            };
        }
        check_bytes(&open, &upload)?;
        self.make_room(&mut open, &upload.owner)?;
        let (busy, is_kept) = (true, false);
        let begun = upload.clone();
        let place = Open {
            upload,
            busy,
            is_kept,
        };
        open.insert(begun.id.clone(), place);
        drop(open);
        self.keep(&begun)?;
        Ok((begun, false))
    }

    /// Writes the announcement of an upload that has its place already: others do not wait for the disk.
    fn keep(&self, upload: &Upload) -> Result<(), UploadError> {
        let written = self.kept.begin(upload);
        let mut open = self.open();
        if let Err(error) = written {
            open.remove(&upload.id);
            self.kept.remove(&upload.id);
            return Err(error.into());
        }
        if let Some(open) = open.get_mut(&upload.id) {
            open.busy = false;
            open.is_kept = true;
        }
        Ok(())
    }

    /// Forgets what has ended of a person's uploads, the oldest first, until there is room for one more.
    fn make_room(
        &self,
        open: &mut BTreeMap<String, Open>,
        owner: &Name,
    ) -> Result<(), UploadError> {
        loop {
            let own = || open.values().filter(|it| it.upload.owner == *owner);
            if own().count() < UPLOADS_PER_PERSON_MAX {
                return Ok(());
            }
            let ended = own().filter(|it| it.upload.component.is_some() && !it.busy);
            let Some(oldest) = ended.min_by_key(|it| it.upload.created_at) else {
                let told = format!("{UPLOADS_PER_PERSON_MAX} uploads of yours have not ended");
                return Err(UploadError::TooMany(told));
            };
            let id = oldest.upload.id.clone();
            self.kept.remove(&id);
            open.remove(&id);
        }
    }

    /// The uploads of a person, the oldest first.
    pub(crate) fn list(&self, owner: &Name, now: Timestamp) -> Vec<Upload> {
        let open = self.open();
        let own = open
            .values()
            .filter(|it| it.upload.owner == *owner && !it.upload.is_over(now));
        let mut own: Vec<Upload> = own.map(|it| it.upload.clone()).collect();
        own.sort_by_key(|upload| upload.created_at);
        own
    }

    /// One of a person's uploads.
    pub(crate) fn find(
        &self,
        owner: &Name,
        id: &str,
        now: Timestamp,
    ) -> Result<Upload, UploadError> {
        let open = self.open();
        let found = open.get(id).map(|it| &it.upload);
        let found = found.filter(|upload| upload.owner == *owner && !upload.is_over(now));
        found.cloned().ok_or(UploadError::Unknown)
    }

    /// Takes one of a person's uploads for oneself.
    pub(crate) fn hold(
        self: &Arc<Self>,
        owner: &Name,
        id: &str,
        now: Timestamp,
    ) -> Result<Held, UploadError> {
        let mut open = self.open();
        let found = open.get_mut(id);
        let found = found.filter(|it| it.upload.owner == *owner && !it.upload.is_over(now));
        let found = found.ok_or(UploadError::Unknown)?;
        if found.busy {
            return Err(UploadError::Busy);
        }
        found.busy = true;
        Ok(Held {
            uploads: Arc::clone(self),
            upload: found.upload.clone(),
        })
    }
}

/// Refuses an upload that announces too much beside those that have not ended.
fn check_bytes(open: &BTreeMap<String, Open>, upload: &Upload) -> Result<(), UploadError> {
    let (mut own, mut all) = (upload.length, upload.length);
    for other in open.values().filter(|it| it.upload.component.is_none()) {
        all = all.saturating_add(other.upload.length);
        if other.upload.owner == upload.owner {
            own = own.saturating_add(other.upload.length);
        }
    }
    let too_many = |whose: &str, max: u64| {
        let told = format!("{whose} that have not ended announce more than {max} bytes");
        Err(UploadError::TooMany(told))
    };
    if own > UPLOADS_PER_PERSON_BYTES_MAX {
        too_many("the uploads of yours", UPLOADS_PER_PERSON_BYTES_MAX)
    } else if all > UPLOADS_BYTES_MAX {
        too_many("all uploads together", UPLOADS_BYTES_MAX)
    } else {
        Ok(())
    }
}

impl Held {
    /// The upload, as it was when it was taken.
    pub(crate) fn upload(&self) -> &Upload {
        &self.upload
    }

    /// Appends a piece, which is on disk when this returns the new offset. Blocks.
    pub(crate) fn append(self, offset: u64, piece: &[u8]) -> Result<u64, UploadError> {
        let upload = &self.upload;
        if upload.component.is_some() || offset != upload.offset {
            let (expected, given) = (upload.offset, offset);
            return Err(UploadError::Offset { expected, given });
        }
        let reached = offset.saturating_add(piece.len() as u64);
        if reached > upload.length {
            return Err(UploadError::TooLong(upload.length));
        }
        self.uploads.kept.write(&upload.id, offset, piece)?;
        if let Some(open) = self.uploads.open().get_mut(&upload.id) {
            open.upload.offset = reached;
        }
        Ok(reached)
    }

    /// All bytes, if they are those that were announced. Blocks.
    pub(crate) fn whole(&self) -> Result<Vec<u8>, UploadError> {
        let Upload { offset, length, .. } = self.upload;
        if offset < length {
            return Err(UploadError::Incomplete { offset, length });
        }
        let bytes = self.uploads.kept.read(&self.upload.id, length)?;
        let digest = Digest::of(&bytes);
        if digest != self.upload.digest {
            self.uploads.kept.remove(&self.upload.id);
            self.uploads.open().remove(&self.upload.id);
            return Err(UploadError::OtherBytes(digest));
        }
        Ok(bytes)
    }

    /// Notes which component came of it, and lets the bytes go. Blocks.
    pub(crate) fn finished(self, component: (Name, Version)) -> Result<(), UploadError> {
        let mut upload = self.upload.clone();
        upload.component = Some(component);
        self.uploads.kept.finish(&upload)?;
        if let Some(open) = self.uploads.open().get_mut(&upload.id) {
            open.upload = upload;
        }
        Ok(())
    }

    /// Forgets the upload. Blocks.
    pub(crate) fn cancel(self) {
        self.uploads.kept.remove(&self.upload.id);
        self.uploads.open().remove(&self.upload.id);
    }
}

#[cfg(test)]
mod tests;
