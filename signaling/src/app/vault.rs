//! Keys of personal data: a master key on disk wraps one data key a visit; the case adopts it. Erasure is a key's death.
//! AES-256-GCM (NIST SP 800-38D), nonce ‖ ciphertext; holder codes are looked up by HMAC-SHA-256, never in clear.

use crate::problem::{AppError, no};
use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead as _, KeyInit as _, Payload},
};
use domain::id::{Id as _, KeyId};
use hmac::{Hmac, Mac as _};
use media::record::RecordingKey;
use rand::RngCore as _;
use serde::{Serialize, de::DeserializeOwned};
use sha2::Sha256;
use std::{io, path::Path, sync::Arc};
use store::Tx;

const NONCE: usize = 12;

/// The master secrets of an installation.
#[derive(Clone)]
pub struct Vault(Arc<Secrets>);

struct Secrets {
    wrap: Aes256Gcm,
    index: [u8; 32],
    tokens: [u8; 32],
    audit: [u8; 32],
    seal: [u8; 32],
}

/// One visit's key, unwrapped: as short-lived as the request.
#[derive(Clone)]
pub struct DataKey {
    id: KeyId,
    cipher: Aes256Gcm,
}

fn mac(key: &[u8], label: &str, data: &[u8]) -> [u8; 32] {
    #[allow(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut m = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
    m.update(label.as_bytes());
    m.update(&[0]);
    m.update(data);
    m.finalize().into_bytes().into()
}

#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut b = [0u8; N];
    rand::rng().fill_bytes(&mut b);
    b
}

fn seal(cipher: &Aes256Gcm, aad: &str, clear: &[u8]) -> Vec<u8> {
    let nonce = random::<NONCE>();
    let mut out = nonce.to_vec();
    #[allow(clippy::expect_used, reason = "AES-GCM fails only beyond 64 GiB")]
    out.extend(
        cipher
            .encrypt(
                &Nonce::from(nonce),
                Payload {
                    msg: clear,
                    aad: aad.as_bytes(),
                },
            )
            .expect("short enough"),
    );
    out
}

fn open(cipher: &Aes256Gcm, aad: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, msg) = sealed.split_at_checked(NONCE)?;
    let nonce: [u8; NONCE] = nonce.try_into().ok()?;
    cipher
        .decrypt(
            &Nonce::from(nonce),
            Payload {
                msg,
                aad: aad.as_bytes(),
            },
        )
        .ok()
}

