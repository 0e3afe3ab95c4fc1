//! What a signature is bound to: RFC 8785 canonical JSON (JCS) and its SM3 (GB/T 32905) hash.
//!
//! Owns the shape of the signed object, nothing else. Never logs, stores or signs. The canonical bytes hold
//! personal data and are as secret as the form.

use crate::error::Rejected;
use crate::pii::Pii;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sm3::{Digest, Sm3};

/// Says what the bytes are, so that they can never pass for another kind of signed object.
pub const SIGNING_SCHEME: &str = "cloud-booth/signing/1";

/// Language in which the citizen read the declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    Zh,
    En,
}

/// A material as the signer saw it: which one, and the SM3 of its bytes (64 lower-case hexadecimal digits).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaterialHash {
    pub material: String,
    pub sm3: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningDigest {
    /// The exact bytes, kept with the case as evidence.
    pub canonical: Pii<Vec<u8>>,
    /// 64 lower-case hexadecimal digits.
    pub sm3: String,
}

/// SM3 as 64 lower-case hexadecimal digits.
#[must_use]
pub fn sm3_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(64);
    for b in Sm3::digest(bytes).iter() {
        let _ = write!(out, "{b:02x}"); // writing to a String cannot fail
    }
    out
}

/// Canonical JSON bytes of any value (RFC 8785). `not_canonical` for what JSON cannot hold.
pub fn canonical<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Rejected> {
    // Through `Value` first, so that structs and maps with the same members give the same bytes.
    let value = serde_json::to_value(value).map_err(|_| Rejected::new("not_canonical"))?;
    serde_json_canonicalizer::to_vec(&value).map_err(|_| Rejected::new("not_canonical"))
}

/// The digest that the handwritten signature is bound to: values, where each came from, the materials, the
/// declaration's exact words and the language in which they were read. Codes: `not_canonical`,
/// `material_hash`.
pub fn signing_digest<L: Serialize + ?Sized>(
    values: &serde_json::Map<String, Value>,
    ledger: &L,
    materials: &[MaterialHash],
    declaration: &str,
    language: Language,
) -> Result<SigningDigest, Rejected> {
    #[derive(Serialize)]
    struct Signed<'a, L: Serialize + ?Sized> {
        scheme: &'a str,
        values: &'a serde_json::Map<String, Value>,
        ledger: &'a L,
        materials: &'a [MaterialHash],
        declaration: &'a str,
        language: Language,
    }
    let is_hex =
        |s: &str| s.len() == 64 && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if let Some(i) = materials.iter().position(|m| !is_hex(&m.sm3)) {
        return Err(Rejected::at("material_hash", format!("/materials/{i}")));
    }
    // The order of laying papers down is not part of what is declared.
    let mut materials = materials.to_vec();
    materials.sort_by(|a, b| (&a.material, &a.sm3).cmp(&(&b.material, &b.sm3)));
    let materials = &materials;
    let bytes = canonical(&Signed {
        scheme: SIGNING_SCHEME,
        values,
        ledger,
        materials,
        declaration,
        language,
    })?;
    let sm3 = sm3_hex(&bytes);
    Ok(SigningDigest {
        canonical: Pii::new(bytes),
        sm3,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sm3_vectors_of_gb_t_32905() {
        assert_eq!(
            sm3_hex(b"abc"),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        );
        let second = "abcd".repeat(16);
        assert_eq!(
            sm3_hex(second.as_bytes()),
            "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
        );
    }

    #[test]
    fn rfc_8785_examples() {
        let text = |v: &Value| String::from_utf8(canonical(v).unwrap()).unwrap();
        // §3.2.2 and §3.2.4
        let input: Value = serde_json::from_str(
            r#"{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
                "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"#,
        )
        .unwrap();
        assert_eq!(
            text(&input),
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
        );
        // §3.2.3: keys sort by UTF-16 code units, so the emoji (a surrogate pair) comes before U+FB33.
        let keys = json!({"€": 1, "\r": 2, "\u{FB33}": 3, "1": 4, "😀": 5, "\u{80}": 6, "ö": 7});
        let sorted = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{FB33}\":3}";
        assert_eq!(text(&keys), sorted);
    }

    fn sample(name: &str, declaration: &str, language: Language) -> SigningDigest {
        let values = json!({"applicant.name": name});
        let ledger =
            json!([{"path": "applicant.name", "origin": {"kind": "typed", "by": "citizen"}}]);
        let materials = [
            MaterialHash {
                material: "b".into(),
                sm3: sm3_hex(b"2"),
            },
            MaterialHash {
                material: "a".into(),
                sm3: sm3_hex(b"1"),
            },
        ];
        signing_digest(
            values.as_object().unwrap(),
            &ledger,
            &materials,
            declaration,
            language,
        )
        .unwrap()
    }

    #[test]
    fn the_digest_is_fixed_and_every_part_counts() {
        let base = sample("李𬱖", "本人声明", Language::Zh);
        let bytes = String::from_utf8(base.canonical.expose().clone()).unwrap();
        let head = r#"{"declaration":"本人声明","language":"zh","ledger":[{"origin":{"by":"citizen","kind":"typed"},"path":"applicant.name"}],"materials":[{"material":"a","#;
        assert!(bytes.starts_with(head), "{bytes}");
        assert!(
            bytes.ends_with(
                r#""scheme":"cloud-booth/signing/1","values":{"applicant.name":"李𬱖"}}"#
            ),
            "{bytes}"
        );
        assert_eq!(base, sample("李𬱖", "本人声明", Language::Zh));
        for other in [
            sample("李某", "本人声明", Language::Zh),
            sample("李𬱖", "本人 声明", Language::Zh),
            sample("李𬱖", "本人声明", Language::En),
        ] {
            assert_ne!(base.sm3, other.sm3);
        }
        assert!(!format!("{base:?}").contains("李"));
    }

    #[test]
    fn a_hash_must_be_one() {
        let bad = [MaterialHash {
            material: "a".into(),
            sm3: "XYZ".into(),
        }];
        let r = signing_digest(&serde_json::Map::new(), &json!([]), &bad, "d", Language::Zh);
        assert_eq!(
            r.unwrap_err(),
            Rejected::at("material_hash", "/materials/0")
        );
    }
}
