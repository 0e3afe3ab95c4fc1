//! Lints of an item document, run before it may be published.
//!
//! Owns the national lints (GB/T 39046-2020 and the 实施清单 rules) and our own structural checks. All
//! findings are returned at once, each with a JSON pointer. Never compiles CEL: only its length is bounded here.

use super::*;
use std::collections::BTreeSet;

struct Findings(Vec<Rejected>);

impl Findings {
    fn when(&mut self, bad: bool, code: &'static str, pointer: impl Into<String>) {
        if bad {
            self.0.push(Rejected::at(code, pointer));
        }
    }
    fn text(&mut self, t: &Text, pointer: &str) {
        for (lang, s) in [("zh", &t.zh), ("en", &t.en)] {
            self.when(
                s.trim().is_empty(),
                "text_empty",
                format!("{pointer}/{lang}"),
            );
            self.when(
                s.chars().count() > TEXT_CHARS,
                "text_too_long",
                format!("{pointer}/{lang}"),
            );
        }
    }
    fn texts(&mut self, list: &[Text], pointer: &str) {
        self.when(list.len() > LIST_MAX, "list_too_long", pointer);
        for (i, t) in list.iter().enumerate() {
            self.text(t, &format!("{pointer}/{i}"));
        }
    }
    fn cel(&mut self, source: Option<&String>, pointer: String) {
        if let Some(s) = source {
            self.when(s.trim().is_empty(), "cel_empty", pointer.clone());
            self.when(s.len() > CEL_BYTES, "cel_too_long", pointer);
        }
    }
    fn ids<'a>(&mut self, ids: impl Iterator<Item = &'a str>, max: usize, pointer: &str) {
        let mut seen = BTreeSet::new();
        for (i, id) in ids.enumerate() {
            self.when(i == max, "list_too_long", pointer);
            self.when(!is_slug(id), "id_format", format!("{pointer}/{i}/id"));
            self.when(
                !seen.insert(id),
                "id_duplicate",
                format!("{pointer}/{i}/id"),
            );
        }
    }
}

