//! The vault's directory: this user's alone, or not used.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::VaultError;

/// The file whose lock orders those who change the directory.
const LOCK: &str = ".lock";

/// A directory that was found to be this user's alone.
pub(super) struct Place<'v>(&'v Path);

impl<'v> Place<'v> {
    /// The directory if it is there.
    pub(super) fn open(path: &'v Path) -> Result<Option<Self>, VaultError> {
        match fs::symlink_metadata(path) {
            Ok(metadata) => match fault(&metadata) {
                Some(why) => Err(VaultError::Open { path: path.to_owned(), why }),
                None => Ok(Some(Self(path))),
            },
            Err(source) if source.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(VaultError::io("read", path)(source)),
        }
    }

    /// The directory, made with its parents for the owner alone if it isn't there.
    pub(super) fn create(path: &'v Path) -> Result<Self, VaultError> {
        if let Some(place) = Self::open(path)? {
            return Ok(place);
        }
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).map_err(VaultError::io("create", path))?;
        // Somebody else may have been quicker.
        Self::open(path)?.ok_or_else(|| VaultError::io("create", path)(ErrorKind::NotFound.into()))
    }

    /// Keeps others from changing the directory until the result is dropped.
    pub(super) fn lock(&self) -> Result<File, VaultError> {
        let path = self.file(LOCK);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(VaultError::io("open", &path))?;
        loop {
            match file.lock() {
                Ok(()) => return Ok(file),
                Err(source) if source.kind() == ErrorKind::Interrupted => {}
                Err(source) => return Err(VaultError::io("lock", &path)(source)),
            }
        }
    }

    /// The directory itself.
    pub(super) const fn path(&self) -> &Path {
        self.0
    }

    /// A file in it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names in it, sorted.
    pub(super) fn names(&self) -> Result<Vec<OsString>, VaultError> {
        let listed = fs::read_dir(self.0).and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<Vec<_>, _>>()
        });
        let mut names = listed.map_err(VaultError::io("list", self.0))?;
        names.sort();
        Ok(names)
    }
}

fn fault(metadata: &Metadata) -> Option<&'static str> {
    if metadata.is_symlink() {
        return Some("is a symbolic link");
    }
    if !metadata.is_dir() {
        return Some("isn't a directory");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        shared(metadata.mode(), metadata.uid(), rustix::process::geteuid().as_raw())
    }
    #[cfg(not(unix))]
    None
}

/// Who beside `user` could put something into a directory of this mode and owner.
#[cfg(unix)]
const fn shared(mode: u32, owner: u32, user: u32) -> Option<&'static str> {
    if owner != user {
        Some("belongs to another user")
    } else if mode & 0o022 != 0 {
        Some("can be written by other users")
    } else {
        None
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_or_for_others_is_refused() {
        let other = Some("belongs to another user");
        let open = Some("can be written by other users");
        for (mode, owner, user, expected) in [
            (0o40700, 1000, 1000, None),
            (0o40755, 1000, 1000, None),
            (0o40700, 0, 1000, other),
            (0o40700, 1000, 0, other),
            (0o40777, 1000, 1000, open),
            (0o41777, 1000, 1000, open),
            (0o40720, 1000, 1000, open),
            (0o40702, 1000, 1000, open),
        ] {
            assert_eq!(shared(mode, owner, user), expected, "{mode:o} {owner} {user}");
        }
    }
}
