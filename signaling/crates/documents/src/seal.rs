//! Detached electronic seals: SM2 (GB/T 32918.2) over SM3 (GB/T 32905) of a file and its metadata.
//!
//! Owns: what exactly is signed, the key's forms, the seal's wire form. Never does: embed a seal in the PDF, keep keys on disk,
//! decide whether a key is trusted. A provincial seal service replaces [`LocalSeal`] behind [`SealProvider`].
//!
//! **Signed message.** `digest = SM3(file ‖ JCS(metadata))` with RFC 8785 JSON, then SM2 over the 32 digest bytes with the
//! standard's default distinguishing id. Metadata must be an object: no proper suffix of one object's canonical text is another
//! object, so the boundary between file and metadata cannot be moved.

use crate::{DocumentError, limits};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sm2::{
    SecretKey,
    dsa::{
        Signature, SigningKey, VerifyingKey,
        signature::{Signer as _, Verifier as _},
    },
    elliptic_curve::Generate as _,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, LineEnding},
};
use sm3::{Digest as _, Sm3};
use std::fmt::Write as _;
use zeroize::Zeroizing;

/// Distinguishing id that GM/T 0009 gives as default.
pub const DISTINGUISHING_ID: &str = "1234567812345678";
/// Value of [`Seal::algorithm`].
pub const SEAL_ALGORITHM: &str = "SM2-SM3";

/// A detached seal. All byte strings are lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// Always [`SEAL_ALGORITHM`].
    pub algorithm: String,
    /// First 16 hex digits of SM3 over the public key: names the key in records and logs.
    pub key_id: String,
    /// Signer's public key, SEC 1 uncompressed, 130 digits.
    pub public_key: String,
    /// SM3 of the file and its canonical metadata, 64 digits.
    pub digest: String,
    /// r ‖ s, 128 digits.
    pub signature: String,
}

/// Something that can seal a file: a local key, or a province's seal service.
pub trait SealProvider: Send + Sync {
    /// Seals `file` together with `metadata` (an object; case, licence identifier, hash of the form …).
    ///
    /// # Errors
    /// [`DocumentError::Seal`] when a bound is broken, the metadata is no object, or the provider refuses.
    fn sign(&self, file: &[u8], metadata: &Value) -> Result<Seal, DocumentError>;

    /// True when `seal` is this provider's own and covers exactly this file and metadata.
    ///
    /// # Errors
    /// [`DocumentError::Seal`] when the seal is malformed; a well-formed seal that does not fit is `Ok(false)`.
    fn verify(&self, file: &[u8], metadata: &Value, seal: &Seal) -> Result<bool, DocumentError>;
}

/// A seal made with an SM2 key that this process holds. For demonstration and verification copies only.
pub struct LocalSeal {
    secret: SecretKey,
    signing: SigningKey,
    public_key: String,
}

impl std::fmt::Debug for LocalSeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalSeal")
            .field("key_id", &self.key_id())
            .finish_non_exhaustive()
    }
}

impl LocalSeal {
    fn new(secret: SecretKey) -> Result<Self, DocumentError> {
        let signing = SigningKey::new(DISTINGUISHING_ID, &secret)
            .map_err(|_| DocumentError::Key("not usable for signing"))?;
        let public_key = hex(&signing.verifying_key().to_sec1_bytes());
        Ok(Self {
            secret,
            signing,
            public_key,
        })
    }

    /// A new key from the system's random source.
    ///
    /// # Errors
    /// [`DocumentError::Key`] in the practically impossible case that the key is not usable.
    pub fn generate() -> Result<Self, DocumentError> {
        Self::new(SecretKey::generate())
    }

    /// Reads PKCS#8 PEM (`-----BEGIN PRIVATE KEY-----`), as OpenSSL writes it for curve SM2.
    ///
    /// # Errors
    /// [`DocumentError::Key`] when it is not such a key.
    pub fn from_pem(pem: &str) -> Result<Self, DocumentError> {
        let secret = SecretKey::from_pkcs8_pem(pem)
            .map_err(|_| DocumentError::Key("not a PKCS#8 PEM of an SM2 private key"))?;
        Self::new(secret)
    }

