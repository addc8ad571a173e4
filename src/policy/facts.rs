//! What is known to exist, because a cloud's own reply said so.
//!
//! A fact is learned only from a reply of a tool that the rule names as its source, never from an argument,
//! a log or a failed call. It is kept per region and, where the reply says which, per workspace; it is
//! compared byte for byte; it expires.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::spec::marks::Fact;

/// The most facts that are kept; the oldest go first.
const CAPACITY: usize = 100_000;

/// Where something is known to exist.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    fact: Fact,
    region: String,
    workspace: Option<String>,
    value: String,
}

/// When a fact was learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The instant of the step that learned it.
    pub at: Timestamp,
    /// The audit number of the call that taught it.
    pub learned_at: u64,
}

/// What this scope has learned.
#[derive(Debug, Default)]
pub struct Facts {
    known: HashMap<Key, Known>,
    order: VecDeque<Key>,
    activated: HashMap<String, Known>,
}

impl Facts {
    /// Remembers that `value` exists in `region`: in one workspace, or everywhere in the region.
    pub fn learn(&mut self, fact: Fact, region: &str, workspace: Option<&str>, value: &str, known: Known) {
        let key = Key {
            fact,
            region: region.to_owned(),
            workspace: workspace.map(str::to_owned),
            value: value.to_owned(),
        };
        if self.known.insert(key.clone(), known).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > CAPACITY {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }

    /// Remembers that PAI is activated in `region`.
    pub fn activate(&mut self, region: &str, known: Known) {
        self.activated.insert(region.to_owned(), known);
    }

    /// Whether PAI is known to be activated in `region`.
    pub fn activated(&self, region: &str, now: Timestamp, lifetime: SignedDuration) -> Option<Known> {
        self.activated.get(region).copied().filter(|known| fresh(known.at, now, lifetime))
    }

    /// When `value` was learned, if it was: for `workspace`, or for the whole region.
    pub fn known(
        &self,
        fact: Fact,
        region: &str,
        workspace: Option<&str>,
        value: &str,
        now: Timestamp,
        lifetime: SignedDuration,
    ) -> Option<Known> {
        let mut key = Key {
            fact,
            region: region.to_owned(),
            workspace: workspace.map(str::to_owned),
            value: value.to_owned(),
        };
        let fresh = |known: &Known| fresh(known.at, now, lifetime);
        if let Some(known) = self.known.get(&key).copied().filter(fresh) {
            return Some(known);
        }
        key.workspace = None;
        self.known.get(&key).copied().filter(fresh)
    }

    /// Whether `value` is known in any workspace of `region`.
    pub fn known_somewhere(
        &self,
        fact: Fact,
        region: &str,
        value: &str,
        now: Timestamp,
        lifetime: SignedDuration,
    ) -> bool {
        self.known.iter().any(|(key, known)| {
            key.fact == fact && key.value == value && key.region == region && fresh(known.at, now, lifetime)
        })
    }
}

fn fresh(at: Timestamp, now: Timestamp, lifetime: SignedDuration) -> bool {
    at <= now && now.duration_since(at) < lifetime
}
