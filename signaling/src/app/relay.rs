//! TURN credentials for a limited time, by the REST scheme of coturn's `use-auth-secret`
//! (draft-uberti-behave-turn-rest-00): username `<expiry>:<opaque>`, password base64(HMAC-SHA1(secret, username)).
//!
//! Never says who somebody is: the opaque part is a keyed hash of caller and day, so that the relay can count one caller's
//! allocations and its log names nobody.

use super::{App, token::Principal};
use crate::problem::{AppError, no};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    limits,
    pii::Pii,
    time::{Span, Timestamp},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use protocol::{IceServer, IceServers};
use sha1::Sha1;

/// Characters of the opaque part: enough to tell callers of one day apart.
const OPAQUE_CHARS: usize = 20;

/// No caller's name.
const STRANGERS: &str = "strangers";

/// The relays of this installation; none by default.
#[derive(Debug, Clone, Default)]
pub struct Relay {
    pub turn: Vec<String>,
    pub stun: Vec<String>,
    /// Shared with the relays.
    pub secret: Option<Pii<String>>,
    /// How long a credential opens new allocations.
    pub life: Span,
}

/// The password that belongs to a username.
fn password(secret: &str, username: &str) -> String {
    #[allow(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut m = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("any length is a key");
    m.update(username.as_bytes());
    STANDARD.encode(m.finalize().into_bytes())
}

impl Relay {
    fn servers(&self, opaque: &str, life: Span, now: Timestamp) -> IceServers {
        let end = now + life;
        let mut ice_servers = Vec::new();
        if !self.stun.is_empty() {
            ice_servers.push(IceServer {
                urls: self.stun.clone(),
                username: None,
                credential: None,
            });
        }
        if let Some(secret) = self.secret.as_ref().filter(|_| !self.turn.is_empty()) {
            let username = format!("{}:{opaque}", end.micros() / 1_000_000);
            ice_servers.push(IceServer {
                urls: self.turn.clone(),
                credential: Some(password(secret.expose(), &username)),
                username: Some(username),
            });
        }
        IceServers {
            ice_servers,
            expires_at: end.rfc3339(),
            ttl_s: life.0 / 1_000_000,
        }
    }
}

fn opaque(app: &App, name: &str) -> String {
    let day = app.now().beijing_date();
    let mut hash = app.vault.index("relay", &format!("{name} {day}"));
    hash.truncate(OPAQUE_CHARS);
    hash
}

/// For whoever may be in a call. Codes: `actor_not_allowed`, `slow_down`.
pub fn of(app: &App, who: &Principal) -> Result<IceServers, AppError> {
    match who {
        Principal::Citizen { .. }
        | Principal::Guest { .. }
        | Principal::Staff { .. }
        | Principal::Booth { .. } => {}
        Principal::Case { .. } => return Err(no("actor_not_allowed")),
    }
    let (now, reach) = (app.now(), &app.reach);
    reach
        .rates
        .take("relay", who.name(), limits::RELAY_PER_MIN, now)?;
    Ok(reach
        .relay
        .servers(&opaque(app, who.name()), reach.relay.life, now))
}

/// For a check by somebody who has no token yet: just long enough for it. To the relay all of them are one caller, so that together they
/// hold no more than its quota of one. Codes: `slow_down`.
pub fn of_stranger(app: &App) -> Result<IceServers, AppError> {
    let (now, reach) = (app.now(), &app.reach);
    reach
        .rates
        .take("relay", "", limits::STRANGERS_PER_MIN, now)?;
    Ok(reach
        .relay
        .servers(&opaque(app, STRANGERS), limits::CHECK_CREDENTIAL_LIFE, now))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_what_coturn_computes() {
        // printf '1433895918:ninefingers' | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(
            password("north", "1433895918:ninefingers"),
            "jy8hTxmOO7UtEKXqSkSlvakPVYA="
        );
    }

    #[test]
    fn a_credential_ends_and_no_relay_means_an_empty_list() {
        let relay = Relay {
            turn: vec!["turn:relay.example:3478?transport=udp".into()],
            stun: vec!["stun:relay.example:3478".into()],
            secret: Some(Pii::new("s".repeat(32))),
            life: Span::seconds(600),
        };
        let now = Timestamp::from_millis(1_000_000);
        let s = relay.servers("abc", relay.life, now);
        assert_eq!(s.expires_at, (now + Span::seconds(600)).rfc3339());
        assert_eq!(s.ice_servers[0].username, None);
        assert_eq!(s.ice_servers[1].username.as_deref(), Some("1600:abc"));
        let said = format!("{s:?} {relay:?}");
        assert!(!said.contains(s.ice_servers[1].credential.as_deref().unwrap()));
        assert!(!said.contains("ssss"));
        let none = Relay::default().servers("abc", Span::seconds(1), now);
        assert!(none.ice_servers.is_empty());
    }
}
