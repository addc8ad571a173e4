//! The writer.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use super::chain::{self, Chain, Standing};
use super::head::{self, Head};
use super::key::{Key, create_private_directory, open_private};
use super::lines::Lines;
use super::record::Entry;
use super::{AuditError, MAX_LINE};

/// An open record, to be shared by all that append to it.
///
/// Any number of these, in any number of processes, may stand on one file.
#[derive(Debug)]
pub struct Audit {
    path: PathBuf,
    head_path: PathBuf,
    key: Arc<Key>,
    fsync: bool,
    file: File,
    head: File,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The end as this writer left it; `None` until it is read, and after a write that failed.
    end: Option<End>,
    /// The highest number that this writer has seen. A record put back to an older state under a running
    /// server therefore shows a gap.
    seen: u64,
}

/// Where and how the next record goes.
#[derive(Debug)]
struct End {
    seq: u64,
    link: String,
    len: u64,
    /// Whether the last byte isn't a newline.
    torn: bool,
    /// The head file's content that goes with it.
    head: Vec<u8>,
}

/// The lock between writers, held until dropped.
struct Locked<'a>(&'a File);

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Closing the file unlocks it at the latest.
        let _ = self.0.unlock();
    }
}

impl Audit {
    /// Opens the record at `path` to go on where it ends, or begins one: its directory mode 0700, the record
    /// and its head mode 0600. With `fsync`, an append returns only once the disk has the line.
    ///
    /// # Errors
    /// [`AuditError::Open`], [`AuditError::Lock`], [`AuditError::Read`] or [`AuditError::Write`] as the system
    /// refuses; [`AuditError::Head`] when the record has lines and its head is missing or not this key's.
    pub fn open(path: &Path, key: Arc<Key>, fsync: bool) -> Result<Self, AuditError> {
        let failed = |source| AuditError::Open { path: path.to_owned(), source };
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            create_private_directory(directory).map_err(failed)?;
        }
        let head_path = head::path_of(path);
        let file =
            open_private(OpenOptions::new().read(true).append(true).create(true), path).map_err(failed)?;
        let head =
            open_private(OpenOptions::new().read(true).write(true).create(true).truncate(false), &head_path)
                .map_err(|source| AuditError::Open { path: head_path.clone(), source })?;
        let audit =
            Self { path: path.to_owned(), head_path, key, fsync, file, head, state: Mutex::default() };
        let locked = audit.lock()?;
        let end = audit.find_end()?;
        *audit.state.lock().unwrap_or_else(PoisonError::into_inner) = State { seen: end.seq, end: Some(end) };
        drop(locked);
        Ok(audit)
    }

    /// Writes one line and returns its number. It blocks for the lock and the write, and with `fsync` for the disk.
    ///
    /// # Errors
    /// Any [`AuditError`] but those of the key. After one, what the entry was to allow mustn't be sent, though
    /// the line may be in the file, torn or whole.
    pub fn append(&self, entry: &Entry) -> Result<u64, AuditError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let locked = self.lock()?;
        self.append_locked(&mut state, &locked, entry)
    }

    /// As [`Self::append`], but only if nothing makes it wait: `None`, and nothing written, while another writer
    /// is at it or when each line goes to the disk.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn append_at_once(&self, entry: &Entry) -> Result<Option<u64>, AuditError> {
        if self.fsync {
            return Ok(None);
        }
        let mut state = match self.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(None),
        };
        let locked = match self.file.try_lock() {
            Ok(()) => Locked(&self.file),
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(source)) if source.kind() == ErrorKind::Interrupted => {
                return Ok(None);
            }
            Err(fs::TryLockError::Error(source)) => {
                return Err(AuditError::Lock { path: self.path.clone(), source });
            }
        };
        self.append_locked(&mut state, &locked, entry).map(Some)
    }

    fn append_locked(&self, state: &mut State, _: &Locked<'_>, entry: &Entry) -> Result<u64, AuditError> {
        self.check_place()?;
        let len = self.file.metadata().map_err(|source| self.unreadable(source))?.len();
        let head = head::read(&self.head).map_err(|source| self.unreadable(source))?;
        let end = match state.end.take() {
            Some(end) if end.len == len && end.head == head => end,
            Some(_) | None => self.find_end()?,
        };
        let seq = end.seq.max(state.seen) + 1;
        let line = chain::seal(&self.key, seq, entry, &end.link).map_err(AuditError::Encode)?;
        if line.len() > MAX_LINE {
            state.end = Some(end);
            return Err(AuditError::TooLong { path: self.path.clone() });
        }
        let newline = if end.torn { "\n" } else { "" };
        write_once(&self.file, format!("{newline}{line}").as_bytes())
            .and_then(|()| if self.fsync { self.file.sync_data() } else { Ok(()) })
            .map_err(|source| AuditError::Write { path: self.path.clone(), source })?;

        let start = end.len + newline.len() as u64;
        let len = start + line.len() as u64;
        let link = Chain::after(&self.key, seq, line.as_bytes()).link();
        let head = self.write_head(&Head::new(&self.key, seq, start, len, link.clone()))?;
        *state = State { seen: seq, end: Some(End { seq, link, len, torn: false, head }) };
        Ok(seq)
    }

    fn lock(&self) -> Result<Locked<'_>, AuditError> {
        loop {
            match self.file.lock() {
                Ok(()) => return Ok(Locked(&self.file)),
                Err(source) if source.kind() == ErrorKind::Interrupted => {}
                Err(source) => return Err(AuditError::Lock { path: self.path.clone(), source }),
            }
        }
    }

    /// A file that was moved or removed would swallow lines that nobody finds.
    #[cfg(unix)]
    fn check_place(&self) -> Result<(), AuditError> {
        use std::fs::{Metadata, metadata};
        use std::os::unix::fs::MetadataExt;
        for (file, path) in [(&self.file, &self.path), (&self.head, &self.head_path)] {
            let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
            let open = file.metadata().map(identity).map_err(|source| self.unreadable(source))?;
            if metadata(path).map(identity).ok() != Some(open) {
                return Err(AuditError::Moved { path: path.clone() });
            }
        }
        Ok(())
    }

    #[cfg(not(unix))]
    fn check_place(&self) -> Result<(), AuditError> {
        Ok(())
    }

    /// Finds the end from the head: the record that the head names, then what a crash left behind it.
    fn find_end(&self) -> Result<End, AuditError> {
        let content = head::read(&self.head).map_err(|source| self.unreadable(source))?;
        let len = self.file.metadata().map_err(|source| self.unreadable(source))?.len();
        if content.is_empty() && len == 0 {
            let link = Chain::start(&self.key).link();
            let head = self.write_head(&Head::new(&self.key, 0, 0, 0, link.clone()))?;
            // A record must never outlive a head that the disk hasn't got.
            self.head.sync_all().map_err(|source| self.unwritable_head(source))?;
            return Ok(End { seq: 0, link, len, torn: false, head });
        }
        let known = Head::parse(&self.key, &content)
            .ok_or_else(|| AuditError::Head { path: self.head_path.clone() })?;
        let (seq, link, torn) = self.walk_from(&known, len).map_err(|source| self.unreadable(source))?;
        Ok(End { seq, link, len, torn, head: content })
    }

    /// The last record's number, the next one's link, and whether the file ends within a line.
    fn walk_from(&self, known: &Head, len: u64) -> io::Result<(u64, String, bool)> {
        let mut file = &self.file;
        let mut chain = Chain::start(&self.key);
        if known.seq > 0 {
            let mut line = Vec::new();
            file.seek(SeekFrom::Start(known.start))?;
            file.take(known.len.saturating_sub(known.start)).read_to_end(&mut line)?;
            chain = Chain::after(&self.key, known.seq, &line);
        }
        if chain.link() != known.link {
            // The record isn't what the head knows. Going on from the head leaves the break where it is.
            let mut last = [b'\n'];
            if let Some(at) = len.checked_sub(1) {
                file.seek(SeekFrom::Start(at))?;
                file.read_exact(&mut last)?;
            }
            return Ok((known.seq, known.link.clone(), last != [b'\n']));
        }
        file.seek(SeekFrom::Start(known.len))?;
        let mut lines = Lines::new(BufReader::new(file.take(len.saturating_sub(known.len))));
        let mut torn = false;
        while let Some(piece) = lines.next()? {
            torn = !piece.bytes.ends_with(b"\n");
            match chain.standing(piece.bytes) {
                Standing::Next => chain.follow(piece.bytes),
                Standing::Elsewhere(_) | Standing::Unsealed | Standing::NotJson => chain.pass(piece.bytes),
            }
        }
        if torn {
            chain.pass(b"\n"); // The next append begins with it.
        }
        Ok((chain.seq(), chain.link(), torn))
    }

    fn write_head(&self, head: &Head) -> Result<Vec<u8>, AuditError> {
        let content = head.render().map_err(AuditError::Encode)?;
        head::write(&self.head, &content)
            .and_then(|()| if self.fsync { self.head.sync_data() } else { Ok(()) })
            .map_err(|source| self.unwritable_head(source))?;
        Ok(content.into_bytes())
    }

    fn unreadable(&self, source: io::Error) -> AuditError {
        AuditError::Read { path: self.path.clone(), source }
    }

    fn unwritable_head(&self, source: io::Error) -> AuditError {
        AuditError::Write { path: self.head_path.clone(), source }
    }
}

