//! Calls between the nodes of a cluster, under the cluster key.

use crate::{
    app::{
        App,
        media::{NodeCommand, NodeReply},
    },
    problem::{AppError, no},
};
use axum::{Json, extract::State, http::HeaderMap};

pub async fn media(
    State(app): State<App>,
    headers: HeaderMap,
    Json(command): Json<NodeCommand>,
) -> Result<Json<NodeReply>, AppError> {
    let key = headers
        .get("x-cluster-key")
        .and_then(|k| k.to_str().ok())
        .unwrap_or_default();
    if !app.media.is_peer(key) {
        return Err(no("not_found"));
    }
    Ok(Json(match app.media.here(&app, command).await {
        Ok(sdp) => NodeReply {
            sdp,
            ..NodeReply::default()
        },
        Err(e) => NodeReply::refused(&e),
    }))
}
