//! The device key's file: 32 secret bytes in base64url, one line, readable by its owner alone. Made once, never sent anywhere;
//! the public half is what the server enrols.

use anyhow::{Context, Result, bail};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use protocol::DeviceKey;
use rand::TryRngCore;
use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};
use zeroize::Zeroizing;

/// Longest key file read, bytes.
const FILE_MAX: u64 = 1024;

/// Makes a key and writes it; refuses to overwrite one.
pub fn generate(path: &Path) -> Result<DeviceKey> {
    let (text, key) = fresh()?;
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot make the key file {}", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    Ok(key)
}

fn fresh() -> Result<(Zeroizing<String>, DeviceKey)> {
    // Almost every 32 bytes are a key; the few beyond the curve's order are drawn again.
    for _ in 0..8 {
        let mut raw = Zeroizing::new([0u8; 32]);
        rand::rngs::OsRng
            .try_fill_bytes(raw.as_mut_slice())
            .context("no randomness")?;
        let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(raw.as_slice()));
        if let Ok(key) = DeviceKey::from_secret(&text) {
            return Ok((text, key));
        }
    }
    bail!("no usable key was drawn")
}

/// Reads a key; refuses a file that others may read.
pub fn load(path: &Path) -> Result<DeviceKey> {
    let meta = fs::metadata(path).with_context(|| {
        format!(
            "cannot read the key file {}; make one with `booth keygen`",
            path.display()
        )
    })?;
    if meta.len() > FILE_MAX {
        bail!("{} is too long for a key file", path.display());
    }
    if meta.permissions().mode() & 0o077 != 0 {
        bail!("others may read {}; run: chmod 600 {0}", path.display());
    }
    let text = Zeroizing::new(fs::read_to_string(path)?);
    DeviceKey::from_secret(&text).with_context(|| format!("{} holds no device key", path.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys/booth.key");
        let made = generate(&path).unwrap();
        assert_eq!(load(&path).unwrap().public(), made.public());
        assert!(generate(&path).is_err(), "a key is never overwritten");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(
            load(&path)
                .err()
                .unwrap()
                .to_string()
                .contains("others may read")
        );
    }
}
