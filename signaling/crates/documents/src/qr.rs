//! QR codes (ISO/IEC 18004, GB/T 18284) as SVG. Owns the drawing; never decides what a code points to.

use crate::{DocumentError, limits::QR_BYTES_MAX};
use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write as _;

/// Quiet zone in modules that the standard asks for.
const QUIET: usize = 4;

/// Draws `text` as a QR code: a standalone SVG document, black on white, one unit a module, quiet zone included.
///
/// The text itself does not appear in the markup, so the result can be inlined into a page whatever the text is.
///
/// # Errors
/// [`DocumentError::Qr`] when the text is longer than [`QR_BYTES_MAX`] bytes.
pub fn qr_svg(text: &str) -> Result<String, DocumentError> {
    let too_long = || DocumentError::Qr {
        bytes: text.len(),
        max: QR_BYTES_MAX,
    };
    if text.len() > QR_BYTES_MAX {
        return Err(too_long());
    }
    let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| too_long())?;
    let width = code.width();
    let side = width + 2 * QUIET;
    let mut path = String::new();
    for (y, line) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        while x < width {
            // One rectangle a horizontal run: neighbouring squares would show hairlines when a renderer smooths edges.
            let run = line[x..].iter().take_while(|c| **c == Color::Dark).count();
            if run > 0 {
                let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET);
            }
            x += run.max(1);
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn markup_never_holds_the_text() {
        let svg = qr_svg("<script>alert(1)</script>").unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
        assert!(!svg.contains("script") && !svg.contains("alert"));
    }

    #[test]
    fn modules_are_all_drawn() {
        let text = "https://example.test/verify/abc";
        let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        let dark = code
            .to_colors()
            .iter()
            .filter(|c| **c == Color::Dark)
            .count();
        let svg = qr_svg(text).unwrap();
        let drawn: usize = svg
            .split("v1h-")
            .skip(1)
            .map(|s| s.split('z').next().unwrap().parse::<usize>().unwrap())
            .sum();
        assert_eq!(drawn, dark);
    }

    #[test]
    fn length_is_bounded() {
        assert!(qr_svg(&"x".repeat(QR_BYTES_MAX)).is_ok());
        assert!(matches!(
            qr_svg(&"x".repeat(QR_BYTES_MAX + 1)),
            Err(DocumentError::Qr { .. })
        ));
    }
}
