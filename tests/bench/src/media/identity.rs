//! The certificate of one page of the bench, and what a handshake under it leads to. Each page has its own: a server may refuse two
//! members of a room who come with the same.

use anyhow::{Result, ensure};
use rtc::crypto::{HashAlgorithm, RTCCryptoProvider};
use rtc::dtls::config::{ClientAuthType, ConfigBuilder, HandshakeConfig};
use rtc::dtls::crypto::Certificate;
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile as Offered;
use rtc::dtls::state::State;
use rtc::srtp::config::{Config, LABEL_EXTRACTOR_DTLS_SRTP};
use rtc::srtp::context::Context;
use rtc::srtp::protection_profile::ProtectionProfile;
use std::sync::Arc;

/// A certificate and what is configured with it.
pub struct Identity {
    pub(super) provider: Arc<dyn RTCCryptoProvider>,
    pub(super) client: Arc<HandshakeConfig>,
    pub(super) server: Arc<HandshakeConfig>,
    pub fingerprint: String,
}

impl Identity {
    pub fn new() -> Result<Self> {
        let provider = rtc::crypto::default_provider()?;
        let certificate =
            Certificate::generate_self_signed(vec!["bench".to_owned()], provider.crypto())?;
        let der = certificate.certificate[0].as_ref().to_vec();
        let digest = provider.crypto().hash(HashAlgorithm::Sha256, &der)?;
        let fingerprint: Vec<String> = digest.iter().map(|b| format!("{b:02X}")).collect();
        let config = |client: bool| -> Result<Arc<HandshakeConfig>> {
            // One profile, so that every server does the same work: the one that the floor uses too.
            let built = ConfigBuilder::default()
                .with_crypto_provider(provider.clone())
                .with_certificates(vec![certificate.clone()])
                .with_srtp_protection_profiles(vec![Offered::Srtp_Aead_Aes_128_Gcm])
                .with_client_auth(ClientAuthType::NoClientCert)
                .with_insecure_skip_verify(true)
                .build(client, None)?;
            Ok(Arc::new(built))
        };
        Ok(Self {
            client: config(true)?,
            server: config(false)?,
            fingerprint: fingerprint.join(":"),
            provider,
        })
    }

    /// The outgoing side of SRTP under the keys of a finished handshake (RFC 5764).
    pub(super) fn sender(&self, state: &State) -> Result<Context> {
        ensure!(
            state.srtp_protection_profile() == Offered::Srtp_Aead_Aes_128_Gcm,
            "another SRTP profile than AES-128-GCM"
        );
        let mut config = Config {
            profile: ProtectionProfile::AeadAes128Gcm,
            ..Config::default()
        };
        let length = config.keying_material_len();
        let material = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], length)?;
        config.set_session_keys_from_keying_material(material.as_ref(), state.is_client())?;
        let keys = &config.keys;
        Ok(Context::new(
            &keys.local_master_key,
            &keys.local_master_salt,
            config.profile,
            None,
            None,
            self.provider.crypto(),
        )?)
    }
}
