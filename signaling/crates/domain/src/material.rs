//! 材料: what an item asks for, what was handed in, and whether that is enough.
//!
//! Owns kinds, sizes, file signatures and completeness (免证, 容缺). Never reads a disk, decodes a picture or keeps bytes.
//! Law and standards: GB/T 39046 (codes), 国务院令716号 (shared data must not be asked for again).

use crate::{error::Rejected, identifiers::text_enum, limits};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A file's shown name (characters).
const NAME_CHARS: usize = 80;

text_enum! {
    /// 来源渠道 (GB/T 39046).
    pub enum SourceType {
        /// 申请人自备
        Applicant = "10",
        /// 政府部门核发
        Government = "20",
        /// 其他
        Other = "99",
    }
}

text_enum! {
    /// 必要性; the code is `is_need` of the 实施清单.
    pub enum Necessity {
        /// 必要
        Required = "1",
        /// 非必要
        Optional = "2",
        /// 容缺后补: may follow after a signed promise.
        Deferrable = "3",
    }
}

impl Necessity {
    /// For merging the materials of several items: 必要 > 容缺 > 非必要.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::Required => 2,
            Self::Deferrable => 1,
            Self::Optional => 0,
        }
    }
    #[must_use]
    pub const fn stricter(self, other: Self) -> Self {
        if self.rank() >= other.rank() {
            self
        } else {
            other
        }
    }
}

text_enum! {
    /// 免证 ladder: how a paper is spared, best first.
    pub enum Exemption {
        /// 取消: no longer asked for.
        Cancelled = "cancel",
        /// 调用: the licence is called from the library.
        Called = "call",
        /// 复用: an earlier copy is used again.
        Reused = "reuse",
        /// 在线开具: the issuing body makes it online.
        IssuedOnline = "issue_online",
    }
}

text_enum! {
    /// Files that are taken. Chosen by what a browser shows without a plug-in and without scripts.
    pub enum MediaType {
        Pdf = "application/pdf",
        Jpeg = "image/jpeg",
        Png = "image/png",
    }
}

impl MediaType {
    /// Recognised by the file's first bytes; names and declared types are not believed.
    #[must_use]
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(Self::Pdf),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(Self::Png),
            _ => None,
        }
    }
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }
    #[must_use]
    pub const fn is_image(self) -> bool {
        match self {
            Self::Jpeg | Self::Png => true,
            Self::Pdf => false,
        }
    }
}

text_enum! {
    /// How a material came into the case.
    pub enum Origin {
        /// A file from the citizen's phone.
        Upload = "upload",
        /// A still from the booth's or the phone's camera.
        Camera = "camera",
        /// A watermarked copy from the licence library, under a consent.
        Licence = "licence",
        /// Made by the product: the form as signed, a receipt.
        Generated = "generated",
    }
}

/// What an item asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Unique within the item.
    pub code: String,
    pub necessity: Necessity,
    pub source: SourceType,
    /// Licence type that stands in for the paper: the 免证 link.
    #[serde(default)]
    pub licence_type: Option<String>,
    /// A camera still is good enough.
    #[serde(default)]
    pub camera_ok: bool,
    /// Taken file types; empty means all of [`MediaType`].
    #[serde(default)]
    pub media_types: Vec<MediaType>,
}

impl Requirement {
    /// Whether a file may be handed in for this; answers its true type.
    ///
    /// # Errors
    /// `material_empty`, `material_too_large` (over 8 MiB), `material_type_unknown`, `material_type_mismatch` (not what
    /// was declared), `material_type_not_allowed`, `material_camera_not_allowed`.
    pub fn check(
        &self,
        origin: Origin,
        declared: MediaType,
        bytes: &[u8],
    ) -> Result<MediaType, Rejected> {
        let found = check_file(declared, bytes)?;
        if !self.media_types.is_empty() && !self.media_types.contains(&found) {
            return Err(Rejected::new("material_type_not_allowed"));
        }
        if origin == Origin::Camera && !(self.camera_ok && found.is_image()) {
            return Err(Rejected::new("material_camera_not_allowed"));
        }
        Ok(found)
    }
}

