//! The record of what was tried, decided and done: one JSON object a line, chained with a key.
//!
//! A call that changes the world is recorded twice: its `decision` before anything is sent, its `outcome`
//! after. [`Audit::append`] returns an error rather than swallow one, so whoever can't record doesn't send.
//!
//! ```text
//! Entry ──Audit::append──▶ {"v":1,"seq":7, … ,"prev_hmac":"…","hmac":"…"}\n     FILE       one write(2) a line
//!                          {"v":1,"seq":7,"start":…,"len":…,"link":"…","hmac":"…"}  FILE.head  rewritten in place
//! ```
//!
//! **What holds the lines together.** A line's `hmac` covers the line itself. Its `prev_hmac` covers the exact
//! bytes from the start of the record before it up to itself. Both are HMAC-SHA256 under [`Key`]. The head says
//! which record was the last, so that a cut at the tail shows too; it stands in a file of its own because it
//! must change with each append, while the record only ever grows.
//!
//! **What [`verify`] finds** without trusting the file: any edit (the last line included), a line cut out,
//! added, repeated or moved, a tail cut off, a head removed or edited, lines of another record under the same
//! key. **What it can't find**: the record and its head put back together to an older pair, or removed or
//! replaced together by another pair under the same key; rubbish put at the very end, which is reported as a torn
//! line; and anything done by someone who has the key. Against the graver of those, keep [`Verified::link`]
//! elsewhere or the key with somebody else.
//!
//! **A crash** (`kill -9`, a full disk) may leave a torn line. It stays where it is; the next append starts a
//! new line whose `prev_hmac` covers the torn bytes, so they are sealed as found, and `verify` counts them. A
//! crash between a line and its head leaves the head behind; the next append catches it up. A power failure
//! without `--audit-fsync` may lose lines that the head knows of: the writer goes on after the head's number,
//! so that the gap stays visible for good and a cut can't be laundered by a restart.
//!
//! **Several processes** may append to one file. Each append holds an exclusive advisory lock on it, and reads
//! the end again when the file has grown under it. One file keeps one order of events for one user; a file per
//! process would need a merge before anybody could read what happened.

mod chain;
mod escape;
mod head;
mod key;
mod lines;
mod record;
mod show;
#[cfg(test)]
mod tests;
mod verify;
mod write;

use std::io;
use std::path::PathBuf;

pub use key::{KEY_FILE, Key};
pub use record::{
    Answer, Client, CloudCall, Confirmation, Entry, FactUsed, Idempotency, Phase, Record, VERSION, Verdict,
};
pub use show::{Style, header, show};
pub use verify::{Break, Report, Verified, verify};
pub use write::Audit;

/// The longest line, in bytes, newline included. It bounds what a reader holds in memory.
pub const MAX_LINE: usize = 8 * 1024 * 1024;

/// Why the record or its key can't be used. No message holds anything from a record or a key.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The thread that wrote was lost, so nobody knows whether the line is there.
    #[error("writing the audit record was interrupted; run `redline-mcp audit verify` on it")]
    Interrupted,
    /// The record, its head or their directory can't be opened or created.
    #[error(
        "can't open the audit record {}: {source}; check the directory and its permissions, or choose another file with --audit",
        path.display()
    )]
    Open {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The record or its head can't be read.
    #[error("can't read the audit record {}: {source}; check that it is a readable file", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The lock that orders the writers can't be taken.
    #[error(
        "can't lock the audit record {}: {source}; keep it on a file system that has file locks",
        path.display()
    )]
    Lock {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line or the head wasn't written whole. The call that it was for mustn't be sent.
    #[error(
        "can't write the audit record {}: {source}; nothing may be sent unrecorded: make room on the disk or choose another file with --audit",
        path.display()
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file at the path is no longer the one that was opened.
    #[error(
        "the audit record {} was moved or removed while in use; put it back, or restart to begin a new one",
        path.display()
    )]
    Moved {
        /// Where it was.
        path: PathBuf,
    },
    /// The record has lines, and its head is missing, edited or sealed with another key. Going on would hide a cut.
    #[error(
        "the audit record's head {} is missing, was edited or was made with another key, so a cut can't be ruled out; keep both files as evidence: move them aside together, or choose another file with --audit",
        path.display()
    )]
    Head {
        /// The head.
        path: PathBuf,
    },
    /// The record would be longer than [`MAX_LINE`].
    #[error("a line for the audit record {} would be longer than {MAX_LINE} bytes; send smaller arguments", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// The record can't be put as JSON.
    #[error("a line for the audit record can't be put as JSON: {0}; report this as a fault of the server")]
    Encode(serde_json::Error),
    /// The key can't be created or read.
    #[error("can't use the audit key {}: {source}; check the path and its permissions", path.display())]
    KeyFile {
        /// The key's file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The key isn't 32 bytes long.
    #[error(
        "the audit key {} holds {found} bytes and must hold exactly 32; restore it, or move it and the records made with it aside",
        path.display()
    )]
    KeyLength {
        /// The key's file.
        path: PathBuf,
        /// Its length in bytes.
        found: u64,
    },
    /// The key can be read by everybody, or written by others than its owner.
    #[error("the audit key {} has mode {mode:04o}, open to others; run chmod 600 on it", path.display())]
    KeyMode {
        /// The key's file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The system has no randomness for a new key.
    #[error("the system gave no randomness for a new audit key: {0}; try again")]
    Random(getrandom::Error),
}
