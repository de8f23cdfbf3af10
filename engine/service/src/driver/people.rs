//! Questions are told who is who, in the batch in which they are asked: nobody ever sees one that
//! still has to know.

use std::sync::Arc;

use tracing::warn;

use fermata_core::actor::Caller;
use fermata_core::id::ReleaseId;
use fermata_core::release::event::Membership;
use fermata_core::release::input::What;
use fermata_core::release::{PeopleWanted, Release};

use crate::driver::Driver;
use crate::driver::turns::TurnError;

impl Driver {
    /// Tells the questions of a release what they have to know of the people around them.
    pub(super) fn tell_people(&mut self, id: ReleaseId) -> Result<(), TurnError> {
        let Some(live) = self.live.get(&id) else {
            return Ok(());
        };
        let release = Arc::clone(&live.release);
        for wanted in release.people_wanted() {
            let what = self.people(&release, wanted);
            match self.turn(id, Caller::engine(), what) {
                Ok(_) => {}
                // It waits, says why, and can be skipped; the server's log says more.
                Err(TurnError::Refused(refusal)) => {
                    warn!(release = %id, %refusal, "a question could not be told who is who");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The same for releases that were loaded with a question that had not been told.
    pub(super) fn tell_adopted(&mut self) {
        for id in std::mem::take(&mut self.untold) {
            // A release that is quarantined says so itself.
            let _told = self.tell_people(id);
        }
    }

    fn people(&self, release: &Release, wanted: PeopleWanted) -> What {
        let process = release.process_ref();
        let record = self
            .shared
            .catalog
            .record(&process.name, Some(process.version));
        let authors = record
            .ok()
            .flatten()
            .filter(|_| wanted.authors)
            .map(|record| record.published_by.clone());
        let groups = wanted.groups.into_iter().map(|group| Membership {
            members: self.directory.members(&group),
            group,
        });
        What::PeopleFound {
            activity: wanted.activity,
            authors: authors.into_iter().collect(),
            groups: groups.collect(),
        }
    }
}
