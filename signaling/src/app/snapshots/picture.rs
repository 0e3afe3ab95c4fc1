//! A snapshot's picture: decoded within bounds, marked with time and session, encoded anew. Pure; blocking.

use crate::problem::{AppError, no};
use documents::{Fonts, Stamp, stamp};
use domain::{
    id::{Id as _, SessionId},
    limits,
    material::MediaType,
    time::Timestamp,
};
use image::{
    ImageFormat, ImageReader, Limits, RgbImage, codecs::jpeg::JpegEncoder, error::ImageError,
};
use std::io::Cursor;

/// JPEG, 1 to 100: letters of the watermark stay sharp.
const QUALITY: u8 = 88;
/// Smallest letters of the watermark (pixels), and their part of the picture's height.
const LETTERS: u32 = 14;
const LETTERS_OF: u32 = 28;

/// What is written into the picture: product, time in Beijing, the end of the session's id.
pub(super) fn watermark(session: &SessionId, at: Timestamp) -> String {
    let t = at.beijing();
    let id = session.as_str();
    format!(
        "云窗 {:04}-{:02}-{:02} {:02}:{:02}:{:02} 北京时间 会话 {}",
        t.year(),
        u8::from(t.month()),
        t.day(),
        t.hour(),
        t.minute(),
        t.second(),
        &id[id.len().saturating_sub(8)..]
    )
}

/// The picture of a JPEG or PNG that is no larger than it may be.
///
/// Codes: `snapshot_type`, `too_large`.
fn decode(bytes: &[u8]) -> Result<RgbImage, AppError> {
    if bytes.len() > limits::SNAPSHOT_BYTES {
        return Err(no("too_large"));
    }
    let format = match MediaType::sniff(bytes) {
        Some(MediaType::Jpeg) => ImageFormat::Jpeg,
        Some(MediaType::Png) => ImageFormat::Png,
        Some(MediaType::Pdf) | None => return Err(no("snapshot_type")),
    };
    let reader = || ImageReader::with_format(Cursor::new(bytes), format);
    let (w, h) = reader()
        .into_dimensions()
        .map_err(|_| no("snapshot_type"))?;
    let pixels = u64::from(w) * u64::from(h);
    if w.max(h) > limits::SNAPSHOT_SIDE || pixels > limits::SNAPSHOT_PIXELS {
        return Err(no("too_large"));
    }
    if w.min(h) < limits::SNAPSHOT_SIDE_MIN {
        return Err(no("snapshot_type"));
    }
    let mut bounds = Limits::default();
    bounds.max_image_width = Some(limits::SNAPSHOT_SIDE);
    bounds.max_image_height = Some(limits::SNAPSHOT_SIDE);
    // Sixteen bits a channel and alpha, and as much again to turn it into eight.
    bounds.max_alloc = Some(limits::SNAPSHOT_PIXELS * 16);
    let mut reader = reader();
    reader.limits(bounds);
    match reader.decode() {
        Ok(picture) => Ok(picture.to_rgb8()),
        Err(ImageError::Limits(_)) => Err(no("too_large")),
        Err(_) => Err(no("snapshot_type")),
    }
}

/// White letters on a dark band at the lower edge, legible on any picture.
fn write(picture: &mut RgbImage, fonts: &Fonts, text: &str) -> Result<(), AppError> {
    let (w, h) = picture.dimensions();
    let mut letters = (h / LETTERS_OF).max(LETTERS);
    let mut mark = stamp(fonts, text, letters).ok_or_else(|| no("internal"))?;
    if mark.width + letters > w {
        // A narrow picture: smaller letters, never a part of the text alone.
        let fits = u64::from(letters) * u64::from(w) / u64::from(mark.width + letters);
        letters = u32::try_from(fits).unwrap_or(LETTERS).max(4);
        mark = stamp(fonts, text, letters).ok_or_else(|| no("internal"))?;
    }
    let band = letters + letters / 2;
    for y in h.saturating_sub(band)..h {
        for x in 0..w {
            let p = picture.get_pixel_mut(x, y);
            p.0 = p.0.map(|c| c / 3);
        }
    }
    put(
        picture,
        &mark,
        letters / 2,
        h.saturating_sub(band) + letters / 4,
    );
    Ok(())
}

