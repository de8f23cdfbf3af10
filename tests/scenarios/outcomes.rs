//! How runs end, as scenarios write it.

use fermata_core::attempt::{Outcome, Resume};
use fermata_core::failure::{Failure, FailureClass};

use crate::script::Words;

/// `ok JSON`, `pending SPAN|signal NAME [status TEXT] [checkpoint TEXT]` or
/// `failed CLASS[:WHICH] TEXT [after SPAN]`.
pub(crate) fn outcome(words: &mut Words<'_>) -> Result<Outcome, String> {
    match words.expect("an outcome")? {
        "ok" => words.json().map(Outcome::Succeeded),
        "pending" => Ok(Outcome::Pending {
            resume: if words.take("signal") {
                Resume::Signal(words.name()?)
            } else {
                Resume::After(words.span()?)
            },
            status: words.text_after("status")?,
            checkpoint: words
                .text_after("checkpoint")?
                .unwrap_or_default()
                .into_bytes(),
        }),
        "failed" => {
            let class = class(words.expect("a class")?)?;
            let failure = Failure::new(class, words.text()?);
            let retry_after = if words.take("after") {
                Some(words.span()?)
            } else {
                None
            };
            Ok(Outcome::Failed {
                failure,
                retry_after,
            })
        }
        other => Err(format!("no outcome is called {other}")),
    }
}

pub(crate) fn class(word: &str) -> Result<FailureClass, String> {
    let (class, which) = word.split_once(':').unwrap_or((word, ""));
    Ok(match class {
        "retryable" => FailureClass::Retryable,
        "permanent" => FailureClass::Permanent,
        "trap" => FailureClass::Trap,
        "limit" => FailureClass::Limit(which.to_owned()),
        "denied" => FailureClass::Denied(which.to_owned()),
        "contract" => FailureClass::Contract,
        "engine" => FailureClass::Engine,
        "quarantined" => FailureClass::Quarantined,
        "policy-denied" => FailureClass::PolicyDenied,
        _ => return Err(format!("no failure class is called {class}")),
    })
}
