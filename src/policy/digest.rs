//! Digests under a key: they travel or are kept, and must tell nothing of what they bind.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What stands for `parts`, in this order and with these borders, under `key`.
pub(super) fn keyed<'p>(key: &[u8], parts: impl IntoIterator<Item = &'p str>) -> String {
    let Ok(mut mac) = <Hmac<Sha256>>::new_from_slice(key) else { return String::new() };
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part.as_bytes());
    }
    data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
}
