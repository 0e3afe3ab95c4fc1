//! Bounds on what one document may hold. Counts are of Unicode scalar values unless the name says otherwise.

/// Pages of one document. More is an error: no paper of the counter is that long.
pub const PAGES_MAX: usize = 20;
/// One field: a name, a paragraph, a value.
pub const FIELD_CHARS_MAX: usize = 2_000;
/// All fields of one document together; keeps a render within seconds.
pub const DOCUMENT_CHARS_MAX: usize = 30_000;
/// One list: rows, materials, reasons.
pub const LIST_ITEMS_MAX: usize = 60;
/// Text of a QR code in bytes: at error correction M this is version 20, still readable by a phone when printed at 25 mm.
pub const QR_BYTES_MAX: usize = 600;
/// One font file in bytes; the largest Noto CJK collection has 27 MB.
pub const FONT_FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Font files loaded at once.
pub const FONT_FILES_MAX: usize = 8;
/// Characters without a glyph that a result names; the rest is only counted as "more".
pub const MISSING_GLYPHS_MAX: usize = 32;
/// A file to be signed, in bytes.
pub const SEAL_FILE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Metadata signed beside a file, in bytes of canonical JSON.
pub const SEAL_METADATA_BYTES_MAX: usize = 64 * 1024;
