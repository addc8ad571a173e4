//! Whether a record is whole.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

use super::AuditError;
use super::chain::{Chain, Standing};
use super::head::{self, Head};
use super::key::Key;
use super::lines::Lines;

/// What [`verify`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Every line is as it was written, and none is missing.
    Whole(Verified),
    /// It isn't.
    Broken {
        /// The first break.
        first: Break,
        /// The records before it that hold.
        records: u64,
    },
}

/// A record that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many records it has; the last one's number.
    pub records: u64,
    /// How many lines a crash has torn. They are no records: a torn decision was never sent, and a torn outcome
    /// leaves its decision without one.
    pub torn: u64,
    /// The first of them, counted in lines from 1.
    pub first_torn: Option<u64>,
    /// The hash that the next record will carry. Kept elsewhere, it shows later whether this record is still
    /// the same one up to here.
    pub link: String,
}

/// The first place where a record doesn't hold. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Break {
    /// Neither the head nor the first line was made with this key.
    OtherKey,
    /// The record has lines and no head.
    NoHead,
    /// The head was edited or made with another key.
    HeadEdited,
    /// The line was changed after it was written.
    Edited {
        /// Which.
        line: u64,
    },
    /// The line was put in by somebody without the key.
    Forged {
        /// Which.
        line: u64,
    },
    /// The line isn't JSON, and no writer found it so after a crash.
    NotJson {
        /// Which.
        line: u64,
    },
    /// Records are missing before the line.
    Missing {
        /// Which.
        line: u64,
        /// The record expected there.
        expected: u64,
        /// The record found.
        found: u64,
    },
    /// The line is an earlier record, moved or repeated.
    Reordered {
        /// Which.
        line: u64,
        /// The record expected there.
        expected: u64,
        /// The record found.
        found: u64,
    },
    /// The line was made with the key, for another record or after other lines.
    Foreign {
        /// Which.
        line: u64,
    },
    /// The head knows of records after the last one.
    CutTail {
        /// The last record found.
        last: u64,
        /// The last record that was written.
        written: u64,
    },
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherKey => {
                f.write_str("nothing in it was made with this key: give the key that it was written with")
            }
            Self::NoHead => f.write_str("its head is missing: a cut at the tail can't be ruled out"),
            Self::HeadEdited => f.write_str(
                "its head was edited, or made with another key: a cut at the tail can't be ruled out",
            ),
            Self::Edited { line } => write!(f, "line {line} was edited, or written without the key"),
            Self::Forged { line } => write!(f, "line {line} was put in without the key"),
            Self::NotJson { line } => write!(f, "line {line} isn't JSON: it was edited or damaged"),
            Self::Missing { line, expected, found } => write!(
                f,
                "line {line} is record {found} where {expected} belongs: records were cut out, moved, or lost in a power failure"
            ),
            Self::Reordered { line, expected, found } => {
                write!(f, "line {line} is record {found} where {expected} belongs: it was moved or repeated")
            }
            Self::Foreign { line } => {
                write!(f, "line {line} belongs to another record made with the same key")
            }
            Self::CutTail { last, written } => write!(
                f,
                "it ends at record {last} and {written} were written: the tail was cut off, or lost in a power failure"
            ),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(Verified { records, torn, first_torn, link: _ }) => {
                write!(f, "{records} records, none changed or missing")?;
                match first_torn {
                    Some(line) if *torn == 1 => {
                        write!(f, "; torn line {line}, possibly in flight at a crash")
                    }
                    Some(line) => {
                        write!(f, "; {torn} torn lines from line {line}, possibly in flight at a crash")
                    }
                    None => Ok(()),
                }
            }
            Self::Broken { first, records } => write!(f, "broken after {records} records that hold: {first}"),
        }
    }
}