    /// Reads the private scalar as 64 hex digits; surrounding white space is ignored.
    ///
    /// # Errors
    /// [`DocumentError::Key`] when it is not 64 digits or not in the curve's range.
    pub fn from_hex(text: &str) -> Result<Self, DocumentError> {
        let bytes = unhex(text.trim())
            .filter(|b| b.len() == 32)
            .ok_or(DocumentError::Key("expected 64 hex digits"))?;
        let secret = SecretKey::from_slice(&Zeroizing::new(bytes))
            .map_err(|_| DocumentError::Key("outside of the curve's range"))?;
        Self::new(secret)
    }

    /// Writes PKCS#8 PEM; the string is wiped when dropped.
    ///
    /// # Errors
    /// [`DocumentError::Key`] when encoding fails.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, DocumentError> {
        self.secret
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|_| DocumentError::Key("cannot be encoded"))
    }

    /// The public key as in [`Seal::public_key`].
    #[must_use]
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// The key's short name as in [`Seal::key_id`].
    #[must_use]
    pub fn key_id(&self) -> String {
        key_id(&self.public_key)
    }
}

impl SealProvider for LocalSeal {
    fn sign(&self, file: &[u8], metadata: &Value) -> Result<Seal, DocumentError> {
        let digest = digest(file, metadata)?;
        let signature: Signature = self
            .signing
            .try_sign(&digest)
            .map_err(|_| DocumentError::Seal("signing failed"))?;
        Ok(Seal {
            algorithm: SEAL_ALGORITHM.to_owned(),
            key_id: self.key_id(),
            public_key: self.public_key.clone(),
            digest: hex(&digest),
            signature: hex(&signature.to_bytes()),
        })
    }

    fn verify(&self, file: &[u8], metadata: &Value, seal: &Seal) -> Result<bool, DocumentError> {
        verify_seal(&self.public_key, file, metadata, seal)
    }
}

/// Checks a seal against a public key that the caller trusts (hex, as in [`Seal::public_key`]). The key that the seal itself
/// names is only compared: a seal cannot vouch for its own key.
///
/// # Errors
/// [`DocumentError::Key`] when the trusted key is malformed, [`DocumentError::Seal`] when the seal or the metadata is.
pub fn verify_seal(
    trusted_public_key: &str,
    file: &[u8],
    metadata: &Value,
    seal: &Seal,
) -> Result<bool, DocumentError> {
    let key = unhex(trusted_public_key)
        .and_then(|bytes| VerifyingKey::from_sec1_bytes(DISTINGUISHING_ID, &bytes).ok())
        .ok_or(DocumentError::Key("not an SM2 public key"))?;
    if seal.algorithm != SEAL_ALGORITHM {
        return Err(DocumentError::Seal("unknown algorithm"));
    }
    let signature = unhex(&seal.signature)
        .and_then(|bytes| Signature::from_slice(&bytes).ok())
        .ok_or(DocumentError::Seal("malformed signature"))?;
    let digest = digest(file, metadata)?;
    Ok(seal.public_key.eq_ignore_ascii_case(trusted_public_key)
        && seal.key_id == key_id(&seal.public_key.to_ascii_lowercase())
        && seal.digest == hex(&digest)
        && key.verify(&digest, &signature).is_ok())
}

/// SM3 of the bytes as 64 lower-case hex digits.
#[must_use]
pub fn sm3_hex(bytes: &[u8]) -> String {
    hex(&Sm3::digest(bytes))
}

fn key_id(public_key: &str) -> String {
    let mut id = sm3_hex(&unhex(public_key).unwrap_or_default());
    id.truncate(16);
    id
}

