//! The file with the first administrator's token.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::{OpenError, TOKEN_FILE};
use crate::access::Secret;

/// Writes a new token into the data directory, for its owner only.
pub(crate) fn write_token(data_dir: &Path) -> Result<Secret, OpenError> {
    let path = data_dir.join(TOKEN_FILE);
    let failed = |source| OpenError::File {
        path: path.clone(),
        source,
    };
    let secret = Secret::draw().map_err(failed)?;
    let draft = data_dir.join(format!("{TOKEN_FILE}.new"));
    let written = || {
        // A draft that an earlier start left behind may have other rights.
        drop(fs::remove_file(&draft));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)?;
        writeln!(file, "{}", secret.expose())?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        fs::File::open(data_dir)?.sync_all()
    };
    written().map_err(failed)?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_file_is_for_its_owner_only_and_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(TOKEN_FILE);
        let stale = folder.path().join(format!("{TOKEN_FILE}.new"));
        fs::write(&stale, "half a tok").unwrap();
        let mut written = Vec::new();
        for _ in 0..2 {
            let secret = write_token(folder.path()).unwrap();
            let text = fs::read_to_string(&path).unwrap();
            assert_eq!(text.trim_end(), secret.expose());
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            written.push(text);
        }
        assert_ne!(written[0], written[1]);
        assert!(!stale.exists());
    }
}