/// Reads the record at `path` from its start and tests every line, holding one line in memory. A server may be
/// appending meanwhile: what it writes after this began isn't looked at.
///
/// # Errors
/// [`AuditError::Open`], [`AuditError::Lock`] or [`AuditError::Read`], when there is nothing to judge.
pub fn verify(path: &Path, key: &Key) -> Result<Report, AuditError> {
    let failed = |source| AuditError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(|source| AuditError::Open { path: path.to_owned(), source })?;
    file.lock_shared().map_err(|source| AuditError::Lock { path: path.to_owned(), source })?;
    let len = file.metadata().map_err(failed)?.len();
    let head_path = head::path_of(path);
    let head = match File::open(&head_path).and_then(|head| head::read(&head)) {
        Ok(content) => Some(content),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(source) => return Err(AuditError::Read { path: head_path, source }),
    };
    // The length and the head go together; behind the length, the file may grow.
    file.unlock().map_err(|source| AuditError::Lock { path: path.to_owned(), source })?;

    let lines = Lines::new(BufReader::new(file.take(len)));
    let mut walk = Walk { chain: Chain::start(key), known: None, unread: None, torn: 0, first_torn: None };
    let first = match head {
        None if len == 0 => None,
        Some(content) if content.is_empty() && len == 0 => None,
        head => {
            walk.known = head.as_deref().and_then(|content| Head::parse(key, content));
            let found = walk.all(lines).map_err(failed)?;
            match (found, &walk.known, head) {
                (Some(Break::Edited { line: 1 }), None, Some(_)) => Some(Break::OtherKey),
                (Some(found), _, _) => Some(found),
                (None, Some(_), _) => None,
                (None, None, Some(_)) => Some(Break::HeadEdited),
                (None, None, None) => Some(Break::NoHead),
            }
        }
    };
    let records = walk.chain.seq();
    Ok(match first {
        Some(first) => Report::Broken { first, records },
        None => Report::Whole(Verified {
            records,
            torn: walk.torn,
            first_torn: walk.first_torn,
            link: walk.chain.link(),
        }),
    })
}

/// A walk along the chain.
struct Walk<'k> {
    chain: Chain<'k>,
    /// The head, if it holds.
    known: Option<Head>,
    /// The first line since the last record that isn't JSON: torn if the next record covers it.
    unread: Option<u64>,
    torn: u64,
    first_torn: Option<u64>,
}

impl Walk<'_> {
    /// Walks to the end or the first break.
    fn all(&mut self, mut lines: Lines<impl io::BufRead>) -> io::Result<Option<Break>> {
        let mut last = 0;
        while let Some(piece) = lines.next()? {
            let line = piece.number;
            last = line;
            match self.chain.standing(piece.bytes) {
                Standing::Next => {
                    self.chain.follow(piece.bytes);
                    self.settle(line);
                    if self
                        .known
                        .as_ref()
                        .is_some_and(|head| head.seq == self.chain.seq() && head.link != self.chain.link())
                    {
                        return Ok(Some(Break::Foreign { line }));
                    }
                }
                Standing::Elsewhere(found) => return Ok(Some(self.misplaced(line, found))),
                Standing::Unsealed => {
                    let before = self.chain.clone();
                    self.chain.pass(piece.bytes);
                    let next = lines.next()?;
                    return Ok(Some(self.unsealed(line, &before, next.map(|piece| piece.bytes))));
                }
                Standing::NotJson => {
                    self.chain.pass(piece.bytes);
                    self.unread.get_or_insert(line);
                }
            }
        }
        let written = self.known.as_ref().map_or(0, |head| head.seq);
        if written > self.chain.seq() {
            let cut = Break::CutTail { last: self.chain.seq(), written };
            return Ok(Some(self.unread.map_or(cut, |line| Break::NotJson { line })));
        }
        self.settle(last + 1);
        Ok(None)
    }

    /// The lines before this one, since the last record, were torn by a crash.
    fn settle(&mut self, line: u64) {
        if let Some(first) = self.unread.take() {
            self.torn += line - first;
            self.first_torn.get_or_insert(first);
        }
    }

    /// A line made with the key that doesn't follow.
    fn misplaced(&self, line: u64, found: u64) -> Break {
        let expected = self.chain.seq() + 1;
        match self.unread {
            Some(line) => Break::NotJson { line },
            None if found > expected => Break::Missing { line, expected, found },
            None if found < expected => Break::Reordered { line, expected, found },
            None => Break::Foreign { line },
        }
    }

    /// A line not made with the key, just passed over: put in, if what comes next follows without it.
    fn unsealed(&self, line: u64, before: &Chain<'_>, next: Option<&[u8]>) -> Break {
        let put_in = match next {
            Some(next) => {
                before.standing(next) == Standing::Next || self.chain.standing(next) == Standing::Next
            }
            None => self.known.as_ref().is_some_and(|head| head.seq == self.chain.seq()),
        };
        if put_in { Break::Forged { line } } else { Break::Edited { line } }
    }
}
