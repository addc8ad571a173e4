//! How a line is sealed, and whether a line found is the one that follows.

use data_encoding::HEXLOWER;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::escape;
use super::key::{Key, hex};
use super::record::{Entry, VERSION};

/// What the first line's `prev_hmac` covers: the format's name.
const FORMAT: &[u8] = b"redline-mcp audit record, version 1\n";
/// Domain of a line's own `hmac`.
const RECORD: &str = "record";
/// Domain of `prev_hmac`.
const LINK: &str = "link";
const HMAC_OPENS: &str = ",\"hmac\":\"";
const HMAC_CLOSES: &str = "\"}";
/// The two above and 64 hex digits between.
const HMAC_LEN: usize = HMAC_OPENS.len() + 64 + HMAC_CLOSES.len();

/// A place in the chain: the record last seen there, and a hash that covers all since that record's start.
#[derive(Clone)]
pub(super) struct Chain<'k> {
    key: &'k Key,
    seq: u64,
    link: Hmac<Sha256>,
}

/// What a line is at a place in the chain.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The record that follows.
    Next,
    /// A record made with the key, with this number, that doesn't follow here.
    Elsewhere(u64),
    /// JSON that wasn't sealed with the key, or was changed since.
    Unsealed,
    /// Not JSON: a line torn by a crash, or damaged.
    NotJson,
}

/// The parts of a record that the chain is made of.
#[derive(Deserialize)]
struct Place {
    seq: u64,
    prev_hmac: String,
}

impl<'k> Chain<'k> {
    /// Before the first record.
    pub fn start(key: &'k Key) -> Self {
        let mut link = key.chain(LINK);
        link.update(FORMAT);
        Self { key, seq: 0, link }
    }

    /// After the record numbered `seq`, whose line is `bytes`.
    pub fn after(key: &'k Key, seq: u64, bytes: &[u8]) -> Self {
        let mut link = key.chain(LINK);
        link.update(bytes);
        Self { key, seq, link }
    }

    /// The number of the record last seen; 0 before the first.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// What the next record's `prev_hmac` must be.
    pub fn link(&self) -> String {
        hex(self.link.clone())
    }

    /// What `bytes`, a line with or without its newline, is here.
    pub fn standing(&self, bytes: &[u8]) -> Standing {
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        match sealed(self.key, line) {
            Some(place) if place.seq == self.seq + 1 && place.prev_hmac == self.link() => Standing::Next,
            Some(place) => Standing::Elsewhere(place.seq),
            None if serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok() => Standing::Unsealed,
            None => Standing::NotJson,
        }
    }

    /// Steps over the record that follows.
    pub fn follow(&mut self, bytes: &[u8]) {
        *self = Self::after(self.key, self.seq + 1, bytes);
    }

    /// Steps over bytes that are no record: the next link covers them too.
    pub fn pass(&mut self, bytes: &[u8]) {
        self.link.update(bytes);
    }
}

/// The record's line, newline included.
pub(super) fn seal(key: &Key, seq: u64, entry: &Entry, link: &str) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Unsealed<'a> {
        v: u32,
        seq: u64,
        #[serde(flatten)]
        entry: &'a Entry,
        prev_hmac: &'a str,
    }

    let json = serde_json::to_string(&Unsealed { v: VERSION, seq, entry, prev_hmac: link })?;
    let mut line = escape::in_json(&json).into_owned();
    line.pop(); // The closing brace, which the seal brings.
    let mut mac = key.chain(RECORD);
    mac.update(line.as_bytes());
    line.push_str(HMAC_OPENS);
    line.push_str(&hex(mac));
    line.push_str(HMAC_CLOSES);
    line.push('\n');
    Ok(line)
}

/// The line's place, if its seal is right.
fn sealed(key: &Key, line: &[u8]) -> Option<Place> {
    let (body, seal) = line.split_at_checked(line.len().checked_sub(HMAC_LEN)?)?;
    let digits = seal.strip_prefix(HMAC_OPENS.as_bytes())?.strip_suffix(HMAC_CLOSES.as_bytes())?;
    let mut mac = key.chain(RECORD);
    mac.update(body);
    mac.verify_slice(&HEXLOWER.decode(digits).ok()?).ok()?;
    serde_json::from_slice(line).ok()
}
