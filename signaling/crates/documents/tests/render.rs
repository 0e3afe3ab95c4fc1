//! Every paper renders, is the same each time, keeps hostile values as text and stays bounded.
#![allow(clippy::unwrap_used)]

mod samples;

use documents::{DocumentError, Fonts, Pdf, ReceiptKind, RefusalKind, Row, Text, limits};
use std::sync::LazyLock;

static FONTS: LazyLock<Fonts> = LazyLock::new(|| Fonts::load_default().unwrap());

fn assert_paper(pdf: &Pdf, pages: usize) {
    assert!(pdf.bytes.starts_with(b"%PDF-1.7"));
    assert!(pdf.bytes.trim_ascii_end().ends_with(b"%%EOF"));
    assert_eq!(pdf.pages, pages);
    assert!(pdf.missing_glyphs.is_empty(), "{:?}", pdf.missing_glyphs);
    // Fonts are subset: a paper is far smaller than the fonts, and large enough to hold some.
    assert!(
        (10_000..400_000).contains(&pdf.bytes.len()),
        "{}",
        pdf.bytes.len()
    );
}

#[test]
fn each_paper_is_one_page() {
    assert_paper(&samples::receipt().render(&FONTS).unwrap(), 1);
    assert_paper(&samples::no_record().render(&FONTS).unwrap(), 1);
    assert_paper(&samples::filing().render(&FONTS).unwrap(), 1);
    assert_paper(&samples::hygiene().render(&FONTS).unwrap(), 1);
    assert_paper(&samples::copy().render(&FONTS).unwrap(), 1);
    assert_paper(&samples::refusal().render(&FONTS).unwrap(), 1);
    assert_paper(&samples::correction().render(&FONTS).unwrap(), 1);
}

#[test]
fn the_other_kinds_and_empty_options_render() {
    let mut receipt = samples::receipt();
    receipt.kind = ReceiptKind::Received;
    receipt.due = None;
    receipt.promised_days = None;
    receipt.materials.clear();
    receipt.next_steps.clear();
    receipt.agent.clear();
    receipt.phone.clear();
    assert_paper(&receipt.render(&FONTS).unwrap(), 1);
    let mut refusal = samples::refusal();
    refusal.kind = RefusalKind::NotAccepted;
    refusal.legal_basis.clear();
    refusal.phone.clear();
    assert_paper(&refusal.render(&FONTS).unwrap(), 1);
    let mut copy = samples::copy();
    copy.qr_url.clear();
    assert_paper(&copy.render(&FONTS).unwrap(), 1);
    let mut notice = samples::correction();
    notice.deadline = None;
    assert_paper(&notice.render(&FONTS).unwrap(), 1);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let first = samples::hygiene().render(&FONTS).unwrap();
    // Another document in between: nothing of it may show in the next.
    samples::receipt().render(&FONTS).unwrap();
    assert_eq!(
        first.bytes,
        samples::hygiene().render(&FONTS).unwrap().bytes
    );
    let mut other = samples::hygiene();
    other.holder.push('甲');
    assert_ne!(first.bytes, other.render(&FONTS).unwrap().bytes);
    let text = String::from_utf8_lossy(&first.bytes);
    assert!(!text.contains("CreationDate") && !text.contains("ModDate"));
}

#[test]
fn hostile_values_are_printed_as_text() {
    let hostile = [
        "#panic()",
        "#panic(\"x\")",
        "]#panic()[",
        "}#{panic()",
        "\"); #panic(); (\"",
        "$x^2$ *b* _i_ `c` <label> @ref // c /* d */ \\u{41} ~ -- ---",
        "#import \"/etc/passwd\": *",
        "= 标题\n- 列表\n+ 一",
        "\\",
        "'“”‘’\"",
    ];
    // That the value itself is what is printed is shown beside the renderer, which can see the laid-out text.
    for value in hostile {
        let mut receipt = samples::receipt();
        receipt.applicant = value.into();
        receipt.item = Text::new(value, value);
        receipt.number = value.into();
        receipt.materials[0].name = Text::new(value, value);
        receipt.authority = Text::new(value, value);
        let pdf = receipt.render(&FONTS).unwrap();
        // A long number may push the receipt over by a few lines, never further.
        assert!(pdf.pages <= 2, "{value}");
        let mut copy = samples::copy();
        copy.purpose = value.into();
        copy.rows = vec![Row::new(value, value, value)];
        copy.render(&FONTS).unwrap();
        let mut certificate = samples::no_record();
        certificate.paragraphs = vec![Text::new(value, value)];
        certificate.title = Text::new(value, value);
        certificate.render(&FONTS).unwrap();
    }
}

#[test]
fn rare_characters_print_and_those_without_a_glyph_are_told() {
    let mut receipt = samples::receipt();
    receipt.applicant = "𠮷野家·阿卜杜热合曼·买买提 Ḿ".into();
    let rare = receipt.render(&FONTS).unwrap();
    assert!(!rare.missing_glyphs.contains(&'𠮷'));
    receipt.applicant = "赵😀云😀".into();
    let emoji = receipt.render(&FONTS).unwrap();
    assert_eq!(emoji.missing_glyphs, ['😀']);
}

#[test]
fn very_long_names_wrap() {
    let mut hygiene = samples::hygiene();
    hygiene.holder = "很长的单位名称".repeat(20);
    hygiene.issuer = Text::zh("云晓县行政审批服务管理与大数据发展中心联合办公室".repeat(2));
    hygiene.rows[0].value = "A1".repeat(200);
    let pdf = hygiene.render(&FONTS).unwrap();
    assert!(pdf.pages <= 2);
}

#[test]
fn growth_is_bounded() {
    let mut receipt = samples::receipt();
    receipt.next_steps = vec![Text::zh("一"); limits::LIST_ITEMS_MAX + 1];
    assert!(matches!(
        receipt.render(&FONTS),
        Err(DocumentError::Field { pointer, .. }) if pointer == "/next_steps"
    ));
    // Line breaks make the most pages of the fewest characters.
    let mut certificate = samples::no_record();
    certificate.paragraphs = vec![Text::zh("字\n".repeat(900))];
    assert!(matches!(
        certificate.render(&FONTS),
        Err(DocumentError::TooLong {
            max: limits::PAGES_MAX,
            ..
        })
    ));
}

#[test]
fn what_the_law_asks_for_must_be_there() {
    let mut refusal = samples::refusal();
    refusal.reasons.clear();
    assert_eq!(
        refusal.render(&FONTS).unwrap_err().to_string(),
        "field /reasons is empty"
    );
    let mut notice = samples::correction();
    notice.corrections.clear();
    assert!(notice.render(&FONTS).is_err());
    let mut receipt = samples::receipt();
    receipt.authority = Text::zh("  ");
    assert!(receipt.render(&FONTS).is_err());
    let mut copy = samples::copy();
    copy.provider.clear();
    assert!(copy.render(&FONTS).is_err());
}

#[test]
fn nothing_of_a_person_is_in_debug() {
    let shown = format!(
        "{:?} {:?} {:?} {:?} {:?}",
        samples::receipt(),
        samples::no_record(),
        samples::copy(),
        samples::refusal(),
        samples::correction()
    );
    assert!(!shown.contains('赵') && !shown.contains("青禾"), "{shown}");
}
