//! The head: which record was the last, in a small file beside the record.
//!
//! It is overwritten in place, with one write of a fixed size within one disk sector, which neither a kill nor
//! a power failure tears. A rename would be as safe but makes some file systems flush with every call.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use hmac::Mac;
use serde::{Deserialize, Serialize};

use super::key::{Key, hex};
use super::record::VERSION;

/// The head's size in bytes, padded with spaces.
const SIZE: usize = 384;
/// Domain of the head's own hash.
const HEAD: &str = "head";

/// The end of the record as its last writer left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    v: u32,
    /// The last record's number; 0 when there is none.
    pub seq: u64,
    /// Where the last record's line starts, in bytes.
    pub start: u64,
    /// Where it ends.
    pub len: u64,
    /// The next record's `prev_hmac`, if it starts at `len`.
    pub link: String,
    hmac: String,
}

/// The head's file: the record's name and `.head`.
pub(super) fn path_of(record: &Path) -> PathBuf {
    let mut name = record.as_os_str().to_owned();
    name.push(".head");
    name.into()
}

impl Head {
    pub fn new(key: &Key, seq: u64, start: u64, len: u64, link: String) -> Self {
        let mut mac = key.chain(HEAD);
        mac.update(format!("{VERSION} {seq} {start} {len} {link}").as_bytes());
        Self { v: VERSION, seq, start, len, link, hmac: hex(mac) }
    }

    /// The file's whole content.
    pub fn render(&self) -> Result<String, serde_json::Error> {
        let json = serde_json::to_string(self)?;
        Ok(format!("{json:<width$}\n", width = SIZE - 1))
    }

    /// The head that `content` is, unless a byte of it was changed or it was made with another key.
    pub fn parse(key: &Key, content: &[u8]) -> Option<Self> {
        let found: Self = serde_json::from_slice(content).ok()?;
        let made = Self::new(key, found.seq, found.start, found.len, found.link.clone());
        // All bytes, padding included, so that any edit shows. It was found under the same key, so no timing
        // tells more than the file does.
        let same = made == found && made.render().is_ok_and(|made| made.as_bytes() == content);
        same.then_some(made)
    }
}

/// The head file's content; a file that is too long comes short of its end, and never parses.
pub(super) fn read(mut file: &File) -> io::Result<Vec<u8>> {
    let mut content = Vec::with_capacity(SIZE + 1);
    file.seek(SeekFrom::Start(0))?;
    file.take(SIZE as u64 + 1).read_to_end(&mut content)?;
    Ok(content)
}

/// Overwrites the head.
pub(super) fn write(mut file: &File, content: &str) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    file.write_all(content.as_bytes())
}
