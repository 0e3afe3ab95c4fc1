//! The lists that keep the tests honest: queries, functions and schemas.

use crate::harness;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use store::{Store, Target};

/// Every noun with its queries.
const ALL: &[(&str, &[&str])] = &[
    ("appointment", store::appointment::QUERIES),
    ("audit", store::audit::QUERIES),
    ("booth", store::booth::QUERIES),
    ("callback", store::callback::QUERIES),
    ("carry", store::carry::QUERIES),
    ("case", store::case::QUERIES),
    ("catalogue", store::catalogue::QUERIES),
    ("certificate", store::certificate::QUERIES),
    ("consent", store::consent::QUERIES),
    ("file", store::file::QUERIES),
    ("form", store::form::QUERIES),
    ("hall", store::hall::QUERIES),
    ("handover", store::handover::QUERIES),
    ("idempotency", store::idempotency::QUERIES),
    ("invite", store::invite::QUERIES),
    ("keys", store::keys::QUERIES),
    ("lease", store::lease::QUERIES),
    ("licence", store::licence::QUERIES),
    ("material", store::material::QUERIES),
    ("node", store::node::QUERIES),
    ("outbox", store::outbox::QUERIES),
    ("pairing", store::pairing::QUERIES),
    ("rating", store::rating::QUERIES),
    ("recording", store::recording::QUERIES),
    ("replay", store::replay::QUERIES),
    ("request", store::request::QUERIES),
    ("seat", store::seat::QUERIES),
    ("seat_state", store::seat_state::QUERIES),
    ("notice", store::notice::QUERIES),
    ("phrase", store::phrase::QUERIES),
    ("policy", store::policy::QUERIES),
    ("wallboard", store::wallboard::QUERIES),
    ("session", store::session::QUERIES),
    ("signature", store::signature::QUERIES),
    ("snapshot", store::snapshot::QUERIES),
    ("staff", store::staff::QUERIES),
    ("supervision", store::supervision::QUERIES),
    ("quality", store::quality::QUERIES),
    ("queue", store::queue::QUERIES),
    ("ticket", store::ticket::QUERIES),
    ("visit", store::visit::QUERIES),
];

/// No noun: they open databases, or hold the few statements that differ between the two.
const NO_NOUN: &[&str] = &["dialect", "error", "lib", "migrate", "pg", "pool", "tx"];

fn sources(dir: &str) -> Vec<(String, String)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
    let mut files: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "rs"))
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|p| {
            (
                p.file_stem().unwrap().to_str().unwrap().to_owned(),
                fs::read_to_string(&p).unwrap(),
            )
        })
        .collect()
}

/// The identifiers that follow `before` in a text.
fn names<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    text.match_indices(before)
        .map(|(i, m)| {
            let rest = &text[i + m.len()..];
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            &rest[..end]
        })
        .collect()
}

both!(every_query_prepares, |store| {
    for (noun, queries) in ALL {
        for sql in *queries {
            let r: Result<(), store::StoreError> = store
                .read(move |tx| Box::pin(async move { tx.prepares(sql).await }))
                .await;
            assert!(r.is_ok(), "{noun}: {sql}\n{r:?}");
        }
    }
});

#[test]
fn every_noun_is_in_the_list_and_every_statement_in_its_file_s_queries() {
    let listed: BTreeSet<_> = ALL.iter().map(|(n, _)| (*n).to_owned()).collect();
    let nouns: BTreeSet<_> = sources("src")
        .into_iter()
        .map(|(n, _)| n)
        .filter(|n| !NO_NOUN.contains(&n.as_str()))
        .collect();
    assert_eq!(nouns, listed);
    for (noun, text) in sources("src") {
        if NO_NOUN.contains(&noun.as_str()) {
            continue;
        }
        let head = text.find("pub const QUERIES").unwrap();
        let list = &text[head..head + text[head..].find("];").unwrap()];
        let list: BTreeSet<_> = list
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .collect();
        let statements: Vec<_> = text[..head]
            .split("\nconst ")
            .skip(1)
            .filter(|c| {
                let value = c.split_once('=').map_or("", |(_, v)| v.trim_start());
                ["\"INSERT", "\"SELECT", "\"UPDATE", "\"DELETE", "\"WITH"]
                    .iter()
                    .any(|verb| value.starts_with(verb))
            })
            .map(|c| c.split(':').next().unwrap())
            .collect();
        let (_, queries) = ALL.iter().find(|(n, _)| *n == noun).unwrap();
        assert_eq!(queries.len(), statements.len(), "{noun}: {statements:?}");
        for s in statements {
            assert!(list.contains(s), "{noun}: {s} is not in QUERIES");
        }
        // SQL written inside a function would escape the list.
        let body = &text[head..];
        for verb in ["\"INSERT ", "\"SELECT ", "\"UPDATE ", "\"DELETE "] {
            assert!(!body.contains(verb), "{noun}: {verb} outside a named const");
        }
    }
}

#[test]
fn every_public_function_is_called_by_a_test() {
    let tests: String = sources("tests/store")
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    let mut missing = Vec::new();
    for (noun, text) in sources("src") {
        if ["pg", "pool", "tx", "migrate"].contains(&noun.as_str()) {
            continue;
        }
        for f in names(&text, "\npub async fn ") {
            let called = tests.match_indices(&format!("{noun}::{f}(")).any(|(i, _)| {
                // `case::get(` must not be satisfied by `showcase::get(`.
                !tests[..i].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            });
            if !called {
                missing.push(format!("{noun}::{f}"));
            }
        }
    }
    assert!(missing.is_empty(), "no test calls {missing:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_schemas_have_the_same_columns() {
    let dir = tempfile::tempdir().unwrap();
    let lite = Store::open(&Target::Sqlite(dir.path().join("t.db")))
        .await
        .unwrap();
    let database = harness::Database::create().await;
    let pg = Store::open(&Target::Postgres(database.url.clone()))
        .await
        .unwrap();
    let a = store::schema_columns(&lite).await.unwrap();
    let b = store::schema_columns(&pg).await.unwrap();
    assert!(a.len() > 200, "{}", a.len());
    assert_eq!(a, b);
    lite.close().await;
    pg.close().await;
    database.drop().await;
}

/// The same tables, constraints, indexes and triggers under the same names, whatever the dialect makes of their bodies.
#[test]
fn both_editions_name_the_same_things() {
    let edition = |engine: &str| {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../migrations")
            .join(engine);
        let text: String = fs::read_dir(dir)
            .unwrap()
            .map(|e| fs::read_to_string(e.unwrap().path()).unwrap())
            .collect();
        let mut all = BTreeSet::new();
        for what in ["TABLE", "INDEX", "UNIQUE INDEX", "TRIGGER"] {
            for n in names(&text, &format!("CREATE {what} ")) {
                all.insert(format!("{what} {n}"));
            }
        }
        all
    };
    let lite = edition("sqlite");
    assert!(lite.len() > 50, "{lite:?}");
    assert_eq!(lite, edition("postgres"));
}