fn put(picture: &mut RgbImage, mark: &Stamp, left: u32, top: u32) {
    for (i, cover) in mark.coverage.iter().enumerate() {
        let i = u32::try_from(i).unwrap_or(u32::MAX);
        let (x, y) = (left + i % mark.width, top + i / mark.width);
        if let Some(p) = picture.get_pixel_mut_checked(x, y) {
            p.0 = p.0.map(|c| c.max(*cover));
        }
    }
}

/// A picture as it is kept.
pub(super) struct Developed {
    pub jpeg: Vec<u8>,
    pub width: u32,
    pub height: u32,
}

pub(super) fn develop(fonts: &Fonts, bytes: &[u8], text: &str) -> Result<Developed, AppError> {
    let mut picture = decode(bytes)?;
    write(&mut picture, fonts, text)?;
    let mut jpeg = vec![];
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode_image(&picture)
        .map_err(|_| no("internal"))?;
    let (width, height) = picture.dimensions();
    Ok(Developed {
        jpeg,
        width,
        height,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn png(w: u32, h: u32) -> Vec<u8> {
        let mut out = Vec::new();
        RgbImage::from_pixel(w, h, image::Rgb([200, 30, 30]))
            .write_to(&mut Cursor::new(&mut out), ImageFormat::Png)
            .unwrap();
        out
    }

    fn code(bytes: &[u8]) -> String {
        decode(bytes).unwrap_err().code().to_owned()
    }

    #[test]
    fn only_pictures_of_a_sane_size_are_taken() {
        assert_eq!(decode(&png(640, 480)).unwrap().dimensions(), (640, 480));
        assert_eq!(code(b"%PDF-1.7\n"), "snapshot_type");
        assert_eq!(code(b"GIF89a"), "snapshot_type");
        assert_eq!(code(&png(640, 480)[..60]), "snapshot_type");
        assert_eq!(code(&png(640, 200)), "snapshot_type", "no room for letters");
        assert_eq!(code(&vec![0xff; limits::SNAPSHOT_BYTES + 1]), "too_large");
    }

    #[test]
    fn a_small_file_that_would_be_a_huge_picture_is_refused_unread() {
        // A few kilobytes of one colour; each side alone would pass.
        let (w, h) = (limits::SNAPSHOT_SIDE, 2_400);
        assert!(u64::from(w) * u64::from(h) > limits::SNAPSHOT_PIXELS);
        let mut bomb = Vec::new();
        image::GrayImage::new(w, h)
            .write_to(&mut Cursor::new(&mut bomb), ImageFormat::Png)
            .unwrap();
        assert!(bomb.len() < limits::SNAPSHOT_BYTES, "{}", bomb.len());
        assert_eq!(code(&bomb), "too_large");
        // Its header says a hundred thousand pixels a side, and there is nothing behind it.
        let mut header = png(16, 16);
        header[16..20].copy_from_slice(&100_000u32.to_be_bytes());
        header[20..24].copy_from_slice(&100_000u32.to_be_bytes());
        let refused = code(&header);
        assert!(
            refused == "too_large" || refused == "snapshot_type",
            "{refused}"
        );
    }

    #[test]
    fn the_watermark_says_when_and_where_and_can_be_read() {
        let session = SessionId::make(1_795_347_790_000, 77);
        let at = Timestamp::parse_rfc3339("2026-11-22T11:43:10Z").unwrap();
        let text = watermark(&session, at);
        assert!(
            text.starts_with("云窗 2026-11-22 19:43:10 北京时间 会话 "),
            "{text}"
        );
        assert!(text.ends_with(&session.as_str()[session.as_str().len() - 8..]));
        let fonts = Fonts::load_default().unwrap();
        for (w, h) in [(1280, 720), (360, 640), (240, 240)] {
            let made = develop(&fonts, &png(w, h), &text).unwrap();
            assert_eq!((made.width, made.height), (w, h));
            let back = image::load_from_memory(&made.jpeg).unwrap().to_rgb8();
            let bright = |y: u32| (0..w).filter(|x| back.get_pixel(*x, y).0[2] > 120).count();
            let in_band: usize = (h - LETTERS..h).map(bright).sum();
            let above: usize = (0..h / 2).map(bright).sum();
            assert!(in_band > 20, "{w}×{h}: {in_band}");
            assert_eq!(above, 0, "the picture itself is left as it is");
        }
    }
}
