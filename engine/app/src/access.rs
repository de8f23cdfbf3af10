//! Who may call: principals, their groups, and the tokens they act with.
//!
//! All of it is in memory, so that asking who calls costs no disk. A change is first stored and
//! then learned; nobody acts with what is not on disk.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use fermata_core::actor::{Actor, Caller};
use fermata_core::id::{Digest, Name};
use fermata_core::time::Timestamp;
use fermata_service::directory::Directory;
use fermata_store::codec::{self, CodecError};
use fermata_store::{Expect, Record, Table, Write};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

pub(crate) use secret::{Hash, Secret};

mod secret;
pub(crate) mod signals;

/// The group whose members may administer the server.
pub(crate) const ADMINS: &str = "admins";
/// The principal that the first token is for.
const FIRST_PRINCIPAL: &str = "admin";
/// Most principals, and most tokens: they are kept in memory.
pub(crate) const ENTRIES_MAX: usize = 10_000;
/// Most groups of one principal.
pub(crate) const GROUPS_MAX: usize = 100;
/// Longest label of a token, in bytes.
pub(crate) const LABEL_BYTES_MAX: usize = 200;

/// How much of its hash names a token: enough to be unique.
const ID_DIGITS: usize = 16;

const PRINCIPAL_PREFIX: &[u8] = b"p/";
const TOKEN_PREFIX: &[u8] = b"t/";
const BACKUP_PREFIX: &[u8] = b"b/";

/// What a token may do. The order of variants is the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Role {
    /// Read.
    Viewer,
    /// Read, and everything about processes, components and releases.
    Member,
    /// Everything, if its principal is in the group of administrators.
    Admin,
}

/// A token, without its secret. The order of fields is the stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Token {
    /// The SHA-256 of the secret.
    pub(crate) hash: Hash,
    /// Who acts with it.
    pub(crate) principal: Name,
    /// What it may do.
    pub(crate) role: Role,
    /// What it is for.
    pub(crate) label: Option<String>,
    /// Who created it.
    pub(crate) created_by: Actor,
    /// When it was created.
    pub(crate) created_at: Timestamp,
    /// When it stops working.
    pub(crate) expires_at: Option<Timestamp>,
}

impl Token {
    /// Names the token. Follows from its hash, which says nothing about a secret of 256 bits.
    pub(crate) fn id(&self) -> String {
        let digest = Digest(self.hash).hex();
        format!("tok-{}", &digest[..ID_DIGITS])
    }

    /// Whether it has stopped working.
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// A person or a machine account. The order of fields is the stored format.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Principal {
    /// In which groups it is, sorted.
    pub(crate) groups: Vec<Name>,
}

/// Who acts in somebody's place, and when. The order of fields is the stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Backup {
    /// The backup.
    pub(crate) name: Name,
    /// From when on.
    pub(crate) from: Timestamp,
    /// Until when.
    pub(crate) until: Timestamp,
}

impl Backup {
    fn acts(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

/// Who asks, as the token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asker {
    /// The principal.
    pub(crate) name: Name,
    /// Its groups at this moment.
    pub(crate) groups: Vec<Name>,
    /// What the token may do.
    pub(crate) role: Role,
    /// Names the token.
    pub(crate) token: String,
}

impl Asker {
    /// Who asks, as the core knows it.
    pub(crate) fn caller(&self) -> Caller {
        Caller {
            actor: self.actor(),
            groups: self.groups.clone(),
        }
    }

    /// Who is recorded.
    pub(crate) fn actor(&self) -> Actor {
        Actor::User(self.name.clone())
    }

    /// Whether tokens, principals, grants and secrets may be changed.
    pub(crate) fn is_administrator(&self) -> bool {
        self.role == Role::Admin && is_admins(&self.groups)
    }
}

/// Something to be stored, and then learned.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// A principal has these groups.
    Principal(Name, Principal),
    /// There is a token.
    Token(Token),
    /// The token with this id is gone.
    Revoked(String),
    /// Somebody acts in the place of this principal, or nobody does any more.
    Backup(Name, Option<Backup>),
}

impl Change {
    /// The record that stores it.
    pub(crate) fn write(&self) -> Write {
        let (key, value) = match self {
            Self::Principal(name, principal) => (
                key(PRINCIPAL_PREFIX, name.as_str()),
                Some(codec::encode(principal)),
            ),
            Self::Token(token) => (key(TOKEN_PREFIX, &token.id()), Some(codec::encode(token))),
            Self::Revoked(id) => (key(TOKEN_PREFIX, id), None),
            Self::Backup(of, backup) => (
                key(BACKUP_PREFIX, of.as_str()),
                backup.as_ref().map(codec::encode),
            ),
        };
        Write {
            table: Table::Access,
            key,
            value,
            expect: Expect::Anything,
        }
    }
}

