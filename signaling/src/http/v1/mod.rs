//! The API, version 1: one file a noun.

mod admin;
mod appointments;
mod auth;
mod callbacks;
mod cases;
mod halls;
mod invites;
mod items;
mod media;
mod pairings;
mod phrases;
mod queues;
mod recording_policies;
mod recordings;
mod replays;
mod seats;
mod sessions;
mod snapshots;
mod supervisions;
mod tickets;
mod verifications;
mod visits;
mod wallboard;

use crate::app::App;
use axum::Router;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema, openapi};
use utoipa_axum::router::OpenApiRouter;

/// A list that is not paged.
#[derive(Serialize, ToSchema)]
pub struct Items<T: ToSchema> {
    pub items: Vec<T>,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cloud Booth 云窗",
        description = "Remote video counter: HTTP API. Errors are RFC 9457 problems with stable codes; commands carry Idempotency-Key."
    ),
    components(schemas(
        protocol::ClientFrame,
        protocol::ServerFrame,
        protocol::Problem,
        protocol::FieldCurrent,
        protocol::CardRead
    ))
)]
struct Document;

/// The routes and their description.
pub fn router() -> (Router<App>, openapi::OpenApi) {
    OpenApiRouter::with_openapi(Document::openapi())
        .nest("/api/v1", routes())
        .split_for_parts()
}

/// The description as it is served. The derive leaves every `Option` out of `required`; the server always writes them in
/// answers (as null), so a client may rely on the key. Requests, which refuse unknown fields, keep theirs optional.
#[must_use]
pub fn document() -> serde_json::Value {
    /// Written by clients, or with keys that are left out when empty.
    const AS_DERIVED: &[&str] = &["ClientFrame", "Command", "Problem"];
    let mut doc = serde_json::to_value(router().1).unwrap_or_default();
    // Handlers of several nouns share names; an operation's id is its method and path.
    for (path, methods) in doc
        .get_mut("paths")
        .and_then(|p| p.as_object_mut())
        .into_iter()
        .flatten()
    {
        for (method, operation) in methods.as_object_mut().into_iter().flatten() {
            let words: Vec<&str> = path
                .split(|c: char| !c.is_ascii_alphanumeric())
                .filter(|w| !w.is_empty() && *w != "api" && *w != "v1")
                .collect();
            operation["operationId"] = serde_json::json!(format!("{method}_{}", words.join("_")));
        }
    }
    let Some(schemas) = doc
        .pointer_mut("/components/schemas")
        .and_then(|s| s.as_object_mut())
    else {
        return doc;
    };
    for (name, schema) in schemas {
        require_all(schema, !AS_DERIVED.contains(&name.as_str()));
    }
    doc
}

fn require_all(schema: &mut serde_json::Value, answer: bool) {
    use serde_json::{Value, json};
    let Some(o) = schema.as_object_mut() else {
        return;
    };
    for branch in ["oneOf", "allOf"]
        .iter()
        .filter_map(|k| o.get(*k).cloned().map(|v| (*k, v)))
        .collect::<Vec<_>>()
    {
        let (key, Value::Array(mut list)) = branch else {
            continue;
        };
        list.iter_mut().for_each(|s| require_all(s, answer));
        o.insert(key.to_owned(), Value::Array(list));
    }
    // A field's value may be any JSON: the empty schema says so.
    if let Some(p) = o.get_mut("properties").and_then(Value::as_object_mut) {
        for v in p
            .values_mut()
            .filter(|v| v.get("type") == Some(&json!(["object", "null"])))
        {
            *v = json!({});
        }
    }
    if !answer || o.get("additionalProperties") == Some(&json!(false)) {
        return;
    }
    if let Some(p) = o.get("properties").and_then(Value::as_object) {
        let names: Vec<Value> = p.keys().map(|k| json!(k)).collect();
        o.insert("required".to_owned(), Value::Array(names));
    }
}

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(auth::routes())
        .merge(visits::routes())
        .merge(halls::routes())
        .merge(items::routes())
        .merge(tickets::routes())
        .merge(appointments::routes())
        .merge(callbacks::routes())
        .merge(seats::routes())
        .merge(queues::routes())
        .merge(wallboard::routes())
        .merge(phrases::routes())
        .merge(pairings::routes())
        .merge(sessions::routes())
        .merge(snapshots::routes())
        .merge(recordings::routes())
        .merge(replays::routes())
        .merge(invites::routes())
        .merge(supervisions::routes())
        .merge(recording_policies::routes())
        .merge(cases::routes())
        .merge(media::routes())
        .merge(verifications::routes())
        .merge(admin::routes())
}
