//! Where a launch keeps what outlives it: the record, its key, the vault.

use std::path::PathBuf;

use super::{ConfigError, Launch};
use crate::audit::{KEY_FILE, Key};

impl Launch {
    /// The audit record's file.
    ///
    /// # Errors
    /// When none is given and there is no state directory.
    pub fn audit_file(&self) -> Result<PathBuf, ConfigError> {
        match &self.audit {
            Some(file) => Ok(file.clone()),
            None => Ok(state_directory()?.join("audit.jsonl")),
        }
    }

    /// Where the vault keeps its secrets.
    ///
    /// # Errors
    /// When no place is given and there is no state directory.
    pub fn vault_directory(&self) -> Result<PathBuf, ConfigError> {
        match &self.vault {
            Some(directory) => Ok(directory.clone()),
            None => Ok(state_directory()?.join("vault")),
        }
    }

    /// The file of the audit record's key.
    ///
    /// # Errors
    /// When none is given and there is no state directory.
    pub fn audit_key_file(&self) -> Result<PathBuf, ConfigError> {
        match &self.audit_key {
            Some(file) => Ok(file.clone()),
            None => Ok(state_directory()?.join(KEY_FILE)),
        }
    }

    /// The audit record's key.
    ///
    /// # Errors
    /// When it can't be read, or made.
    pub fn audit_key(&self) -> Result<Key, ConfigError> {
        Ok(match &self.audit_key {
            Some(file) => Key::read(file)?,
            None => Key::of_state_directory(&state_directory()?)?,
        })
    }
}

fn state_directory() -> Result<PathBuf, ConfigError> {
    let base = dirs::state_dir().or_else(dirs::data_local_dir).ok_or(ConfigError::NoStateDirectory)?;
    Ok(base.join("redline-mcp"))
}
