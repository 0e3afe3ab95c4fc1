//! A caller over HTTP, as a page is: bearer token, idempotency key, problems in their language.

use protocol::Problem;
use reqwest::{Method, RequestBuilder, Response};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::atomic::{AtomicU64, Ordering};

/// A key that no other command of this process has.
#[must_use]
pub fn key() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!(
        "it-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

#[derive(Clone)]
pub struct Http {
    base: String,
    client: reqwest::Client,
    token: Option<String>,
}

impl Http {
    #[must_use]
    pub fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            client: reqwest::Client::new(),
            token: None,
        }
    }

    #[must_use]
    pub fn with(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The same caller at another node.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            ..self.clone()
        }
    }

    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A request to a path below `/api/v1`, as it is.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let r = self
            .client
            .request(method, format!("{}/api/v1{path}", self.base));
        match &self.token {
            Some(t) => r.bearer_auth(t),
            None => r,
        }
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        answer(self.request(Method::GET, path).send().await.unwrap()).await
    }

    /// A command under a key of its own.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: impl Serialize,
    ) -> Result<T, Problem> {
        self.post_as(&key(), path, body).await
    }

    pub async fn post_as<T: DeserializeOwned>(
        &self,
        key: &str,
        path: &str,
        body: impl Serialize,
    ) -> Result<T, Problem> {
        let r = self
            .request(Method::POST, path)
            .header("idempotency-key", key)
            .json(&body);
        answer(r.send().await.unwrap()).await
    }
}

/// The body of a success, or the problem; anything else that refuses is a failure of the test.
pub async fn answer<T: DeserializeOwned>(r: Response) -> Result<T, Problem> {
    let (status, url) = (r.status(), r.url().path().to_owned());
    let kind = r
        .headers()
        .get("content-type")
        .map(|v| v.to_str().unwrap().to_owned());
    let text = r.text().await.unwrap();
    if status.is_success() {
        return Ok(serde_json::from_str(&text).unwrap_or_else(|e| panic!("{url}: {e}: {text}")));
    }
    assert_eq!(
        kind.as_deref(),
        Some("application/problem+json"),
        "{url} {status}: {text}"
    );
    let p: Problem = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{url}: {e}: {text}"));
    assert_eq!(p.status, status.as_u16(), "{url}");
    assert!(p.type_.ends_with(&p.code), "{p:?}");
    Err(p)
}
