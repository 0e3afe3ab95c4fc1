//! One line of text as a mask of coverage: what is written into a picture (watermark 水印).
//!
//! Owns: outlines to pixels. Never does: colours, pictures, shaping (kerning, right-to-left): a stamp is a time, an id and a name.

use crate::Fonts;
use tiny_skia::{FillRule, Mask, PathBuilder, Transform};
use ttf_parser::{Face, OutlineBuilder};

/// Longest stamp (characters).
pub const STAMP_CHARS: usize = 120;
/// Largest letters (pixels).
pub const STAMP_HEIGHT: u32 = 200;

/// How much of each pixel is covered: 0 none, 255 all. Rows from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    pub width: u32,
    pub height: u32,
    pub coverage: Vec<u8>,
}

/// A glyph's outline, put where it belongs.
struct Pen {
    path: PathBuilder,
    scale: f32,
    x: f32,
    baseline: f32,
}

impl Pen {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.baseline - y * self.scale)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }
    fn close(&mut self) {
        self.path.close();
    }
}

/// Sets `text` in the sans, `height` pixels from the top of the highest letter's box to the bottom of the lowest's. Characters that no face
/// has are left out. None where nothing is left, or the text is longer than [`STAMP_CHARS`].
#[must_use]
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pixels and font units are small whole numbers"
)]
pub fn stamp(fonts: &Fonts, text: &str, height: u32) -> Option<Stamp> {
    if text.chars().count() > STAMP_CHARS || !(4..=STAMP_HEIGHT).contains(&height) {
        return None;
    }
    let sans = fonts.sans.first()?;
    let mut faces = vec![];
    // The running text's own faces first: figures of another would dance.
    for own in [true, false] {
        for f in &fonts.faces {
            if (f.info().family.as_str() == sans) == own {
                faces.push(Face::parse(f.data().as_slice(), f.index()).ok()?);
            }
        }
    }
    let mut pen = Pen {
        path: PathBuilder::new(),
        scale: 0.0,
        x: 0.0,
        baseline: 0.0,
    };
    for c in text.chars() {
        let Some((face, glyph)) = faces.iter().find_map(|f| Some((f, f.glyph_index(c)?))) else {
            continue;
        };
        let (up, down) = (f32::from(face.ascender()), f32::from(face.descender()));
        pen.scale = height as f32 / (up - down);
        pen.baseline = up * pen.scale;
        face.outline_glyph(glyph, &mut pen);
        let advance = face.glyph_hor_advance(glyph).unwrap_or_default();
        pen.x += f32::from(advance) * pen.scale;
    }
    let path = pen.path.finish()?;
    let mut mask = Mask::new(pen.x.ceil().max(1.0) as u32, height)?;
    mask.fill_path(&path, FillRule::Winding, true, Transform::identity());
    Some(Stamp {
        width: mask.width(),
        height: mask.height(),
        coverage: mask.take(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_both_scripts_are_drawn_and_longer_text_is_wider() {
        let fonts = Fonts::load_default().unwrap();
        let a = stamp(&fonts, "云窗 2026-11-22 19:43:10", 24).unwrap();
        let b = stamp(&fonts, "云窗", 24).unwrap();
        assert_eq!((a.height, b.height), (24, 24));
        assert!(a.width > 2 * b.width, "{} {}", a.width, b.width);
        for s in [&a, &b] {
            assert_eq!(s.coverage.len(), (s.width * s.height) as usize);
            let inked = s.coverage.iter().filter(|c| **c > 128).count();
            assert!(inked > 40, "{inked}");
            assert!(inked < s.coverage.len() / 2, "letters, no block");
        }
        // The same every time, and another text is another mask.
        assert_eq!(stamp(&fonts, "云窗", 24).unwrap(), b);
        assert_ne!(stamp(&fonts, "窗云", 24).unwrap(), b);
    }

    #[test]
    fn nothing_to_draw_is_nothing() {
        let fonts = Fonts::load_default().unwrap();
        assert_eq!(stamp(&fonts, "", 24), None);
        assert_eq!(stamp(&fonts, "\u{1F600}", 24), None);
        assert_eq!(stamp(&fonts, &"云".repeat(STAMP_CHARS + 1), 24), None);
        assert_eq!(stamp(&fonts, "云", STAMP_HEIGHT + 1), None);
    }
}
