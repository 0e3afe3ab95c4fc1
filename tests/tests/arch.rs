//! The walls inside crates that the compiler does not keep. A failure prints the rule.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut out = vec![];
    for e in fs::read_dir(dir).unwrap().flatten() {
        let p = e.path();
        if p.is_dir() {
            out.extend(rust_files(&p));
        } else if p.extension().is_some_and(|x| x == "rs") {
            out.push(p);
        }
    }
    out
}

/// Code without its tests: what stands before `#[cfg(test)]`, comments left out.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let body = text.split("#[cfg(test)]").next().unwrap().to_owned();
    body.lines()
        .filter(|l| !l.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn names_after<'a>(text: &'a str, prefix: &str) -> BTreeSet<&'a str> {
    let mut out = BTreeSet::new();
    for (i, _) in text.match_indices(prefix) {
        let rest = &text[i + prefix.len()..];
        if let Some(list) = rest.strip_prefix('{') {
            // The first segment of each entry at depth one.
            let (mut depth, mut start) = (1, 0);
            for (j, c) in list.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if (c == ',' && depth == 1) || depth == 0 {
                    out.insert(first(list[start..j].trim()));
                    start = j + 1;
                }
                if depth == 0 {
                    break;
                }
            }
        } else {
            out.insert(first(rest));
        }
    }
    out.remove("");
    out
}

fn first(s: &str) -> &str {
    s.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .next()
        .unwrap_or_default()
}

/// A module that exists in tests alone: a file named for them, or declared so by its parent.
fn is_test(file: &Path) -> bool {
    let name = file.file_stem().unwrap().to_str().unwrap();
    let parent = file.parent().unwrap().with_extension("rs");
    let declared = format!("mod {name};");
    let of_parent = fs::read_to_string(parent).unwrap_or_default();
    name.contains("test")
        || of_parent
            .split("#[cfg(test)]\n")
            .skip(1)
            .any(|after| after.lines().next().is_some_and(|l| l.ends_with(&declared)))
}

/// The noun that a file belongs to: `case/apply.rs` and `case.rs` are `case`.
fn noun(src: &Path, file: &Path) -> String {
    let rel = file.strip_prefix(src).unwrap();
    let head = rel
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_str()
        .unwrap();
    head.trim_end_matches(".rs").to_owned()
}

#[test]
fn a_noun_of_the_domain_imports_only_the_shared_basics() {
    const BASICS: &[&str] = &[
        "error",
        "id",
        "limits",
        "pii",
        "time",
        "identifiers",
        "calendar",
        "digest",
        "policy",
        "event",
    ];
    // A form is filled along its catalogue document, and a recording's gate is the document's: pairs that belong together.
    const ALLOWED: &[(&str, &str)] = &[
        ("cofill", "catalogue"),
        ("pairing", "routing"),
        ("recording", "catalogue"),
    ];
    let src = it::root().join("signaling/crates/domain/src");
    for f in rust_files(&src) {
        let me = noun(&src, &f);
        if me == "lib" || is_test(&f) {
            continue;
        }
        for used in names_after(&code(&f), "crate::") {
            let fine = used == me
                || BASICS.contains(&used)
                || ALLOWED.contains(&(me.as_str(), used))
                || used.starts_with(char::is_uppercase);
            assert!(
                fine,
                "{}: nouns react to each other through effects that the application carries out, so `{me}` must not import `{used}`",
                f.display()
            );
        }
    }
}

#[test]
fn the_domain_is_pure_and_the_store_and_media_do_not_meet() {
    let manifest = |c: &str| {
        fs::read_to_string(it::root().join(format!("signaling/crates/{c}/Cargo.toml"))).unwrap()
    };
    let deps = |c: &str| {
        manifest(c)
            .split("[dev-dependencies]")
            .next()
            .unwrap()
            .to_owned()
    };
    for forbidden in ["tokio", "sqlx", "axum", "webrtc", "rand", "reqwest"] {
        assert!(
            !deps("domain").contains(forbidden),
            "the domain is pure: it must not depend on {forbidden}"
        );
    }
    assert!(
        !deps("store").contains("media"),
        "store and media never see each other"
    );
    assert!(
        !deps("media").contains("store"),
        "store and media never see each other"
    );
    for (c, forbidden) in [
        ("protocol", "domain"),
        ("protocol", "store"),
        ("store", "protocol"),
        ("media", "protocol"),
    ] {
        assert!(
            !deps(c).contains(forbidden),
            "{c} must not know {forbidden}"
        );
    }
}

#[test]
fn inside_the_server_the_layers_point_inwards() {
    // Who may name whom. `problem` is the refusals' catalogue, known to all.
    let rules: &[(&str, &[&str])] = &[
        ("http", &["http", "app", "problem", "ws"]),
        ("ws", &["ws", "app", "cluster", "problem"]),
        ("jobs", &["jobs", "app", "problem"]),
        ("app", &["app", "cluster", "problem"]),
        ("cluster", &["cluster"]),
        ("problem", &["problem"]),
        ("config", &["config"]),
        ("demo", &["demo", "app", "problem"]),
    ];
    let src = it::root().join("signaling/src");
    for f in rust_files(&src) {
        let me = noun(&src, &f);
        let Some((_, allowed)) = rules.iter().find(|(m, _)| *m == me) else {
            continue;
        };
        for used in names_after(&code(&f), "crate::") {
            assert!(
                allowed.contains(&used),
                "{}: `{me}` may use {allowed:?}, not `{used}` (http, ws, jobs → app → cluster; only main and serve read config)",
                f.display()
            );
        }
    }
}

#[test]
fn handlers_ask_the_application_and_never_the_database() {
    for f in rust_files(&it::root().join("signaling/src/http"))
        .into_iter()
        .chain(rust_files(&it::root().join("signaling/src/ws")))
    {
        let c = code(&f);
        assert!(
            !c.contains("store::"),
            "{}: decode, authorise, call the app, encode; nothing else",
            f.display()
        );
    }
}
