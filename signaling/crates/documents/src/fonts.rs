//! The fonts that papers are set in: loaded once from configured files, shared by every render.
//!
//! Owns: which faces of a file are used and which characters they cover. Never does: search the system's font configuration, so
//! that two machines with the same files give the same bytes. The Noto CJK collections hold faces for several regions; where a
//! Simplified Chinese face exists the others are left out, because they draw the same characters in other regions' shapes.

use crate::{DocumentError, limits};
use std::path::{Path, PathBuf};
use typst::{
    foundations::Bytes,
    text::{Font, FontBook},
    utils::LazyHash,
};

/// Where Debian's `fonts-noto-cjk` puts its files. The sans is enough; the serif gives titles and certificates their look.
pub const DEFAULT_FONT_PATHS: &[&str] = &[
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc",
    "/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc",
];

/// Characters that every paper prints; a face without them is no Chinese text face.
const PROBE: &str = "证照受理回执编号年月日";

/// Loaded font faces. Holds the files in memory (73 MB for the default set): load once, share by reference or `Arc`.
pub struct Fonts {
    pub(crate) book: LazyHash<FontBook>,
    pub(crate) faces: Vec<Font>,
    /// Family names for running text and labels, best first.
    pub(crate) sans: Vec<String>,
    /// Family names for titles and certificates, best first; the sans again when there is no serif.
    pub(crate) serif: Vec<String>,
}

impl std::fmt::Debug for Fonts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fonts")
            .field("sans", &self.sans)
            .field("serif", &self.serif)
            .finish_non_exhaustive()
    }
}

impl Fonts {
    /// Loads the given TTF, OTF or TTC files. Files that are absent or hold no Chinese face are skipped, in order of the list.
    ///
    /// # Errors
    /// [`DocumentError::NoFont`] when nothing usable is left, [`DocumentError::FontRefused`] when a bound of [`limits`] is broken.
    pub fn load<P: AsRef<Path>>(paths: &[P]) -> Result<Self, DocumentError> {
        let mut fonts = Vec::new();
        for (i, path) in paths.iter().map(AsRef::as_ref).enumerate() {
            let refused = |reason| DocumentError::FontRefused {
                path: path.to_path_buf(),
                reason,
            };
            if i >= limits::FONT_FILES_MAX {
                return Err(refused("too many font files"));
            }
            let Ok(meta) = std::fs::metadata(path) else {
                continue;
            };
            if meta.len() > limits::FONT_FILE_BYTES_MAX {
                return Err(refused("file too large"));
            }
            if let Ok(data) = std::fs::read(path) {
                fonts.extend(chinese_faces(data));
            }
        }
        if fonts.is_empty() {
            return Err(DocumentError::NoFont {
                tried: paths.iter().map(|p| PathBuf::from(p.as_ref())).collect(),
            });
        }
        let families = |serif: bool| {
            let mut names: Vec<String> = Vec::new();
            for font in &fonts {
                let family = font.info().family.as_str();
                if is_serif(family) == serif && !names.iter().any(|n| n == family) {
                    names.push(family.to_owned());
                }
            }
            names
        };
        let (mut sans, mut serif) = (families(false), families(true));
        // Either kind stands in for the other; both lists together are also the fallback chain for rare characters.
        let (only_sans, only_serif) = (sans.clone(), serif.clone());
        sans.extend(only_serif);
        serif.extend(only_sans);
        Ok(Self {
            book: LazyHash::new(FontBook::from_fonts(&fonts)),
            faces: fonts,
            sans,
            serif,
        })
    }

    /// Loads [`DEFAULT_FONT_PATHS`].
    ///
    /// # Errors
    /// As [`Fonts::load`].
    pub fn load_default() -> Result<Self, DocumentError> {
        Self::load(DEFAULT_FONT_PATHS)
    }

    /// True when some loaded face can draw the character.
    #[must_use]
    pub fn covers(&self, c: char) -> bool {
        self.faces
            .iter()
            .any(|f| f.info().coverage.contains(u32::from(c)))
    }
}

fn is_serif(family: &str) -> bool {
    ["Serif", "Song", "Ming", "宋", "明"]
        .iter()
        .any(|mark| family.contains(mark))
}

fn chinese_faces(data: Vec<u8>) -> Vec<Font> {
    let all: Vec<Font> = Font::iter(Bytes::new(data))
        .filter(|f| {
            PROBE
                .chars()
                .all(|c| f.info().coverage.contains(u32::from(c)))
        })
        .collect();
    let simplified: Vec<Font> = all
        .iter()
        .filter(|f| {
            let family = f.info().family.as_str();
            family.ends_with(" SC") && !family.contains("Mono")
        })
        .cloned()
        .collect();
    if simplified.is_empty() {
        all
    } else {
        simplified
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn absent_files_are_named() {
        let error = Fonts::load(&["/nonexistent/a.ttc", "/nonexistent/b.ttc"]).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("a.ttc") && text.contains("b.ttc") && text.contains("fonts-noto-cjk")
        );
    }

    #[test]
    fn a_file_that_is_no_font_is_not_used() {
        let path =
            std::env::temp_dir().join(format!("documents-not-a-font-{}", std::process::id()));
        std::fs::write(&path, b"not a font").unwrap();
        let result = Fonts::load(&[&path]);
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(result, Err(DocumentError::NoFont { .. })));
    }

    #[test]
    fn only_simplified_faces_are_kept() {
        let fonts = Fonts::load_default().unwrap();
        assert!(fonts.faces.len() <= DEFAULT_FONT_PATHS.len());
        assert!(fonts.sans[0].ends_with(" SC"));
        assert!(fonts.covers('𠮷') && fonts.covers('A') && !fonts.covers('\u{1F600}'));
    }
}
