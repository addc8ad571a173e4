//! Where an operator's own rules come from.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::ConfigError;
use crate::policy::load::Overlay;

/// One `--policy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Laid {
    /// A preset that is compiled in.
    Preset(Overlay),
    /// A file.
    File(PathBuf),
}

/// A `--policy` that names nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "isn't an absolute path, nor the preset read-only; a relative path would depend on who starts the server"
)]
pub struct LaidError;

impl FromStr for Laid {
    type Err = LaidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Overlay::preset(text) {
            Some(preset) => Ok(Self::Preset(preset)),
            None if Path::new(text).is_absolute() => Ok(Self::File(text.into())),
            None => Err(LaidError),
        }
    }
}

impl Laid {
    /// The overlay.
    ///
    /// # Errors
    /// When its file can't be read.
    pub fn overlay(&self) -> Result<Overlay, ConfigError> {
        match self {
            Self::Preset(overlay) => Ok(overlay.clone()),
            Self::File(path) => match std::fs::read_to_string(path) {
                Ok(text) => Ok(Overlay { file: path.display().to_string(), text }),
                Err(source) => Err(ConfigError::ReadPolicy { path: path.clone(), source }),
            },
        }
    }
}
