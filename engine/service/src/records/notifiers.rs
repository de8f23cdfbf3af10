//! What is stored of notifiers, and of what they deliver.

use serde::{Deserialize, Serialize};

use fermata_core::actor::Actor;
use fermata_core::component::Pin;
use fermata_core::failure::Failure;
use fermata_core::id::Name;
use fermata_core::json::Json;
use fermata_core::notification::Told;
use fermata_core::time::Timestamp;

/// A notifier: a component that tells people outside, with its settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifierRecord {
    /// Unique.
    pub name: Name,
    /// What runs.
    pub component: Pin,
    /// What every notification is delivered with: an object.
    pub settings: Json,
    /// Patterns of the kinds that it delivers.
    pub on: Vec<String>,
    /// Patterns of the processes of whose releases it tells; of everything if there are none.
    pub processes: Vec<String>,
    /// Whether it delivers anything at the moment.
    pub enabled: bool,
    /// Counts how often it was set.
    pub revision: u64,
    /// When it was last set.
    pub set_at: Timestamp,
    /// By whom.
    pub set_by: Actor,
}

/// One notification on its way to where one notifier delivers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRecord {
    /// The notifier.
    pub notifier: Name,
    /// Counts the deliveries of all notifiers, in the order in which they became due.
    pub number: u64,
    /// A word of [`fermata_core::notification::Kind`].
    pub kind: String,
    /// Tells the notification apart from others.
    pub about: String,
    /// When it became true.
    pub at: Timestamp,
    /// One sentence for people.
    pub text: String,
    /// The same for programs.
    pub data: Json,
    /// How far it is.
    pub standing: Standing,
}

impl DeliveryRecord {
    /// A notification that is to be delivered, first tried at once.
    pub(crate) fn new(notifier: Name, number: u64, told: &Told) -> Self {
        Self {
            notifier,
            number,
            kind: told.kind.word().to_owned(),
            about: told.about.clone(),
            at: told.at,
            text: told.text.clone(),
            data: told.data.clone(),
            standing: Standing::Pending {
                tries: 0,
                next_at: told.at,
                failure: None,
            },
        }
    }

    /// The same for every try of this delivery, and for no other.
    pub fn id(&self) -> String {
        format!("{}/{}", self.notifier, self.about)
    }

    /// How often it was tried.
    pub fn tries(&self) -> u32 {
        match &self.standing {
            Standing::Pending { tries, .. }
            | Standing::Delivered { tries, .. }
            | Standing::GivenUp { tries, .. } => *tries,
        }
    }
}

/// How far a delivery is. The order of variants is the stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// It is to be tried.
    Pending {
        /// How often it was tried.
        tries: u32,
        /// Not before this.
        next_at: Timestamp,
        /// How the last try failed.
        failure: Option<Failure>,
    },
    /// The component says that it is done.
    Delivered {
        /// How often it was tried.
        tries: u32,
        /// When.
        at: Timestamp,
    },
    /// It is not tried any more.
    GivenUp {
        /// How often it was tried.
        tries: u32,
        /// When.
        at: Timestamp,
        /// Why.
        failure: Failure,
    },
}

impl Standing {
    /// The standing as a stable word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pending { .. } => "pending",
            Self::Delivered { .. } => "delivered",
            Self::GivenUp { .. } => "given-up",
        }
    }

    /// Whether it is to be tried.
    pub fn is_pending(&self) -> bool {
        matches!(self, Self::Pending { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fermata_core::component::Version;
    use fermata_core::failure::FailureClass;
    use fermata_core::id::Digest;
    use fermata_store::codec::{decode, encode};
    use std::fmt::Write as _;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn delivery(standing: Standing) -> DeliveryRecord {
        DeliveryRecord {
            notifier: name("chat"),
            number: 7,
            kind: "release-failed".to_owned(),
            about: "rel-1/2".to_owned(),
            at: Timestamp(1_000),
            text: "failed".to_owned(),
            data: Json::empty_object(),
            standing,
        }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    }

    /// Stored bytes are read for ever: a line here is never rewritten.
    #[test]
    fn stored_bytes_stay_as_they_are() {
        let notifier = NotifierRecord {
            name: name("chat"),
            component: Pin {
                name: name("chat-notifier"),
                version: Version {
                    major: 1,
                    minor: 2,
                    patch: 3,
                },
                digest: Digest([7; 32]),
            },
            settings: Json::empty_object(),
            on: vec!["release-*".to_owned()],
            processes: vec!["bank".to_owned()],
            enabled: true,
            revision: 3,
            set_at: Timestamp(1_000),
            set_by: Actor::User(name("ana")),
        };
        let bytes = encode(&notifier);
        assert_eq!(hex(&bytes), NOTIFIER);
        assert_eq!(decode::<NotifierRecord>(&bytes).unwrap(), notifier);
        let failure = || Failure::new(FailureClass::Permanent, "no");
        let standings = [
            Standing::Pending {
                tries: 1,
                next_at: Timestamp(2_000),
                failure: Some(failure()),
            },
            Standing::Delivered {
                tries: 2,
                at: Timestamp(3_000),
            },
            Standing::GivenUp {
                tries: 8,
                at: Timestamp(4_000),
                failure: failure(),
            },
        ];
        for (standing, golden) in standings.into_iter().zip(DELIVERIES) {
            let record = delivery(standing);
            let bytes = encode(&record);
            assert_eq!(hex(&bytes), golden);
            assert_eq!(decode::<DeliveryRecord>(&bytes).unwrap(), record);
        }
    }

    const NOTIFIER: &str = "0104636861740d636861742d6e6f74696669657205312e322e330707070707070707070707070707070707070707070707070707070707070707027b7d010972656c656173652d2a010462616e6b0103d00f0103616e61";
    const DELIVERIES: [&str; 3] = [
        "010463686174070e72656c656173652d6661696c65640772656c2d312f32d00f066661696c6564027b7d0001a01f0101026e6f000000000000",
        "010463686174070e72656c656173652d6661696c65640772656c2d312f32d00f066661696c6564027b7d0102f02e",
        "010463686174070e72656c656173652d6661696c65640772656c2d312f32d00f066661696c6564027b7d0208c03e01026e6f000000000000",
    ];
}