fn digest(file: &[u8], metadata: &Value) -> Result<[u8; 32], DocumentError> {
    if file.len() > limits::SEAL_FILE_BYTES_MAX {
        return Err(DocumentError::Seal("file too large"));
    }
    if !metadata.is_object() {
        return Err(DocumentError::Seal("metadata is not an object"));
    }
    let canonical = serde_json_canonicalizer::to_vec(metadata)
        .map_err(|_| DocumentError::Seal("metadata has no canonical form"))?;
    if canonical.len() > limits::SEAL_METADATA_BYTES_MAX {
        return Err(DocumentError::Seal("metadata too large"));
    }
    let mut hasher = Sm3::new();
    hasher.update(file);
    hasher.update(&canonical);
    Ok(hasher.finalize().into())
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let nibble = |b: u8| char::from(b).to_digit(16);
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    bytes
        .chunks_exact(2)
        .map(|pair| u8::try_from(nibble(pair[0])? * 16 + nibble(pair[1])?).ok())
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Private key of the worked example in GB/T 32918.5.
    const KEY: &str = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8";
    const PUBLIC: &str = "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020\
                          ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";

    #[test]
    fn sm3_vector_of_the_standard() {
        assert_eq!(
            sm3_hex(b"abc"),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        );
    }

    #[test]
    fn public_key_vector_of_the_standard() {
        assert_eq!(LocalSeal::from_hex(KEY).unwrap().public_key(), PUBLIC);
    }

    #[test]
    fn a_seal_covers_file_and_metadata() {
        let seal = LocalSeal::from_hex(KEY).unwrap();
        let metadata = json!({"case": "cas_1", "licence": "1.2.156.3005.2.X"});
        let made = seal.sign(b"%PDF-1.7 body", &metadata).unwrap();
        assert!(seal.verify(b"%PDF-1.7 body", &metadata, &made).unwrap());
        assert!(!seal.verify(b"%PDF-1.7 Body", &metadata, &made).unwrap());
        let altered = json!({"case": "cas_2", "licence": "1.2.156.3005.2.X"});
        assert!(!seal.verify(b"%PDF-1.7 body", &altered, &made).unwrap());
        // The order of members is not part of the metadata.
        let reordered = json!({"licence": "1.2.156.3005.2.X", "case": "cas_1"});
        assert!(seal.verify(b"%PDF-1.7 body", &reordered, &made).unwrap());
    }

    #[test]
    fn the_boundary_between_file_and_metadata_cannot_move() {
        let seal = LocalSeal::from_hex(KEY).unwrap();
        let made = seal.sign(b"file{", &json!({})).unwrap();
        assert!(!seal.verify(b"file", &json!({}), &made).unwrap());
        assert!(seal.sign(b"file", &json!("text")).is_err());
    }

    #[test]
    fn another_key_does_not_verify() {
        let (ours, theirs) = (
            LocalSeal::from_hex(KEY).unwrap(),
            LocalSeal::generate().unwrap(),
        );
        let mut made = theirs.sign(b"x", &json!({})).unwrap();
        assert!(!ours.verify(b"x", &json!({}), &made).unwrap());
        // Claiming our key does not help either.
        made.public_key = ours.public_key().to_owned();
        made.key_id = ours.key_id();
        assert!(!ours.verify(b"x", &json!({}), &made).unwrap());
    }

    #[test]
    fn malformed_seals_are_errors() {
        let seal = LocalSeal::from_hex(KEY).unwrap();
        let good = seal.sign(b"x", &json!({})).unwrap();
        for bad in ["", "zz", "00", &"0".repeat(128)] {
            let made = Seal {
                signature: bad.to_owned(),
                ..good.clone()
            };
            assert!(seal.verify(b"x", &json!({}), &made).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_survive_pem_and_stay_out_of_debug() {
        let seal = LocalSeal::generate().unwrap();
        let back = LocalSeal::from_pem(&seal.to_pem().unwrap()).unwrap();
        assert_eq!(seal.public_key(), back.public_key());
        let known = LocalSeal::from_hex(KEY).unwrap();
        assert!(!format!("{known:?}").contains(&KEY[..8]));
        for bad in ["", "12", &"0".repeat(64), &"f".repeat(64), "键"] {
            assert!(LocalSeal::from_hex(bad).is_err());
        }
        assert!(LocalSeal::from_pem("-----BEGIN PRIVATE KEY-----").is_err());
    }

    #[test]
    fn signing_is_deterministic() {
        let seal = LocalSeal::from_hex(KEY).unwrap();
        let metadata = json!({"n": 1});
        assert_eq!(
            seal.sign(b"x", &metadata).unwrap(),
            seal.sign(b"x", &metadata).unwrap()
        );
    }
}
