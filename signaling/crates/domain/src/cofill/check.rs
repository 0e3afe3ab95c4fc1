//! Value checks of one field: JSON type, length, characters, choice; then the format.
//!
//! The first kind refuses a write (a page that sends it is wrong), the second is a [`super::Field::problem`]
//! that people see and mend. Check digits come in through [`super::FormatCheck`].

use super::FormatCheck;
use crate::catalogue::{Field, FieldType};
use crate::limits::FIELD_CHARS;
use serde_json::Value;

/// JSON numbers beyond this lose digits in a browser and in RFC 8785.
const INTEGER_MAX: i64 = 9_007_199_254_740_991;

/// The value as it is kept: trimmed, numbers in half-width capitals, an empty text as `null`.
pub fn normalise(spec: &Field, value: Value) -> Result<Value, &'static str> {
    let text = match (spec.kind, value) {
        (_, Value::Null) => return Ok(Value::Null),
        (FieldType::Boolean, v) => {
            return if v.is_boolean() {
                Ok(v)
            } else {
                Err("value_type")
            };
        }
        (FieldType::Integer, v) => {
            let ok = v
                .as_i64()
                .is_some_and(|n| (-INTEGER_MAX..=INTEGER_MAX).contains(&n));
            return if ok { Ok(v) } else { Err("value_type") };
        }
        (_, Value::String(s)) => s,
        (_, Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            return Err("value_type");
        }
    };
    let text = match spec.kind {
        // Chinese input methods leave full-width digits and stray spaces in numbers.
        FieldType::IdNumber
        | FieldType::Uscc
        | FieldType::Mobile
        | FieldType::Region
        | FieldType::Date => text
            .chars()
            .map(half_width)
            .filter(|c| !c.is_whitespace())
            .collect::<String>()
            .to_ascii_uppercase(),
        FieldType::Text
        | FieldType::Name
        | FieldType::Select
        | FieldType::Multiline
        | FieldType::Address
        | FieldType::Integer
        | FieldType::Boolean => text.trim().to_owned(),
    };
    if text.is_empty() {
        return Ok(Value::Null);
    }
    if text.chars().count() > spec.max_length.unwrap_or(FIELD_CHARS).min(FIELD_CHARS) {
        return Err("value_too_long");
    }
    let newline_ok = spec.kind == FieldType::Multiline;
    if text
        .chars()
        .any(|c| (c.is_control() && !(newline_ok && c == '\n')) || is_direction_trick(c))
    {
        return Err("value_characters");
    }
    if spec.kind == FieldType::Select && !spec.options.iter().any(|o| o.code == text) {
        return Err("value_option");
    }
    Ok(Value::String(text))
}

/// Bidirectional overrides and isolates can make a paper read otherwise than what was signed.
const fn is_direction_trick(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

fn half_width(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        c => c,
    }
}

/// Code of what is wrong with a kept value, for the field's message; `None` when it is well formed.
#[must_use]
pub fn problem(spec: &Field, value: &Value, check: FormatCheck) -> Option<&'static str> {
    let s = value.as_str()?;
    match spec.kind {
        FieldType::IdNumber | FieldType::Uscc | FieldType::Mobile => {
            check(spec.kind.as_str(), s).err().map(|r| r.code)
        }
        FieldType::Date => (!is_date(s)).then_some("date_format"),
        FieldType::Region => {
            (s.len() != 6 || !s.bytes().all(|b| b.is_ascii_digit())).then_some("region_format")
        }
        FieldType::Name => (!is_name(s)).then_some("name_characters"),
        FieldType::Text
        | FieldType::Select
        | FieldType::Multiline
        | FieldType::Integer
        | FieldType::Boolean
        | FieldType::Address => None,
    }
}

fn is_date(s: &str) -> bool {
    s.len() == 10
        && time::Date::parse(s, time::macros::format_description!("[year]-[month]-[day]")).is_ok()
}

/// Letters of any script with the signs that names carry: 买买提·吐尔逊, O'Neil, 沅江市（琼湖）饭店.
fn is_name(s: &str) -> bool {
    let sign = |c: char| {
        matches!(
            c,
            ' ' | '\'' | '.' | '-' | '·' | '•' | '（' | '）' | '(' | ')' | '&'
        )
    };
    s.chars().any(char::is_alphabetic) && s.chars().all(|c| c.is_alphanumeric() || sign(c))
}
