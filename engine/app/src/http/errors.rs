//! How every error of the layers below becomes a problem: the other half of the table.

use fermata_core::component::Uses;
use fermata_core::release::refusal::Refusal;
use fermata_service::error::{
    CapacityError, CreateError, DefineError, DeprecateError, Error, GrantsError, InputError,
    InputSetError, NotifierError, PolicyError, PublishError, QuarantineError, RecordError,
    RegisterError, RemoveError,
};
use fermata_service::policies::Denial;
use fermata_service::secrets::SecretError;

use crate::http::problem::{
    COMPONENT_IN_USE, COMPONENT_QUARANTINED, INTERNAL, INVALID_BODY, INVALID_CURSOR, INVALID_LOCK,
    INVALID_REQUEST, INVALID_VALUES, KEY_NOT_KEPT, KEY_REUSE, MISSING_COMPONENTS, NO_SECRETS_KEY,
    NOT_IN_QUARANTINE, OTHER_WORLD, POLICY_DENIED, Problem, QUARANTINED, RECORD_EXISTS, REFUSED,
    REJECTED, STALE, STOPPING, TOO_MANY, TOO_MANY_KEYS, UNAVAILABLE, UNKNOWN_ACTIVITY,
    UNKNOWN_COMPONENT, UNKNOWN_INPUT_SET, UNKNOWN_NOTIFIER, UNKNOWN_POLICY, UNKNOWN_PROCESS,
    UNKNOWN_RELEASE, UNKNOWN_SECRET, VERSION_EXISTS,
};
use crate::http::{Rejected, request};

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match &error {
            Error::Unavailable(_) => {
                // Why is for the log, which has it from where it happened.
                Self::new(
                    &UNAVAILABLE,
                    "the engine has stopped after a failure of its store",
                )
            }
            Error::Stopping => Self::new(&STOPPING, "the server is shutting down"),
            Error::Busy(_) => Self::new(&TOO_MANY, error.to_string()),
            Error::Malformed("cursor") => Self::new(&INVALID_CURSOR, error.to_string()),
            Error::Malformed(_) | Error::TooLong(_) => {
                Self::new(&INVALID_REQUEST, error.to_string())
            }
            Error::Store(fermata_store::Error::Unavailable { .. }) => {
                tracing::error!("{error}");
                Self::new(&UNAVAILABLE, "the store cannot be written")
            }
            Error::Store(_) | Error::Corrupt { .. } | Error::Thread(_) => Self::internal(&error),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal {
            Refusal::UnknownActivity | Refusal::UnknownPhase => &UNKNOWN_ACTIVITY,
            Refusal::Invalid(_) | Refusal::FormRequired | Refusal::ReasonRequired => {
                &INVALID_VALUES
            }
            _ => &REFUSED,
        };
        let problem = Self::new(kind, refusal.to_string()).code(refusal.code());
        match advice(&refusal) {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}

/// What to do about a refusal, where more can be said than what it says itself.
fn advice(refusal: &Refusal) -> Option<&'static str> {
    Some(match refusal {
        Refusal::NotStarted => "start it with the action `start`",
        Refusal::AlreadyPaused => "resume it with the action `resume`",
        Refusal::WrongState { .. } | Refusal::NotManual | Refusal::NotComponent => {
            "GET …/why says what waits, and which actions move it"
        }
        Refusal::NotHalted | Refusal::AlreadyHalted | Refusal::WaveOver | Refusal::NotFannedOut => {
            "GET …/releases/{id} shows under `wave` how far it is"
        }
        Refusal::NotAnApprover => {
            "GET …/why says who may approve; groups are those of your principal"
        }
        Refusal::TasksOpen(_) => {
            "the release shows them; the action `move-task` says that one is done"
        }
        Refusal::NotPermitted(_) => "an administrator says who is in which group",
        Refusal::ContentChanged => {
            "read the release, and send the new `content` if you still agree"
        }
        Refusal::NotYourTurn => "GET …/why says who comes first",
        Refusal::NotInitiator => "reject it, or ask who started the release",
        Refusal::Excluded(_) | Refusal::NoDelegation => "ask somebody else who may approve",
        Refusal::FormRequired => "send the answers as `form`; the activity shows its schema",
        Refusal::ReasonRequired => "send `reason` (for `reject`: `comment`)",
        Refusal::Invalid(_) => {
            "GET …/releases/{id} shows the schema of a form, the process that of inputs"
        }
        _ => return None,
    })
}

