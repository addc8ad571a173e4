//! The lines of a file, one in memory at a time.

use std::io::{self, BufRead, Read};

use super::MAX_LINE;

/// Reads lines. One longer than [`MAX_LINE`] comes in pieces under one number; no piece of it is a record.
pub(super) struct Lines<R> {
    reader: R,
    bytes: Vec<u8>,
    number: u64,
    ended: bool,
}

/// A line, its newline included if it has one.
pub(super) struct Piece<'a> {
    /// Its number in what was read, from 1.
    pub number: u64,
    pub bytes: &'a [u8],
}

impl<R: BufRead> Lines<R> {
    pub fn new(reader: R) -> Self {
        Self { reader, bytes: Vec::new(), number: 0, ended: true }
    }

    pub fn next(&mut self) -> io::Result<Option<Piece<'_>>> {
        self.bytes.clear();
        let read = (&mut self.reader).take(MAX_LINE as u64).read_until(b'\n', &mut self.bytes)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += u64::from(self.ended);
        self.ended = self.bytes.ends_with(b"\n");
        Ok(Some(Piece { number: self.number, bytes: &self.bytes }))
    }
}
