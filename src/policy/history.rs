//! What was made before, so that the same isn't made twice by mistake.
//!
//! Creates have no client token, and a job has no name to look for: an agent that tries again makes another
//! one. A call whose like was made a short while ago is therefore put to a human, who is told.
//!
//! What rules of sequence go by are the calls themselves (`calls`).

pub(super) mod calls;

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::digest::keyed;
use super::hand_over::{Deposit, Handle};
use super::unique::unique_name;
use super::verdict::{CloudError, Outcome};
use crate::spec::{Call, Effect};
use calls::Calls;

/// The most calls that are kept; the oldest go first.
const CAPACITY: usize = 1_000;

/// The most calls that are counted within a minute. No budget allows as many in a step, its reads included.
const MOST_COUNTED: usize = 10_100;

/// How long a call is kept.
pub(super) const LIFETIME: SignedDuration = SignedDuration::from_mins(30);

/// What was done in this scope.
#[derive(Debug, Default)]
pub struct History {
    /// The creates that were made, or may have been, each with its instant.
    made: VecDeque<(String, Timestamp)>,
    /// What was handed over: handles, and what each is.
    handed: VecDeque<(Handle, String)>,
    /// When calls were sent within the last minute, the policy's own reads among them.
    sent: VecDeque<Timestamp>,
    /// The calls that were sent.
    pub(super) calls: Calls,
}

impl History {
    /// Counts a call that is about to be sent.
    pub(super) fn count(&mut self, now: Timestamp) {
        self.sent.retain(|at| is_within_a_minute(*at, now));
        self.sent.push_back(now);
        while self.sent.len() > MOST_COUNTED {
            self.sent.pop_front();
        }
    }

    /// How many calls were sent within the last minute.
    pub(super) fn sent_within_a_minute(&self, now: Timestamp) -> usize {
        self.sent.iter().filter(|at| is_within_a_minute(**at, now)).count()
    }

    pub(super) fn add(&mut self, fingerprint: String, now: Timestamp) {
        self.made.retain(|(_, at)| is_recent(*at, now));
        self.made.push_back((fingerprint, now));
        while self.made.len() > CAPACITY {
            self.made.pop_front();
        }
    }

    /// Remembers what was handed over, so that a human who is asked about a handle is told what it is.
    pub fn hand_over(&mut self, deposits: &[Deposit]) {
        for deposit in deposits {
            self.handed.retain(|(known, _)| known != deposit.handle());
            self.handed.push_back((deposit.handle().clone(), deposit.about().to_owned()));
        }
        while self.handed.len() > CAPACITY {
            self.handed.pop_front();
        }
    }

    /// Forgets the calls that were sent: they were another account's.
    pub fn forget_calls(&mut self) {
        self.calls = Calls::default();
    }

    /// What the secret of `handle` is, if it was handed over here.
    pub(super) fn about(&self, handle: &Handle) -> Option<&str> {
        self.handed.iter().find(|(known, _)| known == handle).map(|(_, about)| about.as_str())
    }

    /// When the call of this fingerprint was last made, if that was a short while ago.
    pub(super) fn last(&self, fingerprint: &str, now: Timestamp) -> Option<Timestamp> {
        let found = self.made.iter().rev().find(|(known, at)| known == fingerprint && is_recent(*at, now));
        found.map(|(_, at)| *at)
    }
}

fn is_within_a_minute(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) < SignedDuration::from_mins(1)
}

/// A clock that went back makes nothing old.
fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) < LIFETIME
}

/// What stands for `call` in a history: nothing for a call that makes nothing, or that gives it a name which
/// the cloud takes once.
pub(super) fn fingerprint(key: &[u8], call: &Call) -> Option<String> {
    let spec = call.spec();
    match spec.effect {
        Effect::Create if unique_name(call).is_none() => {
            let arguments = Value::Object(call.arguments().clone()).to_string();
            Some(keyed(key, ["made", spec.name, &arguments]))
        }
        Effect::Create
        | Effect::Read
        | Effect::Untrusted
        | Effect::Reveal
        | Effect::Update
        | Effect::Act
        | Effect::Destroy => None,
    }
}

/// Whether a call with this outcome was carried out, as far as can be known.
pub(super) const fn may_be_made(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Reply(_) | Outcome::Partial(..) | Outcome::Lost(_) => true,
        Outcome::Failed(CloudError { status, .. }) => *status >= 500,
        Outcome::NotSent(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        start + SignedDuration::from_mins(minute)
    }

    #[test]
    fn the_last_time_is_told_for_half_an_hour() {
        let mut history = History::default();
        history.add("a".to_owned(), at(0));
        history.add("b".to_owned(), at(1));
        history.add("a".to_owned(), at(10));
        assert_eq!(history.last("a", at(11)), Some(at(10)));
        assert_eq!(history.last("a", at(39)), Some(at(10)));
        assert_eq!(history.last("a", at(40)), None);
        assert_eq!(history.last("b", at(31)), None);
        assert_eq!(history.last("c", at(11)), None);
        // The clock went back.
        assert_eq!(history.last("a", at(-60)), Some(at(10)));
    }

    #[test]
    fn the_oldest_go_first_and_the_old_go_anyway() {
        let mut history = History::default();
        for number in 0..=CAPACITY {
            history.add(number.to_string(), at(0));
        }
        assert_eq!(history.made.len(), CAPACITY);
        assert_eq!((history.last("0", at(0)), history.last("1", at(0))), (None, Some(at(0))));
        history.add("x".to_owned(), at(30));
        assert_eq!(history.made.len(), 1);
    }
}
