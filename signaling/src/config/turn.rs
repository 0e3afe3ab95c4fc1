//! `media.turn`: relays (TURN) for networks that let nothing else through. The relay itself is coturn: `deploy/coturn/`.

use super::{ConfigError, Secret};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Shortest secret (characters): as long as the HMAC's key is useful (RFC 2104 §3: the hash's 20 bytes), in base64 or hex.
const SECRET_CHARS: usize = 32;
/// Bounds of a credential's life (seconds).
const TTL_S: std::ops::RangeInclusive<u32> = 60..=3_600;
/// Addresses that a page is given; browsers complain beyond five.
const URLS: usize = 4;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Turn {
    /// `turn:host:3478?transport=udp`, `turns:host:443?transport=tcp`; empty: no relay.
    pub urls: Vec<String>,
    /// `stun:host:3478`; empty: none, and none is needed, since the server's own address is public.
    pub stun: Vec<String>,
    /// coturn's `static-auth-secret`.
    pub secret: Secret,
    /// A file that holds it, instead of `secret`.
    pub secret_file: Option<PathBuf>,
    /// How long a credential opens new allocations (seconds).
    pub ttl_s: u32,
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            urls: vec![],
            stun: vec![],
            secret: Secret::default(),
            secret_file: None,
            ttl_s: 600,
        }
    }
}

/// RFC 7065 and RFC 7064, as browsers take them: scheme, host, port, transport.
fn is_url(url: &str, schemes: &[&str]) -> bool {
    let Some((scheme, rest)) = url.split_once(':') else {
        return false;
    };
    let (host, query) = rest
        .split_once('?')
        .map_or((rest, None), |(h, q)| (h, Some(q)));
    let port_fits = match host.rsplit_once(':') {
        Some((h, port)) if !h.is_empty() => port.parse::<u16>().is_ok_and(|p| p > 0),
        Some(_) => false,
        None => true,
    };
    schemes.contains(&scheme)
        && !host.is_empty()
        && !host.starts_with('/')
        && !host.contains(['@', ' '])
        && port_fits
        && match query {
            None => true,
            Some(q) => scheme.starts_with("turn") && matches!(q, "transport=udp" | "transport=tcp"),
        }
}

impl Turn {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let bad = |m: String| Err(ConfigError(m));
        if let Some(u) = self.urls.iter().find(|u| !is_url(u, &["turn", "turns"])) {
            return bad(format!(
                "media.turn.urls: {u:?} must be turn:host:port?transport=udp, or turns:host:port?transport=tcp"
            ));
        }
        if let Some(u) = self.stun.iter().find(|u| !is_url(u, &["stun", "stuns"])) {
            return bad(format!("media.turn.stun: {u:?} must be stun:host:port"));
        }
        if self.urls.len() > URLS || self.stun.len() > URLS {
            return bad(format!("media.turn: at most {URLS} addresses of a kind"));
        }
        if !TTL_S.contains(&self.ttl_s) {
            return bad(format!(
                "media.turn.ttl_s: {} to {} seconds",
                TTL_S.start(),
                TTL_S.end()
            ));
        }
        let given = !self.secret.expose().is_empty();
        if given && self.secret_file.is_some() {
            return bad("media.turn: give secret or secret_file, not both".into());
        }
        if given && self.secret.expose().len() < SECRET_CHARS {
            return bad(format!(
                "media.turn.secret: at least {SECRET_CHARS} characters"
            ));
        }
        if !self.urls.is_empty() && !given && self.secret_file.is_none() {
            return bad("media.turn.secret: the relays need the secret that coturn has".into());
        }
        Ok(())
    }

    /// The secret, from the file where one is named; `None` without relays.
    ///
    /// # Errors
    /// The file cannot be read, or holds too little.
    pub fn read_secret(&self) -> Result<Option<Secret>, ConfigError> {
        if self.urls.is_empty() {
            return Ok(None);
        }
        let Some(path) = &self.secret_file else {
            return Ok(Some(self.secret.clone()));
        };
        let text = std::fs::read_to_string(path).map_err(|e| {
            ConfigError(format!(
                "media.turn.secret_file: {} cannot be read: {e}",
                path.display()
            ))
        })?;
        let text = text.trim();
        if text.len() < SECRET_CHARS {
            return Err(ConfigError(format!(
                "media.turn.secret_file: {} must hold at least {SECRET_CHARS} characters",
                path.display()
            )));
        }
        Ok(Some(Secret::new(text.to_owned())))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn turn() -> Turn {
        Turn {
            urls: vec!["turns:relay.example:443?transport=tcp".into()],
            secret: Secret::new("s".repeat(32)),
            ..Turn::default()
        }
    }

    #[test]
    fn what_is_half_given_is_refused_with_its_name() {
        Turn::default().check().unwrap();
        turn().check().unwrap();
        let said = |t: Turn| t.check().unwrap_err().0;
        let none = Secret::default();
        assert!(
            said(Turn {
                secret: none,
                ..turn()
            })
            .contains("media.turn.secret")
        );
        let short = Secret::new("short".into());
        assert!(
            said(Turn {
                secret: short,
                ..turn()
            })
            .contains("32")
        );
        for ttl_s in [59, 3_601] {
            assert!(said(Turn { ttl_s, ..turn() }).contains("ttl_s"));
        }
        for url in [
            "relay.example:3478",
            "http://relay.example",
            "turn:",
            "turn://relay.example",
            "turn:relay.example:0",
            "turn:u@relay.example",
            "turn:relay.example?transport=sctp",
            "stun:relay.example",
        ] {
            let urls = vec![url.to_owned()];
            assert!(said(Turn { urls, ..turn() }).contains("urls"), "{url}");
        }
        let stun = vec!["stun:relay.example?transport=udp".to_owned()];
        assert!(said(Turn { stun, ..turn() }).contains("stun"));
    }

    #[test]
    fn the_secret_may_stand_in_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("turn.secret");
        std::fs::write(&file, format!("{}\n", "f".repeat(40))).unwrap();
        let t = Turn {
            secret: Secret::default(),
            secret_file: Some(file.clone()),
            ..turn()
        };
        t.check().unwrap();
        assert_eq!(t.read_secret().unwrap().unwrap().expose(), "f".repeat(40));
        std::fs::write(&file, "short").unwrap();
        assert!(t.read_secret().is_err());
        assert!(Turn::default().read_secret().unwrap().is_none());
        assert!(!format!("{:?}", turn()).contains("sss"));
    }
}
