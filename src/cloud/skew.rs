//! How far this machine's clock is from the clouds'.
//!
//! A signature holds the time, and the cloud refuses one that is a quarter of an hour off. What is refused for that
//! says the cloud's own time in its `Date`; from then on requests are signed by it. A read is sent once more, a
//! write is not: the next one is signed right.

use std::sync::atomic::{AtomicI64, Ordering};

use http::HeaderMap;
use http::header::DATE;
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};

/// Less than this is no reason for a refusal, in seconds.
const LEAST: i64 = 60;

/// The cloud's clock less this machine's, in whole seconds. One for all hosts: they agree with each other.
#[derive(Debug, Default)]
pub struct Skew(AtomicI64);

impl Skew {
    /// `local`, this machine's time, as the cloud has it.
    pub fn correct(&self, local: Timestamp) -> Timestamp {
        let offset = SignedDuration::from_secs(self.0.load(Ordering::Relaxed));
        local.checked_add(offset).unwrap_or(local)
    }

    /// Learns from an answer that came at `local`, this machine's time, if its `code` says that the time was wrong.
    /// True when requests are signed by another time from now on, so that the same one may be accepted.
    pub(in crate::cloud) fn learn(&self, code: &str, local: Timestamp, headers: &HeaderMap) -> bool {
        if !(code.starts_with("InvalidTimeStamp") || code.starts_with("IllegalTimestamp")) {
            return false;
        }
        let Some(offset) = seconds_ahead(local, headers) else { return false };
        let before = self.0.swap(offset, Ordering::Relaxed);
        if before.abs_diff(offset) < LEAST.unsigned_abs() {
            return false;
        }
        tracing::warn!(
            seconds = offset,
            "this machine's clock is off; requests are signed by the cloud's time. Set the machine's clock"
        );
        true
    }
}

/// By how many seconds the clock of whoever answered with `headers` is ahead of `local`, this machine's time; `None`
/// if they don't say.
pub fn seconds_ahead(local: Timestamp, headers: &HeaderMap) -> Option<i64> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let theirs = rfc2822::parse(date).ok()?.timestamp();
    Some(theirs.as_second().saturating_sub(local.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(date: &str) -> HeaderMap {
        HeaderMap::from_iter([(DATE, date.parse().unwrap())])
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_clouds_date_corrects_the_clock_once() {
        let skew = Skew::default();
        let local = at("2026-01-01T00:00:00Z");
        let cloud = headers("Thu, 01 Jan 2026 01:00:00 GMT");
        assert!(skew.learn("InvalidTimeStamp.Expired", local, &cloud));
        assert_eq!(skew.correct(local), at("2026-01-01T01:00:00Z"));
        assert!(!skew.learn("InvalidTimeStamp.Expired", local, &cloud), "the time wasn't what was wrong");
        let back = headers("Wed, 31 Dec 2025 23:00:00 GMT");
        assert!(skew.learn("IllegalTimestamp", local, &back));
        assert_eq!(skew.correct(local), at("2025-12-31T23:00:00Z"));
    }

    #[test]
    fn nothing_is_learned_without_a_date_or_from_another_refusal() {
        let skew = Skew::default();
        let local = at("2026-01-01T00:00:00Z");
        let date = headers("Thu, 01 Jan 2026 01:00:00 GMT");
        assert!(!skew.learn("SignatureDoesNotMatch", local, &date));
        assert!(!skew.learn("InvalidTimeStamp.Expired", local, &HeaderMap::new()));
        assert!(!skew.learn("InvalidTimeStamp.Expired", local, &headers("soon")));
        assert_eq!(skew.correct(local), local);
    }
}
