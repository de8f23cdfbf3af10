//! Uploads on disk: `ID.json` is what was announced, `ID.part` what has arrived.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use tracing::warn;

use super::Upload;

/// Largest announcement that is read: a hundred times what is written.
const ANNOUNCED_BYTES_MAX: u64 = 64 * 1024;

/// The directory of uploads.
#[derive(Debug)]
pub(super) struct Kept(PathBuf);

impl Kept {
    /// The directory, made for its owner only if it is missing.
    pub(super) fn new(dir: PathBuf) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        Ok(Self(dir))
    }

    /// Every upload that can go on. Everything else in the directory is removed.
    pub(super) fn load(&self) -> io::Result<Vec<Upload>> {
        let mut found: Vec<Upload> = Vec::new();
        let mut others = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            match read(&path) {
                Some(upload) => found.push(self.arrived(upload)),
                None => others.push(path),
            }
        }
        for path in others {
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let is_part = path.extension().is_some_and(|it| it == "part");
            let wanted = found.iter().any(|upload| Some(upload.id.as_str()) == stem);
            if !(is_part && wanted) && path.is_file() {
                warn!(path = %path.display(), "removed what is left of an upload");
                fs::remove_file(&path)?;
            }
        }
        Ok(found)
    }

    fn arrived(&self, mut upload: Upload) -> Upload {
        let length = fs::metadata(self.part(&upload.id)).map_or(0, |part| part.len());
        upload.offset = match upload.component {
            Some(_) => upload.length,
            None => length.min(upload.length),
        };
        upload
    }

    /// Keeps what was announced.
    pub(super) fn begin(&self, upload: &Upload) -> io::Result<()> {
        self.announce(upload)?;
        self.open(&upload.id).map(drop)
    }

    /// Keeps what came of an upload in place of its bytes.
    pub(super) fn finish(&self, upload: &Upload) -> io::Result<()> {
        self.announce(upload)?;
        remove(&self.part(&upload.id));
        Ok(())
    }

    fn announce(&self, upload: &Upload) -> io::Result<()> {
        let text = serde_json::to_vec(upload).map_err(io::Error::other)?;
        let path = self.announced(&upload.id);
        let draft = path.with_extension("new");
        let mut file = File::create(&draft)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        File::open(&self.0)?.sync_all()
    }

    /// Writes a piece and syncs it.
    pub(super) fn write(&self, id: &str, offset: u64, piece: &[u8]) -> io::Result<()> {
        let file = self.open(id)?;
        file.write_all_at(piece, offset)?;
        file.sync_data()
    }

    /// The first `length` bytes that arrived.
    pub(super) fn read(&self, id: &str, length: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = File::open(self.part(id))?;
        file.take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Removes all of an upload.
    pub(super) fn remove(&self, id: &str) {
        remove(&self.announced(id));
        remove(&self.part(id));
    }

    fn open(&self, id: &str) -> io::Result<File> {
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(self.part(id))
    }

    fn announced(&self, id: &str) -> PathBuf {
        self.0.join(id).with_extension("json")
    }

    fn part(&self, id: &str) -> PathBuf {
        self.0.join(id).with_extension("part")
    }
}

fn remove(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            warn!(path = %path.display(), %error, "what is left of an upload cannot be removed");
        }
        _ => {}
    }
}

/// The announcement in a file, if it is one and its name is that of the upload.
fn read(path: &Path) -> Option<Upload> {
    if path.extension()? != "json" {
        return None;
    }
    let mut text = Vec::new();
    let file = File::open(path).ok()?;
    file.take(ANNOUNCED_BYTES_MAX).read_to_end(&mut text).ok()?;
    let upload: Upload = serde_json::from_slice(&text).ok()?;
    (path.file_stem()?.to_str()? == upload.id).then_some(upload)
}