/// The checks that hold for any file, asked for or not.
///
/// # Errors
/// `material_empty`, `material_too_large`, `material_type_unknown`, `material_type_mismatch`.
pub fn check_file(declared: MediaType, bytes: &[u8]) -> Result<MediaType, Rejected> {
    if bytes.is_empty() {
        return Err(Rejected::new("material_empty"));
    }
    if bytes.len() > limits::MATERIAL_BYTES {
        return Err(Rejected::new("material_too_large"));
    }
    match MediaType::sniff(bytes) {
        None => Err(Rejected::new("material_type_unknown")),
        Some(found) if found != declared => Err(Rejected::new("material_type_mismatch")),
        Some(found) => Ok(found),
    }
}

/// One more material in a case that holds `held`.
///
/// # Errors
/// `materials_too_many`.
pub fn check_room(held: usize) -> Result<(), Rejected> {
    if held >= limits::MATERIALS_PER_CASE {
        Err(Rejected::new("materials_too_many"))
    } else {
        Ok(())
    }
}

/// Whether what was handed in is enough to accept the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Completeness {
    Complete,
    /// Enough with a signed promise; these follow, and nothing is issued before they come.
    Deferred {
        missing: Vec<String>,
    },
    /// Not enough: these are missing.
    Incomplete {
        missing: Vec<String>,
    },
}

/// Compares what is asked for with what is there (`provided`: requirement codes) and what is spared (`exempt`).
#[must_use]
pub fn completeness(
    asked: &[Requirement],
    provided: &BTreeSet<String>,
    exempt: &BTreeSet<String>,
) -> Completeness {
    let missing = |n: Necessity| -> Vec<String> {
        let open = |r: &&Requirement| {
            r.necessity == n && !provided.contains(&r.code) && !exempt.contains(&r.code)
        };
        asked.iter().filter(open).map(|r| r.code.clone()).collect()
    };
    let (required, later) = (missing(Necessity::Required), missing(Necessity::Deferrable));
    if !required.is_empty() {
        Completeness::Incomplete { missing: required }
    } else if !later.is_empty() {
        Completeness::Deferred { missing: later }
    } else {
        Completeness::Complete
    }
}

/// Whether a case may be accepted with these materials; answers what is deferred.
///
/// # Errors
/// `materials_missing` (pointer to the first), `deferral_promise_required`.
pub fn acceptable(c: &Completeness, promised: bool) -> Result<&[String], Rejected> {
    match c {
        Completeness::Complete => Ok(&[]),
        Completeness::Deferred { missing } if promised => Ok(missing),
        Completeness::Deferred { .. } => Err(Rejected::new("deferral_promise_required")),
        Completeness::Incomplete { missing } => {
            let first = missing.first().map(String::as_str).unwrap_or_default();
            Err(Rejected::at(
                "materials_missing",
                format!("/materials/{first}"),
            ))
        }
    }
}

