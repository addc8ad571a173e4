//! The vault: where secrets wait for the person they are meant for.
//!
//! ```text
//! Deposit ──Vault::deposit──▶ DIR/<26 characters of the handle>-<SHA-256 of the scope>.json ──▶ Redeemed
//!                               {"version":1,"scope":…,"about":…,"expires":…,"secret":…}
//! ```
//!
//! An agent holds only the handle. Who passes it on within the same scope redeems it ([`Vault::redeem`]); a
//! person has it printed, whichever scope it came from ([`Vault::read_for_owner`]). To an agent, a handle that
//! never was, one that expired and one of another scope are the same.
//!
//! **What keeps a secret.** The directory (mode 0700) and its files (mode 0600 from the first byte) are this
//! user's alone; what isn't is refused, as is a symbolic link in their place. A file is written under another
//! name and renamed, so nobody reads half of one. Secrets lie there unencrypted until they expire: a key beside
//! them would open to the same user. An agent that runs commands as this user can therefore read them, as it can
//! read everything else of that user's.
//!
//! **Several processes** may share the directory. Whoever changes it holds its lock; who reads needs none.
//!
//! Everything here blocks on the disk: async callers use `spawn_blocking`. `now` is always the wall clock, even
//! with the simulator, because the files outlive its world.

mod entry;
mod place;

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use crate::policy::hand_over::{Deposit, Handle};
use entry::Found;
pub use entry::Odd;
use place::Place;

/// How long a secret is kept unless a launch says otherwise.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// Secrets in a directory, each for a while.
#[derive(Debug, Clone)]
pub struct Vault {
    directory: PathBuf,
    lifetime: SignedDuration,
}

impl Vault {
    /// The vault in `directory`, whose secrets hold for `lifetime`. Nothing is touched before the first deposit.
    pub fn new(directory: PathBuf, lifetime: SignedDuration) -> Self {
        // A slash at the end would follow a symbolic link before anybody could see that it is one.
        Self { directory: directory.components().collect(), lifetime }
    }

    /// Makes sure that something could be stored now. It blocks.
    ///
    /// # Errors
    /// [`VaultError::Io`] and [`VaultError::Open`]: nothing could be.
    pub fn make_ready(&self) -> Result<(), VaultError> {
        Place::create(&self.directory)?.lock().map(drop)
    }

    /// Stores `deposits` for `scope`, all or none, and clears out what has expired. A secret that is there
    /// already holds anew from `now`. It blocks.
    ///
    /// # Errors
    /// [`VaultError::Io`] and [`VaultError::Open`]: nothing of this call is kept, and nothing may be shown that
    /// names a handle of it. Where a secret was there already, it still is, perhaps for longer.
    pub fn deposit(&self, scope: &str, deposits: &[Deposit], now: Timestamp) -> Result<(), VaultError> {
        if deposits.is_empty() {
            return Ok(());
        }
        let place = Place::create(&self.directory)?;
        let _lock = place.lock()?;
        clear(&place, now)?;
        let expires = now.checked_add(self.lifetime).unwrap_or(Timestamp::MAX);
        let mut written = Vec::new();
        for deposit in deposits {
            let name = entry::name(deposit.handle(), scope);
            written.push((entry::write(&place, scope, deposit, expires)?, place.file(&name)));
        }
        let mut made = Vec::new();
        for (file, path) in written {
            let is_new = fs::symlink_metadata(&path).is_err();
            match file.persist(&path) {
                Ok(_) if is_new => made.push(path),
                Ok(_) => {}
                Err(failed) => {
                    for made in made {
                        // What can't be removed stays this user's alone, and expires.
                        let _ = fs::remove_file(made);
                    }
                    return Err(VaultError::io("write", &path)(failed.error));
                }
            }
        }
        Ok(())
    }

    /// The secret of `handle`, if `scope` has it and it hasn't expired. It blocks.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] for every handle that doesn't lead this scope to a secret, whatever the reason;
    /// [`VaultError::Io`] and [`VaultError::Open`] when the vault itself can't be used.
    pub fn redeem(&self, scope: &str, handle: &Handle, now: Timestamp) -> Result<Redeemed, VaultError> {
        let place = Place::open(&self.directory)?.ok_or(VaultError::Unknown)?;
        match entry::read(&place.file(&entry::name(handle, scope)))? {
            Found::Ours(stored) if stored.scope == scope && now < stored.expires => Ok(stored.into()),
            Found::Ours(_) | Found::Missing | Found::Odd(_) => Err(VaultError::Unknown),
        }
    }

