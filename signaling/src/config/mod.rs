//! One TOML file and `CLOUD_BOOTH_*` environment (`CLOUD_BOOTH_MEDIA__UDP_PORT=40000`), checked at start.

mod turn;

pub use turn::Turn;

use figment::{
    Figment,
    providers::{Env, Format as _, Serialized, Toml},
};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

/// A value that never reaches a log.
#[derive(Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    #[must_use]
    pub const fn new(v: String) -> Self {
        Self(v)
    }
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where pages and API listen.
    pub listen: SocketAddr,
    /// What people type, without a slash at the end: in QR codes and the Origin check.
    pub public_url: String,
    /// Database (SQLite), keys and files.
    pub data_dir: PathBuf,
    /// `postgres://…`; empty: SQLite in `data_dir`.
    pub database_url: Secret,
    /// Where a booth's own host listens on its loopback: the booth page may talk to it and to nothing else beside us.
    pub bridge_url: String,
    pub media: Media,
    pub cluster: Cluster,
    pub tls: Tls,
    pub log: Log,
    /// Font files for PDF; empty: Debian's `fonts-noto-cjk`.
    pub fonts: Vec<PathBuf>,
    /// Where recordings are written, the same directory for all nodes; empty: `recordings` in the shared directory.
    pub recordings_dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Media {
    pub bind: IpAddr,
    /// The one UDP port of all media; 0 chooses a free one.
    pub udp_port: u16,
    /// Addresses that clients reach, for hosts behind NAT.
    pub public_ips: Vec<IpAddr>,
    /// ICE-TCP fallback.
    pub tcp: bool,
    /// Off only where the network lets no UDP through anyway: then it is not even tried.
    pub udp: bool,
    /// Relays.
    pub turn: Turn,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cluster {
    /// `nats://…`; empty: a single node.
    pub nats_url: String,
    /// Where the other nodes reach this one; empty: `http://<listen>`.
    pub internal_url: String,
    /// Shared by all nodes, at least 32 characters; empty: no calls between nodes (single node).
    pub key: Secret,
    /// Directory that all nodes share for keys and files; empty: `data_dir`.
    pub shared_dir: Option<PathBuf>,
}

/// Both or neither.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `info`, `signaling=debug,info`, …
    pub filter: String,
    pub json: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            public_url: "http://127.0.0.1:8080".into(),
            data_dir: "data".into(),
            database_url: Secret::default(),
            bridge_url: "http://127.0.0.1:8091".into(),
            media: Media::default(),
            cluster: Cluster::default(),
            tls: Tls::default(),
            log: Log::default(),
            fonts: vec![],
            recordings_dir: None,
        }
    }
}

impl Default for Media {
    fn default() -> Self {
        Self {
            bind: Ipv4Addr::LOCALHOST.into(),
            udp_port: 8443,
            public_ips: vec![],
            tcp: true,
            udp: true,
            turn: Turn::default(),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            filter: "info,sqlx=warn,webrtc=off,rtc=off".into(),
            json: false,
        }
    }
}

/// What is wrong, in words for the person who edits the file.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

impl Config {
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut f = Figment::from(Serialized::defaults(Self::default()));
        if let Some(p) = file {
            if !p.is_file() {
                return Err(ConfigError(format!(
                    "the configuration file {} does not exist",
                    p.display()
                )));
            }
            f = f.merge(Toml::file_exact(p));
        }
        // Names of the tools and tests around the server share its prefix.
        let env = Env::prefixed("CLOUD_BOOTH_").filter(|k| {
            !["config", "pg_bin"].contains(&k.as_str().to_ascii_lowercase().as_str())
                && !k.starts_with("test_")
                && !k.starts_with("TEST_")
        });
        let c: Self = f
            .merge(env.split("__"))
            .extract()
            .map_err(|e| ConfigError(e.to_string()))?;
        c.check()?;
        Ok(c)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let bad = |m: String| Err(ConfigError(m));
        if !self.public_url.starts_with("http://") && !self.public_url.starts_with("https://") {
            return bad(format!(
                "public_url: {:?} must start with http:// or https://",
                self.public_url
            ));
        }
        if self.public_url.ends_with('/') {
            return bad("public_url: leave out the slash at the end".into());
        }
        if !self.bridge_url.starts_with("http://127.0.0.1:")
            || self.bridge_url[17..].parse::<u16>().is_err()
        {
            return bad("bridge_url: must be http://127.0.0.1:<port>".into());
        }
        if self.tls.certificate.is_some() != self.tls.key.is_some() {
            return bad("tls: give both certificate and key, or neither".into());
        }
        let db = self.database_url.expose();
        if !db.is_empty() && !db.starts_with("postgres://") && !db.starts_with("postgresql://") {
            return bad("database_url: must be postgres://…, or empty for SQLite".into());
        }
        if !self.cluster.nats_url.is_empty() && db.is_empty() {
            return bad("cluster.nats_url: several nodes need PostgreSQL; set database_url".into());
        }
        if !self.cluster.nats_url.is_empty() && self.cluster.key.expose().len() < 32 {
            return bad(
                "cluster.key: several nodes need a shared key of at least 32 characters".into(),
            );
        }
        if self.media.bind.is_unspecified() && self.media.public_ips.is_empty() {
            return bad(
                "media.public_ips: with media.bind 0.0.0.0 say which addresses clients reach"
                    .into(),
            );
        }
        if !self.media.udp && !self.media.tcp {
            return bad("media: udp and tcp are both off; calls need one of them".into());
        }
        self.media.turn.check()
    }

    #[must_use]
    pub fn internal_url(&self) -> String {
        if self.cluster.internal_url.is_empty() {
            format!("http://{}", self.listen)
        } else {
            self.cluster.internal_url.clone()
        }
    }

    /// A disk of their own, if need be: recordings grow, and a full disk must not stop the database.
    #[must_use]
    pub fn recordings_dir(&self) -> PathBuf {
        let own = self.recordings_dir.clone();
        own.unwrap_or_else(|| self.shared_dir().join("recordings"))
    }

    /// Keys and files: shared by all nodes.
    #[must_use]
    pub fn shared_dir(&self) -> &Path {
        self.cluster.shared_dir.as_deref().unwrap_or(&self.data_dir)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::result_large_err)]
mod tests {
    use super::*;

    #[test]
    fn environment_wins_over_the_file_and_unknown_names_are_refused() {
        figment::Jail::expect_with(|j| {
            j.create_file(
                "c.toml",
                "listen = \"127.0.0.1:9000\"\n[media]\nudp_port = 9001\n",
            )?;
            j.set_env("CLOUD_BOOTH_MEDIA__UDP_PORT", "9002");
            let c = Config::load(Some(Path::new("c.toml"))).unwrap();
            assert_eq!((c.listen.port(), c.media.udp_port), (9000, 9002));
            j.create_file("d.toml", "lisen = \"127.0.0.1:9000\"\n")?;
            assert!(
                Config::load(Some(Path::new("d.toml")))
                    .unwrap_err()
                    .0
                    .contains("lisen")
            );
            Ok(())
        });
    }

    #[test]
    fn half_a_certificate_is_refused_and_secrets_do_not_print() {
        let mut c = Config {
            tls: Tls {
                certificate: Some("a.pem".into()),
                key: None,
            },
            ..Config::default()
        };
        assert!(c.check().unwrap_err().0.contains("tls"));
        c.tls = Tls::default();
        c.database_url = Secret::new("postgres://u:hunter2@h/d".into());
        assert!(!format!("{c:?}").contains("hunter2"));
    }
}
