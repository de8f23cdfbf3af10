//! The list of a backup's files: lines for people, sealed by their own hash.

use std::fmt;
use std::str::FromStr;

use fermata_core::id::Digest;
use fermata_core::time::Timestamp;

use crate::directory::{DATABASE, FORMAT, FORMAT_PREFIX};

const FIRST_LINE: &str = "fermata-backup 1";
const CREATED: &str = "created ";
const FILE: &str = "file ";
const END: &str = "end ";

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// When it was made.
    pub created_at: Timestamp,
    /// Sorted by name.
    pub files: Vec<BackupFile>,
}

/// One file of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupFile {
    /// Its name within `db/`.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its content.
    pub digest: Digest,
}

impl Backup {
    /// Bytes of all its files.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    fn body(&self) -> String {
        let head = format!(
            "{FIRST_LINE}\n{FORMAT_PREFIX}{FORMAT}\n{CREATED}{}\n",
            self.created_at
        );
        let file = |file: &BackupFile| {
            let BackupFile { name, size, digest } = file;
            format!("{FILE}{} {size} {DATABASE}/{name}\n", digest.hex())
        };
        head + &self.files.iter().map(file).collect::<String>()
    }
}

impl fmt::Display for Backup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = self.body();
        writeln!(f, "{body}{END}{}", Digest::of(body.as_bytes()).hex())
    }
}

/// Why a list cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Something else begins like that.
    #[error("its BACKUP file is not a list of a backup that this version of Fermata reads")]
    Kind,
    /// It was made by a version with another format of the data directory.
    #[error("it holds `{0}` and this version of Fermata reads `{FORMAT_PREFIX}{FORMAT}`")]
    Format(String),
    /// Its own hash does not fit.
    #[error("its BACKUP file is damaged: the last line does not fit the lines before")]
    Seal,
    /// A line is none that a list has.
    #[error("its BACKUP file has a line that cannot be read: {0}")]
    Line(String),
}

impl FromStr for Backup {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let mut lines = text.lines();
        if lines.next() != Some(FIRST_LINE) {
            return Err(Unreadable::Kind);
        }
        let (body, seal) = text.rsplit_once(END).ok_or(Unreadable::Seal)?;
        if seal != format!("{}\n", Digest::of(body.as_bytes()).hex()) {
            return Err(Unreadable::Seal);
        }
        let format = lines.next().unwrap_or_default();
        if format != format!("{FORMAT_PREFIX}{FORMAT}") {
            return Err(Unreadable::Format(format.to_owned()));
        }
        let created = lines.next().unwrap_or_default();
        let created_at = created.strip_prefix(CREATED).and_then(|at| at.parse().ok());
        let created_at = created_at.ok_or_else(|| Unreadable::Line(created.to_owned()))?;
        let files = lines
            .filter(|line| !line.starts_with(END))
            .map(|line| file(line).ok_or_else(|| Unreadable::Line(line.to_owned())))
            .collect::<Result<_, _>>()?;
        Ok(Self { created_at, files })
    }
}

/// The file that a line names. Its name is a plain one, so that it cannot lead out of the backup.
fn file(line: &str) -> Option<BackupFile> {
    let mut words = line.strip_prefix(FILE)?.splitn(3, ' ');
    let digest = format!("sha256:{}", words.next()?).parse().ok()?;
    let size = words.next()?.parse().ok()?;
    let name = words.next()?.strip_prefix(DATABASE)?.strip_prefix('/')?;
    let plain = !name.is_empty() && !name.starts_with('.') && !name.contains('/');
    plain.then(|| BackupFile {
        name: name.to_owned(),
        size,
        digest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(body: &str) -> String {
        format!("{body}{END}{}\n", Digest::of(body.as_bytes()).hex())
    }

    fn sample() -> Backup {
        let file = |name: &str, size| BackupFile {
            name: name.to_owned(),
            size,
            digest: Digest::of(name.as_bytes()),
        };
        Backup {
            created_at: Timestamp(1_700_000_000_123),
            files: vec![file("000012.sst", 7), file("CURRENT", 0)],
        }
    }

    #[test]
    fn a_list_reads_back() {
        assert_eq!(sample().to_string().parse(), Ok(sample()));
        let none = Backup {
            files: Vec::new(),
            ..sample()
        };
        assert_eq!(none.to_string().parse(), Ok(none));
    }

    #[test]
    fn any_changed_or_missing_byte_is_noticed() {
        let text = sample().to_string();
        for at in 0..text.len() {
            assert!(text[..at].parse::<Backup>().is_err(), "cut at {at}");
            let mut other = text.clone().into_bytes();
            other[at] ^= 1;
            let other = String::from_utf8(other).expect("still ASCII");
            assert!(other.parse::<Backup>().is_err(), "changed at {at}");
        }
    }

    #[test]
    fn a_sealed_list_is_still_not_trusted() {
        let digest = Digest::of(b"").hex();
        for name in [
            "db/../x",
            "db//etc/passwd",
            "/etc/passwd",
            "db/",
            "db/..",
            "x",
        ] {
            let head =
                format!("{FIRST_LINE}\n{FORMAT_PREFIX}{FORMAT}\n{CREATED}1970-01-01T00:00:00Z\n");
            let text = sealed(&format!("{head}{FILE}{digest} 1 {name}\n"));
            let refused = text.parse::<Backup>();
            assert!(
                matches!(refused, Err(Unreadable::Line(_))),
                "{name}: {refused:?}"
            );
        }
        let newer = sealed(&format!("{FIRST_LINE}\n{FORMAT_PREFIX}2\n"));
        let refused = newer.parse::<Backup>();
        assert_eq!(
            refused,
            Err(Unreadable::Format("fermata-data 2".to_owned()))
        );
    }
}