impl Vault {
    /// Reads `keys/master.key` under `dir`, or makes it (owner-readable only). Losing it loses all personal data.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let dir = dir.join("keys");
        std::fs::create_dir_all(&dir)?;
        let path = dir.join("master.key");
        let master: [u8; 32] = match std::fs::read(&path) {
            Ok(b) => b
                .try_into()
                .map_err(|_| io::Error::other("keys/master.key is not 32 bytes"))?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let k = random::<32>();
                write_private(&path, &k)?;
                k
            }
            Err(e) => return Err(e),
        };
        Ok(Self::from_master(&master))
    }

    #[must_use]
    pub fn from_master(master: &[u8; 32]) -> Self {
        let d = |label: &str| mac(master, label, b"cloud-booth");
        Self(Arc::new(Secrets {
            wrap: Aes256Gcm::new(&d("wrap").into()),
            index: d("index"),
            tokens: d("tokens"),
            audit: d("audit"),
            seal: d("seal"),
        }))
    }

    /// Signs access tokens.
    #[must_use]
    pub fn token_secret(&self) -> &[u8] {
        &self.0.tokens
    }
    /// Signs audit checkpoints.
    #[must_use]
    pub fn audit_mac(&self, data: &[u8]) -> [u8; 32] {
        mac(&self.0.audit, "checkpoint", data)
    }
    /// Secret scalar of the local seal.
    #[must_use]
    pub fn seal_secret(&self) -> &[u8; 32] {
        &self.0.seal
    }
    /// Look-up value of an identity number or credit code.
    #[must_use]
    pub fn index(&self, kind: &str, value: &str) -> String {
        domain::audit::hex(&mac(
            &self.0.index,
            kind,
            value.trim().to_ascii_uppercase().as_bytes(),
        ))
    }
    /// Hash of a bearer secret, as it is kept.
    #[must_use]
    pub fn secret_hash(&self, secret: &str) -> String {
        domain::audit::hex(&mac(&self.0.index, "secret", secret.as_bytes()))
    }

    /// A new key and its wrapped form for the row.
    #[must_use]
    pub fn make(&self, id: KeyId) -> (DataKey, Vec<u8>) {
        let raw = random::<32>();
        let wrapped = seal(&self.0.wrap, id.as_str(), &raw);
        (
            DataKey {
                id,
                cipher: Aes256Gcm::new(&raw.into()),
            },
            wrapped,
        )
    }

    fn raw(&self, id: &KeyId, wrapped: &[u8]) -> Option<[u8; 32]> {
        open(&self.0.wrap, id.as_str(), wrapped)?.try_into().ok()
    }

    fn unwrap(&self, id: &KeyId, wrapped: &[u8]) -> Option<DataKey> {
        let raw = self.raw(id, wrapped)?;
        Some(DataKey {
            id: id.clone(),
            cipher: Aes256Gcm::new(&raw.into()),
        })
    }

    /// The key from which those of a recording's segments are derived; `not_found` once the row's was destroyed. Never the row's
    /// own, which seals other things.
    pub async fn recording_key(&self, tx: &mut Tx, id: &KeyId) -> Result<RecordingKey, AppError> {
        let wrapped = store::keys::wrapped(tx, id)
            .await?
            .ok_or_else(|| no("not_found"))?;
        let raw = self.raw(id, &wrapped).ok_or_else(|| no("internal"))?;
        Ok(RecordingKey::new(mac(
            &raw,
            "recording",
            id.as_str().as_bytes(),
        )))
    }

    /// The key of a row; `not_found` once it was destroyed.
    pub async fn key(&self, tx: &mut Tx, id: &KeyId) -> Result<DataKey, AppError> {
        let wrapped = store::keys::wrapped(tx, id)
            .await?
            .ok_or_else(|| no("not_found"))?;
        self.unwrap(id, &wrapped).ok_or_else(|| no("internal"))
    }
}

impl DataKey {
    #[must_use]
    pub const fn id(&self) -> &KeyId {
        &self.id
    }
    #[must_use]
    pub fn seal_bytes(&self, clear: &[u8]) -> Vec<u8> {
        seal(&self.cipher, self.id.as_str(), clear)
    }
    pub fn open_bytes(&self, sealed: &[u8]) -> Result<Vec<u8>, AppError> {
        open(&self.cipher, self.id.as_str(), sealed).ok_or_else(|| no("internal"))
    }
    pub fn seal<T: Serialize>(&self, value: &T) -> Result<Vec<u8>, AppError> {
        serde_json::to_vec(value)
            .map(|v| self.seal_bytes(&v))
            .map_err(|_| no("internal"))
    }
    pub fn open<T: DeserializeOwned>(&self, sealed: &[u8]) -> Result<T, AppError> {
        serde_json::from_slice(&self.open_bytes(sealed)?).map_err(|_| no("internal"))
    }
}

/// Compares without telling how far two secrets agree.
#[must_use]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

/// Writes a secret readable by its owner alone, durably, and never over an older one.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let mut f = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    f.write_all(bytes)?;
    f.sync_all()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_its_own_and_nothing_else() {
        let v = Vault::from_master(&[1; 32]);
        let (a, wrapped) = v.make(KeyId::make(1, 1));
        let (b, _) = v.make(KeyId::make(1, 2));
        let sealed = a.seal(&"王某某").unwrap();
        assert!(!sealed.windows(3).any(|w| w == "王".as_bytes()));
        assert_eq!(
            v.unwrap(a.id(), &wrapped)
                .unwrap()
                .open::<String>(&sealed)
                .unwrap(),
            "王某某"
        );
        assert!(b.open::<String>(&sealed).is_err());
        assert!(
            v.unwrap(b.id(), &wrapped).is_none(),
            "a wrapped key is bound to its id"
        );
        let mut bent = sealed.clone();
        *bent.last_mut().unwrap() ^= 1;
        assert!(a.open::<String>(&bent).is_err());
    }
}
