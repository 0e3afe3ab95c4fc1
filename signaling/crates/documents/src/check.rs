//! What a field may hold. Owns the bounds on size and characters; never changes a value: a paper prints what it was given or nothing.

use crate::{DocumentError, limits};
use serde_json::Value;

/// Walks a serialised document; every string and list must keep the bounds, and each pointer in `required` must be filled.
pub(crate) fn check(doc: &Value, required: &[&str]) -> Result<(), DocumentError> {
    let mut total = 0;
    walk(doc, &mut String::new(), &mut total)?;
    for pointer in required {
        let filled = match doc.pointer(pointer) {
            Some(Value::String(s)) => !s.trim().is_empty(),
            Some(Value::Array(a)) => !a.is_empty(),
            Some(Value::Null) | None => false,
            Some(Value::Bool(_) | Value::Number(_) | Value::Object(_)) => true,
        };
        if !filled {
            return Err(field(pointer, "is empty"));
        }
    }
    Ok(())
}

fn field(pointer: &str, reason: &'static str) -> DocumentError {
    DocumentError::Field {
        pointer: pointer.to_owned(),
        reason,
    }
}

fn walk(value: &Value, at: &mut String, total: &mut usize) -> Result<(), DocumentError> {
    let end = at.len();
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(s) => text(s, at, total)?,
        Value::Array(items) => {
            if items.len() > limits::LIST_ITEMS_MAX {
                return Err(field(at, "has too many items"));
            }
            for (i, item) in items.iter().enumerate() {
                at.push('/');
                at.push_str(&i.to_string());
                walk(item, at, total)?;
                at.truncate(end);
            }
        }
        // Keys are our own struct fields, so they need no escaping and no bound.
        Value::Object(map) => {
            for (key, item) in map {
                at.push('/');
                at.push_str(key);
                walk(item, at, total)?;
                at.truncate(end);
            }
        }
    }
    Ok(())
}

fn text(s: &str, at: &str, total: &mut usize) -> Result<(), DocumentError> {
    let chars = s.chars().count();
    if chars > limits::FIELD_CHARS_MAX {
        return Err(field(at, "is too long"));
    }
    *total += chars;
    if *total > limits::DOCUMENT_CHARS_MAX {
        return Err(field(at, "brings the document past its size"));
    }
    if s.chars().any(|c| c.is_control() && c != '\n') {
        return Err(field(at, "holds a control character"));
    }
    // Direction overrides make a printed name or number read differently from its bytes (UAX #9, "Trojan Source").
    if s.chars()
        .any(|c| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'))
    {
        return Err(field(at, "holds a direction override"));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn why(doc: &Value, required: &[&str]) -> String {
        check(doc, required).unwrap_err().to_string()
    }

    #[test]
    fn errors_point_at_the_field_and_never_quote_it() {
        let doc = json!({"rows": [{"value": "ok"}, {"value": "张三\u{202E}"}]});
        let text = why(&doc, &[]);
        assert_eq!(text, "field /rows/1/value holds a direction override");
        assert!(why(&json!({"a": "\u{7}"}), &[]).contains("control"));
        assert!(why(&json!({"a": " "}), &["/a"]).contains("is empty"));
    }

    #[test]
    fn sizes_are_bounded() {
        let long = "字".repeat(limits::FIELD_CHARS_MAX);
        assert!(check(&json!({"a": long}), &["/a"]).is_ok());
        assert!(why(&json!({"a": format!("{long}字")}), &[]).contains("too long"));
        let many = vec!["x"; limits::LIST_ITEMS_MAX + 1];
        assert!(why(&json!({"a": many}), &[]).contains("too many"));
        let heavy = vec![long; 16];
        assert!(why(&json!({"a": heavy}), &[]).contains("past its size"));
    }

    #[test]
    fn line_breaks_and_joiners_are_text() {
        assert!(check(&json!({"a": "一\n二 👨\u{200D}👩"}), &[]).is_ok());
    }
}
