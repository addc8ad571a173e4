//! The real machine, as the providers of credentials see it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::environment;
use crate::cloud::credentials::Surroundings;

/// The largest file that is read, in bytes. Profiles and tokens are small.
const LARGEST: u64 = 1024 * 1024;

/// This process's environment, and the files of the user that it runs as.
pub(super) struct Machine;

impl Surroundings for Machine {
    fn variable(&self, name: &str) -> Option<String> {
        environment(name)
    }

    fn home(&self) -> Option<PathBuf> {
        dirs::home_dir()
    }

    fn read(&self, path: &Path) -> io::Result<Option<Zeroizing<String>>> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut text = Zeroizing::new(String::new());
        if file.take(LARGEST + 1).read_to_string(&mut text)? as u64 > LARGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(Some(text))
    }
}
