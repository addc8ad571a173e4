//! The writer and the verifier, and the crashes and forgeries between them.

mod properties;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

use super::*;

fn key() -> Arc<Key> {
    Arc::new(Key::from_bytes(&[42; 32]))
}

fn instant() -> Timestamp {
    "2026-03-01T12:00:00.5Z".parse().unwrap()
}

pub(super) fn entry(tool: &str) -> Entry {
    Entry::new(instant(), Phase::Outcome, "stdio", tool)
}

/// A record in a directory of its own.
pub(super) struct Place {
    _home: TempDir,
    pub path: PathBuf,
}

impl Place {
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("audit.jsonl");
        Self { _home: home, path }
    }

    pub fn with(record: &[u8], head: &[u8]) -> Self {
        let place = Self::new();
        fs::write(&place.path, record).unwrap();
        fs::write(place.head(), head).unwrap();
        place
    }

    pub fn head(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".head");
        name.into()
    }

    pub fn audit(&self) -> Audit {
        Audit::open(&self.path, key(), false).unwrap()
    }

    pub fn append(&self, tools: &[&str]) -> Vec<u64> {
        let audit = self.audit();
        tools.iter().map(|tool| audit.append(&entry(tool)).unwrap()).collect()
    }

    /// What a crash within a write leaves.
    pub fn tear(&self, bytes: &[u8]) {
        OpenOptions::new().append(true).open(&self.path).unwrap().write_all(bytes).unwrap();
    }

    fn cut(&self, len: usize) {
        OpenOptions::new().write(true).open(&self.path).unwrap().set_len(len as u64).unwrap();
    }

    pub fn lines(&self) -> Vec<Vec<u8>> {
        lines_of(&fs::read(&self.path).unwrap())
    }

    pub fn records(&self) -> Vec<Record> {
        self.lines().iter().filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }

    pub fn verify(&self) -> Report {
        verify(&self.path, &key()).unwrap()
    }

    /// `(records, torn, first torn)` of a whole record.
    pub fn whole(&self) -> (u64, u64, Option<u64>) {
        match self.verify() {
            Report::Whole(Verified { records, torn, first_torn, link: _ }) => (records, torn, first_torn),
            broken @ Report::Broken { .. } => panic!("{broken}"),
        }
    }

    fn broken(&self) -> (Break, u64) {
        match self.verify() {
            Report::Whole(verified) => panic!("{verified:?}"),
            Report::Broken { first, records } => (first, records),
        }
    }
}

