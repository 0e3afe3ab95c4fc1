//! The JSON Schema 2020-12 view of an item's form, with `x-` hints for our own controls.
//!
//! Derived, never stored: the item document is the truth. The schema carries types, lengths and choices;
//! identity-number and credit-code checks, CEL and confirmation stay on the server.

use super::*;
use serde_json::{Map, Value, json};

impl Item {
    /// An object schema whose properties are the flat field paths (the form document is a map by path).
    #[must_use]
    pub fn form_schema(&self) -> Value {
        let properties: Map<String, Value> = self
            .fields
            .iter()
            .map(|f| (f.path.clone(), field_schema(f)))
            .collect();
        let required: Vec<&str> = self
            .fields
            .iter()
            .filter(|f| f.required && f.visible_when.is_none())
            .map(|f| f.path.as_str())
            .collect();
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.name.zh,
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
            "x-item": self.id,
            "x-version": self.version,
            "x-groups": self.groups,
        })
    }
}

fn field_schema(f: &Field) -> Value {
    let mut m = Map::new();
    m.insert("title".into(), json!(f.label.zh));
    m.insert("x-label".into(), json!(f.label));
    m.insert("x-control".into(), json!(f.kind));
    if let Some(h) = &f.help {
        m.insert("x-help".into(), json!(h));
    }
    match f.kind {
        FieldType::Integer => {
            m.insert("type".into(), json!("integer"));
        }
        FieldType::Boolean => {
            m.insert("type".into(), json!("boolean"));
        }
        FieldType::Select => {
            m.insert("type".into(), json!("string"));
            m.insert(
                "enum".into(),
                json!(f.options.iter().map(|o| &o.code).collect::<Vec<_>>()),
            );
            m.insert("x-options".into(), json!(f.options));
        }
        FieldType::Date => {
            m.insert("type".into(), json!("string"));
            m.insert("format".into(), json!("date"));
        }
        FieldType::Text
        | FieldType::Name
        | FieldType::IdNumber
        | FieldType::Uscc
        | FieldType::Mobile
        | FieldType::Multiline
        | FieldType::Address
        | FieldType::Region => {
            m.insert("type".into(), json!("string"));
            m.insert(
                "maxLength".into(),
                json!(f.max_length.unwrap_or(crate::limits::FIELD_CHARS)),
            );
        }
    }
    m.insert("x-sensitive".into(), json!(f.sensitive));
    m.insert("x-who".into(), json!(f.who));
    m.insert("x-confirm-single".into(), json!(f.confirm_single));
    m.insert("x-licence".into(), json!(f.licence));
    Value::Object(m)
}
