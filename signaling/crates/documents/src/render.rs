//! From a checked document to PDF bytes. Owns the typst world and the export settings.
//!
//! The world offers the templates, the fonts and the document as `sys.inputs`, and nothing else: no file, no package, no date.
//! Deterministic: PDF/1.7, tagged for screen readers, no timestamp, identifier from the document's number.

use crate::{DocumentError, Fonts, check::check, limits, qr_svg};
use serde::{Deserialize as _, Serialize};
use serde_json::{Value as Json, json};
use std::sync::LazyLock;
use typst::{
    Library, LibraryExt as _, World, WorldExt as _,
    diag::{FileError, FileResult, SourceDiagnostic},
    foundations::{Bytes, Datetime, Dict, Duration, Smart},
    syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot},
    text::{Font, FontBook},
    utils::LazyHash,
};
use typst_layout::PagedDocument;

/// A finished paper.
#[derive(Clone, PartialEq, Eq)]
pub struct Pdf {
    /// The file, `%PDF-1.7`.
    pub bytes: Vec<u8>,
    /// Pages, 1 to [`limits::PAGES_MAX`].
    pub pages: usize,
    /// Characters of the input that no loaded font can draw (they print as empty boxes), each once, at most
    /// [`limits::MISSING_GLYPHS_MAX`]. A certificate with any must not be issued before a font is added.
    pub missing_glyphs: Vec<char>,
}

impl std::fmt::Debug for Pdf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pdf")
            .field("bytes", &self.bytes.len())
            .field("pages", &self.pages)
            .finish_non_exhaustive()
    }
}

/// What the renderer must know of a document beside its fields.
pub(crate) trait Paper: Serialize {
    /// Template file name, one of `SOURCES`.
    const TEMPLATE: &'static str;
    /// JSON pointers of fields that must be filled.
    const REQUIRED: &'static [&'static str];
    /// Identifier for the PDF's document id: kind and number.
    fn ident(&self) -> String;
    /// Address in the QR code; `None` leaves the code out.
    fn qr_url(&self) -> Option<&str>;
    /// What the template needs and the struct does not hold, such as a watermark's text.
    fn derived(&self) -> Json {
        Json::Null
    }
}

static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    [
        ("base.typ", include_str!("../templates/base.typ")),
        ("receipt.typ", include_str!("../templates/receipt.typ")),
        (
            "certificate.typ",
            include_str!("../templates/certificate.typ"),
        ),
        (
            "licence_copy.typ",
            include_str!("../templates/licence_copy.typ"),
        ),
        ("refusal.typ", include_str!("../templates/refusal.typ")),
        (
            "correction.typ",
            include_str!("../templates/correction.typ"),
        ),
    ]
    .into_iter()
    .filter_map(|(name, text)| {
        let path = VirtualPath::new(name).ok()?;
        let id = RootedPath::new(VirtualRoot::Project, path).intern();
        Some(Source::new(id, text.to_owned()))
    })
    .collect()
});

struct PaperWorld<'a> {
    library: LazyHash<Library>,
    fonts: &'a Fonts,
    main: FileId,
}