/// One `write(2)` of the whole line. A part isn't made up for: the rest could come after another's line.
fn write_once(mut file: &File, line: &[u8]) -> io::Result<()> {
    loop {
        match file.write(line) {
            Ok(written) if written == line.len() => return Ok(()),
            Ok(written) => {
                let message = format!("only {written} of {} bytes were written", line.len());
                return Err(io::Error::new(ErrorKind::WriteZero, message));
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_write_that_fails_is_an_error() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert_eq!(write_once(&full, b"line\n").unwrap_err().kind(), ErrorKind::StorageFull);
    }

    #[cfg(unix)]
    #[test]
    fn a_record_moved_or_removed_under_the_server_is_an_error() {
        use jiff::Timestamp;

        use crate::audit::Phase;

        let home = tempfile::tempdir().unwrap();
        let entry = Entry::new(Timestamp::UNIX_EPOCH, Phase::Decision, "stdio", "dlc_create_job");
        for lost in ["a.jsonl", "a.jsonl.head"] {
            let path = home.path().join(lost).join("a.jsonl");
            let audit = Audit::open(&path, Arc::new(Key::from_bytes(&[1; 32])), true).unwrap();
            assert_eq!(audit.append(&entry).unwrap(), 1);
            let lost = path.with_file_name(lost);
            let aside = path.with_file_name("aside");
            fs::rename(&lost, &aside).unwrap();
            assert!(matches!(audit.append(&entry).unwrap_err(), AuditError::Moved { path } if path == lost));
            fs::rename(&aside, &lost).unwrap();
            assert_eq!(audit.append(&entry).unwrap(), 2);
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_record_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state/audit/a.jsonl");
        Audit::open(&path, Arc::new(Key::from_bytes(&[1; 32])), false).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let modes = (mode(path.parent().unwrap()), mode(&path), mode(&head::path_of(&path)));
        assert_eq!(modes, (0o700, 0o600, 0o600));
    }
}