fn key(prefix: &[u8], name: &str) -> Vec<u8> {
    [prefix, name.as_bytes()].concat()
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    /// Not the form of a token: misspelt or cut off.
    #[error("this is not a token of Fermata, or part of it is missing")]
    Form,
    /// No such token; it may have been revoked.
    #[error("the token is not known; it may have been revoked")]
    Unknown,
    /// It worked once.
    #[error("the token has expired")]
    Expired,
}

/// Everybody who may call.
#[derive(Debug, Default)]
pub(crate) struct Access {
    known: RwLock<Known>,
    /// Held while a change is checked, stored and learned, so that changes do not overtake each other.
    pub(crate) administering: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    principals: BTreeMap<Name, Principal>,
    tokens: BTreeMap<Hash, Token>,
    /// By whose place they take.
    backups: BTreeMap<Name, Backup>,
}

impl Known {
    fn caller(&self, name: &Name) -> Caller {
        let principal = self.principals.get(name);
        Caller {
            actor: Actor::User(name.clone()),
            groups: principal.map(|p| p.groups.clone()).unwrap_or_default(),
        }
    }
}

/// The name that a key ends with.
fn name(bytes: &[u8]) -> Option<Name> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

impl Access {
    /// Everybody whom these records of [`Table::Access`] name.
    pub(crate) fn load(records: &[Record]) -> Result<Self, CodecError> {
        let access = Self::default();
        for (key, value) in records {
            if let Some(name) = key.strip_prefix(PRINCIPAL_PREFIX).and_then(name) {
                access.learn(Change::Principal(name, codec::decode(value)?));
            } else if let Some(name) = key.strip_prefix(BACKUP_PREFIX).and_then(name) {
                access.learn(Change::Backup(name, Some(codec::decode(value)?)));
            } else if key.starts_with(TOKEN_PREFIX) {
                access.learn(Change::Token(codec::decode(value)?));
            }
        }
        Ok(access)
    }

    /// Whether no token was ever issued: the server is new.
    pub(crate) fn is_new(&self) -> bool {
        self.read(|known| known.tokens.is_empty())
    }

    /// What gives the first administrator a token.
    pub(crate) fn first(secret: &Secret, now: Timestamp) -> [Change; 2] {
        let name: Name = FIRST_PRINCIPAL.parse().expect("the constant is a name");
        let admins: Name = ADMINS.parse().expect("the constant is a name");
        let token = Token {
            hash: secret.hash(),
            principal: name.clone(),
            role: Role::Admin,
            label: Some("bootstrap".into()),
            created_by: Actor::Engine,
            created_at: now,
            expires_at: None,
        };
        let principal = Principal {
            groups: vec![admins],
        };
        [Change::Principal(name, principal), Change::Token(token)]
    }

    /// Takes in what has been stored.
    pub(crate) fn learn(&self, change: Change) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        match change {
            Change::Principal(name, principal) => {
                known.principals.insert(name, principal);
            }
            Change::Token(token) => {
                known.tokens.insert(token.hash, token);
            }
            Change::Revoked(id) => known.tokens.retain(|_, token| token.id() != id),
            Change::Backup(of, None) => {
                known.backups.remove(&of);
            }
            Change::Backup(of, Some(backup)) => {
                known.backups.insert(of, backup);
            }
        }
    }

    /// Who acts with the token `text`.
    pub(crate) fn authenticate(&self, text: &str, now: Timestamp) -> Result<Asker, Denied> {
        let hash = Secret::parse(text).ok_or(Denied::Form)?.hash();
        self.read(|known| {
            let token = known.tokens.get(&hash).ok_or(Denied::Unknown)?;
            if !bool::from(token.hash.ct_eq(&hash)) {
                return Err(Denied::Unknown);
            }
            if token.has_expired(now) {
                return Err(Denied::Expired);
            }
            let groups = known.principals.get(&token.principal);
            Ok(Asker {
                name: token.principal.clone(),
                groups: groups.map(|p| p.groups.clone()).unwrap_or_default(),
                role: token.role,
                token: token.id(),
            })
        })
    }

    /// The groups of a principal, if there is such a one.
    pub(crate) fn principal(&self, name: &Name) -> Option<Principal> {
        self.read(|known| known.principals.get(name).cloned())
    }

    /// Who acts, or will act, in somebody's place.
    pub(crate) fn backup(&self, of: &Name, now: Timestamp) -> Option<Backup> {
        let backup = self.read(|known| known.backups.get(of).cloned());
        backup.filter(|backup| now < backup.until)
    }

    /// The person `of` with their groups, if `backup` acts in their place now. A backup cannot pass
    /// it on: whoever acts in the place of `backup` acts for nobody else.
    pub(crate) fn absent(&self, backup: &Name, of: &Name, now: Timestamp) -> Option<Caller> {
        self.read(|known| {
            let named = known.backups.get(of)?;
            let acts = named.name == *backup && named.acts(now);
            acts.then(|| known.caller(of))
        })
    }

    /// Everybody in whose place `backup` acts now.
    pub(crate) fn all_absent(&self, backup: &Name, now: Timestamp) -> Vec<Caller> {
        self.read(|known| {
            let named = known.backups.iter();
            let acting = named.filter(|(_, named)| named.name == *backup && named.acts(now));
            acting.map(|(of, _)| known.caller(of)).collect()
        })
    }

    /// All principals, sorted by name.
    pub(crate) fn principals(&self) -> Vec<(Name, Principal)> {
        self.read(|known| {
            let all = known.principals.iter();
            all.map(|(name, principal)| (name.clone(), principal.clone()))
                .collect()
        })
    }

    /// All tokens, oldest first.
    pub(crate) fn tokens(&self) -> Vec<Token> {
        let mut tokens: Vec<Token> = self.read(|known| known.tokens.values().cloned().collect());
        tokens.sort_by_key(|token| (token.created_at, token.id()));
        tokens
    }

    /// Whether somebody could still administer the server after `change`.
    pub(crate) fn keeps_an_administrator(&self, change: &Change, now: Timestamp) -> bool {
        self.read(|known| {
            known.tokens.values().any(|token| {
                let revoked = matches!(change, Change::Revoked(id) if *id == token.id());
                let groups = match change {
                    Change::Principal(name, principal) if *name == token.principal => {
                        Some(&principal.groups)
                    }
                    _ => known.principals.get(&token.principal).map(|p| &p.groups),
                };
                token.role == Role::Admin
                    && !revoked
                    && !token.has_expired(now)
                    && groups.is_some_and(|groups| is_admins(groups))
            })
        })
    }

    fn read<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Directory for Access {
    fn members(&self, group: &Name) -> Vec<Name> {
        self.read(|known| {
            let all = known.principals.iter();
            let members = all.filter(|(_, principal)| principal.groups.contains(group));
            members.map(|(name, _)| name.clone()).collect()
        })
    }
}