fn missing(uses: &[Uses]) -> Problem {
    let names: Vec<String> = uses.iter().map(ToString::to_string).collect();
    let detail = format!("no component is registered for {}", names.join(", "));
    Problem::new(&MISSING_COMPONENTS, detail)
}

fn key_reused() -> Problem {
    Problem::new(&KEY_REUSE, "the same key came with another request before")
}

fn stale(what: &str, expected: u64, found: u64) -> Problem {
    let detail = format!("{what} is at \"{found}\", and If-Match says \"{expected}\"");
    Problem::new(&STALE, detail)
}

impl From<Rejected> for Problem {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            Rejected::Faulty {
                code,
                detail,
                remedy,
                may_pass,
            } => {
                let problem = Self::new(&REJECTED, detail).code(code).hint(remedy);
                if may_pass { problem.passing() } else { problem }
            }
            Rejected::Error(error) => {
                tracing::error!(request = %request::id(), "upload failed: {error}");
                Self::new(&INTERNAL, "the component could not be checked")
            }
        }
    }
}

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Defects(defects) => Self::defects(defects),
            PublishError::ComponentGone(uses) => missing(&[uses]),
            PublishError::PolicyDenied(denial) => denied(&denial),
            PublishError::Error(error) => error.into(),
        }
    }
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::NameTaken => Self::new(&RECORD_EXISTS, error.to_string())
                .hint("`uses` names components and definitions alike: give it another name"),
            RegisterError::OtherWorld { .. } => Self::new(&RECORD_EXISTS, error.to_string())
                .hint("all versions of a component are of one world: give it another name"),
            RegisterError::Quarantined(_) => Self::new(&COMPONENT_QUARANTINED, error.to_string()),
            RegisterError::VersionExists { .. } => Self::new(&VERSION_EXISTS, error.to_string()),
            RegisterError::Error(error) => error.into(),
        }
    }
}

impl From<DefineError> for Problem {
    fn from(error: DefineError) -> Self {
        match error {
            DefineError::Defects(defects) => Self::defects(defects),
            DefineError::VersionExists { .. } => Self::new(&VERSION_EXISTS, error.to_string()),
            DefineError::NameTaken => Self::new(&RECORD_EXISTS, error.to_string())
                .hint("`uses` names components and definitions alike: give it another name"),
            DefineError::ComponentGone(uses) => missing(&[uses]),
            DefineError::Error(error) => error.into(),
        }
    }
}

impl From<RemoveError> for Problem {
    fn from(error: RemoveError) -> Self {
        match error {
            RemoveError::Unknown => Self::new(&UNKNOWN_COMPONENT, error.to_string()),
            RemoveError::InUse(_) => Self::new(&COMPONENT_IN_USE, error.to_string()),
            RemoveError::Error(error) => error.into(),
        }
    }
}

impl From<InputSetError> for Problem {
    fn from(error: InputSetError) -> Self {
        match error {
            InputSetError::UnknownProcess => Self::new(&UNKNOWN_PROCESS, error.to_string()),
            InputSetError::Unknown => Self::new(&UNKNOWN_INPUT_SET, error.to_string()),
            InputSetError::Invalid(_) => Self::new(&INVALID_VALUES, error.to_string())
                .hint("the process shows the schema of its inputs"),
            InputSetError::Error(error) => error.into(),
        }
    }
}

impl From<NotifierError> for Problem {
    fn from(error: NotifierError) -> Self {
        match error {
            NotifierError::Unknown => Self::new(&UNKNOWN_NOTIFIER, error.to_string()),
            NotifierError::UnknownComponent(uses) => missing(&[uses]),
            NotifierError::OtherWorld(_, world) => {
                Self::new(&INVALID_VALUES, error.to_string()).hint(world.place())
            }
            NotifierError::ComponentGone => Self::new(&UNKNOWN_COMPONENT, error.to_string()),
            NotifierError::ComponentQuarantined(told) => Self::new(&COMPONENT_QUARANTINED, told),
            NotifierError::Invalid(_) => Self::new(&INVALID_VALUES, error.to_string())
                .hint("the component shows the schema of its settings as `inputs`, and the chapter on notifications lists the kinds"),
            NotifierError::Stale { expected, found } => stale("the notifier", expected, found),
            NotifierError::Error(error) => error.into(),
        }
    }
}

impl From<GrantsError> for Problem {
    fn from(error: GrantsError) -> Self {
        match error {
            GrantsError::Unknown => Self::new(&UNKNOWN_COMPONENT, error.to_string()),
            GrantsError::Stale { expected, found } => stale("the list of grants", expected, found),
            GrantsError::Error(error) => error.into(),
        }
    }
}

