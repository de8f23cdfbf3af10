//! Sizes of what comes in: everything that is stored has a bound.

use crate::failure::Failure;
use crate::json::Json;
use crate::limits::{NESTING_MAX, TEXT_BYTES_MAX, VALUE_BYTES_MAX};
use crate::release::refusal::Refusal;

/// Whether `value` is small and flat enough to be stored; the error names it as `what`.
pub(super) fn json(what: &str, value: &Json) -> Result<(), String> {
    let bytes = value.as_str().len();
    if bytes > VALUE_BYTES_MAX {
        return Err(format!(
            "{what}: {bytes} bytes, more than {VALUE_BYTES_MAX}"
        ));
    }
    let nesting = value.nesting();
    if nesting > NESTING_MAX {
        return Err(format!(
            "{what}: nested {nesting} deep, more than {NESTING_MAX}"
        ));
    }
    Ok(())
}

/// The same for what a person gave.
pub(super) fn given(what: &str, value: &Json) -> Result<(), Refusal> {
    json(what, value).map_err(|fault| Refusal::Invalid(vec![fault]))
}

/// Whether a text that a person may leave out is short enough.
pub(super) fn text(what: &str, text: &str) -> Result<(), Refusal> {
    if text.len() > TEXT_BYTES_MAX {
        let fault = format!("{what}: longer than {TEXT_BYTES_MAX} bytes");
        return Err(Refusal::Invalid(vec![fault]));
    }
    Ok(())
}

/// Whether a text that a person must give is there and short enough.
pub(super) fn reason(what: &str, given: &str) -> Result<(), Refusal> {
    if given.trim().is_empty() {
        return Err(Refusal::ReasonRequired);
    }
    text(what, given)
}

/// The failure with its message cut to what may be stored, and without details that may not be.
pub(super) fn failure(mut failure: Failure) -> Failure {
    cut(&mut failure.message);
    failure.details = failure
        .details
        .filter(|details| json("details", details).is_ok());
    failure
}

/// Cuts `text` to its bound, between two characters.
pub(super) fn cut(text: &mut String) {
    if text.len() > TEXT_BYTES_MAX {
        let end = (0..=TEXT_BYTES_MAX)
            .rev()
            .find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureClass;

    #[test]
    fn long_messages_are_cut_between_characters() {
        let mut text = "é".repeat(TEXT_BYTES_MAX);
        text.insert(0, 'x');
        let failure = failure(Failure::new(FailureClass::Trap, text));
        assert_eq!(failure.message.len(), TEXT_BYTES_MAX - 1);
    }

    #[test]
    fn values_over_a_bound_are_named() {
        let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
        let deep = Json::parse(&deep).expect("valid");
        assert_eq!(
            json("form", &deep),
            Err("form: nested 65 deep, more than 64".to_owned())
        );
        let quoted = Json::parse(&format!("\"{}\\\"[[\"", "[".repeat(200))).expect("valid");
        assert_eq!((json("form", &quoted), quoted.nesting()), (Ok(()), 0));
        let long = Json::parse(&format!("\"{}\"", "x".repeat(VALUE_BYTES_MAX))).expect("valid");
        assert!(json("form", &long).is_err());
    }
}
