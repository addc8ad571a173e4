//! Digests under a key: they travel or are kept, and must tell nothing of what they bind.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The block of SHA-256, in bytes. HMAC hashes a longer key, and pads what is shorter with zeros.
const BLOCK: usize = 64;

/// What stands for `parts`, in this order and with these borders, under `key`: lower-case hex.
pub(super) fn keyed<'p>(key: &[u8], parts: impl IntoIterator<Item = &'p str>) -> String {
    data_encoding::HEXLOWER.encode(&bytes(key, parts))
}

/// The same, as bytes.
pub(super) fn bytes<'p>(key: &[u8], parts: impl IntoIterator<Item = &'p str>) -> [u8; 32] {
    let mut mac = <Hmac<Sha256>>::new((&*block(key)).into());
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().into()
}

/// The key as HMAC takes it, which can't fail: a digest that everybody could make would be worse than none.
fn block(key: &[u8]) -> Zeroizing<[u8; BLOCK]> {
    let mut block = Zeroizing::new([0; BLOCK]);
    let hashed: [u8; 32];
    let key = if key.len() > BLOCK {
        hashed = Sha256::digest(key).into();
        &hashed
    } else {
        key
    };
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_any_length_is_used_as_hmac_uses_it() {
        for length in [0, 1, 32, 63, 64, 65, 200] {
            let key = vec![7; length];
            let mut expected = <Hmac<Sha256>>::new_from_slice(&key).unwrap();
            expected.update(b"\0\0\0\0\0\0\0\x02ab");
            expected.update(b"\0\0\0\0\0\0\0\0");
            let expected: [u8; 32] = expected.finalize().into_bytes().into();
            assert_eq!(bytes(&key, ["ab", ""]), expected, "{length}");
            assert_eq!(keyed(&key, ["ab", ""]), data_encoding::HEXLOWER.encode(&expected), "{length}");
        }
    }

    #[test]
    fn borders_between_parts_count() {
        assert_ne!(bytes(b"key", ["ab", "c"]), bytes(b"key", ["a", "bc"]));
        assert_ne!(bytes(b"key", ["ab"]), bytes(b"key", ["ab", ""]));
    }
}
