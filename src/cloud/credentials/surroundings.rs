//! What a launch lets its providers read of the machine.

use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// The machine as providers see it. `config` has the one that asks the real machine; nothing else does.
pub trait Surroundings: Send + Sync {
    /// The value of an environment variable.
    fn variable(&self, name: &str) -> Option<String>;

    /// The user's own directory.
    fn home(&self) -> Option<PathBuf>;

    /// What a small file of text holds, `None` if there is no such file.
    ///
    /// # Errors
    /// What the system said, or that the file is too large or no text.
    fn read(&self, path: &Path) -> io::Result<Option<Zeroizing<String>>>;
}

/// The value of a variable that isn't empty.
pub(super) fn set(surroundings: &dyn Surroundings, name: &str) -> Option<String> {
    surroundings.variable(name).filter(|value| !value.is_empty())
}

/// Whether a variable is switched on, as the official SDKs read it.
pub(super) fn is_on(surroundings: &dyn Surroundings, name: &str) -> bool {
    surroundings.variable(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}
