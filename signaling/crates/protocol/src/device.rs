//! What the booth host signs with its device key: a log-in and a card read. Pages cannot assert identity.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sm2::dsa::{
    Signature, SigningKey, VerifyingKey,
    signature::{Signer, Verifier},
};
use utoipa::ToSchema;

/// SM2 distinguishing id of GB/T 32918 (the standard's default).
pub const SM2_ID: &str = "1234567812345678";

/// One read of an identity card, signed by the booth's device.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CardRead {
    /// The visit's `card_nonce`.
    pub nonce: String,
    pub name: String,
    /// 公民身份号码, 18 characters.
    pub number: String,
    /// RFC 3339.
    pub read_at: String,
    pub booth: String,
    /// SM2 over [`card_read_bytes`], base64url.
    pub signature: String,
}

impl std::fmt::Debug for CardRead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "CardRead {{ booth: {}, read_at: {}, .. }}",
            self.booth, self.read_at
        )
    }
}

/// Why a device signature was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    #[error("the key is not an SM2 key in base64url")]
    Key,
    #[error("the signature does not fit")]
    Signature,
}

/// Fields joined by newlines behind a domain separator: none of them may hold a newline, so the form is unambiguous.
fn bytes(kind: &str, fields: &[&str]) -> Vec<u8> {
    let mut s = format!("cloud-booth/{kind}/1");
    for f in fields {
        s.push('\n');
        s.push_str(&f.replace('\n', " "));
    }
    s.into_bytes()
}

#[must_use]
pub fn booth_login_bytes(booth: &str, nonce: &str) -> Vec<u8> {
    bytes("booth-login", &[booth, nonce])
}

#[must_use]
pub fn card_read_bytes(
    nonce: &str,
    name: &str,
    number: &str,
    read_at: &str,
    booth: &str,
) -> Vec<u8> {
    bytes("card-read", &[nonce, name, number, read_at, booth])
}

/// A booth's device key: 32 secret bytes, base64url in its file.
pub struct DeviceKey(SigningKey);

impl DeviceKey {
    pub fn from_secret(text: &str) -> Result<Self, DeviceError> {
        let raw = URL_SAFE_NO_PAD
            .decode(text.trim())
            .map_err(|_| DeviceError::Key)?;
        SigningKey::from_slice(SM2_ID, &raw)
            .map(Self)
            .map_err(|_| DeviceError::Key)
    }
    /// Uncompressed SEC1 point, base64url: what the server keeps.
    #[must_use]
    pub fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.verifying_key().to_sec1_bytes())
    }
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> String {
        let s: Signature = self.0.sign(message);
        URL_SAFE_NO_PAD.encode(s.to_bytes())
    }
}

/// Checks a device's signature against its enrolled public key.
pub fn verify_device(public: &str, message: &[u8], signature: &str) -> Result<(), DeviceError> {
    let raw = URL_SAFE_NO_PAD
        .decode(public)
        .map_err(|_| DeviceError::Key)?;
    let key = VerifyingKey::from_sec1_bytes(SM2_ID, &raw).map_err(|_| DeviceError::Key)?;
    let sig = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| DeviceError::Signature)?;
    let sig = Signature::from_slice(&sig).map_err(|_| DeviceError::Signature)?;
    key.verify(message, &sig)
        .map_err(|_| DeviceError::Signature)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_read_is_refused() {
        let key = DeviceKey::from_secret(&URL_SAFE_NO_PAD.encode([7u8; 32])).unwrap();
        let m = card_read_bytes(
            "n",
            "王某某",
            "429006199003071513",
            "2026-11-21T01:02:03Z",
            "boo_1",
        );
        let sig = key.sign(&m);
        assert_eq!(verify_device(&key.public(), &m, &sig), Ok(()));
        let other = card_read_bytes(
            "n",
            "王某某",
            "429006199003071512",
            "2026-11-21T01:02:03Z",
            "boo_1",
        );
        assert_eq!(
            verify_device(&key.public(), &other, &sig),
            Err(DeviceError::Signature)
        );
        assert!(DeviceKey::from_secret("nope").is_err());
    }
}
