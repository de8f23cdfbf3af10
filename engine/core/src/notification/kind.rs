//! The kinds of notifications: the one table.

use std::fmt;
use std::str::FromStr;

/// Declares the table: a variant for each kind, its word, and when people are told.
macro_rules! kinds {
    ($($name:ident $word:literal $when:literal;)*) => {
        /// What a notification is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(#[doc = $when] $name,)*
        }

        impl Kind {
            /// Every kind, as the documentation lists them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The kind as a stable word: notifiers choose by it, and components get it.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// When people are told, in one sentence.
            pub fn when(self) -> &'static str {
                match self {
                    $(Self::$name => $when,)*
                }
            }
        }
    };
}

kinds! {
    ReleaseStarted "release-started" "A release began.";
    ReleasePaused "release-paused" "Somebody paused a release.";
    ReleaseResumed "release-resumed" "Somebody let a paused release go on.";
    ReleaseRollingBack "release-rolling-back" "A release takes its effects back.";
    ReleaseSucceeded "release-succeeded" "A release ended, and nothing failed.";
    ReleaseFailed "release-failed" "A release ended, and something failed.";
    ReleaseAborted "release-aborted" "Somebody gave a release up.";
    ReleaseRolledBack "release-rolled-back" "A release ended, and every effect is taken back.";
    ActivityOnHold "activity-on-hold" "An activity failed, and its owners must say how to go on.";
    ActivityFailed "activity-failed" "An activity failed for good.";
    UndoOnHold "undo-on-hold" "An effect could not be taken back, and a person must decide.";
    PeopleNeeded "people-needed" "A manual activity without approvals waits for people.";
    ApprovalAsked "approval-asked" "People are asked to approve.";
    ApprovalReminded "approval-reminded" "They have not decided yet, and are reminded.";
    ApprovalEscalated "approval-escalated" "It took too long: further people may decide.";
    ApprovalExpired "approval-expired" "Nobody decided in time.";
    ApprovalApproved "approval-approved" "What people were asked is approved or done.";
    ApprovalRejected "approval-rejected" "Somebody rejected.";
    ApprovalWithdrawn "approval-withdrawn" "The question was taken back.";
    ApprovalLapsed "approval-lapsed" "What people approve has changed: they are asked again.";
    GlassBroken "glass-broken" "Somebody skipped the approvals in an emergency.";
    SignalAwaited "signal-awaited" "An activity waits for a signal from outside.";
    WaveHalted "wave-halted" "No further batch of a wave opens until a person lets it.";
    WaveRollingBack "wave-rolling-back" "The last batch of a wave takes its effects back.";
    ComponentQuarantined "component-quarantined" "A component must not run any more.";
    Test "test" "Somebody tries a notifier out.";
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that is no kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownKind;

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no such kind of notification")
    }
}

impl std::error::Error for UnknownKind {}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(word: &str) -> Result<Self, UnknownKind> {
        let found = Self::ALL.iter().find(|kind| kind.word() == word);
        found.copied().ok_or(UnknownKind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Name;

    #[test]
    fn every_kind_has_a_word_of_its_own_that_is_a_name() {
        for kind in Kind::ALL {
            assert_eq!(kind.word().parse(), Ok(*kind));
            assert!(kind.word().parse::<Name>().is_ok(), "{kind}");
            assert!(kind.when().ends_with('.'), "{kind}");
        }
    }

    #[test]
    fn the_documentation_lists_every_kind() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/notifications.md");
        let text = std::fs::read_to_string(path).unwrap();
        for kind in Kind::ALL {
            let row = format!("| `{kind}` | ");
            assert!(text.contains(&row), "{kind} has no row in {path}");
        }
    }
}
