//! The server's HTTP door: a bearer token, one idempotency key a command over all its tries, problems as RFC 9457.

use protocol::{Language, Problem};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use serde::{Serialize, de::DeserializeOwned};
use std::{sync::Arc, time::Duration};

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(15);
/// Waits between the tries of one call.
const AGAIN: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(1)];
/// Longest answer read, bytes.
const BODY_MAX: usize = 1 << 20;

/// Why a call to the server came to nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// No connection, or no answer.
    #[error("{0}")]
    Unreachable(String),
    /// The server said no.
    #[error("{} ({})", .0.title, .0.code)]
    Refused(Box<Problem>),
    /// Something answers that is not this server.
    #[error("{0}")]
    Strange(String),
}

impl Fault {
    /// The stable code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(p) => Some(&p.code),
            _ => None,
        }
    }
    fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused(p) => p.status >= 500,
            Self::Strange(_) => false,
        }
    }
}

#[derive(Clone)]
pub struct Api {
    base: String,
    client: reqwest::Client,
    language: Language,
    token: Option<String>,
    /// For the WebSocket; none where the server speaks plain HTTP.
    pub tls: Option<Arc<ClientConfig>>,
}

/// A key that no other command has.
#[must_use]
pub fn key() -> String {
    format!("call-{:032x}", rand::random::<u128>())
}

/// Trusts what this machine trusts (`SSL_CERT_FILE` and `SSL_CERT_DIR` name others).
fn tls() -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

impl Api {
    /// `server`: `https://…` or `http://…`, without a path.
    ///
    /// # Errors
    /// No such address; TLS cannot be set up.
    pub fn new(server: &str, language: Language) -> anyhow::Result<Self> {
        let base = server.trim_end_matches('/').to_owned();
        let secure = base.starts_with("https://");
        anyhow::ensure!(
            secure || base.starts_with("http://"),
            "服务器地址应以 https:// 或 http:// 开头 · the server's address begins with https:// or http://"
        );
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .user_agent(concat!("booth-call/", env!("CARGO_PKG_VERSION")));
        let tls = if secure { Some(tls()?) } else { None };
        if let Some(tls) = &tls {
            builder = builder.use_preconfigured_tls(tls.clone());
        }
        Ok(Self {
            base,
            client: builder.build()?,
            language,
            token: None,
            tls: tls.map(Arc::new),
        })
    }

    #[must_use]
    pub fn with(mut self, token: String) -> Self {
        self.token = Some(token);
        self
    }

    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
    }

    /// # Errors
    /// A [`Fault`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Fault> {
        let make = || self.client.get(format!("{}/api/v1{path}", self.base));
        self.tried(make).await
    }

    /// A command; tries again under the same key while the server is away.
    ///
    /// # Errors
    /// A [`Fault`].
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Fault> {
        let key = key();
        let make = || {
            self.client
                .post(format!("{}/api/v1{path}", self.base))
                .header("idempotency-key", &key)
                .json(body)
        };
        self.tried(make).await
    }

    async fn tried<T: DeserializeOwned>(
        &self,
        make: impl Fn() -> reqwest::RequestBuilder,
    ) -> Result<T, Fault> {
        let mut waits = AGAIN.iter();
        loop {
            let tried = self.once(make()).await;
            match (tried, waits.next()) {
                (Err(fault), Some(wait)) if fault.may_pass() => tokio::time::sleep(*wait).await,
                (done, _) => return done,
            }
        }
    }

    async fn once<T: DeserializeOwned>(&self, r: reqwest::RequestBuilder) -> Result<T, Fault> {
        let language = match self.language {
            Language::Zh => "zh-CN",
            Language::En => "en",
        };
        let mut r = r.header("accept-language", language);
        if let Some(token) = &self.token {
            r = r.bearer_auth(token);
        }
        let mut answer = r.send().await.map_err(unreachable)?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + part.len() > BODY_MAX {
                return Err(Fault::Strange("the answer is too long".into()));
            }
            body.extend_from_slice(&part);
        }
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|e| Fault::Strange(e.to_string()));
        }
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Err(Fault::Refused(Box::new(problem))),
            // A balancer in front of a server that is away.
            Err(_) if status.is_server_error() => Err(Fault::Unreachable(status.to_string())),
            Err(_) => Err(Fault::Strange(status.to_string())),
        }
    }
}

/// Without the address: it may hold a name that is nobody's business, and the caller knows it.
fn unreachable(error: reqwest::Error) -> Fault {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(c) = cause {
        text = format!("{text}: {c}");
        cause = c.source();
    }
    Fault::Unreachable(text)
}
