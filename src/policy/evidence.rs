//! What the policy read for one step, dropped with it.

use super::facts::Facts;
use super::verdict::Outcome;
use crate::spec::Call;

/// The reads of one step, and what came of each.
///
/// What a read shows to exist counts for its step alone: nobody has shown it to the agent.
#[derive(Default)]
pub struct Evidence {
    reads: Vec<(Call, Outcome)>,
    facts: Facts,
}

impl Evidence {
    /// Adds a read and its outcome.
    pub fn add(&mut self, call: Call, outcome: Outcome) {
        self.reads.push((call, outcome));
    }

    /// Adds that `reads` couldn't be made, and why, but for those that were.
    pub(crate) fn missed(&mut self, reads: Vec<Call>, reason: &str) {
        for read in reads {
            if self.of(&read).is_none() {
                self.add(read, Outcome::NotSent(reason.to_owned()));
            }
        }
    }

    /// How many reads there are.
    pub(crate) const fn len(&self) -> usize {
        self.reads.len()
    }

    /// What came of `call`, if it was made.
    pub(super) fn of(&self, call: &Call) -> Option<&Outcome> {
        self.reads.iter().find(|(made, _)| made.is_same(call)).map(|(_, outcome)| outcome)
    }

    /// What the reads show to exist.
    pub(super) const fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(super) const fn facts_mut(&mut self) -> &mut Facts {
        &mut self.facts
    }
}