    /// The secret of `handle` for the person whose vault this is, whichever scope it came from; of several, the
    /// one that holds longest. It blocks.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] when there is none or it has expired, [`VaultError::Odd`] when the only file of
    /// that name can't be trusted, [`VaultError::Io`] and [`VaultError::Open`] when the vault can't be used.
    pub fn read_for_owner(&self, handle: &Handle, now: Timestamp) -> Result<Redeemed, VaultError> {
        let place = Place::open(&self.directory)?.ok_or(VaultError::Unknown)?;
        let mut newest: Option<entry::Stored> = None;
        let mut odd = None;
        for path in entry::of_handle(&place, handle)? {
            match entry::read(&path)? {
                Found::Ours(stored) => {
                    let is_newest = newest.as_ref().is_none_or(|known| known.expires < stored.expires);
                    if now < stored.expires && is_newest {
                        newest = Some(stored);
                    }
                }
                Found::Odd(why) => odd = Some(VaultError::Odd { path, why }),
                Found::Missing => {}
            }
        }
        match (newest, odd) {
            (Some(stored), _) => Ok(stored.into()),
            (None, Some(odd)) => Err(odd),
            (None, None) => Err(VaultError::Unknown),
        }
    }

    /// Removes what `handle` stands for, in every scope. It blocks.
    ///
    /// # Errors
    /// [`VaultError::Io`] and [`VaultError::Open`]: a secret may still be there.
    pub fn remove(&self, handle: &Handle) -> Result<(), VaultError> {
        let Some(place) = Place::open(&self.directory)? else { return Ok(()) };
        let _lock = place.lock()?;
        for path in entry::of_handle(&place, handle)? {
            match entry::read(&path)? {
                Found::Ours(_) => remove(&path)?,
                Found::Odd(_) | Found::Missing => {}
            }
        }
        Ok(())
    }

    /// Removes what has expired, and what a crash left half written. It blocks.
    ///
    /// # Errors
    /// [`VaultError::Io`] and [`VaultError::Open`]: something expired may still be there.
    pub fn purge(&self, now: Timestamp) -> Result<(), VaultError> {
        let Some(place) = Place::open(&self.directory)? else { return Ok(()) };
        let _lock = place.lock()?;
        clear(&place, now)
    }
}

/// Clears out a place whose lock is held. What isn't the vault's own stays.
fn clear(place: &Place<'_>, now: Timestamp) -> Result<(), VaultError> {
    for path in entry::unfinished(place)? {
        remove(&path)?;
    }
    for path in entry::all(place)? {
        match entry::read(&path)? {
            Found::Ours(stored) if stored.expires <= now => remove(&path)?,
            Found::Ours(_) | Found::Odd(_) | Found::Missing => {}
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), VaultError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(VaultError::io("remove", path)(source)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A secret that came out of the vault. It can't be printed or copied, and its memory is cleared when it is
/// dropped. Only the clouds' client and the command that prints it look inside:
///
/// ```compile_fail,E0624
/// fn peek(redeemed: &redline_mcp::vault::Redeemed) -> &str {
///     redeemed.expose()
/// }
/// ```
pub struct Redeemed {
    secret: Zeroizing<String>,
    about: String,
    expires: Timestamp,
}

impl Redeemed {
    /// What it is: tool and field.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// From when on it is gone.
    pub const fn expires(&self) -> Timestamp {
        self.expires
    }

    /// The secret itself.
    pub(crate) fn expose(&self) -> &str {
        &self.secret
    }
}

impl From<entry::Stored> for Redeemed {
    fn from(stored: entry::Stored) -> Self {
        Self { secret: stored.secret, about: stored.about, expires: stored.expires }
    }
}

impl fmt::Debug for Redeemed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redeemed(..)")
    }
}

/// Why the vault gives or takes nothing. No message holds anything of a file's content. All but
/// [`Self::Unknown`] name a path, which is for the operator rather than the agent.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The handle leads nowhere.
    #[error(
        "nothing is kept under this handle: it is another's, it has expired, or it never was; make the call again that gave the secret"
    )]
    Unknown,
    /// The directory isn't one to keep secrets in.
    #[error("the vault {} {why}, so it keeps no secret; mend that, or choose another directory with --vault", path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A file that has a secret's name and isn't one of the vault's.
    #[error("the vault's file {} {why}, so it isn't used; look into who changed it, and remove it", path.display())]
    Odd {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: Odd,
    },
    /// The task that worked on it ended early.
    #[error("the task that worked on the vault ended early; this is a bug, please report it")]
    Interrupted,
    /// The system refused.
    #[error("can't {doing} the vault's {}: {source}; check its permissions and the disk, or choose another directory with --vault", path.display())]
    Io {
        /// What was being done: `create`, `lock`, `list`, `read`, `write` or `remove`.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl VaultError {
    fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}

#[cfg(test)]
mod tests;