/// A name that is safe to show and to offer for download: no path, no control or direction characters, bounded.
#[must_use]
pub fn display_name(given: &str, media: MediaType) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = last.rsplit_once('.').map_or(last, |(s, _)| s);
    // Bidirectional marks could make "gpj.exe" read as "exe.jpg".
    let bidi = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let clean: String = stem
        .chars()
        .filter(|c| !c.is_control() && !bidi(*c) && !"<>:\"|?*".contains(*c))
        .take(NAME_CHARS)
        .collect();
    let clean = clean.trim().trim_matches('.').trim();
    let stem = if clean.is_empty() { "材料" } else { clean };
    format!("{stem}.{}", media.extension())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PNG: &[u8] = &[0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0];
    const JPEG: &[u8] = &[0xff, 0xd8, 0xff, 0xe0];

    fn ask(code: &str, necessity: Necessity) -> Requirement {
        Requirement {
            code: code.into(),
            necessity,
            source: SourceType::Applicant,
            licence_type: None,
            camera_ok: false,
            media_types: vec![],
        }
    }
    fn set(codes: &[&str]) -> BTreeSet<String> {
        codes.iter().map(|c| (*c).to_owned()).collect()
    }

    #[test]
    fn files_are_known_by_their_bytes() {
        let code = |d, b: &[u8]| check_file(d, b).unwrap_err().code;
        assert_eq!(check_file(MediaType::Png, PNG), Ok(MediaType::Png));
        assert_eq!(check_file(MediaType::Pdf, b"%PDF-1.7"), Ok(MediaType::Pdf));
        assert_eq!(code(MediaType::Jpeg, PNG), "material_type_mismatch");
        assert_eq!(
            code(MediaType::Png, b"<svg onload=x>"),
            "material_type_unknown"
        );
        assert_eq!(code(MediaType::Png, b""), "material_empty");
        let mut big = JPEG.to_vec();
        big.resize(limits::MATERIAL_BYTES, 0);
        assert!(check_file(MediaType::Jpeg, &big).is_ok());
        big.push(0);
        assert_eq!(code(MediaType::Jpeg, &big), "material_too_large");
    }

    #[test]
    fn a_requirement_narrows_type_and_camera() {
        let mut r = ask("photo", Necessity::Required);
        let code = |r: &Requirement, o, d, b: &[u8]| r.check(o, d, b).unwrap_err().code;
        assert_eq!(
            code(&r, Origin::Camera, MediaType::Jpeg, JPEG),
            "material_camera_not_allowed"
        );
        r.camera_ok = true;
        assert_eq!(
            r.check(Origin::Camera, MediaType::Jpeg, JPEG),
            Ok(MediaType::Jpeg)
        );
        assert_eq!(
            code(&r, Origin::Camera, MediaType::Pdf, b"%PDF-"),
            "material_camera_not_allowed"
        );
        r.media_types = vec![MediaType::Pdf];
        assert_eq!(
            code(&r, Origin::Upload, MediaType::Jpeg, JPEG),
            "material_type_not_allowed"
        );
    }

    #[test]
    fn completeness_knows_exemption_and_deferral() {
        let asked = [
            ask("a", Necessity::Required),
            ask("b", Necessity::Deferrable),
            ask("c", Necessity::Optional),
            ask("d", Necessity::Required),
        ];
        let c = completeness(&asked, &set(&["b"]), &set(&[]));
        assert_eq!(
            c,
            Completeness::Incomplete {
                missing: vec!["a".into(), "d".into()]
            }
        );
        assert_eq!(
            acceptable(&c, true).unwrap_err().pointer.as_deref(),
            Some("/materials/a")
        );
        let c = completeness(&asked, &set(&["a"]), &set(&["d"]));
        assert_eq!(
            c,
            Completeness::Deferred {
                missing: vec!["b".into()]
            }
        );
        assert_eq!(
            acceptable(&c, false).unwrap_err().code,
            "deferral_promise_required"
        );
        assert_eq!(acceptable(&c, true).unwrap(), ["b"]);
        let c = completeness(&asked, &set(&["a", "b"]), &set(&["d"]));
        assert_eq!(acceptable(&c, false).unwrap(), [""; 0]);
    }

    #[test]
    fn merging_keeps_the_stricter_need() {
        use Necessity::{Deferrable, Optional, Required};
        assert_eq!(Optional.stricter(Deferrable), Deferrable);
        assert_eq!(Required.stricter(Deferrable), Required);
        assert_eq!(Optional.stricter(Required), Required);
        assert_eq!(
            (Necessity::parse("3"), SourceType::parse("20")),
            (Some(Deferrable), Some(SourceType::Government))
        );
    }

    #[test]
    fn names_are_made_safe() {
        assert_eq!(
            display_name("门店照片.jpeg", MediaType::Jpeg),
            "门店照片.jpg"
        );
        assert_eq!(
            display_name("../../etc/passwd", MediaType::Pdf),
            "passwd.pdf"
        );
        assert_eq!(display_name("C:\\x\\合同.exe", MediaType::Pdf), "合同.pdf");
        assert_eq!(display_name("\u{202e}gpj.exe", MediaType::Png), "gpj.png");
        assert_eq!(display_name("...", MediaType::Png), "材料.png");
        assert!(check_room(39).is_ok());
        assert_eq!(check_room(40).unwrap_err().code, "materials_too_many");
    }

    proptest! {
        #[test]
        fn shown_names_hold_no_path_and_are_bounded(s in ".{0,200}") {
            let n = display_name(&s, MediaType::Pdf);
            prop_assert!(!n.contains(['/', '\\', '\n', '<']) && n.ends_with(".pdf") && n.chars().count() <= NAME_CHARS + 4);
        }
    }
}
