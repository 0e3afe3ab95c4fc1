//! Settings of the host: flags over a TOML file over defaults, all checked before anything opens.

use crate::guard::Origins;
use anyhow::{Context, Result, anyhow, ensure};
use clap::Args;
use figment::{
    Figment,
    providers::{Format as _, Toml},
};
use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf};

/// The address that the page's security policy lets it reach.
pub const DEFAULT_BIND: &str = "127.0.0.1:8091";

/// Where and who this booth is; the same names in the file and on the command line.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// TOML file with any of the settings below.
    #[arg(long, env = "BOOTH_CONFIG")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Address of the server, for example http://127.0.0.1:8080; only its pages may use the bridge.
    #[arg(long, env = "BOOTH_SERVER")]
    pub server: Option<String>,
    /// Id of this booth, as it is enrolled at the server.
    #[arg(long, env = "BOOTH_ID")]
    pub booth: Option<String>,
    /// File of the device key (`booth keygen`).
    #[arg(long, env = "BOOTH_KEY")]
    pub key: Option<PathBuf>,
    /// Loopback address of the bridge [default: 127.0.0.1:8091].
    #[arg(long, env = "BOOTH_BIND")]
    pub bind: Option<SocketAddr>,
    /// JSON file of the people whose cards the simulator holds [default: the demo county's].
    #[arg(long, env = "BOOTH_PEOPLE")]
    pub people: Option<PathBuf>,
    /// One more page origin that may use the bridge (development); may be repeated.
    #[arg(long = "origin")]
    pub origins: Vec<String>,
}

/// Complete and checked.
#[derive(Debug)]
pub struct Checked {
    pub server: String,
    pub booth: String,
    pub key: PathBuf,
    pub bind: SocketAddr,
    pub people: Option<PathBuf>,
    pub origins: Origins,
}

impl Settings {
    /// Reads the file, if one is named, and checks the whole.
    pub fn check(self) -> Result<Checked> {
        let file = match &self.config {
            None => Settings::default(),
            Some(path) => {
                ensure!(
                    path.is_file(),
                    "no such configuration file: {}",
                    path.display()
                );
                Figment::from(Toml::file_exact(path))
                    .extract()
                    .with_context(|| format!("{} is not right", path.display()))?
            }
        };
        let server = self
            .server
            .or(file.server)
            .ok_or_else(|| anyhow!("which server? give --server"))?;
        let booth = self
            .booth
            .or(file.booth)
            .ok_or_else(|| anyhow!("which booth is this? give --booth"))?;
        ensure!(
            (1..=64).contains(&booth.len()) && booth.is_ascii(),
            "a booth's id has 1 to 64 ASCII characters"
        );
        let key = self
            .key
            .or(file.key)
            .ok_or_else(|| anyhow!("which device key? give --key"))?;
        let bind = match self.bind.or(file.bind) {
            Some(bind) => bind,
            None => DEFAULT_BIND.parse()?,
        };
        let more = if self.origins.is_empty() {
            file.origins
        } else {
            self.origins
        };
        let origins = Origins::new(&server, &more).map_err(|e| anyhow!(e))?;
        Ok(Checked {
            server,
            booth,
            key,
            bind,
            people: self.people.or(file.people),
            origins,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn flags_go_before_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("booth.toml");
        std::fs::write(&path, "server = \"https://hall.example\"\nbooth = \"booth-1\"\nkey = \"k\"\nbind = \"127.0.0.1:9000\"\n").unwrap();
        let s = Settings {
            config: Some(path.clone()),
            booth: Some("booth-2".into()),
            ..Settings::default()
        }
        .check()
        .unwrap();
        assert_eq!(
            (s.booth.as_str(), s.server.as_str(), s.bind.port()),
            ("booth-2", "https://hall.example", 9000)
        );
        std::fs::write(&path, "sever = \"x\"\n").unwrap();
        let wrong = Settings {
            config: Some(path),
            ..Settings::default()
        }
        .check()
        .unwrap_err();
        assert!(format!("{wrong:#}").contains("sever"), "{wrong:#}");
        assert!(
            Settings::default()
                .check()
                .unwrap_err()
                .to_string()
                .contains("--server")
        );
    }
}
