//! The key under which records are chained and identifying values are hashed.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::AuditError;

/// The key's length in bytes.
const LENGTH: usize = 32;
/// The block of SHA-256. HMAC pads a shorter key with zeros up to it.
const BLOCK: usize = 64;
/// The key's name in the state directory.
/// The name of the key's file in the state directory.
pub const KEY_FILE: &str = "audit.key";

/// 32 random bytes that make a record's hashes unforgeable and unguessable.
///
/// Each use has a domain of its own: a hash made for one purpose says nothing about the same value elsewhere,
/// and no public method makes one that the chain would accept.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; BLOCK]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// The key `audit.key` of the state directory, made on first use: 32 random bytes, mode 0600, the directory
    /// mode 0700. Processes that start together get the same key, as the file is filled under a lock.
    ///
    /// # Errors
    /// The file can't be created, locked or read, has another length, is open to others, or there is no randomness.
    pub fn of_state_directory(directory: &Path) -> Result<Self, AuditError> {
        let path = directory.join(KEY_FILE);
        let failed = |source| AuditError::KeyFile { path: path.clone(), source };
        create_private_directory(directory).map_err(failed)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = open_private(&mut options, &path).map_err(failed)?;
        file.lock().map_err(failed)?;
        if file.metadata().map_err(failed)?.len() == 0 {
            let mut bytes = Zeroizing::new([0; LENGTH]);
            getrandom::fill(bytes.as_mut_slice()).map_err(AuditError::Random)?;
            file.write_all(bytes.as_slice()).and_then(|()| file.sync_all()).map_err(failed)?;
        }
        drop(file);
        Self::read(&path)
    }

    /// The key in a file of exactly 32 bytes.
    ///
    /// # Errors
    /// The file can't be read, has another length, or its mode lets everybody read it or others write it.
    pub fn read(path: &Path) -> Result<Self, AuditError> {
        let failed = |source| AuditError::KeyFile { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        check_mode(path, &metadata)?;
        if metadata.len() != LENGTH as u64 {
            return Err(AuditError::KeyLength { path: path.to_owned(), found: metadata.len() });
        }
        let mut bytes = Zeroizing::new([0; LENGTH]);
        file.read_exact(bytes.as_mut_slice()).map_err(failed)?;
        Ok(Self::from_bytes(&bytes))
    }

    /// A keyed hash of a value that identifies somebody or something, in lower-case hex. Values of different
    /// domains never share a hash; the domain names the kind of value: `arguments`, `workspace_id`.
    pub fn hmac(&self, domain: &str, value: &[u8]) -> String {
        let mut mac = self.mac("value", domain);
        mac.update(value);
        hex(mac)
    }

    /// The state of a hash for the chain, to be fed the bytes that it covers.
    pub(super) fn chain(&self, domain: &str) -> Hmac<Sha256> {
        self.mac("chain", domain)
    }

    pub(super) fn from_bytes(bytes: &[u8; LENGTH]) -> Self {
        let mut block = [0; BLOCK];
        for (to, from) in block.iter_mut().zip(bytes) {
            *to = *from;
        }
        Self(block)
    }

    fn mac(&self, purpose: &str, domain: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new((&self.0).into());
        // The length ends the label, so that no value can pass for a part of it.
        let label = format!("redline-mcp {purpose} {domain}");
        mac.update(&(label.len() as u64).to_be_bytes());
        mac.update(label.as_bytes());
        mac
    }
}

/// The hash so far, in lower-case hex.
pub(super) fn hex(mac: Hmac<Sha256>) -> String {
    HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// Creates a directory and its parents for the owner alone. One that exists keeps its mode.
pub(super) fn create_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Opens a file; one that is created is the owner's alone.
pub(super) fn open_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

/// A group may read the key, because mounted secrets come that way; nobody else may, and none but the owner write.
#[cfg(unix)]
fn check_mode(path: &Path, metadata: &fs::Metadata) -> Result<(), AuditError> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
    if mode & 0o027 == 0 { Ok(()) } else { Err(AuditError::KeyMode { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_mode(_path: &Path, _metadata: &fs::Metadata) -> Result<(), AuditError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_hmac_sha256_over_the_length_of_the_label_the_label_and_the_value() {
        let key = Key::from_bytes(&std::array::from_fn(|i| i as u8));
        assert_eq!(
            key.hmac("user_id", b"1234567890"),
            "7b4e178047917998cab4940d63f13f10588da10688ef06ca7a424729a6bc4410"
        );
    }

    #[test]
    fn domains_are_apart_and_the_chain_is_out_of_reach() {
        let key = Key::from_bytes(&[7; 32]);
        let mut chain = key.chain("record");
        chain.update(b"x");
        assert_ne!(key.hmac("record", b"x"), hex(chain));
        assert_ne!(key.hmac("a", b"bx"), key.hmac("ab", b"x"));
        assert_ne!(key.hmac("a", b"x"), Key::from_bytes(&[8; 32]).hmac("a", b"x"));
    }

    #[test]
    fn debug_reveals_nothing() {
        assert_eq!(format!("{:?}", Key::from_bytes(&[7; 32])), "Key(..)");
    }

    #[test]
    fn processes_that_start_together_get_one_key() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("a/b");
        let hashes: Vec<String> = std::thread::scope(|threads| {
            let started: Vec<_> = (0..8)
                .map(|_| threads.spawn(|| Key::of_state_directory(&state).unwrap().hmac("d", b"v")))
                .collect();
            started.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(hashes, vec![Key::read(&state.join("audit.key")).unwrap().hmac("d", b"v"); 8]);
        assert_ne!(fs::read(state.join("audit.key")).unwrap(), vec![0; 32]);
    }

    #[cfg(unix)]
    #[test]
    fn key_and_directory_are_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("state");
        Key::of_state_directory(&state).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&state), mode(&state.join("audit.key"))), (0o700, 0o600));

        let key = state.join("audit.key");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o440)).unwrap();
        assert!(Key::read(&key).is_ok());
        fs::set_permissions(&key, fs::Permissions::from_mode(0o604)).unwrap();
        assert_eq!(
            Key::read(&key).unwrap_err().to_string(),
            format!("the audit key {} has mode 0604, open to others; run chmod 600 on it", key.display())
        );
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("audit.key");
        let mut file = open_private(OpenOptions::new().write(true).create_new(true), &path).unwrap();
        file.write_all(&[1; 31]).unwrap();
        assert!(matches!(Key::read(&path).unwrap_err(), AuditError::KeyLength { found: 31, .. }));
        assert!(matches!(
            Key::of_state_directory(home.path()).unwrap_err(),
            AuditError::KeyLength { found: 31, .. }
        ));
    }
}
