//! What a request says about its caller.

use crate::{
    app::{App, Caller, auth, token, token::Principal},
    problem::{AppError, no},
};
use axum::{
    extract::{FromRequest, FromRequestParts, Request, rejection::JsonRejection},
    http::{HeaderMap, header, request::Parts},
};
use domain::id::Id;
use protocol::Language;
use serde::de::DeserializeOwned;

/// Chinese unless English is asked for first.
#[must_use]
pub fn language(headers: &HeaderMap) -> Language {
    let accept = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    if accept.trim_start().to_ascii_lowercase().starts_with("en") {
        Language::En
    } else {
        Language::Zh
    }
}

fn principal(parts: &Parts, app: &App) -> Result<Option<Principal>, AppError> {
    let Some(v) = parts.headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let t = v
        .to_str()
        .ok()
        .and_then(|v| v.strip_prefix("Bearer "))
        .ok_or_else(|| no("signed_out"))?;
    token::read(&app.vault, t, app.now()).map(Some)
}

fn key(headers: &HeaderMap) -> Option<String> {
    headers
        .get("idempotency-key")
        .and_then(|k| k.to_str().ok())
        .map(str::to_owned)
}

/// The idempotency key of a caller who needs no token.
pub struct Key(pub Option<String>);

impl FromRequestParts<App> for Key {
    type Rejection = AppError;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, AppError> {
        Ok(Self(key(&parts.headers)))
    }
}

/// A signed-in caller, with the idempotency key if one came.
pub struct Call(pub Caller);

impl FromRequestParts<App> for Call {
    type Rejection = AppError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        let who = principal(parts, app)?.ok_or_else(|| no("signed_out"))?;
        // A wiped visit's token is dead at once; only the wipe itself may be repeated.
        if let Principal::Citizen { visit } = &who
            && !parts.uri.path().ends_with("/end")
        {
            auth::still_open(app, visit.clone()).await?;
        }
        Ok(Self(Caller {
            who,
            key: key(&parts.headers),
            language: language(&parts.headers),
        }))
    }
}

/// A caller who may be nobody.
pub struct Maybe(pub Option<Principal>);

impl FromRequestParts<App> for Maybe {
    type Rejection = AppError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        principal(parts, app).map(Self)
    }
}

/// A JSON body; unknown fields and wrong types are refused.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequest<App> for Json<T> {
    type Rejection = AppError;
    async fn from_request(request: Request, app: &App) -> Result<Self, AppError> {
        match axum::Json::<T>::from_request(request, app).await {
            Ok(axum::Json(v)) => Ok(Self(v)),
            Err(JsonRejection::JsonDataError(_)) => Err(no("field_invalid")),
            Err(JsonRejection::BytesRejection(_)) => Err(no("too_large")),
            Err(_) => Err(no("body_invalid")),
        }
    }
}

/// An id in the path; a malformed one is simply not found.
pub fn object<T: Id>(text: &str) -> Result<T, AppError> {
    T::parse(text).ok_or_else(|| no("not_found"))
}