impl World for PaperWorld<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.fonts.book
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        SOURCES
            .iter()
            .find(|s| s.id() == id)
            .cloned()
            .ok_or(FileError::AccessDenied)
    }

    fn file(&self, _id: FileId) -> FileResult<Bytes> {
        Err(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.faces.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}

/// Renders any paper: check, lay out, bound, export.
pub(crate) fn render<P: Paper>(paper: &P, fonts: &Fonts) -> Result<Pdf, DocumentError> {
    let doc = serde_json::to_value(paper).map_err(|_| broken::<P>("serialisation"))?;
    check(&doc, P::REQUIRED)?;
    let missing_glyphs = missing(&doc, fonts);
    let result = with_layout(paper, doc, fonts, |document| {
        let pages = document.pages().len();
        if pages > limits::PAGES_MAX {
            return Err(DocumentError::TooLong {
                pages,
                max: limits::PAGES_MAX,
            });
        }
        let options = typst_pdf::PdfOptions {
            ident: Smart::Custom(paper.ident()),
            creator: Smart::Custom(Some("Cloud Booth".to_owned())),
            ..Default::default()
        };
        let bytes = typst_pdf::pdf(document, &options).map_err(|_| broken::<P>("export"))?;
        Ok(Pdf {
            bytes,
            pages,
            missing_glyphs,
        })
    });
    // typst memoises in process-wide tables: emptied so that nothing of one person's paper outlives its render.
    typst::comemo::evict(0);
    result
}

fn broken<P: Paper>(place: &str) -> DocumentError {
    DocumentError::Template {
        template: P::TEMPLATE,
        place: place.to_owned(),
    }
}

/// Lays the paper out and hands it over.
fn with_layout<P: Paper, R>(
    paper: &P,
    doc: Json,
    fonts: &Fonts,
    then: impl FnOnce(&PagedDocument) -> Result<R, DocumentError>,
) -> Result<R, DocumentError> {
    let inputs = json!({
        "doc": doc,
        "derived": paper.derived(),
        "qr": paper.qr_url().map(qr_svg).transpose()?,
        "fonts": { "sans": fonts.sans, "serif": fonts.serif },
    });
    let inputs = Dict::deserialize(inputs).map_err(|_| broken::<P>("inputs"))?;
    let main = SOURCES
        .iter()
        .map(Source::id)
        .find(|id| id.vpath().get_without_slash() == P::TEMPLATE)
        .ok_or_else(|| broken::<P>("lookup"))?;
    let world = PaperWorld {
        library: LazyHash::new(Library::builder().with_inputs(inputs).build()),
        fonts,
        main,
    };
    match typst::compile::<PagedDocument>(&world).output {
        Ok(document) => then(&document),
        Err(diagnostics) => Err(broken::<P>(&place(&world, diagnostics.first()))),
    }
}

/// Where a diagnostic points. Its message may quote the document, so outside of tests it is left out.
fn place(world: &PaperWorld<'_>, diagnostic: Option<&SourceDiagnostic>) -> String {
    let Some(diagnostic) = diagnostic else {
        return "nowhere".to_owned();
    };
    let file = diagnostic
        .span
        .id()
        .map(|id| id.vpath().get_without_slash().to_owned())
        .unwrap_or_default();
    let at = world.range(diagnostic.span).map_or(0, |r| r.start);
    #[cfg(test)]
    return format!("{file}:{at}: {}", diagnostic.message);
    #[cfg(not(test))]
    format!("{file}:{at}")
}

fn missing(doc: &Json, fonts: &Fonts) -> Vec<char> {
    fn collect(value: &Json, fonts: &Fonts, out: &mut Vec<char>) {
        match value {
            Json::String(s) => {
                for c in s.chars() {
                    // Joiners, variation selectors and line breaks draw nothing.
                    let invisible =
                        c == '\n' || matches!(c, '\u{200B}'..='\u{200F}' | '\u{FE00}'..='\u{FE0F}');
                    if !invisible
                        && out.len() < limits::MISSING_GLYPHS_MAX
                        && !out.contains(&c)
                        && !fonts.covers(c)
                    {
                        out.push(c);
                    }
                }
            }
            Json::Array(items) => items.iter().for_each(|v| collect(v, fonts, out)),
            Json::Object(map) => map.values().for_each(|v| collect(v, fonts, out)),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
    let mut out = Vec::new();
    collect(doc, fonts, &mut out);
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{LicenceCopyDoc, Row, Text, TrustLevel};
    use time::macros::{date, datetime};
    use typst::layout::{Frame, FrameItem};

    fn collect(frame: &Frame, out: &mut String) {
        for (_, item) in frame.items() {
            match item {
                FrameItem::Group(group) => collect(&group.frame, out),
                FrameItem::Text(text) => out.push_str(&text.text),
                FrameItem::Shape(..)
                | FrameItem::Image(..)
                | FrameItem::Link(..)
                | FrameItem::Tag(_) => {}
            }
        }
    }

    /// All text that a licence copy shows when its only field has this value.
    fn printed(value: &str, fonts: &Fonts) -> String {
        let doc = LicenceCopyDoc {
            title: Text::zh("证"),
            number: "1".into(),
            licence_identifier: "1.2".into(),
            trust: TrustLevel::B,
            rows: vec![Row::new("值", "", value)],
            provider: "某局".into(),
            purpose: "办事".into(),
            case_number: "C1".into(),
            valid_until: date!(2026 - 12 - 31),
            copied_at: datetime!(2026-11-21 02:12 UTC),
            qr_url: String::new(),
        };
        let json = serde_json::to_value(&doc).unwrap();
        with_layout(&doc, json, fonts, |document| {
            let mut out = String::new();
            for page in document.pages() {
                collect(&page.frame, &mut out);
            }
            Ok(out)
        })
        .unwrap()
    }

    #[test]
    fn values_are_printed_character_by_character() {
        let fonts = Fonts::load_default().unwrap();
        for value in [
            "#panic()",
            "]#panic()[",
            "\"); #panic(); (\"",
            "$x^2$*b*_i_`c`<l>@r//c/*d*/\\u{41}",
            "#sys.version",
            "it's \"quoted\" -- 'so'",
            "https://example.test/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "𠮷野家",
        ] {
            let text = printed(value, &fonts);
            assert!(text.contains(value), "{value} is missing in: {text}");
        }
    }
}