pub(super) fn lines_of(content: &[u8]) -> Vec<Vec<u8>> {
    content.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

#[test]
fn hashes_are_what_the_documentation_says() {
    let place = Place::new();
    place.append(&["a", "b"]);
    let over = |domain: &str, bytes: &[u8]| {
        let mut mac = key().chain(domain);
        hmac::Mac::update(&mut mac, bytes);
        key::hex(mac)
    };
    let [first, second] = <[Record; 2]>::try_from(place.records()).unwrap();
    let lines = place.lines();
    assert_eq!(first.prev_hmac, over("link", b"redline-mcp audit record, version 1\n"));
    assert_eq!(second.prev_hmac, over("link", &lines[0]));
    let at = lines[1].windows(8).rposition(|window| window == b",\"hmac\":").unwrap();
    assert_eq!(second.hmac, over("record", &lines[1][..at]));
    let Report::Whole(verified) = place.verify() else { panic!() };
    assert_eq!(verified, Verified { records: 2, torn: 0, first_torn: None, link: over("link", &lines[1]) });
}

#[test]
fn an_empty_record_is_whole_and_a_reopened_one_goes_on() {
    let place = Place::new();
    drop(place.audit());
    assert_eq!(place.whole(), (0, 0, None));
    assert_eq!(place.append(&["a", "b"]), [1, 2]);
    assert_eq!(place.append(&["c"]), [3]);
    assert_eq!(place.whole(), (3, 0, None));
}

#[test]
fn a_torn_line_stays_is_sealed_and_is_reported() {
    let place = Place::new();
    place.append(&["a", "b"]);
    place.tear(b"{\"v\":1,\"seq\":3");
    assert_eq!(
        place.verify().to_string(),
        "2 records, none changed or missing; torn line 3, possibly in flight at a crash"
    );
    assert_eq!(place.append(&["c"]), [3]);
    // A crash right after the newline that ends a torn line, and one more.
    place.tear(b"{\"v\"");
    place.tear(b"\n");
    place.tear(b"{");
    assert_eq!(place.append(&["d"]), [4]);
    assert_eq!(place.whole(), (4, 3, Some(3)));
    assert_eq!(place.lines()[2], b"{\"v\":1,\"seq\":3\n");

    let mut edited = fs::read(&place.path).unwrap();
    let at = edited.windows(15).position(|window| window == b"{\"v\":1,\"seq\":3\n").unwrap();
    edited[at + 2] = b'w';
    fs::write(&place.path, edited).unwrap();
    assert_eq!(place.broken(), (Break::NotJson { line: 3 }, 2));
}

#[test]
fn a_line_torn_in_a_running_server_is_sealed_by_its_next_append() {
    let place = Place::new();
    let audit = place.audit();
    audit.append(&entry("a")).unwrap();
    place.tear(b"{\"v\":1,");
    assert_eq!(audit.append(&entry("b")).unwrap(), 2);
    assert_eq!(place.whole(), (2, 1, Some(2)));
}

#[test]
fn a_crash_before_the_newline_or_the_head_loses_nothing() {
    let place = Place::new();
    place.append(&["a", "b"]);
    let head = fs::read(place.head()).unwrap();
    place.append(&["c", "d"]);
    fs::write(place.head(), &head).unwrap();
    assert_eq!(place.whole(), (4, 0, None));
    place.cut(fs::read(&place.path).unwrap().len() - 1);
    assert_eq!(place.whole(), (4, 0, None));
    assert_eq!(place.append(&["e"]), [5]);
    assert_eq!(place.whole(), (5, 0, None));
}

#[test]
fn a_cut_tail_is_found_and_a_restart_cannot_launder_it() {
    let place = Place::new();
    place.append(&["a", "b", "c"]);
    let lines = place.lines();
    place.cut(lines[0].len() + lines[1].len());
    assert_eq!(place.broken(), (Break::CutTail { last: 2, written: 3 }, 2));
    assert_eq!(place.append(&["d", "e"]), [4, 5]);
    assert_eq!(place.broken(), (Break::Missing { line: 3, expected: 3, found: 4 }, 2));
    place.cut(0);
    assert_eq!(place.broken(), (Break::CutTail { last: 0, written: 5 }, 0));
}

#[test]
fn a_cut_under_a_running_server_is_found_though_the_head_was_put_back_too() {
    let place = Place::new();
    let audit = place.audit();
    audit.append(&entry("a")).unwrap();
    let head = fs::read(place.head()).unwrap();
    let len = place.lines()[0].len();
    audit.append(&entry("b")).unwrap();
    place.cut(len);
    fs::write(place.head(), &head).unwrap();
    assert_eq!(audit.append(&entry("c")).unwrap(), 3);
    assert_eq!(place.broken(), (Break::Missing { line: 2, expected: 2, found: 3 }, 1));
}

#[test]
fn a_cut_of_another_writers_lines_is_not_laundered_by_a_writer_that_had_not_seen_them() {
    let place = Place::new();
    let audit = place.audit();
    audit.append(&entry("a")).unwrap();
    let len = place.lines()[0].len();
    place.append(&["b", "c"]);
    place.cut(len);
    assert_eq!(audit.append(&entry("d")).unwrap(), 4);
    assert_eq!(place.broken(), (Break::Missing { line: 2, expected: 2, found: 4 }, 1));
}

#[test]
fn without_its_head_a_record_does_not_pass_and_is_not_continued() {
    let place = Place::new();
    place.append(&["a"]);
    let good = fs::read(place.head()).unwrap();
    let refuses = || matches!(Audit::open(&place.path, key(), false).unwrap_err(), AuditError::Head { path } if path == place.head());

    for at in 0..good.len() {
        let mut edited = good.clone();
        edited[at] ^= 1;
        fs::write(place.head(), &edited).unwrap();
        assert_eq!(place.broken(), (Break::HeadEdited, 1), "byte {at}");
    }
    assert!(refuses());
    fs::write(place.head(), [good.as_slice(), b" "].concat()).unwrap();
    assert_eq!(place.broken(), (Break::HeadEdited, 1));
    fs::remove_file(place.head()).unwrap();
    assert_eq!(place.broken(), (Break::NoHead, 1));
    assert!(refuses());
}

#[test]
fn another_key_is_named_as_such() {
    let place = Place::new();
    place.append(&["a", "b"]);
    let report = verify(&place.path, &Key::from_bytes(&[1; 32])).unwrap();
    assert_eq!(report, Report::Broken { first: Break::OtherKey, records: 0 });
    let other = Audit::open(&place.path, Arc::new(Key::from_bytes(&[1; 32])), false);
    assert!(matches!(other.unwrap_err(), AuditError::Head { .. }));
}

#[test]
fn each_kind_of_break_is_named_at_its_first_line() {
    let place = Place::new();
    place.append(&["a", "b", "c", "d"]);
    let (lines, head) = (place.lines(), fs::read(place.head()).unwrap());
    let found = |lines: &[&[u8]]| Place::with(&lines.concat(), &head).broken();
    let [a, b, c, d] = [0, 1, 2, 3].map(|at| lines[at].as_slice());
    let edited = String::from_utf8(c.to_vec()).unwrap().replace("stdio", "STDIO").into_bytes();
    let fake = b"{\"v\":1,\"seq\":3}\n".as_slice();

    assert_eq!(found(&[a, b, &edited, d]), (Break::Edited { line: 3 }, 2));
    assert_eq!(found(&[a, b, fake, d]), (Break::Edited { line: 3 }, 2));
    assert_eq!(found(&[a, b, fake, c, d]), (Break::Forged { line: 3 }, 2));
    assert_eq!(found(&[a, b, c, d, fake]), (Break::Forged { line: 5 }, 4));
    assert_eq!(found(&[a, b, b"rubbish\n", d]), (Break::NotJson { line: 3 }, 2));
    assert_eq!(found(&[a, b, c, b"rubbish\n"]), (Break::NotJson { line: 4 }, 3));
    assert_eq!(found(&[a, c, b, d]), (Break::Missing { line: 2, expected: 2, found: 3 }, 1));
    assert_eq!(found(&[a, b, b, c, d]), (Break::Reordered { line: 3, expected: 3, found: 2 }, 2));
    assert_eq!(found(&[b, c, d]), (Break::Missing { line: 1, expected: 1, found: 2 }, 0));
    assert_eq!(found(&[a, b, c]), (Break::CutTail { last: 3, written: 4 }, 3));

    let other = Place::new();
    other.append(&["w", "x", "y", "z"]);
    let other = other.lines();
    assert_eq!(found(&[a, &other[1], c, d]), (Break::Foreign { line: 2 }, 1));
    assert_eq!(found(&[&other[0], &other[1], &other[2], &other[3]]), (Break::Foreign { line: 4 }, 4));
}

#[test]
fn a_forged_line_stays_forged_after_the_writer_went_on() {
    let place = Place::new();
    place.append(&["a"]);
    place.tear(b"{\"v\":1,\"seq\":2}\n");
    assert_eq!(place.append(&["b"]), [2]);
    assert_eq!(place.broken(), (Break::Forged { line: 2 }, 1));
}

#[test]
fn a_line_that_is_too_long_is_refused_and_the_record_goes_on() {
    let place = Place::new();
    let audit = place.audit();
    let long = Entry { arguments: Some(Value::String("x".repeat(MAX_LINE))), ..entry("a") };
    assert!(matches!(audit.append(&long).unwrap_err(), AuditError::TooLong { path } if path == place.path));
    assert_eq!(audit.append(&entry("b")).unwrap(), 1);
    assert_eq!(place.whole(), (1, 0, None));
    place.tear(&vec![b'{'; 2 * MAX_LINE + 1]);
    assert_eq!(audit.append(&entry("c")).unwrap(), 2);
    assert_eq!(place.whole(), (2, 1, Some(2)));
}

#[test]
fn writers_in_several_threads_and_handles_make_one_chain() {
    const EACH: usize = 40;
    let place = Place::new();
    let handles = [place.audit(), place.audit()];
    let mut seqs: Vec<u64> = std::thread::scope(|threads| {
        let started: Vec<_> = (0..6)
            .map(|n| {
                let audit = &handles[n % 2];
                threads
                    .spawn(move || (0..EACH).map(|_| audit.append(&entry("t")).unwrap()).collect::<Vec<_>>())
            })
            .collect();
        started.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=6 * EACH as u64).collect::<Vec<_>>());
    assert_eq!(place.whole(), (6 * EACH as u64, 0, None));
}

#[test]
fn a_record_is_verified_while_it_grows() {
    let place = Place::new();
    let audit = place.audit();
    std::thread::scope(|threads| {
        let writer = threads.spawn(|| {
            for _ in 0..100 {
                audit.append(&entry("t")).unwrap();
            }
        });
        while !writer.is_finished() {
            let (records, torn, _) = place.whole();
            assert!(records <= 100 && torn == 0);
        }
    });
    assert_eq!(place.whole(), (100, 0, None));
}

#[test]
fn a_line_is_written_at_once_only_where_nothing_makes_it_wait() {
    let place = Place::new();
    let audit = place.audit();
    assert_eq!(audit.append_at_once(&entry("a")).unwrap(), Some(1));
    let elsewhere = OpenOptions::new().read(true).open(&place.path).unwrap();
    elsewhere.lock().unwrap();
    assert_eq!(audit.append_at_once(&entry("b")).unwrap(), None);
    elsewhere.unlock().unwrap();
    assert_eq!(audit.append_at_once(&entry("c")).unwrap(), Some(2));
    let flushed = Audit::open(&place.path, key(), true).unwrap();
    assert_eq!(flushed.append_at_once(&entry("d")).unwrap(), None);
    assert_eq!(place.whole(), (2, 0, None));
}
