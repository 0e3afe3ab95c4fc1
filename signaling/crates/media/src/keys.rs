//! The SRTP keys of a connection, for our own sending.
//!
//! The WebRTC library keeps the keys that DTLS agreed on (RFC 5764) to itself, but takes its cryptography from outside. This
//! provider passes everything on and notes what the key derivation of RFC 3711 §4.3 asks of the block cipher: the master key, and in
//! the first block the master salt. The library derives for its outgoing side first, and uses the block cipher for nothing else;
//! both are pinned with its version and tried by every call in the tests. Keys live as long as the connection and are never printed.

use rtc_crypto::{
    ActiveKeyExchange, AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CbcAlgorithm, CbcCipher,
    CryptoAlgorithm, CryptoError, HashAlgorithm, HmacAlgorithm, KeyExchangeAlgorithm, Mac,
    PublicKey, RTCCrypto, RTCCryptoProvider, RTCRandom, SecretVec, SignatureScheme, SigningKey,
    StreamCipher, StreamCipherAlgorithm,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Master key and salt of the outgoing side.
pub(crate) struct Master {
    pub key: SecretVec,
    /// Fourteen bytes; GCM uses the first twelve (RFC 7714 §11).
    pub salt: [u8; 14],
    /// AES-GCM; else AES in counter mode with HMAC-SHA1-80.
    pub gcm: bool,
}

#[derive(Default)]
struct Noted {
    master: Option<Master>,
    /// The cipher of the outgoing side has been made: `gcm` is known.
    known: bool,
}

/// One a connection.
pub(crate) struct KeyTap {
    inner: Arc<dyn RTCCryptoProvider>,
    noted: Mutex<Noted>,
}

impl KeyTap {
    pub(crate) fn new() -> Result<Arc<Self>, CryptoError> {
        Ok(Arc::new(Self {
            inner: rtc_crypto::default_provider()?,
            noted: Mutex::default(),
        }))
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The outgoing keys, once; none before DTLS is up.
    pub(crate) fn take(&self) -> Option<Master> {
        let mut noted = self.noted();
        if !noted.known {
            return None;
        }
        noted.master.take()
    }

    /// The cipher that follows the first derivation says which profile was agreed on.
    fn cipher_made(&self, gcm: bool) {
        let mut noted = self.noted();
        if !noted.known
            && let Some(master) = &mut noted.master
        {
            master.gcm = gcm;
            noted.known = true;
        }
    }
}

impl RTCCryptoProvider for KeyTap {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        self
    }

    fn random(&self) -> &dyn RTCRandom {
        self.inner.random()
    }
}

impl RTCCrypto for KeyTap {
    fn block_encrypt(
        &self,
        algorithm: BlockCipherAlgorithm,
        key: &[u8],
        block: &mut [u8],
    ) -> Result<(), CryptoError> {
        let mut noted = self.noted();
        if noted.master.is_none()
            && !noted.known
            && let Some(salt) = block.first_chunk()
        {
            // The first label is 0 (RFC 3711 §4.3.2): the block is the salt itself, then zeros.
            noted.master = Some(Master {
                key: SecretVec::new(key.to_vec()),
                salt: *salt,
                gcm: false,
            });
        }
        drop(noted);
        self.inner.crypto().block_encrypt(algorithm, key, block)
    }

    fn new_aead(
        &self,
        algorithm: AeadAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn AeadCipher>, CryptoError> {
        self.cipher_made(true);
        self.inner.crypto().new_aead(algorithm, key)
    }

    fn new_stream_cipher(
        &self,
        algorithm: StreamCipherAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn StreamCipher>, CryptoError> {
        self.cipher_made(false);
        self.inner.crypto().new_stream_cipher(algorithm, key)
    }

    fn supports(&self, algorithm: CryptoAlgorithm) -> bool {
        self.inner.crypto().supports(algorithm)
    }

    fn hash(&self, algorithm: HashAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.inner.crypto().hash(algorithm, data)
    }

    fn new_hmac(&self, algorithm: HmacAlgorithm, key: &[u8]) -> Result<Box<dyn Mac>, CryptoError> {
        self.inner.crypto().new_hmac(algorithm, key)
    }

    fn new_cbc(
        &self,
        algorithm: CbcAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn CbcCipher>, CryptoError> {
        self.inner.crypto().new_cbc(algorithm, key)
    }

    fn start_key_exchange(
        &self,
        algorithm: KeyExchangeAlgorithm,
    ) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        self.inner.crypto().start_key_exchange(algorithm)
    }

    fn generate_signing_key(
        &self,
        scheme: SignatureScheme,
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.inner.crypto().generate_signing_key(scheme)
    }

    fn import_signing_key(
        &self,
        scheme: SignatureScheme,
        pkcs8_der: &[u8],
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.inner.crypto().import_signing_key(scheme, pkcs8_der)
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        public_key: PublicKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.inner
            .crypto()
            .verify_signature(scheme, public_key, message, signature)
    }
}
