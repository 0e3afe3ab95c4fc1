//! Generated documents are what the code says now: `make docs` rewrites them.
#![allow(clippy::unwrap_used)]

use std::fs;

fn same(file: &str, now: &str) {
    let kept = fs::read_to_string(it::root().join(file)).unwrap_or_default();
    assert!(
        kept.trim_end() == now.trim_end(),
        "{file} is out of date: run `make docs`"
    );
}

#[test]
fn the_api_description_is_current() {
    same(
        "docs/openapi.json",
        &serde_json::to_string_pretty(&signaling::http::v1::document()).unwrap(),
    );
}

#[test]
fn the_error_table_is_current() {
    same("docs/errors.md", &signaling::problem::table());
}