fn is_admins(groups: &[Name]) -> bool {
    groups.iter().any(|group| group.as_str() == ADMINS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000);

    /// A server with its first administrator, as it comes back from its records.
    fn bootstrapped() -> (Access, Secret) {
        let secret = Secret::draw().unwrap();
        let records: Vec<Record> = Access::first(&secret, NOW)
            .iter()
            .map(|change| {
                let write = change.write();
                (write.key, write.value.unwrap())
            })
            .collect();
        (Access::load(&records).unwrap(), secret)
    }

    #[test]
    fn the_first_token_administers_and_only_it() {
        let (access, secret) = bootstrapped();
        let asker = access.authenticate(secret.expose(), NOW).unwrap();
        assert!(asker.is_administrator() && asker.name.as_str() == "admin");
        let other = Secret::draw().unwrap();
        assert_eq!(
            access.authenticate(other.expose(), NOW),
            Err(Denied::Unknown)
        );
        let cut = &secret.expose()[..secret.expose().len() - 1];
        assert_eq!(access.authenticate(cut, NOW), Err(Denied::Form));
    }

    #[test]
    fn a_token_ends_by_time_and_by_revocation() {
        let (access, _) = bootstrapped();
        let secret = Secret::draw().unwrap();
        let token = Token {
            hash: secret.hash(),
            principal: "ci".parse().unwrap(),
            role: Role::Member,
            label: None,
            created_by: Actor::Engine,
            created_at: NOW,
            expires_at: Some(Timestamp(2_000)),
        };
        let id = token.id();
        access.learn(Change::Token(token));
        let at = |now| access.authenticate(secret.expose(), Timestamp(now));
        assert!(at(1_999).is_ok_and(|asker| asker.groups.is_empty()));
        assert_eq!(at(2_000), Err(Denied::Expired));
        access.learn(Change::Revoked(id));
        assert_eq!(at(1_999), Err(Denied::Unknown));
    }

    #[test]
    fn an_admin_token_is_worth_what_its_principal_is() {
        let (access, secret) = bootstrapped();
        let name: Name = "admin".parse().unwrap();
        access.learn(Change::Principal(name, Principal::default()));
        let asker = access.authenticate(secret.expose(), NOW).unwrap();
        assert!(!asker.is_administrator());
    }

    #[test]
    fn the_last_administrator_is_noticed() {
        let (access, secret) = bootstrapped();
        let id = access.authenticate(secret.expose(), NOW).unwrap().token;
        let admin: Name = "admin".parse().unwrap();
        for (change, kept) in [
            (Change::Revoked(id), false),
            (Change::Revoked("tok-0".into()), true),
            (Change::Principal(admin, Principal::default()), false),
        ] {
            assert_eq!(
                access.keeps_an_administrator(&change, NOW),
                kept,
                "{change:?}"
            );
        }
    }
}
