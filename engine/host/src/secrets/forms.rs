//! The forms in which a value can show up: as it is, and as common encodings make it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use fermata_core::limits::SECRET_BYTES_MIN;
use zeroize::Zeroizing;

/// How the line begins that says what a key file holds: it is the same in all of them.
const ARMOUR: &str = "-----";
/// Shortest line of a value of several lines that is looked for on its own: what is shorter may well be
/// the same somewhere else.
const LINE_BYTES_MIN: usize = 2 * SECRET_BYTES_MIN;

/// Everything to look for where `value` must not be.
pub(super) fn of(value: &str) -> Vec<Zeroizing<Vec<u8>>> {
    let mut forms = vec![
        value.as_bytes().to_vec(),
        value.trim().as_bytes().to_vec(),
        // What reads URLs and headers lowers hosts, schemes and names.
        value.to_ascii_lowercase().into_bytes(),
        json(value),
        percent(value),
    ];
    if value.contains('\n') {
        forms.extend(lines(value));
    }
    for shift in 0..GROUP_BYTES {
        forms.extend(base64(value.as_bytes(), shift));
    }
    forms.retain(|form| form.len() >= SECRET_BYTES_MIN);
    forms.sort_unstable();
    forms.dedup();
    forms.into_iter().map(Zeroizing::new).collect()
}

fn lines(value: &str) -> Vec<Vec<u8>> {
    let telling = |line: &&str| line.len() >= LINE_BYTES_MIN && !line.starts_with(ARMOUR);
    let lines = value.lines().map(str::trim).filter(telling);
    lines.map(|line| line.as_bytes().to_vec()).collect()
}

/// Within a JSON string.
fn json(value: &str) -> Vec<u8> {
    let quoted = serde_json::Value::from(value).to_string().into_bytes();
    quoted[1..quoted.len() - 1].to_vec()
}

/// In a query or a form, with everything escaped that is no letter, digit or one of `-._~`
/// (<https://www.rfc-editor.org/rfc/rfc3986#section-2.3>).
fn percent(value: &str) -> Vec<u8> {
    let mut text = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("a string takes all");
        }
    }
    text.into_bytes()
}

/// `bytes` with every `%XX` as the byte that it stands for.
pub(super) fn percent_decoded(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, behind)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| behind.get(..2)).flatten();
        let digits = escaped.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    decoded
}

/// Bytes that base64 takes together, and the bits of one of its digits.
const GROUP_BYTES: usize = 3;
const DIGIT_BITS: usize = 6;

/// In base64 behind `shift` other bytes: the digits that follow from the value alone.
fn base64(value: &[u8], shift: usize) -> [Vec<u8>; 2] {
    let shifted = [&[0; GROUP_BYTES][..shift], value].concat();
    let first = (shift * 8).div_ceil(DIGIT_BITS);
    let end = shifted.len() * 8 / DIGIT_BITS;
    [STANDARD_NO_PAD, URL_SAFE_NO_PAD].map(|alphabet| {
        let digits = alphabet.encode(&shifted).into_bytes();
        digits[first..end].to_vec()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(value: &str, form: &str) -> bool {
        of(value)
            .iter()
            .any(|found| found.as_slice() == form.as_bytes())
    }

    #[test]
    fn each_form_is_there_once() {
        for form in [
            "correct-horse",
            "Y29ycmVjdC1ob3JzZ",
            "NvcnJlY3QtaG9yc2",
            "jb3JyZWN0LWhvcnNl",
        ] {
            assert!(has("correct-horse", form), "{form}");
        }
        assert_eq!(of("correct-horse").len(), 4);
        assert!(has("Correct-Horse", "correct-horse"));
        assert!(has("a?b>c~d?e>", "YT9iPmN-ZD9lP"));
    }

    #[test]
    fn lines_of_a_key_count_and_its_armour_does_not() {
        let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\r\nshort\n-----END PRIVATE KEY-----\n";
        assert!(has(key, "MC4CAQAwBQYDK2VwBCIEIA"));
        assert!(!has(key, "-----BEGIN PRIVATE KEY-----"));
        assert!(!has(key, "short"));
    }

    #[test]
    fn escapes_are_read_as_far_as_they_are_some() {
        for (text, decoded) in [
            ("a%2Db%2d", "a-b-"),
            ("%", "%"),
            ("%4", "%4"),
            ("%zz%41", "%zzA"),
            ("%%41", "%A"),
            ("%+1", "%+1"),
        ] {
            assert_eq!(
                percent_decoded(text.as_bytes()),
                decoded.as_bytes(),
                "{text}"
            );
        }
    }
}