/// Lower-case letters, digits, `-` and `_`; starts with a letter.
#[must_use]
pub fn is_slug(s: &str) -> bool {
    s.len() <= PATH_BYTES
        && s.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
        && s.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

/// Slugs without `-` (CEL would read it as minus), joined by dots.
#[must_use]
pub fn is_path(s: &str) -> bool {
    s.len() <= PATH_BYTES && !s.contains('-') && s.split('.').all(is_slug)
}

/// 21 characters: 18 USCC of the defining body + 3 (GB/T 36904).
#[must_use]
pub fn is_licence_type(s: &str) -> bool {
    s.len() == 21
        && s.bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

impl Item {
    /// Every finding, in the order of the document; `Ok` means that the item may be published once its
    /// CEL compiles.
    pub fn check(&self) -> Result<(), Vec<Rejected>> {
        let mut f = Findings(Vec::new());
        self.check_basics(&mut f);
        self.check_fields(&mut f);
        self.check_groups(&mut f);
        self.check_materials(&mut f);
        self.check_result(&mut f);
        self.check_recording(&mut f);
        self.check_texts(&mut f);
        if f.0.is_empty() { Ok(()) } else { Err(f.0) }
    }

    fn check_basics(&self, f: &mut Findings) {
        let code_ok = self.code.len() == 31
            && self
                .code
                .bytes()
                .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        f.when(!code_ok, "item_code_format", "/code");
        f.when(
            code_ok && !self.code.starts_with(&self.department.code),
            "item_code_department",
            "/code",
        );
        f.when(
            code_ok && self.code[18..19] != *self.level.as_str(),
            "item_code_level",
            "/code",
        );
        f.when(!is_slug(&self.id), "id_format", "/id");
        f.when(self.version == 0, "version_zero", "/version");
        f.when(!is_slug(&self.department.id), "id_format", "/department/id");
        f.when(!is_slug(&self.skill), "id_format", "/skill");
        f.when(
            self.service_objects.is_empty(),
            "list_empty",
            "/service_objects",
        );
        f.when(self.channels.is_empty(), "list_empty", "/channels");
        f.when(self.legal_bases.is_empty(), "list_empty", "/legal_bases");
        // The national lints (domain.md §3).
        f.when(
            self.promise_days > self.statutory_days,
            "promise_exceeds_statutory",
            "/promise_days",
        );
        let on_the_spot = self.promise_days == 0;
        f.when(
            !on_the_spot && self.handling != Handling::Promised,
            "handling_not_promised",
            "/handling",
        );
        f.when(
            on_the_spot && self.handling == Handling::Promised,
            "promise_days_missing",
            "/promise_days",
        );
        let remote = [Channel::Computer, Channel::Mobile, Channel::Courier];
        f.when(
            self.visits == 0 && !self.channels.iter().any(|c| remote.contains(c)),
            "no_visit_needs_remote_channel",
            "/channels",
        );
        f.when(
            self.visits > 0 && self.visits_reason.is_none(),
            "visits_reason_missing",
            "/visits_reason",
        );
        f.when(
            self.fee.charged && self.fee.basis.is_none(),
            "fee_basis_missing",
            "/fee/basis",
        );
    }

    fn check_fields(&self, f: &mut Findings) {
        f.when(self.fields.is_empty(), "list_empty", "/fields");
        f.when(self.fields.len() > FIELDS_MAX, "list_too_long", "/fields");
        let paths: BTreeSet<&str> = self.fields.iter().map(|x| x.path.as_str()).collect();
        let mut seen = BTreeSet::new();
        for (i, x) in self.fields.iter().enumerate() {
            let at = format!("/fields/{i}");
            f.when(!is_path(&x.path), "path_format", format!("{at}/path"));
            f.when(
                !seen.insert(x.path.as_str()),
                "path_duplicate",
                format!("{at}/path"),
            );
            // `a` and `a.b` cannot both be members of one JSON object.
            let parent = x
                .path
                .match_indices('.')
                .any(|(d, _)| paths.contains(&x.path[..d]));
            f.when(parent, "path_nested", format!("{at}/path"));
            f.text(&x.label, &format!("{at}/label"));
            if let Some(h) = &x.help {
                f.text(h, &format!("{at}/help"));
            }
            f.cel(x.required_when.as_ref(), format!("{at}/required_when"));
            f.cel(x.visible_when.as_ref(), format!("{at}/visible_when"));
            f.when(
                x.rules.len() > RULES_MAX,
                "list_too_long",
                format!("{at}/rules"),
            );
            for (j, r) in x.rules.iter().enumerate() {
                f.cel(Some(&r.cel), format!("{at}/rules/{j}/cel"));
                f.text(&r.message, &format!("{at}/rules/{j}/message"));
            }
            let too_long = x
                .max_length
                .is_some_and(|m| m == 0 || m > crate::limits::FIELD_CHARS);
            f.when(too_long, "max_length_range", format!("{at}/max_length"));
            f.when(
                (x.kind == FieldType::Select) == x.options.is_empty(),
                "options_mismatch",
                format!("{at}/options"),
            );
            f.when(
                x.options.len() > OPTIONS_MAX,
                "list_too_long",
                format!("{at}/options"),
            );
            let mut codes = BTreeSet::new();
            for (j, o) in x.options.iter().enumerate() {
                f.when(
                    o.code.is_empty() || !codes.insert(&o.code),
                    "id_duplicate",
                    format!("{at}/options/{j}/code"),
                );
                f.text(&o.label, &format!("{at}/options/{j}/label"));
            }
            // An identity number or a mobile number is always masked; forgetting it must not leak.
            let must_mask = matches!(x.kind, FieldType::IdNumber | FieldType::Mobile);
            f.when(
                must_mask && x.sensitive == Mask::None,
                "mask_missing",
                format!("{at}/sensitive"),
            );
            for (j, m) in x.licence.iter().enumerate() {
                let p = format!("{at}/licence/{j}");
                f.when(
                    !is_licence_type(&m.licence_type),
                    "licence_type_format",
                    format!("{p}/licence_type"),
                );
                f.when(
                    !is_slug(&m.attribute),
                    "id_format",
                    format!("{p}/attribute"),
                );
                let twice = x.licence[..j]
                    .iter()
                    .any(|o| o.licence_type == m.licence_type);
                f.when(twice, "licence_type_duplicate", format!("{p}/licence_type"));
            }
        }
    }

    fn check_groups(&self, f: &mut Findings) {
        f.ids(
            self.groups.iter().map(|g| g.id.as_str()),
            GROUPS_MAX,
            "/groups",
        );
        let mut placed = BTreeSet::new();
        for (i, g) in self.groups.iter().enumerate() {
            let at = format!("/groups/{i}");
            f.text(&g.title, &format!("{at}/title"));
            f.when(g.fields.is_empty(), "list_empty", format!("{at}/fields"));
            f.when(
                g.fields.len() > GROUP_FIELDS_MAX,
                "group_too_large",
                format!("{at}/fields"),
            );
            for (j, p) in g.fields.iter().enumerate() {
                f.when(
                    self.field(p).is_none(),
                    "path_unknown",
                    format!("{at}/fields/{j}"),
                );
                f.when(
                    !placed.insert(p.as_str()),
                    "path_in_two_groups",
                    format!("{at}/fields/{j}"),
                );
            }
        }
        for (i, x) in self.fields.iter().enumerate() {
            f.when(
                !placed.contains(x.path.as_str()),
                "field_without_group",
                format!("/fields/{i}/path"),
            );
        }
    }

    fn check_materials(&self, f: &mut Findings) {
        f.ids(
            self.materials.iter().map(|m| m.id.as_str()),
            MATERIALS_MAX,
            "/materials",
        );
        for (i, m) in self.materials.iter().enumerate() {
            let at = format!("/materials/{i}");
            f.text(&m.name, &format!("{at}/name"));
            f.text(&m.note, &format!("{at}/note"));
            f.cel(m.required_when.as_ref(), format!("{at}/required_when"));
            if let Some(t) = &m.licence_type {
                f.when(
                    !is_licence_type(t),
                    "licence_type_format",
                    format!("{at}/licence_type"),
                );
            }
        }
        f.ids(
            self.conditions.iter().map(|c| c.id.as_str()),
            LIST_MAX,
            "/conditions",
        );
        for (i, c) in self.conditions.iter().enumerate() {
            f.text(&c.text, &format!("/conditions/{i}/text"));
            f.cel(c.cel.as_ref(), format!("/conditions/{i}/cel"));
        }
        f.ids(
            self.correction_reasons.iter().map(|r| r.id.as_str()),
            LIST_MAX,
            "/correction_reasons",
        );
        for (i, r) in self.correction_reasons.iter().enumerate() {
            let at = format!("/correction_reasons/{i}");
            f.text(&r.text, &format!("{at}/text"));
            f.when(
                r.material.is_some() == r.field.is_some(),
                "correction_target",
                at.clone(),
            );
            let lost = r
                .material
                .as_deref()
                .is_some_and(|m| self.material(m).is_none());
            f.when(lost, "material_unknown", format!("{at}/material"));
            let lost = r.field.as_deref().is_some_and(|p| self.field(p).is_none());
            f.when(lost, "path_unknown", format!("{at}/field"));
        }
        f.ids(
            self.opinions.iter().map(|o| o.id.as_str()),
            LIST_MAX,
            "/opinions",
        );
        for (i, o) in self.opinions.iter().enumerate() {
            f.text(&o.text, &format!("/opinions/{i}/text"));
        }
        let both = Outcome::ALL
            .iter()
            .all(|w| self.opinions.iter().any(|o| o.outcome == *w));
        f.when(!both, "opinion_outcome_missing", "/opinions");
    }

    fn check_result(&self, f: &mut Findings) {
        let r = &self.result;
        f.when(!is_slug(&r.certificate), "id_format", "/result/certificate");
        f.when(
            !is_licence_type(&r.licence_type),
            "licence_type_format",
            "/result/licence_type",
        );
        f.when(
            r.validity_months == Some(0),
            "validity_zero",
            "/result/validity_months",
        );
        f.when(
            self.field(&r.holder_name).is_none(),
            "path_unknown",
            "/result/holder_name",
        );
        f.when(
            self.field(&r.holder_code).is_none(),
            "path_unknown",
            "/result/holder_code",
        );
        let three =
            r.holder_code_type.len() == 3 && r.holder_code_type.bytes().all(|b| b.is_ascii_digit());
        f.when(!three, "holder_code_type", "/result/holder_code_type");
        f.when(
            r.attributes.len() > LIST_MAX,
            "list_too_long",
            "/result/attributes",
        );
        for (i, a) in r.attributes.iter().enumerate() {
            f.when(
                !is_slug(&a.attribute),
                "id_format",
                format!("/result/attributes/{i}/attribute"),
            );
            f.when(
                self.field(&a.path).is_none(),
                "path_unknown",
                format!("/result/attributes/{i}/path"),
            );
        }
        f.text(&r.name, "/result/name");
        f.text(&r.title, "/result/title");
        f.when(r.body.is_empty(), "list_empty", "/result/body");
        f.texts(&r.body, "/result/body");
        for (i, t) in r.body.iter().enumerate() {
            for (lang, s) in [("zh", &t.zh), ("en", &t.en)] {
                let at = format!("/result/body/{i}/{lang}");
                match placeholders(s) {
                    Err(e) => f.0.push(Rejected::at(e.code, at)),
                    Ok(names) => {
                        let known = |n: &&str| RESULT_WORDS.contains(n) || self.field(n).is_some();
                        f.when(!names.iter().all(known), "template_placeholder", at);
                    }
                }
            }
        }
    }

    fn check_recording(&self, f: &mut Findings) {
        let Some(r) = &self.recording else { return };
        let at = "/recording";
        for (i, step) in r.steps.iter().enumerate() {
            f.when(
                r.steps[..i].contains(step),
                "id_duplicate",
                format!("{at}/steps/{i}"),
            );
        }
        // Prompts that wait for a recording, and none to read.
        f.when(
            r.steps.contains(&LegalStep::Prompts) && r.script.is_empty(),
            "list_empty",
            "/recording/script",
        );
        // A prompt counts in a live recording alone: a signature that waits for one waits for the recording.
        f.when(
            r.script.iter().any(|p| p.gate) && !r.steps.contains(&LegalStep::Sign),
            "recording_gate",
            "/recording/steps",
        );
        f.ids(
            r.script.iter().map(|p| p.id.as_str()),
            recording::PROMPTS_MAX,
            "/recording/script",
        );
        for (i, p) in r.script.iter().enumerate() {
            for (lang, s) in [("zh", &p.text.zh), ("en", &p.text.en)] {
                let at = format!("{at}/script/{i}/text/{lang}");
                f.when(s.trim().is_empty(), "text_empty", at.clone());
                f.when(
                    s.chars().count() > recording::PROMPT_CHARS,
                    "text_too_long",
                    at,
                );
            }
        }
    }

    fn check_texts(&self, f: &mut Findings) {
        f.text(&self.name, "/name");
        f.text(&self.summary, "/summary");
        f.text(&self.department.name, "/department/name");
        f.text(&self.declaration, "/declaration");
        f.text(&self.duration, "/duration");
        if let Some(t) = &self.visits_reason {
            f.text(t, "/visits_reason");
        }
        if let Some(t) = &self.fee.basis {
            f.text(t, "/fee/basis");
        }
        f.texts(&self.legal_bases, "/legal_bases");
        f.texts(&self.review_points, "/review_points");
        f.texts(&self.next_steps, "/next_steps");
        f.texts(&self.papers, "/papers");
    }
}