impl From<DeprecateError> for Problem {
    fn from(error: DeprecateError) -> Self {
        match error {
            DeprecateError::Unknown => Self::new(&UNKNOWN_COMPONENT, error.to_string()),
            DeprecateError::Invalid(_) => Self::new(&INVALID_BODY, error.to_string()),
            DeprecateError::Error(error) => error.into(),
        }
    }
}

impl From<QuarantineError> for Problem {
    fn from(error: QuarantineError) -> Self {
        match error {
            QuarantineError::Already(_) => Self::new(&COMPONENT_QUARANTINED, error.to_string()),
            QuarantineError::NotInQuarantine => Self::new(&NOT_IN_QUARANTINE, error.to_string()),
            QuarantineError::Invalid(_) => Self::new(&INVALID_BODY, error.to_string()),
            QuarantineError::Error(error) => error.into(),
        }
    }
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::UnknownProcess => Self::new(&UNKNOWN_PROCESS, error.to_string()),
            CreateError::Invalid(_) => Self::new(&INVALID_VALUES, error.to_string())
                .hint("the process shows the schema of its inputs"),
            CreateError::MissingComponents(uses) => missing(&uses),
            CreateError::ComponentQuarantined(told) => Self::new(&COMPONENT_QUARANTINED, told),
            CreateError::PolicyDenied(denial) => denied(&denial),
            CreateError::Refused(refusal) => refusal.into(),
            CreateError::KeyReused => key_reused(),
            CreateError::Error(error) => error.into(),
        }
    }
}

impl From<InputError> for Problem {
    fn from(error: InputError) -> Self {
        match error {
            InputError::UnknownRelease => Self::new(&UNKNOWN_RELEASE, error.to_string()),
            InputError::Stale { expected, found } => stale("the release", expected, found),
            InputError::Refused(refusal) => refusal.into(),
            InputError::MissingComponents(uses) => missing(&uses),
            InputError::ComponentQuarantined(told) => Self::new(&COMPONENT_QUARANTINED, told),
            InputError::PolicyDenied(denial) => denied(&denial),
            InputError::Quarantined(_) => Self::new(&QUARANTINED, error.to_string()),
            InputError::KeyReused => key_reused(),
            InputError::Error(error) => error.into(),
        }
    }
}

fn denied(denial: &Denial) -> Problem {
    Problem::new(&POLICY_DENIED, denial.to_string())
}

impl From<PolicyError> for Problem {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::Unknown => Self::new(&UNKNOWN_POLICY, error.to_string()),
            PolicyError::Stale { expected, found } => stale("the policy", expected, found),
            PolicyError::UnknownComponent(uses) => missing(&[uses]),
            PolicyError::NoPolicy { world, .. } => {
                Self::new(&OTHER_WORLD, error.to_string()).hint(world.place())
            }
            PolicyError::ComponentQuarantined(told) => Self::new(&COMPONENT_QUARANTINED, told),
            PolicyError::Invalid(_) => Self::new(&INVALID_VALUES, error.to_string())
                .hint("`fermata component show` shows the settings that the component takes"),
            PolicyError::UnknownProcess => Self::new(&UNKNOWN_PROCESS, error.to_string()),
            PolicyError::Error(error) => error.into(),
        }
    }
}

impl From<CapacityError> for Problem {
    fn from(error: CapacityError) -> Self {
        match error {
            CapacityError::Invalid(fault) => Self::new(&INVALID_LOCK, fault),
            CapacityError::Error(error) => error.into(),
        }
    }
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Exists => Self::new(&RECORD_EXISTS, error.to_string()),
            RecordError::Error(error) => error.into(),
        }
    }
}

impl From<SecretError> for Problem {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Unknown => Self::new(&UNKNOWN_SECRET, error.to_string()),
            SecretError::Stale { expected, found } => stale("the secret", expected, found),
            SecretError::Length(_) => Self::new(&INVALID_BODY, format!("value: {error}")),
            SecretError::NoKey => Self::new(&NO_SECRETS_KEY, error.to_string()),
            SecretError::TooManyKeys => Self::new(&TOO_MANY_KEYS, error.to_string()),
            SecretError::KeyFile(_) => Self::new(&KEY_NOT_KEPT, error.to_string()),
            SecretError::Randomness(_) => Self::internal(&error),
            SecretError::Error(error) => error.into(),
        }
    }
}
