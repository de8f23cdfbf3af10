//! Exit codes: the part of the command line that scripts depend on.

use std::process::ExitCode;

/// How a command ended, for the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what was asked.
    Ok = 0,
    /// It was understood and tried, and it failed: a release that failed, a check that did not pass.
    Failure = 1,
    /// The command line, or a file it names, makes no sense. clap uses the same code.
    Usage = 2,
    /// The engine refused: a document with defects, an action that the state forbids.
    Refused = 3,
    /// The server cannot be reached, or does not answer in time.
    Unreachable = 4,
    /// No token, a wrong one, or one that may not do this.
    Unauthorised = 5,
    /// What was named does not exist.
    Missing = 6,
    /// The server failed, or answered something that is not Fermata's.
    Server = 7,
    /// Only people can move the release on, and the caller asked to be told.
    WaitsForPeople = 8,
}

/// The codes, as `--help` shows them.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  failed: the release ended badly or is stuck, or a check did not pass
  2  the command line or a file it names makes no sense
  3  refused by the engine: defects in a document, or the state forbids it
  4  the server cannot be reached or does not answer in time
  5  no token, a wrong one, or one that may not do this
  6  what was named does not exist
  7  the server failed
  8  the release waits for people (`release watch --exit-on-people`)";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_lists_every_code() {
        for exit in [
            Exit::Ok,
            Exit::Failure,
            Exit::Usage,
            Exit::Refused,
            Exit::Unreachable,
            Exit::Unauthorised,
            Exit::Missing,
            Exit::Server,
            Exit::WaitsForPeople,
        ] {
            let line = format!("\n  {}  ", exit as u8);
            assert!(HELP.contains(&line), "{exit:?}");
        }
    }
}
