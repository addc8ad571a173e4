//! One secret's file: its name, its content, and whether it can be trusted.

use std::fmt;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use super::VaultError;
use super::place::Place;
use crate::policy::hand_over::{Deposit, Handle};

/// The version of a file's form.
const VERSION: u32 = 1;
/// What the names of files begin with that aren't finished.
const UNFINISHED: &str = ".deposit-";
/// What the names of files end with.
const SUFFIX: &str = ".json";

/// What a file holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    version: u32,
    pub(super) scope: String,
    pub(super) about: String,
    pub(super) expires: Timestamp,
    pub(super) secret: Zeroizing<String>,
}

/// The same on its way to the disk.
#[derive(Serialize)]
struct Written<'d> {
    version: u32,
    scope: &'d str,
    about: &'d str,
    expires: Timestamp,
    secret: &'d str,
}

/// What became of looking for a file.
pub(super) enum Found {
    /// One of the vault's.
    Ours(Stored),
    /// None.
    Missing,
    /// One that can't be trusted.
    Odd(Odd),
}

/// Why a file can't be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Odd {
    /// A directory, a link or a device.
    NotAFile,
    /// Another user's.
    Foreign,
    /// Other users may read or write it.
    Shared,
    /// It can't be read, or its content isn't what the vault writes.
    Unreadable,
}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAFile => "isn't a plain file",
            Self::Foreign => "belongs to another user",
            Self::Shared => "is open to other users",
            Self::Unreadable => "can't be read, or doesn't hold what the vault writes",
        })
    }
}

/// The file of a handle in a scope. The scope is hashed because it may be long, or somebody's name.
pub(super) fn name(handle: &Handle, scope: &str) -> String {
    format!("{}-{}{SUFFIX}", handle.code(), HEXLOWER.encode(&Sha256::digest(scope)))
}

/// The handle's characters in a file's name, if it is such a name.
fn code(name: &str) -> Option<&str> {
    let (code, scope) = name.strip_suffix(SUFFIX)?.split_once('-')?;
    let is_hash = scope.len() == 64 && HEXLOWER.decode(scope.as_bytes()).is_ok();
    (is_hash && format!("handle:{code}").parse::<Handle>().is_ok()).then_some(code)
}

fn named(place: &Place<'_>, pick: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, VaultError> {
    let names = place.names()?;
    Ok(names
        .iter()
        .filter_map(|name| name.to_str())
        .filter(|name| pick(name))
        .map(|name| place.file(name))
        .collect())
}

/// Every file with a secret's name.
pub(super) fn all(place: &Place<'_>) -> Result<Vec<PathBuf>, VaultError> {
    named(place, |name| code(name).is_some())
}

/// Those of one handle.
pub(super) fn of_handle(place: &Place<'_>, handle: &Handle) -> Result<Vec<PathBuf>, VaultError> {
    named(place, |name| code(name) == Some(handle.code()))
}

/// What somebody was writing and never finished, if the lock is held.
pub(super) fn unfinished(place: &Place<'_>) -> Result<Vec<PathBuf>, VaultError> {
    named(place, |name| name.starts_with(UNFINISHED))
}

/// Writes a deposit to the disk under a name of its own, mode 0600; dropped, it is gone.
pub(super) fn write(
    place: &Place<'_>,
    scope: &str,
    deposit: &Deposit,
    expires: Timestamp,
) -> Result<NamedTempFile, VaultError> {
    let failed = VaultError::io("write", place.path());
    let content =
        Written { version: VERSION, scope, about: deposit.about(), expires, secret: deposit.expose() };
    let write = || {
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(place.path())?;
        // Without a buffer, which would keep a copy.
        serde_json::to_writer(&mut file, &content)?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    write().map_err(failed)
}

/// Reads a file, if it is there and this user's alone.
pub(super) fn read(path: &Path) -> Result<Found, VaultError> {
    let content = fs::symlink_metadata(path).and_then(|metadata| match fault(&metadata) {
        Some(odd) => Ok(Err(odd)),
        None => fs::read(path).map(|bytes| Ok(Zeroizing::new(bytes))),
    });
    match content {
        Ok(Ok(bytes)) => Ok(match serde_json::from_slice::<Stored>(&bytes) {
            Ok(stored) if stored.version == VERSION => Found::Ours(stored),
            Ok(_) | Err(_) => Found::Odd(Odd::Unreadable),
        }),
        Ok(Err(odd)) => Ok(Found::Odd(odd)),
        Err(source) if source.kind() == ErrorKind::NotFound => Ok(Found::Missing),
        Err(source) if source.kind() == ErrorKind::PermissionDenied => Ok(Found::Odd(Odd::Unreadable)),
        Err(source) => Err(VaultError::io("read", path)(source)),
    }
}

fn fault(metadata: &Metadata) -> Option<Odd> {
    if !metadata.is_file() {
        return Some(Odd::NotAFile);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        shared(metadata.mode(), metadata.uid(), rustix::process::geteuid().as_raw())
    }
    #[cfg(not(unix))]
    None
}

/// Who beside `user` could read or write a file of this mode and owner.
#[cfg(unix)]
const fn shared(mode: u32, owner: u32, user: u32) -> Option<Odd> {
    if owner != user {
        Some(Odd::Foreign)
    } else if mode & 0o077 != 0 {
        Some(Odd::Shared)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_name_is_the_handles_characters_and_the_hash_of_the_scope() {
        let handle: Handle = "handle:aeaqcaibaeaqcaibaeaqcaibae".parse().unwrap();
        let expected = format!("aeaqcaibaeaqcaibaeaqcaibae-{HASH}.json");
        assert_eq!(name(&handle, "abc"), expected);
        assert_eq!(code(&expected), Some("aeaqcaibaeaqcaibaeaqcaibae"));
    }

    #[test]
    fn other_names_are_not_the_vaults() {
        for other in [
            ".lock".to_owned(),
            ".deposit-Xy12Zz".to_owned(),
            format!("aeaqcaibaeaqcaibaeaqcaibae-{HASH}"),
            format!("aeaqcaibaeaqcaibaeaqcaibae-{HASH}.json.bak"),
            format!("AEAQCAIBAEAQCAIBAEAQCAIBAE-{HASH}.json"),
            format!("aeaqcaibaeaqcaibaeaqcaibae-{}.json", HASH.to_uppercase()),
            format!("aeaqcaibaeaqcaibaeaqcaibae-{}.json", HASH.trim_start_matches("ba")),
            format!("aeaqcaibaeaqcaibaeaqcaibae{HASH}.json"),
            "readme.json".to_owned(),
        ] {
            assert_eq!(code(&other), None, "{other}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_of_or_for_others_is_odd() {
        for (mode, owner, user, expected) in [
            (0o100_600, 1000, 1000, None),
            (0o100_400, 1000, 1000, None),
            (0o100_600, 0, 1000, Some(Odd::Foreign)),
            (0o100_600, 1000, 0, Some(Odd::Foreign)),
            (0o100_640, 1000, 1000, Some(Odd::Shared)),
            (0o100_604, 1000, 1000, Some(Odd::Shared)),
            (0o100_620, 1000, 1000, Some(Odd::Shared)),
        ] {
            assert_eq!(shared(mode, owner, user), expected, "{mode:o} {owner} {user}");
        }
    }
}
